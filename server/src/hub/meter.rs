//! What a stream measures by: bits per second, pictures per second, length of the GOP.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Measures what is published.
#[derive(Debug)]
pub(super) struct Meter {
    since: Instant,
    /// Bytes by the time their bucket began, oldest first.
    buckets: VecDeque<(Instant, u64)>,
    /// Times of the newest pictures, oldest first.
    pictures: VecDeque<i64>,
    keyframe: Option<i64>,
    gop_ms: Option<u64>,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            buckets: VecDeque::new(),
            pictures: VecDeque::new(),
            keyframe: None,
            gop_ms: None,
        }
    }

    /// Counts a message of `len` bytes.
    pub(super) fn count(&mut self, len: usize, now: Instant) {
        self.forget(now);
        match self.buckets.back_mut() {
            Some((began, bytes)) if now < *began + BUCKET => *bytes += len as u64,
            _ => self.buckets.push_back((now, len as u64)),
        }
    }

    /// Takes note of a picture at `time` in milliseconds.
    pub(super) fn picture(&mut self, time: i64, is_keyframe: bool) {
        if self.pictures.back().is_some_and(|&last| !(0..=PICTURES_MS).contains(&(time - last))) {
            self.pictures.clear();
            self.keyframe = None;
        }
        self.pictures.push_back(time);
        while self.pictures.len() > PICTURES_MAX
            || self.pictures.front().is_some_and(|&first| time - first > PICTURES_MS)
        {
            self.pictures.pop_front();
        }
        if is_keyframe && let Some(before) = self.keyframe.replace(time) {
            self.gop_ms = u64::try_from(time - before).ok();
        }
    }

    /// Kilobits per second over the last seconds.
    pub(super) fn bitrate_kbps(&mut self, now: Instant) -> u64 {
        self.forget(now);
        let bytes: u64 = self.buckets.iter().map(|(_, bytes)| bytes).sum();
        let elapsed = (now - self.since).clamp(BUCKET, WINDOW);
        // Bytes times 8 are bits, and bits per millisecond are kilobits per second.
        bytes * 8 / u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// Pictures per second over the last seconds of media.
    pub(super) fn fps(&self) -> Option<f64> {
        let span = self.pictures.back()? - self.pictures.front()?;
        let steps = self.pictures.len().checked_sub(1)?;
        (span > 0).then(|| (steps as f64 * 1000.0 / span as f64 * 100.0).round() / 100.0)
    }

    /// Milliseconds between the last two keyframes.
    pub(super) fn gop_ms(&self) -> Option<u64> {
        self.gop_ms
    }

    fn forget(&mut self, now: Instant) {
        while self.buckets.front().is_some_and(|(began, _)| now > *began + WINDOW) {
            self.buckets.pop_front();
        }
    }
}

/// Long enough for two GOPs of the usual length, so that keyframes do not make the figure swing.
const WINDOW: Duration = Duration::from_secs(4);

/// A sixteenth of the window: what the figure may be off by at the window's edge.
const BUCKET: Duration = Duration::from_millis(250);

/// Media time over which pictures are counted.
const PICTURES_MS: i64 = 4_000;

/// Pictures counted at most: 4 s at 120 per second.
const PICTURES_MAX: usize = 480;
