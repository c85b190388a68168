//! Time of sound frames, by counting samples.

use super::ticks::{self, SECOND};
use crate::timeline::Cadence;

/// Counts samples, and corrects the count by the timestamps.
///
/// Timestamps of whole milliseconds, sent in bursts and by another clock than the sound card's, are
/// too rough to put frames side by side with; the count is exact but knows neither holes nor drift.
/// So the count rules, and is corrected
///
/// * by a step of [`STEP_FRAMES`] or more that two frames in a row agree on, or that is certain: a
///   hole is filled with silence (up to [`MAX_FILL_US`]), an overlap is dropped;
/// * by one frame when nine in ten of the last frames are off by more than a frame and a half to the
///   same side, at most every [`DRIFT_US`].
///
/// Times are ticks of the sampling frequency.
#[derive(Debug)]
pub(super) struct Clock {
    rate: u32,
    frame: i64,
    next: Option<i64>,
    last_error: i64,
    errors: Cadence,
    /// Frames since the last correction for drift.
    steady: i64,
    /// An overlap is being dropped; how many more frames that may take.
    dropping: Option<i64>,
}

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Play it at `at`, after `silent` frames of silence that end there.
    Play { at: i64, silent: i64 },
    /// Its time is filled already.
    Drop,
}

impl Clock {
    /// A clock for frames of `frame` samples at `rate` Hz that starts with the first frame.
    pub(super) fn new(rate: u32, frame: u16) -> Self {
        Self {
            rate: rate.max(1),
            frame: i64::from(frame.max(1)),
            next: None,
            last_error: 0,
            errors: Cadence::default(),
            steady: 0,
            dropping: None,
        }
    }

    /// Goes on at another rate or frame length.
    pub(super) fn retune(&mut self, rate: u32, frame: u16) {
        let next = self.due_us();
        *self = Self::new(rate, frame);
        self.next = next.map(|us| ticks::from_us(us, self.rate));
    }

    /// When the next frame is due, in microseconds; `None` before the first.
    pub(super) fn due_us(&self) -> Option<i64> {
        self.next.map(|next| ticks::to_us(next, self.rate))
    }

    /// A frame's length in microseconds.
    pub(super) fn frame_us(&self) -> i64 {
        ticks::to_us(self.frame, self.rate)
    }

    /// A frame's length in ticks.
    pub(super) fn frame(&self) -> i64 {
        self.frame
    }

    /// The next frame is `frame` samples long.
    pub(super) fn set_frame(&mut self, frame: u16) {
        self.frame = i64::from(frame.max(1));
    }

    /// Samples per second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes the time of one frame for silence, from `start_us` on if nothing came before. Gives where
    /// it is, unless that is at or behind `until_us`.
    pub(super) fn pass(&mut self, start_us: i64, until_us: i64) -> Option<i64> {
        let at = self.next.unwrap_or_else(|| ticks::from_us(start_us, self.rate));
        if at >= ticks::from_us(until_us, self.rate) {
            return None;
        }
        self.next = Some(at.wrapping_add(self.frame));
        self.errors.clear();
        Some(at)
    }

    /// Moves the clock back by `ticks`, but not before `floor`. The next frame is taken at its word.
    pub(super) fn rewind(&mut self, ticks: i64, floor: i64) {
        self.next = self.next.map(|next| next.wrapping_sub(ticks).max(floor));
        self.errors.clear();
    }

