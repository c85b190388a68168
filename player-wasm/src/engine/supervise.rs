//! What the engine does about time passing: starting, following live, mending, evicting.

use alloc::string::String;

use pushpull_media::remux::{Track, TrackInfo, Tracks};

use super::buffered::{Buffered, Range};
use super::command::{Command, Fault, Notice};
use super::live::{Action, Situation};
use super::track::seconds;
use super::watchdog::{Sight, Step};
use super::{Engine, Pacing, REACH, Stage};

impl Engine {
    /// Time has passed; the host says so every 100 ms or so, and other calls do too.
    pub fn tick(&mut self, now: f64) {
        if self.stage == Stage::Done {
            return;
        }
        self.check_silence(now);
        if self.source.flowed_for(now) >= REPEAT_PATIENCE {
            self.remuxer.take_repeated();
        }
        self.choose_tracks(now);
        if self.stage == Stage::Open && self.playing.is_some() {
            self.add_tracks();
        }
        if let Some((tracks, notice, since)) = self.planned
            && now - since >= GATHERED
        {
            self.rebuild(tracks, notice, now);
        }
        self.fill_sound(now);
        self.check_progress(now);
        if self.stage != Stage::Running {
            return;
        }
        self.park(now);
        self.hold_picture(now);
        self.skip_backlog(now);
        self.follow(now);
        self.watch(now);
        self.check_pacing(now);
        self.evict(now);
    }

    /// Whether more should be appended now.
    pub(super) fn may_append(&self, track: Track, now: f64) -> bool {
        if self.parked || self.planned.is_some() {
            return false;
        }
        if self.stage != Stage::Running || !self.source.is_flowing() {
            return true;
        }
        // Each append costs as much as several pictures: with enough ahead they are gathered.
        let state = &self.tracks[track];
        let position = self.playhead.position(now);
        let ahead = self.buffered(track, position);
        // Sound has small frames, and nobody sees how they come.
        let gather = if track == Track::Audio { GATHER_SOUND } else { GATHER };
        let comfort = if self.plays(Track::Audio) { COMFORT_WITH_SOUND } else { COMFORT };
        ahead < comfort || now - state.taken_at >= (ahead / 3.0).max(gather).min(GATHER_MOST)
    }

    /// Everything of every track is there: playing can begin.
    pub(super) fn begin_playback(&mut self, now: f64) {
        if self.stage != Stage::Filling {
            return;
        }
        let Some(range) = self.start_of_all().and_then(|start| self.common(start)) else { return };
        self.stage = Stage::Running;
        if range.start - self.playhead.reported() > REACH {
            self.move_to(range.start, now);
        }
    }

    /// How much is playable from `position` on, seconds.
    pub(super) fn ahead(&self, position: f64) -> f64 {
        self.common(position).map_or(0.0, |range| range.end - position)
    }

    /// The end of what was received of every track that plays.
    pub(super) fn edge(&self) -> Option<f64> {
        Some(self.edges().0).filter(|edge| edge.is_finite())
    }

    /// The newest media received.
    pub(super) fn newest(&self) -> Option<f64> {
        Some(self.edges().1).filter(|edge| edge.is_finite())
    }

    /// The first and the last of the ends of what was received, of tracks that are not made up;
    /// infinite while there is none.
    fn edges(&self) -> (f64, f64) {
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        for track in self.playing_tracks().filter(|&track| !self.filling.makes_up(track)) {
            let edge = self.tracks[track].edge().unwrap_or(f64::NEG_INFINITY);
            (first, last) = (first.min(edge), last.max(edge));
        }
        (first, last)
    }

    /// Nothing has come for longer than usual.
    pub(super) fn is_late(&self, now: f64) -> bool {
        let usual = self.arrival.jitter() + self.frame();
        self.newest().is_some_and(|newest| self.arrival.lateness(now, newest) > usual)
    }

    pub(super) fn observe_arrival(&mut self, now: f64) {
        if let Some(edge) = self.edge() {
            self.arrival.observe(now, edge);
        }
    }

    /// There will be a new MediaSource. A browser shows its first picture at once and the next when it
    /// has enough to play: that is gathered before, while it plays what it has.
    pub(super) fn plan(&mut self, tracks: Tracks, notice: Notice, now: f64) {
        self.remuxer.start(tracks);
        self.planned = Some((tracks, notice, now));
    }

