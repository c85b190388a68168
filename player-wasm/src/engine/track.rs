//! One track on its way from the input to its SourceBuffer.

use alloc::string::String;
use core::ops::{Index, IndexMut};

use pushpull_media::remux::{Segment, Track, TrackInfo, Tracks};

use super::buffered::Buffered;
use super::output::Output;

/// One of each track.
#[derive(Debug, Default)]
pub struct PerTrack<T> {
    video: T,
    audio: T,
}

impl<T> PerTrack<T> {
    /// Both of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        [&mut self.video, &mut self.audio].into_iter()
    }
}

impl<T> Index<Track> for PerTrack<T> {
    type Output = T;

    fn index(&self, track: Track) -> &T {
        match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        }
    }
}

impl<T> IndexMut<Track> for PerTrack<T> {
    fn index_mut(&mut self, track: Track) -> &mut T {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

/// What a track's configuration says.
#[derive(Debug)]
pub struct Format {
    /// RFC 6381 name of the codec.
    pub codec: String,
    /// Type of the SourceBuffer it needs.
    pub mime: String,
    /// The rest.
    pub info: TrackInfo,
    /// Whether the browser plays the type; `None` until it said so.
    pub playable: Option<bool>,
    /// Types to try if it does not.
    #[cfg(feature = "full")]
    pub others: alloc::vec::IntoIter<String>,
    /// Which of the types it is now; 0 is the first.
    #[cfg(feature = "full")]
    pub choice: usize,
}

/// A track's state.
#[derive(Debug, Default)]
pub struct State {
    /// What waits for the SourceBuffer.
    pub output: Output,
    /// What the SourceBuffer holds or is about to.
    pub buffered: Buffered,
    /// The SourceBuffer's type.
    #[cfg(feature = "full")]
    pub mime: Option<String>,
    /// When media was last taken for it, seconds.
    pub taken_at: f64,
    /// Wire time of the newest tag received, ms.
    newest: Option<i64>,
    /// The same when media was last taken, and where that media ended, seconds.
    taken: Option<(Option<i64>, f64)>,
    fitness: Fitness,
}

/// What the SourceBuffer makes of the track's kind of media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fitness {
    /// It has had none of it yet.
    #[default]
    Untried,
    /// It could not even begin with it.
    Unfit,
    /// It has taken some.
    Proven,
}

impl State {
    /// A tag of wire time `time` (ms, 32 bits) came.
    pub fn received(&mut self, time: i64) {
        self.newest = Some(time);
    }

    /// Everything received was taken for the output.
    pub fn took(&mut self, segment: &Segment, now: f64) {
        self.taken_at = now;
        if segment.samples == 0 {
            return;
        }
        let end = seconds(segment.end_us);
        self.taken = Some((self.newest, end));
        let hole = segment.gap_us > 0 || self.buffered.start().is_none();
        self.buffered.append(first_shown(segment), end, hole);
        if let Some(keyframe) = segment.last_keyframe_us {
            self.buffered.keyframe(seconds(keyframe));
        }
    }

    /// Where the newest media received ends, on the output timeline in seconds; media that waits to
    /// be taken counts by its wire time.
    #[must_use]
    pub fn edge(&self) -> Option<f64> {
        let (at, end) = self.taken?;
        let (Some(at), Some(newest)) = (at, self.newest) else { return Some(end) };
        let waiting = wire_step(at, newest);
        Some(end + if (0.0..MAX_WAITING).contains(&waiting) { waiting } else { 0.0 })
    }

    /// Of what waits to be taken, `length` seconds were dropped; the output goes on without a hole.
    pub fn skipped(&mut self, length: f64) {
        if let Some((_, end)) = &mut self.taken {
            *end -= length;
        }
    }

    /// The stream goes on somewhere else: nothing of what was before is kept.
    pub fn sought(&mut self) {
        self.emptied();
        self.taken = None;
    }

    /// The SourceBuffer is emptied.
    pub fn emptied(&mut self) {
        self.output.empty();
        self.buffered.clear();
    }

    /// The SourceBuffer has taken what it was given, or given up on it.
    pub fn finished(&mut self) {
        if self.output.finished() && self.fitness == Fitness::Untried {
            self.fitness = Fitness::Proven;
        }
    }

    /// The SourceBuffer could not read what it was given, or it does not take the type.
    pub fn spoiled(&mut self) {
        if self.fitness == Fitness::Untried {
            self.fitness = Fitness::Unfit;
        }
    }

    /// Whether the SourceBuffer could not even begin: what is damaged later says nothing about the codec.
    #[must_use]
    pub fn is_unfit(&self) -> bool {
        self.fitness == Fitness::Unfit
    }

    /// There is a new SourceBuffer.
    pub fn reset(&mut self) {
        *self = Self { newest: self.newest, ..Self::default() };
    }
}

/// The time a segment can be shown from, as near as it tells: a stream with B-pictures shows its
/// first picture later than it decodes it, and there is nothing to play in between.
fn first_shown(segment: &Segment) -> f64 {
    match segment.last_keyframe_us {
        Some(shown) if segment.keyframes == 1 => seconds(shown),
        _ => seconds(segment.start_us),
    }
}

/// Seconds from one 32-bit wire time (ms) to another; the clock may wrap between them.
fn wire_step(from: i64, to: i64) -> f64 {
    let step = to.wrapping_sub(from) as i32;
    f64::from(step) / 1000.0
}

/// Whether `tracks` has `track`.
#[must_use]
pub fn has(tracks: Tracks, track: Track) -> bool {
    match track {
        Track::Video => tracks.video,
        Track::Audio => tracks.audio,
    }
}

/// Seconds of `us` microseconds.
#[must_use]
pub fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

/// More waiting media than this, seconds, is a jump of the publisher's clock.
const MAX_WAITING: f64 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_counts_what_waits() {
        let mut track = State::default();
        assert_eq!(track.edge(), None);
        track.received(0xFFFF_FFF0);
        track.took(&Segment { samples: 1, end_us: 10_000_000, ..Segment::default() }, 0.0);
        assert_eq!(track.edge(), Some(10.0));
        track.received(0x10);
        assert_eq!(track.edge(), Some(10.032), "the wire clock wrapped");
        track.skipped(0.02);
        assert!((track.edge().unwrap() - 10.012).abs() < 1e-9);
        track.skipped(-0.02);
        track.received(0x8000_0000);
        assert!((track.edge().unwrap() - 10.0).abs() < 1e-9, "a jump is not media");
    }

    #[test]
    fn holes_come_from_the_remuxer() {
        let mut track = State::default();
        let mut segment = Segment {
            samples: 10,
            end_us: 1_000_000,
            keyframes: 1,
            last_keyframe_us: Some(80_000),
            ..Segment::default()
        };
        track.took(&segment, 0.0);
        assert_eq!(track.buffered.start(), Some(0.08));
        segment.start_us = 5_000_000;
        segment.end_us = 6_000_000;
        segment.last_keyframe_us = Some(5_080_000);
        segment.gap_us = 4_000_000;
        track.took(&segment, 0.0);
        assert_eq!(track.buffered.after(1.0).map(|range| range.start), Some(5.08));
    }
}
