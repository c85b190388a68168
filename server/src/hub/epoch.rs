//! A stretch of a publisher's clock without a jump.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::millis;

/// Maps a publisher's times to a line without jumps, and knows where the publisher is and how its time passes.
#[derive(Debug)]
pub(super) struct Epoch {
    offset: i64,
    /// The publisher's time of the last frame.
    raw: i64,
    first: (i64, Instant),
    /// How far the publisher's time was ahead of ours at most, since the epoch began: in this window, and in the one before.
    lead: i64,
    lead_before: i64,
    window: Instant,
}

impl Epoch {
    /// Begins with a frame that the publisher stamped `raw`; on the line it is at `time`.
    pub(super) fn new(raw: i64, time: i64, now: Instant) -> Self {
        let offset = time - raw;
        Self { offset, raw, first: (raw, now), lead: 0, lead_before: 0, window: now }
    }

    /// Takes note of a frame.
    pub(super) fn saw(&mut self, raw: i64, now: Instant) {
        self.raw = raw;
        let lead = self.lead_of(raw, now);
        if now.duration_since(self.window) >= WINDOW {
            self.window = now;
            self.lead_before = self.lead;
            self.lead = lead;
        }
        self.lead = self.lead.max(lead);
    }

    /// The time of that 32-bit value that is nearest to the last frame's.
    pub(super) fn nearest(&self, wire: u32) -> i64 {
        nearest(self.raw, wire)
    }

    /// Where a time of the publisher's is on the line.
    pub(super) fn time(&self, raw: i64) -> i64 {
        raw + self.offset
    }

    /// Moves what comes from now on.
    pub(super) fn move_on(&mut self, by: i64) {
        self.offset += by;
    }

    pub(super) fn distance(&self, raw: i64) -> u64 {
        raw.abs_diff(self.raw)
    }

    pub(super) fn is_near(&self, raw: i64, tolerance: i64) -> bool {
        (raw - self.raw).abs() <= tolerance
    }

    pub(super) fn is_ahead(&self, raw: i64) -> bool {
        raw > self.raw
    }

    /// Whether a frame is no further on than other tracks, or than time itself.
    ///
    /// A network that stood still delays frames, and no frame comes before its time: what counts is how far ahead of our
    /// clock the publisher's was at best.
    pub(super) fn explains(&self, raw: i64, now: Instant, tolerance: i64) -> bool {
        let lead = self.lead.max(self.lead_before);
        raw - self.raw <= tolerance || self.lead_of(raw, now) <= lead + tolerance
    }

    fn lead_of(&self, raw: i64, now: Instant) -> i64 {
        let (first, began) = self.first;
        let passed = i64::try_from(millis(now.duration_since(began))).unwrap_or(i64::MAX);
        raw - first - passed
    }
}

/// The time nearest to `reference` whose low 32 bits are `wire`.
pub(super) fn nearest(reference: i64, wire: u32) -> i64 {
    let [.., b3, b2, b1, b0] = reference.to_be_bytes();
    let step = wire.wrapping_sub(u32::from_be_bytes([b3, b2, b1, b0])).cast_signed();
    reference + i64::from(step)
}

/// How long a lead is remembered, and at most twice that: clocks drift apart by some seconds in a day.
const WINDOW: Duration = Duration::from_secs(60);