    /// Starts anew in the way the watchdog wants.
    pub(super) fn start_over(&mut self, step: Step, notice: Notice, fault: Fault, now: f64) {
        let reconnects = step == Step::Reconnect && self.settings.live;
        match self.playing {
            Some(playing) if step == Step::Rebuild || reconnects => {
                self.rebuild(playing, notice, now);
            }
            _ => self.fail(fault, 0.0, String::new()),
        }
        if reconnects {
            self.lose(false, true, fault, 0.0);
        }
    }

    /// Starts with a new MediaSource.
    pub(super) fn rebuild(&mut self, tracks: Tracks, notice: Notice, now: f64) {
        self.counters.rebuilds += 1;
        self.notify(notice, self.playhead.reported(), now);
        for state in self.tracks.iter_mut() {
            state.reset();
        }
        self.remuxer.reset_output();
        self.remuxer.start(tracks);
        self.playing = Some(tracks);
        self.stage = Stage::Closed;
        self.parked = false;
        self.planned = None;
        self.live.moved(now);
        self.commands.push_back(Command::Rebuild);
        self.commands.push_back(Command::MediaInfo);
    }

    /// Empties the SourceBuffers and puts out again what was kept.
    fn flush(&mut self) {
        self.remuxer.repeat_output();
        for track in self.playing_tracks() {
            self.tracks[track].emptied();
        }
        self.stage = Stage::Filling;
    }

    /// Nothing shown for long is told, whatever the reason: whoever waits for a picture wants to know.
    fn check_progress(&mut self, now: f64) {
        let position = self.playhead.reported();
        let waits = match self.playing {
            Some(_) => self.playhead.is_playing(),
            None => self.media_at.is_some(),
        };
        let (at, since, told) = self.progress;
        if !waits || (position - at).abs() > 0.001 || since == 0.0 {
            self.progress = (position, now, false);
        } else if now - since >= NO_PICTURE && !told {
            self.progress.2 = true;
            if self.playing.is_none() && !self.evidence().video_config {
                self.fail(Fault::NoMedia, now - since, String::new());
            } else {
                self.notify(Notice::NoPicture, now - since, now);
            }
        }
    }

    fn check_silence(&mut self, now: f64) {
        let Some(at) = self.input_at else { return };
        let silence = now - at;
        if !self.source.is_flowing() || !self.settings.live {
            return;
        }
        if silence >= self.settings.silence_limit * self.source.patience() {
            self.lose(false, true, Fault::Silence, silence);
        } else if silence < self.settings.silence_warning {
            self.silence_told = false;
        } else if !self.silence_told {
            self.silence_told = true;
            self.notify(Notice::Silence, silence, now);
        }
    }

    fn choose_tracks(&mut self, now: f64) {
        if self.media_at.is_none() || self.playing.is_some() {
            return;
        }
        let (seen, ended) = (self.evidence(), self.source.is_over());
        if let Some(tracks) = self.selection.decide(now, &seen, ended) {
            if tracks.audio && self.formats[Track::Audio].is_none() {
                // Nothing but the header speaks of sound.
                self.remuxer.assume_sound();
                self.take_events(now);
                return;
            }
            self.playing = Some(tracks);
            if self.settings.live && self.settings.pacing == Pacing::Smooth {
                self.pace_evenly();
            }
            self.remuxer.start(tracks);
            self.commands.push_back(Command::MediaInfo);
            if !tracks.video
                && self.settings.wanted.video
                && self.header.is_some_and(|h| h.has_video)
            {
                self.notify(Notice::PictureMissing, 0.0, now);
            }
            for track in self.playing_tracks() {
                if let Some(missed) = self.misses(track) {
                    self.notify(Notice::TrackMissing, missed.into(), now);
                }
            }
        }
    }

    /// All at once: Chromium takes no SourceBuffer later.
    fn add_tracks(&mut self) {
        self.stage = Stage::Filling;
        for track in self.playing_tracks() {
            let Some(format) = &self.formats[track] else { continue };
            #[cfg(feature = "full")]
            {
                self.tracks[track].mime = Some(format.mime.clone());
            }
            self.commands.push_back(Command::AddTrack { track, mime: format.mime.clone() });
        }
    }

