//! Where the `<video>` element is, between two reports of it.

use super::between;

/// The last report of the page, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Playhead {
    /// When the report was made, seconds.
    at: f64,
    /// `currentTime` then, seconds.
    time: f64,
    rate: f64,
    flags: u32,
    /// Pictures decoded so far.
    pub decoded: f64,
    /// Pictures decoded too late to be shown so far.
    pub dropped: f64,
}

impl Playhead {
    /// Nothing known: not playing.
    #[must_use]
    pub fn new() -> Self {
        Self { at: 0.0, time: 0.0, rate: 1.0, flags: PAUSED, decoded: 0.0, dropped: 0.0 }
    }

    /// What the page reports: at `at` the element was at `time` seconds and went at `rate`.
    pub fn report(&mut self, at: f64, time: f64, rate: f64, flags: u32) {
        *self = Self { at, time, rate, flags, ..*self };
    }

    /// It is being moved to `time`, seconds.
    pub fn moved_to(&mut self, time: f64) {
        self.time = time;
        self.flags |= SEEKING;
    }

    /// `currentTime` as last reported, seconds.
    #[must_use]
    pub fn reported(&self) -> f64 {
        self.time
    }

    /// Where the element is at `now`, seconds: extrapolated while it plays.
    #[must_use]
    pub fn position(&self, now: f64) -> f64 {
        if self.flags & (PAUSED | SEEKING | WAITING) != 0 {
            return self.time;
        }
        self.time + between(now - self.at, 0.0, MAX_EXTRAPOLATION) * self.rate
    }

    /// The playback rate as last reported.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether the element is meant to play.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.flags & PAUSED == 0
    }

    /// Whether a seek is under way.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.flags & SEEKING != 0
    }

    /// Whether the element is out of data.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.flags & WAITING != 0
    }

    /// Whether a picture was presented since the last seek (or since the start).
    #[must_use]
    pub fn has_presented(&self) -> bool {
        self.flags & PRESENTED != 0
    }

    /// Whether sound can be heard.
    #[must_use]
    pub fn is_audible(&self) -> bool {
        self.flags & MUTED == 0
    }

    /// Whether the page is in the background.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.flags & HIDDEN != 0
    }
}

impl Default for Playhead {
    fn default() -> Self {
        Self::new()
    }
}

/// The element is paused.
pub const PAUSED: u32 = 1;
/// The element is seeking.
pub const SEEKING: u32 = 2;
/// The element has no data for the next picture.
pub const WAITING: u32 = 4;
/// The element is muted, or its volume is 0.
pub const MUTED: u32 = 8;
/// The page is in the background.
pub const HIDDEN: u32 = 16;
/// A picture was presented since the last seek.
pub const PRESENTED: u32 = 32;

/// A background page reports once a second; beyond that a report is too old to build on, seconds.
const MAX_EXTRAPOLATION: f64 = 1.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plays_on_between_reports() {
        let mut playhead = Playhead::new();
        assert!(!playhead.is_playing());
        playhead.report(100.0, 5.0, 1.5, 0);
        assert!((playhead.position(100.2) - 5.3).abs() < 1e-9);
        assert!((playhead.position(200.0) - 7.25).abs() < 1e-9, "a stale report is not built on");
        playhead.report(101.0, 6.0, 1.0, WAITING);
        assert!((playhead.position(102.0) - 6.0).abs() < 1e-9);
        assert!(playhead.is_playing() && playhead.is_waiting() && playhead.is_audible());
    }
}
