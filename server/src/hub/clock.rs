//! The timeline of a stream: from the 32-bit times of its publishers to one line that begins at 0 and goes on.

use tokio::time::Instant;

use super::epoch::{self, Epoch};

/// Places the messages of one publisher on its stream's timeline.
///
/// Times are kept as they were sent but for a shift. Each track is unwrapped on its own, so that they may be interleaved in
/// any way, and slightly out of order within themselves. The shift changes when the publisher's clock jumps, and then for
/// all tracks alike: the first frame of the new clock, on whatever track, goes where its track's next frame was due and
/// begins an *epoch*; the other tracks join the epoch when their own times come to be near it, and keep the offset they
/// have to each other on the new clock. A track that stays on the old clock stays where it is.
///
/// A jump is a step back by more than [`BACK_MS`], or one forward by more than [`FORWARD_MS`] that nothing explains. What
/// explains it: another track is there already (this one had paused), as much time has passed in truth (the publisher had
/// paused, or sends few pictures), or the track's steps are that long (a file sent faster than it plays).
#[derive(Debug, Default)]
pub(super) struct Clock {
    tracks: Vec<Track>,
    /// Oldest first, [`EPOCHS_MAX`] at most.
    epochs: Vec<Epoch>,
    /// How many there were before those.
    forgotten: usize,
    /// How often a track was taken to a new epoch.
    jumps: u64,
    /// Of the last frame, without jumps.
    latest: Option<i64>,
    /// The highest of all frames.
    high: i64,
    shift: i64,
    /// Where the publisher's first frame stands on the stream's timeline.
    begin: i64,
}

/// What a message's time is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrackId {
    pub(super) is_video: bool,
    pub(super) number: u8,
}

#[derive(Debug)]
struct Track {
    id: TrackId,
    /// The number of its epoch, counted over all.
    epoch: usize,
    /// The publisher's time of its last frame.
    raw: i64,
    /// The same without jumps.
    time: i64,
    /// The last step from frame to frame that was one.
    step: i64,
    /// The longest of the last steps that nothing else explained; an old one counts less and less.
    longest: i64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The publisher's time of a frame, without wraps and without jumps.
    pub(super) fn frame(&mut self, id: TrackId, wire: u32, now: Instant) -> i64 {
        let known = self.tracks.iter().position(|track| track.id == id);
        let time = match known {
            Some(index) => self.goes_on(index, wire, now).unwrap_or_else(|| {
                let (epoch, raw, time) = self.jump(Some(index), wire, now);
                let track = &mut self.tracks[index];
                (track.epoch, track.raw, track.time) = (epoch, raw, time);
                time
            }),
            None => {
                let (epoch, raw, time) = self.jump(None, wire, now);
                let (step, longest) = (STEP_MS, FIRST_STEP_MS / LONGER);
                self.tracks.push(Track { id, epoch, raw, time, step, longest });
                time
            }
        };
        self.high = self.latest.map_or(time, |_| self.high.max(time));
        self.latest = Some(time);
        time
    }

    /// How many jumps were closed. One of all tracks counts as one.
    pub(super) fn jumps(&self) -> u64 {
        self.jumps
    }

    /// The publisher's time of anything else, without wraps and without jumps; `None` for what precedes all frames:
    /// encoders stamp headers and scripts 0 whatever their clock says.
    pub(super) fn between_frames(&self, wire: u32) -> Option<i64> {
        let latest = self.latest?;
        let near = self.epochs.iter().rev().find_map(|epoch| {
            let raw = epoch.nearest(wire);
            epoch.is_near(raw, BETWEEN_MS).then(|| epoch.time(raw))
        });
        Some(near.unwrap_or(latest))
    }

    /// From now on the publisher's time `raw` is `time` on the stream's timeline.
    pub(super) fn place(&mut self, raw: i64, time: i64) {
        self.shift = time - raw;
        self.begin = time;
    }

    /// The stream's time of a publisher's time.
    pub(super) fn time(&self, raw: i64) -> i64 {
        // A track that turned up late may bring something from before the beginning.
        (raw + self.shift).max(self.begin)
    }