    /// A live element that is paused, or hidden and standing still, gets no more than it has: when it
    /// comes back, it goes on with the newest group of pictures, and only that is kept.
    fn park(&mut self, now: f64) {
        if !self.settings.live {
            return;
        }
        let idle = !self.playhead.is_playing() || self.playhead.is_hidden();
        if self.parked {
            self.parked = idle && self.ahead(self.playhead.position(now)) > PARKED_AHEAD / 2.0;
        } else {
            self.parked = idle && self.ahead(self.playhead.position(now)) > PARKED_AHEAD;
        }
        if self.parked && self.keyframes_waiting > 1 {
            self.skip();
        }
    }

    /// Far behind, with a newer keyframe at hand that was not appended yet: what is before it need
    /// not be.
    fn skip_backlog(&mut self, now: f64) {
        let Some(edge) = self.edge() else { return };
        let excess = edge - self.playhead.position(now) - self.live.target();
        let wanted = self.settings.live
            && self.keyframes_waiting > 0
            && self.playhead.is_playing()
            && self.playhead.has_presented()
            && excess > self.live.tolerance(self.is_audible());
        if wanted {
            self.skip();
        }
    }

    fn skip(&mut self) {
        let skipped = self.remuxer.skip_to_last_keyframe();
        self.counters.skipped += skipped.video_frames;
        self.keyframes_waiting = 1;
        let length = seconds(skipped.duration_us);
        self.wall_clock.cut(length);
        self.arrival.cut(length);
        for state in self.tracks.iter_mut() {
            state.skipped(length);
        }
    }

    fn follow(&mut self, now: f64) {
        let Some(edge) = self.edge() else { return };
        if !self.settings.live {
            return;
        }
        let position = self.playhead.position(now);
        let situation = Situation {
            now,
            position,
            edge,
            appended: self.common(position),
            playing: self.playhead.is_playing() && !self.playhead.is_seeking(),
            waiting: self.playhead.is_waiting(),
            presented: self.playhead.has_presented() || !self.plays(Track::Video),
            sound: self.plays(Track::Audio),
            audible: self.is_audible(),
            jitter: self.arrival.jitter(),
            frame: self.frame(),
            hold: self.hold(),
            late: self.is_late(now),
        };
        match self.live.update(&situation) {
            Some(Action::Rate(rate)) => self.commands.push_back(Command::Rate(rate)),
            Some(Action::Seek(to)) => {
                self.counters.jumps += 1;
                self.commands.push_back(Command::Seek(to));
            }
            None => {}
        }
    }

    /// Firefox decodes ahead all it gets, and where pictures are reordered some stay in the decoder.
    /// If it runs dry it gets those by draining, and begins again at the last keyframe: most pictures
    /// are then lost, unless there is always more than it decodes ahead.
    fn hold(&self) -> f64 {
        match self.info(Track::Video) {
            Some(TrackInfo::Video(info))
                if self.settings.gecko && info.reorder_frames.is_some_and(|frames| frames > 0) =>
            {
                DECODED_AHEAD * self.frame()
            }
            _ => 0.0,
        }
    }

    fn is_audible(&self) -> bool {
        self.playhead.is_audible() && self.plays(Track::Audio)
    }

    /// Chromium shows pictures of a stream without a length as soon as they are decoded. That is too
    /// soon for a machine or a network that cannot keep it up.
    fn check_pacing(&mut self, now: f64) {
        if self.settings.pacing == Pacing::Auto
            && !self.smooth
            && self.live.is_unsteady(now)
            && let Some(playing) = self.playing
        {
            self.pace_evenly();
            self.plan(playing, Notice::Pacing, now);
        }
    }

    fn pace_evenly(&mut self) {
        self.smooth = true;
        self.remuxer.declare_length(Some(A_DAY));
    }

    fn watch(&mut self, now: f64) {
        let position = self.playhead.reported();
        let sight = Sight {
            now,
            position,
            playing: self.playhead.is_playing(),
            seeking: self.playhead.is_seeking(),
            here: self.common(position),
            next: self.next_of_all(position),
        };
        let Some(step) = self.watchdog.update(&sight) else { return };
        match step {
            Step::Cross(to) | Step::Skip(to) => {
                self.counters.jumps += 1;
                self.notify(Notice::Jump, to, now);
                self.move_to(to, now);
            }
            Step::Nudge(to) => {
                self.counters.nudges += 1;
                self.notify(Notice::Nudge, position, now);
                self.move_to(to, now);
            }
            Step::Flush => {
                self.counters.jumps += 1;
                self.notify(Notice::Flush, position, now);
                self.flush();
            }
            step => self.start_over(step, Notice::Rebuild, Fault::Stalled, now),
        }
    }