    /// Decides about a frame stamped `time_us`. `certain` times need no second opinion; holes are
    /// filled if `can_fill`.
    pub(super) fn place(&mut self, time_us: i64, certain: bool, can_fill: bool) -> Step {
        let time = ticks::from_us(time_us, self.rate);
        let Some(due) = self.next else {
            return self.play(time, 0);
        };
        let error = time.wrapping_sub(due);
        let frame = self.frame;
        let large = frame.wrapping_mul(STEP_FRAMES);
        let repeated = error.signum() == self.last_error.signum()
            && self.last_error.wrapping_abs() >= large
            && error.wrapping_sub(self.last_error).wrapping_abs() < frame / 2;
        self.last_error = error;

        if let Some(budget) = self.dropping {
            // Until the frames reach the count; not for ever, if their times stand still.
            if error < frame / -2 && budget > 0 {
                self.dropping = Some(budget.wrapping_sub(1));
                return Step::Drop;
            }
            self.dropping = None;
            self.errors.clear();
            self.last_error = 0;
            return self.play(due, 0);
        }
        let limit = if certain { frame.wrapping_mul(3) / 2 } else { large };
        if error.wrapping_abs() >= limit && (certain || repeated) {
            self.errors.clear();
            if error < 0 {
                let overlap = error.wrapping_abs().checked_div(frame).unwrap_or(0);
                self.dropping = Some(overlap.wrapping_mul(2).min(MAX_DROP_FRAMES));
                return Step::Drop;
            }
            let silent = error.wrapping_add(frame / 2).checked_div(frame).unwrap_or(0);
            let length = silent.wrapping_mul(frame);
            if can_fill && silent <= MAX_FILL_FRAMES && self.us(length) <= MAX_FILL_US {
                return self.play(due.wrapping_add(length), silent);
            }
            return self.play(time, 0);
        }
        self.drift(error, due, can_fill)
    }

    /// Follows a clock that runs a little faster or slower, one frame at a time.
    fn drift(&mut self, error: i64, due: i64, can_fill: bool) -> Step {
        self.errors.add(error);
        self.steady = self.steady.wrapping_add(1);
        let limit = self.frame.wrapping_mul(3) / 2;
        // Frames sent in bursts with one stamp spread over many frames: some of them are right.
        let late = self.errors.lower().is_some_and(|error| error > limit);
        let early = self.errors.upper().is_some_and(|error| error < limit.wrapping_neg());
        let ready =
            self.errors.is_full() && self.us(self.steady.wrapping_mul(self.frame)) >= DRIFT_US;
        if !ready || !(late || early) {
            return self.play(due, 0);
        }
        self.errors.clear();
        self.steady = 0;
        if early {
            Step::Drop
        } else {
            let silent = i64::from(can_fill);
            self.play(due.wrapping_add(self.frame), silent)
        }
    }

    fn play(&mut self, at: i64, silent: i64) -> Step {
        self.next = Some(at.wrapping_add(self.frame));
        Step::Play { at, silent }
    }

    fn us(&self, length: i64) -> i64 {
        ticks::to_us(length, self.rate)
    }
}