    /// The time of a frame that goes on from the last one of its track; `None` if it does not.
    fn goes_on(&mut self, index: usize, wire: u32, now: Instant) -> Option<i64> {
        let track = self.tracks.get_mut(index)?;
        let raw = epoch::nearest(track.raw, wire);
        let epoch = self.epochs.get_mut(track.epoch.checked_sub(self.forgotten)?)?;
        let step = raw - track.raw;
        if step < -BACK_MS {
            return None;
        }
        let is_explained = epoch.explains(raw, now, FORWARD_MS);
        if !is_explained && step > FORWARD_MS.max(track.longest * LONGER) {
            return None;
        }
        let longest = if is_explained { 0 } else { step };
        track.longest = longest.max(track.longest - track.longest / FADING);
        if (1..=STEP_MAX_MS).contains(&step) {
            track.step = step;
        }
        track.raw = raw;
        track.time = epoch.time(raw);
        epoch.saw(raw, now);
        Some(track.time)
    }

    /// Finds an epoch for a frame that does not go on from the last one of its track, or is the first of one. Returns the
    /// epoch's number, and the frame's time in it and without jumps.
    fn jump(&mut self, track: Option<usize>, wire: u32, now: Instant) -> (usize, i64, i64) {
        let track = track.and_then(|index| self.tracks.get(index));
        let left = track.and_then(|track| track.epoch.checked_sub(self.forgotten));
        let tolerance = if track.is_some() { FORWARD_MS } else { NEW_TRACK_MS };
        let due = track.map(|track| track.time + track.step);
        let candidates = self.epochs.iter_mut().enumerate();
        let candidates = candidates.filter(|(index, _)| Some(*index) != left);
        let nearest = candidates
            .map(|(index, epoch)| (epoch.nearest(wire), index, epoch))
            .filter(|(raw, _, epoch)| {
                let is_ahead = epoch.explains(*raw, now, tolerance) && epoch.is_ahead(*raw);
                epoch.is_near(*raw, tolerance) || is_ahead
            })
            .min_by_key(|(raw, _, epoch)| epoch.distance(*raw));
        if let Some((raw, index, epoch)) = nearest {
            if let Some(track) = track
                && epoch.time(raw) <= track.time
            {
                // The epoch was placed by another track, or long ago; this one must not go back.
                epoch.move_on(track.time + track.step - epoch.time(raw));
            }
            epoch.saw(raw, now);
            return (self.forgotten + index, raw, epoch.time(raw));
        }
        self.jumps += u64::from(track.is_some());
        let raw = i64::from(wire);
        let time = match (due, self.latest) {
            (_, None) => raw,
            // A track that had paused is taken to where the others are.
            (Some(due), Some(_)) => due.max(self.high - BACK_MS),
            (None, Some(_)) => self.high,
        };
        if self.epochs.len() == EPOCHS_MAX {
            self.epochs.remove(0);
            self.forgotten += 1;
        }
        self.epochs.push(Epoch::new(raw, time, now));
        (self.forgotten + self.epochs.len() - 1, raw, time)
    }
}

/// How far a stream's media has come, with long pauses left out: it never falls, so that lag can be measured by it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    high: Option<i64>,
    position: u64,
}

impl Progress {
    /// Takes note of a frame's time.
    pub(super) fn advance(&mut self, time: i64) {
        let step = self.high.map_or(0, |high| time.saturating_sub(high));
        if step < 0 {
            // Older than what was sent of the other track.
            return;
        }
        if step <= PAUSE_MS {
            self.position += u64::try_from(step).unwrap_or(0);
        }
        self.high = Some(time);
    }

    /// Milliseconds of media so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The highest time so far.
    pub(super) fn high(&self) -> Option<i64> {
        self.high
    }
}

/// A step back of more than this is a jump. Less is an encoder that stamps pictures with the time they are shown at.
const BACK_MS: i64 = 1_000;

/// A step forward of more than this is a jump, unless it is explained. Less is a gap that players bridge.
const FORWARD_MS: i64 = 5_000;

/// The second frame of a track may be so far from the first: the steps of the track are not known yet.
const FIRST_STEP_MS: i64 = 15_000;

/// How many times longer than those before it a step may be.
const LONGER: i64 = 2;

/// The longest step fades by this part with every frame: after a pause, some twenty frames later it is as it was.
const FADING: i64 = 8;

/// The first frame of a track's new epoch comes so long after the one before if the track's steps are not known: about a
/// picture.
const STEP_MS: i64 = 40;

/// The longest step that a jump is replaced by.
const STEP_MAX_MS: i64 = 1_000;

/// Epochs that are remembered: those of tracks that jump one after the other, and a few for publishers out of their mind.
const EPOCHS_MAX: usize = 8;

/// The first frames of a track may be so far from the frames of the others.
const NEW_TRACK_MS: i64 = 10_000;

/// Headers and scripts may be so far from the frames around them.
const BETWEEN_MS: i64 = 1_000;

/// A longer step is a pause, in which nobody falls behind.
const PAUSE_MS: i64 = 10_000;
