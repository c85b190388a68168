//! How evenly a publisher's frames arrive, and how far its sound and its pictures are apart.
//!
//! Both are made from the *transit* of a frame: when it arrived, less when it says it belongs. Where the zero is does not
//! matter, only what changes.

use tokio::time::Instant;

use super::clock::TrackId;

/// Measures the frames of one publisher as they arrive; of several tracks of a kind, the one with the lowest number.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    begin: Option<Instant>,
    video: Track,
    audio: Track,
}

#[derive(Debug, Default)]
struct Track {
    number: Option<u8>,
    /// Of the last frame, in milliseconds.
    last: f64,
    /// The transits, smoothed.
    transit: f64,
    /// The differences from each transit to the next, smoothed.
    jitter: f64,
    frames: u32,
}

impl Arrivals {
    /// Takes note of a frame that says `time`, in milliseconds without wraps and jumps.
    pub(super) fn frame(&mut self, id: TrackId, time: i64, now: Instant) {
        let begin = *self.begin.get_or_insert(now);
        let track = if id.is_video { &mut self.video } else { &mut self.audio };
        if track.number.is_none_or(|number| id.number < number) {
            *track = Track { number: Some(id.number), ..Track::default() };
        }
        if track.number == Some(id.number) {
            track.frame((now - begin).as_secs_f64() * 1000.0 - time as f64);
        }
    }

    /// By how many milliseconds the intervals between frames' arrivals differ from those between their times, on average:
    /// the interarrival jitter of RFC 3550 (§6.4.1), of the pictures, or of the sound if there are none. `None` before two
    /// frames.
    pub(super) fn jitter_ms(&self) -> Option<f64> {
        let track = if self.video.frames > 0 { &self.video } else { &self.audio };
        (track.frames > 1).then(|| tenths(track.jitter))
    }

    /// By how many milliseconds sound arrives later than the pictures of the same time, on average: the transit of the
    /// sound less that of the pictures. `None` without both.
    pub(super) fn av_offset_ms(&self) -> Option<f64> {
        let has_both = self.video.frames > 0 && self.audio.frames > 0;
        has_both.then(|| tenths(self.audio.transit - self.video.transit))
    }
}

impl Track {
    fn frame(&mut self, transit: f64) {
        if self.frames == 0 {
            self.transit = transit;
        } else {
            // The first frames weigh the same; later on each is a sixteenth.
            let weight = 1.0 / f64::from(self.frames.min(SMOOTH - 1) + 1);
            self.transit += (transit - self.transit) * weight;
            self.jitter += ((transit - self.last).abs() - self.jitter) / f64::from(SMOOTH);
        }
        self.last = transit;
        self.frames = self.frames.saturating_add(1);
    }
}

/// To a tenth of a millisecond: more is noise.
fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

/// The share that a new frame has in the averages is one in so many, as RFC 3550 has it.
const SMOOTH: u32 = 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const VIDEO: TrackId = TrackId { is_video: true, number: 0 };
    const AUDIO: TrackId = TrackId { is_video: false, number: 0 };

    /// Frames of a track: when each arrives and what time it says.
    fn feed(arrivals: &mut Arrivals, begin: Instant, id: TrackId, frames: &[(u64, i64)]) {
        for &(at, time) in frames {
            arrivals.frame(id, time, begin + Duration::from_millis(at));
        }
    }

    #[test]
    fn frames_that_come_when_they_say_do_not_jitter() {
        let (mut arrivals, begin) = (Arrivals::default(), Instant::now());
        assert_eq!((arrivals.jitter_ms(), arrivals.av_offset_ms()), (None, None));
        feed(&mut arrivals, begin, VIDEO, &[(0, 500)]);
        assert_eq!(arrivals.jitter_ms(), None, "one frame has no interval");
        for n in 1..100 {
            feed(&mut arrivals, begin, VIDEO, &[(40 * n, 500 + 40 * n as i64)]);
        }
        assert_eq!(arrivals.jitter_ms(), Some(0.0));
        assert_eq!(arrivals.av_offset_ms(), None, "no sound");
    }

    #[test]
    fn every_other_frame_late_jitters_by_as_much() {
        let (mut arrivals, begin) = (Arrivals::default(), Instant::now());
        for n in 0..400 {
            let late = if n % 2 == 1 { 15 } else { 0 };
            feed(&mut arrivals, begin, VIDEO, &[(40 * n + late, 40 * n as i64)]);
        }
        assert_eq!(arrivals.jitter_ms(), Some(15.0));
    }

    #[test]
    fn sound_alone_has_its_own_jitter_and_pictures_go_before() {
        let (mut arrivals, begin) = (Arrivals::default(), Instant::now());
        for n in 0..400 {
            let late = if n % 2 == 1 { 8 } else { 0 };
            feed(&mut arrivals, begin, AUDIO, &[(20 * n + late, 20 * n as i64)]);
        }
        assert_eq!(arrivals.jitter_ms(), Some(8.0));
        feed(&mut arrivals, begin, VIDEO, &[(8000, 8000), (8040, 8040)]);
        assert_eq!(arrivals.jitter_ms(), Some(0.0));
    }

    #[test]
    fn sound_that_comes_late_has_an_offset() {
        for (late, expected) in [(0, 0.0), (120, 120.0)] {
            let (mut arrivals, begin) = (Arrivals::default(), Instant::now());
            for n in 0..100 {
                feed(&mut arrivals, begin, VIDEO, &[(40 * n, 40 * n as i64)]);
                feed(&mut arrivals, begin, AUDIO, &[(40 * n + late, 40 * n as i64)]);
            }
            assert_eq!(arrivals.av_offset_ms(), Some(expected));
        }
        // Sound 200 ms ahead of the pictures it belongs to.
        let (mut arrivals, begin) = (Arrivals::default(), Instant::now());
        for n in 0..100 {
            feed(&mut arrivals, begin, VIDEO, &[(40 * n, 40 * n as i64)]);
            feed(&mut arrivals, begin, AUDIO, &[(40 * n, 200 + 40 * n as i64)]);
        }
        assert_eq!(arrivals.av_offset_ms(), Some(-200.0));
    }

    #[test]
    fn of_several_tracks_the_lowest_counts() {
        let (mut arrivals, begin) = (Arrivals::default(), Instant::now());
        let second = TrackId { is_video: true, number: 1 };
        for n in 0..100 {
            feed(&mut arrivals, begin, second, &[(40 * n + 30 * (n % 2), 40 * n as i64)]);
        }
        assert_ne!(arrivals.jitter_ms(), Some(0.0));
        for n in 100..200 {
            feed(&mut arrivals, begin, VIDEO, &[(40 * n, 40 * n as i64)]);
            feed(&mut arrivals, begin, second, &[(40 * n + 30 * (n % 2), 40 * n as i64)]);
        }
        assert_eq!(arrivals.jitter_ms(), Some(0.0));
    }
}
