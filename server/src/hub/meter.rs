//! What a stream measures by: bits per second, pictures per second, length of the GOP.

use std::collections::VecDeque;
use std::time::Duration;

use pushpull_media::flv::TagKind;
use tokio::time::Instant;

use crate::time::millis;

/// Measures what is published.
#[derive(Debug)]
pub(super) struct Meter {
    since: Instant,
    /// Oldest first.
    buckets: VecDeque<Bucket>,
    /// Times of the newest pictures, oldest first.
    pictures: VecDeque<i64>,
    keyframe: Option<i64>,
    gop_ms: Option<u64>,
}

/// Bytes that came within [`BUCKET`].
#[derive(Debug)]
struct Bucket {
    began: Instant,
    bytes: Rates,
}

/// Amounts of everything, of pictures and of sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) total: u64,
    pub(super) video: u64,
    pub(super) audio: u64,
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
    pub(super) fn count(&mut self, kind: TagKind, len: usize, now: Instant) {
        self.forget(now);
        match self.buckets.back_mut() {
            Some(newest) if now < newest.began + BUCKET => newest.bytes.add(kind, len),
            _ => {
                let mut bytes = Rates::default();
                bytes.add(kind, len);
                self.buckets.push_back(Bucket { began: now, bytes });
            }
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
    pub(super) fn bitrates_kbps(&mut self, now: Instant) -> Rates {
        self.forget(now);
        let elapsed = (now - self.since).clamp(BUCKET, WINDOW);
        // Bytes times 8 are bits, and bits per millisecond are kilobits per second.
        let ms = millis(elapsed).max(1);
        let rate = |bytes: fn(&Rates) -> u64| {
            self.buckets.iter().map(|bucket| bytes(&bucket.bytes)).sum::<u64>() * 8 / ms
        };
        Rates {
            total: rate(|bytes| bytes.total),
            video: rate(|bytes| bytes.video),
            audio: rate(|bytes| bytes.audio),
        }
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
        while self.buckets.front().is_some_and(|bucket| now > bucket.began + WINDOW) {
            self.buckets.pop_front();
        }
    }
}

impl Rates {
    fn add(&mut self, kind: TagKind, len: usize) {
        let len = len as u64;
        self.total += len;
        match kind {
            TagKind::Video => self.video += len,
            TagKind::Audio => self.audio += len,
            TagKind::Script => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds of a stream of 25 pictures a second, of 5000 bytes each, and 50 sounds of 160.
    #[test]
    fn a_known_stream_has_the_rates_that_it_has() {
        let begin = Instant::now();
        let mut meter = Meter::new(begin);
        for ms in (0..10_000).step_by(20) {
            let now = begin + Duration::from_millis(ms);
            meter.count(TagKind::Audio, 160, now);
            if ms % 40 == 0 {
                meter.count(TagKind::Video, 5000, now);
                meter.picture(i64::try_from(ms).unwrap(), ms % 2000 == 0);
            }
        }
        let now = begin + Duration::from_secs(10);
        let rates = meter.bitrates_kbps(now);
        // A bucket more or less of sixteen.
        assert!((930..=1065).contains(&rates.video), "{rates:?}");
        assert!((59..=68).contains(&rates.audio), "{rates:?}");
        // Each is rounded down.
        assert!((0..=1).contains(&(rates.total - rates.video - rates.audio)), "{rates:?}");
        assert_eq!(meter.fps(), Some(25.0));
        assert_eq!(meter.gop_ms(), Some(2000));

        let later = now + Duration::from_secs(60);
        assert_eq!(meter.bitrates_kbps(later), Rates::default(), "nothing comes any more");
    }

    #[test]
    fn scripts_count_in_all_alone() {
        let begin = Instant::now();
        let mut meter = Meter::new(begin);
        meter.count(TagKind::Script, 1000, begin);
        let rates = meter.bitrates_kbps(begin + Duration::from_secs(1));
        assert_eq!(rates, Rates { total: 8, video: 0, audio: 0 });
    }
}
