//! One line of time for both tracks, without the sender's jumps.

use super::Track;
use super::ticks::SECOND;

/// Maps the sender's times to the stream's line.
///
/// Within an epoch the line is the sender's time plus an offset. When a time is far from where its
/// track's next sample is due, a new epoch begins at the place that was due, once the jump is
/// confirmed: by the next sample of the track, or by the other track jumping alike. Until then the
/// one sample goes where it was due; if nothing confirms it, it was an outlier and the line stays.
///
/// A track that was silent and comes back where the other one is now has not jumped.
///
/// All times are microseconds.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    video: Line,
    audio: Line,
    /// The offset of the newest epoch.
    newest: i64,
    /// A response begins: its first sample goes where it is due.
    begins: bool,
}

/// Where a track's next sample is due on the stream's line, and how far off it may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) time: i64,
    pub(super) tolerance: i64,
}

/// Where a sample goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) time: i64,
    /// The place is certain, however far from where the sample was due: a hole or an overlap of
    /// this size is real.
    pub(super) certain: bool,
    /// A time before was an outlier after all.
    pub(super) outlier: bool,
    /// The track jumped.
    pub(super) jump: Option<Jump>,
    /// The other track jumped, confirmed by this one.
    pub(super) other_jump: Option<Jump>,
}

/// A confirmed jump on the sender's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Jump {
    pub(super) from: i64,
    pub(super) to: i64,
}

#[derive(Debug, Default)]
struct Line {
    offset: i64,
    /// The sender's time of the last sample that was on the line.
    last: Option<i64>,
    suspect: Option<Suspect>,
    /// The epoch has just changed by the other track's doing.
    moved: bool,
}

/// A sample that may have begun a new epoch.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    offset: i64,
    jump: Jump,
}

impl Epochs {
    /// Places a sample that the sender stamped `sent`. `due` is `None` for a track's first sample;
    /// `anchor` is where a new epoch would begin.
    pub(super) fn place(
        &mut self,
        track: Track,
        sent: i64,
        due: Option<Due>,
        anchor: i64,
    ) -> Placed {
        if core::mem::take(&mut self.begins) {
            self.newest = anchor.wrapping_sub(sent);
        }
        let newest = self.newest;
        let (line, other) = match track {
            Track::Video => (&mut self.video, &mut self.audio),
            Track::Audio => (&mut self.audio, &mut self.video),
        };
        let Some(due) = due.filter(|_| line.last.is_some()) else {
            return line.first(sent, newest, other, anchor);
        };
        let at = |offset: i64| sent.wrapping_add(offset);
        let near = |time: i64, tolerance: i64| {
            time.wrapping_sub(due.time).unsigned_abs() <= tolerance.unsigned_abs()
        };
        let wide = due.tolerance.max(SHARED_TOLERANCE);

        let on_line = at(line.offset);
        let tolerance = if line.moved { wide } else { due.tolerance };
        // Who goes on from the last sample has not jumped: the line was cut, or filled.
        let goes_on =
            line.last.is_some_and(|last| (1..=due.tolerance).contains(&sent.wrapping_sub(last)));
        if near(on_line, tolerance) || goes_on {
            let certain = core::mem::take(&mut line.moved);
            let outlier = line.suspect.take().is_some();
            line.last = Some(sent);
            return Placed { time: on_line, certain, outlier, ..Placed::default() };
        }
        line.moved = false;
        let returned = on_line > due.time
            && line.offset == other.offset
            && other.last.is_some_and(|last| sent.abs_diff(last) <= due.tolerance.unsigned_abs());
        if returned {
            line.suspect = None;
            line.last = Some(sent);
            return Placed { time: on_line, certain: true, ..Placed::default() };
        }

        let from = line.last.unwrap_or(sent);
        let confirmed = line.suspect.filter(|suspect| near(at(suspect.offset), due.tolerance));
        let (offset, jump, other_jump) = if newest != line.offset && near(at(newest), wide) {
            (newest, confirmed.map_or(Jump { from, to: sent }, |suspect| suspect.jump), None)
        } else if let Some(suspect) = confirmed {
            (suspect.offset, suspect.jump, None)
        } else if let Some(suspect) = other.suspect.filter(|s| near(at(s.offset), wide)) {
            other.suspect = None;
            other.offset = suspect.offset;
            other.last = Some(suspect.jump.to);
            other.moved = true;
            (suspect.offset, Jump { from, to: sent }, Some(suspect.jump))
        } else {
            let outlier = line.suspect.is_some();
            let offset = anchor.wrapping_sub(sent);
            line.suspect = Some(Suspect { offset, jump: Jump { from, to: sent } });
            return Placed { time: due.time, outlier, ..Placed::default() };
        };
        line.offset = offset;
        line.suspect = None;
        line.last = Some(sent);
        self.newest = offset;
        Placed { time: at(offset), certain: true, outlier: false, jump: Some(jump), other_jump }
    }

    /// Where a time of the sender is in the newest epoch.
    pub(super) fn newest(&self, sent: i64) -> i64 {
        sent.wrapping_add(self.newest)
    }

    /// A response begins: the clocks are others.
    pub(super) fn begin_response(&mut self) {
        *self = Self { newest: self.newest, begins: true, ..Self::default() };
    }

    /// The response that began is of the same clock as the one before, which is now `offset` away.
    pub(super) fn resume(&mut self, offset: i64) {
        *self = Self { newest: offset, ..Self::default() };
    }

    /// Another place in a file.
    pub(super) fn seek(&mut self) {
        *self = Self { newest: self.newest, ..Self::default() };
    }

    /// The stream's line leaves out `length`: everything from here on comes that much earlier.
    pub(super) fn cut(&mut self, length: i64) {
        for line in [&mut self.video, &mut self.audio] {
            line.offset = line.offset.wrapping_sub(length);
            if let Some(suspect) = &mut line.suspect {
                suspect.offset = suspect.offset.wrapping_sub(length);
            }
        }
        self.newest = self.newest.wrapping_sub(length);
    }

    /// A track that is not played says nothing about the other.
    pub(super) fn forget(&mut self, track: Track) {
        match track {
            Track::Video => self.video = Line { offset: self.newest, ..Line::default() },
            Track::Audio => self.audio = Line { offset: self.newest, ..Line::default() },
        }
    }
}

impl Line {
    /// The first sample joins the newest epoch, unless the other track shows that the two are stamped
    /// by different clocks: then it starts beside it.
    fn first(&mut self, sent: i64, newest: i64, other: &Self, anchor: i64) -> Placed {
        self.offset = newest;
        self.last = Some(sent);
        let mut jump = None;
        if let Some(last) = other.last
            && sent.abs_diff(last) > FIRST_TOLERANCE
        {
            self.offset = anchor.wrapping_sub(sent);
            jump = Some(Jump { from: last, to: sent });
        }
        let time = sent.wrapping_add(self.offset);
        Placed { time, certain: true, jump, ..Placed::default() }
    }
}

/// How far apart the tracks may come through the same jump: senders interleave within this.
const SHARED_TOLERANCE: i64 = 5 * SECOND;
/// How far apart the tracks may start and still be stamped by one clock.
const FIRST_TOLERANCE: u64 = 10_000_000;