    fn evict(&mut self, now: f64) {
        let position = self.playhead.position(now);
        for track in self.playing_tracks() {
            let state = &mut self.tracks[track];
            if state.output.is_removing() {
                continue;
            }
            let (keep, step) = if state.output.is_full() {
                (KEEP_WHEN_FULL, 0.0)
            } else {
                (self.settings.back_buffer - EVICTION_STEP, EVICTION_STEP)
            };
            if let Some(to) = state.buffered.evictable(position, keep.max(KEEP_WHEN_FULL), step) {
                state.output.remove(0.0, to);
                state.buffered.removed(to);
            }
        }
    }

    fn move_to(&mut self, to: f64, now: f64) {
        self.live.moved(now);
        self.commands.push_back(Command::Seek(to));
    }

    /// The distance of two pictures, seconds.
    fn frame(&self) -> f64 {
        if self.plays(Track::Video) {
            seconds(self.remuxer.picture_step_us()).min(1.0)
        } else {
            USUAL_FRAME
        }
    }

    /// The stretch around `time` that every track has.
    fn common(&self, time: f64) -> Option<Range> {
        self.playing_buffers()
            .map(|buffered| buffered.around(time, REACH))
            .reduce(|a, b| {
                let (a, b) = (a?, b?);
                Some(Range { start: a.start.max(b.start), end: a.end.min(b.end) })
            })?
            .filter(|range| range.end > time)
    }

    /// The next stretch after the end of the one at `time` that every track has.
    fn next_of_all(&self, time: f64) -> Option<Range> {
        let start = self
            .playing_buffers()
            .map(|buffered| match buffered.around(time, 0.0) {
                Some(here) if here.end - time > REACH => Some(time),
                _ => buffered.after(time).map(|next| next.start),
            })
            .reduce(|a, b| Some(a?.max(b?)))??;
        self.common(start).filter(|_| start > time).map(|range| Range { start, ..range })
    }

    /// The first time every track has something of.
    fn start_of_all(&self) -> Option<f64> {
        self.playing_buffers().map(Buffered::start).reduce(|a, b| Some(a?.max(b?)))?
    }

    fn playing_buffers(&self) -> impl Iterator<Item = &Buffered> {
        self.playing_tracks().map(|track| &self.tracks[track].buffered)
    }
}

/// For how long media is gathered for a new MediaSource, seconds: Chromium begins with 0.2 s of sound.
const GATHERED: f64 = 0.25;

/// For how long a new response may repeat what came, seconds: a server sends what it stored at once.
const REPEAT_PATIENCE: f64 = 1.0;

/// With this much appended ahead of the playhead, seconds, appends may be gathered.
const COMFORT: f64 = 0.07;

/// The same where there is sound: Chromium's runs out with a tenth of a second left.
const COMFORT_WITH_SOUND: f64 = 0.16;

/// For how long, seconds.
const GATHER: f64 = 0.095;

/// The same of sound.
const GATHER_SOUND: f64 = 0.14;

/// The same with much ahead, at most.
const GATHER_MOST: f64 = 0.25;

/// Seconds without progress after which it is told.
const NO_PICTURE: f64 = 4.5;

/// A length for what has none, milliseconds.
const A_DAY: u64 = 86_400_000;

/// A paused or hidden live element gets this much ahead, seconds, and no more.
const PARKED_AHEAD: f64 = 8.0;

/// Removing has a price; less than this, seconds, is not worth it.
const EVICTION_STEP: f64 = 5.0;

/// What is kept behind the playhead when the SourceBuffer is full, seconds.
const KEEP_WHEN_FULL: f64 = 1.0;

/// The distance of pictures where there are none, seconds.
const USUAL_FRAME: f64 = 1.0 / 25.0;

/// Pictures that Firefox decodes ahead, with some to spare: measured, 18 are enough and 15 are not.
const DECODED_AHEAD: f64 = 18.0;