/// A step of fewer frames is jitter: senders stamp frames in bursts.
const STEP_FRAMES: i64 = 3;
/// The longest hole filled with silence, by time and by frames; a longer one is left open.
const MAX_FILL_US: i64 = SECOND;
const MAX_FILL_FRAMES: i64 = 64;
/// The longest overlap dropped: twelve seconds at 48 kHz, above what two tracks may differ by.
const MAX_DROP_FRAMES: i64 = 600;
/// How often a drift may be corrected: one click in two seconds is not heard.
const DRIFT_US: i64 = 2 * SECOND;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: i64 = 1024;

    /// The time of frame `n` at 48 kHz as FLV stamps it: whole milliseconds.
    fn stamp(n: i64) -> i64 {
        n * FRAME / 48 * 1000
    }

    fn run(clock: &mut Clock, times: impl IntoIterator<Item = i64>) -> Vec<Step> {
        times.into_iter().map(|time| clock.place(time, false, true)).collect()
    }

    fn plays(steps: &[Step]) -> bool {
        steps.iter().all(|step| matches!(step, Step::Play { silent: 0, .. }))
    }

    #[test]
    fn whole_milliseconds_do_not_shake_the_count() {
        let mut clock = Clock::new(48_000, 1024);
        for (n, step) in run(&mut clock, (0..1000).map(stamp)).into_iter().enumerate() {
            assert_eq!(step, Step::Play { at: n as i64 * FRAME, silent: 0 });
        }
    }

    #[test]
    fn a_hole_is_filled_once_two_frames_agree() {
        let mut clock = Clock::new(48_000, 1024);
        assert!(plays(&run(&mut clock, (0..10).map(stamp))));
        let steps = run(&mut clock, (20..24).map(stamp));
        assert_eq!(steps[0], Step::Play { at: 10 * FRAME, silent: 0 });
        assert_eq!(steps[1], Step::Play { at: 21 * FRAME, silent: 10 });
        assert_eq!(steps[2], Step::Play { at: 22 * FRAME, silent: 0 });
        assert!(plays(&steps[2..]));
    }

    #[test]
    fn a_hole_too_long_to_fill_stays_open() {
        for can_fill in [true, false] {
            let mut clock = Clock::new(48_000, 1024);
            clock.place(0, false, can_fill);
            let time = if can_fill { 1_500_000 } else { 300_000 };
            let step = clock.place(time, true, can_fill);
            assert_eq!(step, Step::Play { at: time * 48 / 1000, silent: 0 });
        }
    }

    #[test]
    fn one_outlier_changes_nothing() {
        let mut clock = Clock::new(48_000, 1024);
        let times = (0..100).map(|n| if n == 50 { stamp(70) } else { stamp(n) });
        for (n, step) in run(&mut clock, times).into_iter().enumerate() {
            assert_eq!(step, Step::Play { at: n as i64 * FRAME, silent: 0 });
        }
    }

    #[test]
    fn bursts_with_one_stamp_change_nothing() {
        let mut clock = Clock::new(48_000, 1024);
        assert!(plays(&run(&mut clock, (0..400).map(|n| stamp(n / 8 * 8)))));
    }

    #[test]
    fn an_overlap_is_dropped() {
        let mut clock = Clock::new(48_000, 1024);
        assert!(plays(&run(&mut clock, (0..50).map(stamp))));
        let steps = run(&mut clock, (40..60).map(stamp));
        let dropped = steps.iter().filter(|step| **step == Step::Drop).count();
        assert_eq!(dropped, 10);
        // The first was played before the overlap was believed; the last is where it should be.
        assert_eq!(steps[0], Step::Play { at: 50 * FRAME, silent: 0 });
        assert_eq!(steps[19], Step::Play { at: 59 * FRAME, silent: 0 });
    }

    #[test]
    fn a_slow_sender_is_followed_a_frame_at_a_time() {
        for (drift, expected) in [(1001, true), (999, false)] {
            let mut clock = Clock::new(48_000, 1024);
            let steps = run(&mut clock, (0..5000).map(|n| stamp(n) * drift / 1000));
            let silent = steps.iter().filter(|s| matches!(s, Step::Play { silent: 1, .. })).count();
            let dropped = steps.iter().filter(|s| **s == Step::Drop).count();
            // A thousandth of 5000 frames, less the frame and a half that is allowed.
            let (yes, no) = if expected { (silent, dropped) } else { (dropped, silent) };
            assert!((3..=5).contains(&yes) && no == 0, "{silent} {dropped}");
        }
    }

    #[test]
    fn another_rate_goes_on_at_the_same_time() {
        let mut clock = Clock::new(48_000, 1024);
        run(&mut clock, (0..48).map(stamp));
        let due = clock.due_us().unwrap();
        clock.retune(44_100, 1024);
        assert!((clock.due_us().unwrap() - due).abs() <= 23);
    }

    proptest! {
        /// Whatever the stamps, the output rises without overlaps.
        #[test]
        fn frames_never_overlap(
            times in prop::collection::vec((-2_000_000i64..4_000_000, any::<bool>()), 1..300),
            rate in prop::sample::select(vec![8_000u32, 44_100, 48_000]),
        ) {
            let mut clock = Clock::new(rate, 1024);
            let mut end = i64::MIN;
            for (time, certain) in times {
                if let Step::Play { at, silent } = clock.place(time, certain, true) {
                    prop_assert!(at - silent * FRAME >= end);
                    end = at + FRAME;
                }
            }
        }
    }
}
