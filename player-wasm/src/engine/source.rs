//! The connection: what its end means, and when it is tried again.
//!
//! A live stream that ends, properly or not, is asked for again: the publisher may be back in a
//! moment, the network too. The pauses between attempts double, and are uneven, so that the viewers
//! of a server that went down do not come back all at once.

/// How far the source is, and how often it was tried.
#[derive(Debug)]
pub struct Source {
    phase: Phase,
    /// Attempts since media last flowed steadily.
    attempts: u32,
    max_attempts: u32,
    /// State of the generator the jitter is drawn from.
    seed: u32,
    /// Media ever came.
    started: bool,
    /// When media began to flow in the present response, seconds.
    flows_since: Option<f64>,
    /// The last response that media came from ended properly.
    ended_properly: bool,
    /// A connection was established.
    opened: bool,
    /// Times media came again after a loss.
    pub reconnects: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Flowing,
    /// The host was asked to open the source again.
    Lost,
    Ended,
}

/// What an end of the source means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// It is opened again after `delay` seconds, for the `attempt`th time since media came.
    Again {
        /// Seconds.
        delay: f64,
        /// From 1.
        attempt: u32,
    },
    /// Nothing more will come, and that is all right.
    Complete,
    /// Nothing more will come, and something is wrong.
    Failed,
}

impl Source {
    /// A source that is being opened; `seed` makes its pauses its own.
    #[must_use]
    pub fn new(max_attempts: u32, seed: u32) -> Self {
        Self {
            phase: Phase::Flowing,
            attempts: 0,
            max_attempts,
            seed: (seed ^ 0x9E37_79B9).wrapping_mul(0x85EB_CA6B) | 1,
            started: false,
            flows_since: None,
            ended_properly: false,
            opened: false,
            reconnects: 0,
        }
    }

    /// A connection is established. True if it is not the first: a new response begins.
    pub fn opened(&mut self) -> bool {
        self.phase = Phase::Flowing;
        self.flows_since = None;
        core::mem::replace(&mut self.opened, true)
    }

    /// Bytes came.
    pub fn came(&mut self) {
        if self.phase == Phase::Lost {
            self.phase = Phase::Flowing;
        }
    }

    /// Bytes will come, whatever the last end meant.
    pub fn goes_on(&mut self) {
        self.phase = Phase::Flowing;
    }

    /// Media came.
    pub fn media(&mut self, now: f64) {
        if self.flows_since.is_none() && self.started {
            self.reconnects += 1;
        }
        self.started = true;
        let since = *self.flows_since.get_or_insert(now);
        // A server that gives its stored pictures and then hangs up is not one that works.
        if now - since >= STEADY {
            self.attempts = 0;
        }
    }

    /// For how long media has been flowing in the present response, seconds.
    #[must_use]
    pub fn flowed_for(&self, now: f64) -> f64 {
        self.flows_since.map_or(0.0, |since| now - since)
    }

    /// The source has ended; `clean`: properly, `retry`: it may be worth another attempt, `live`:
    /// more may come after a proper end.
    pub fn ended(&mut self, clean: bool, retry: bool, live: bool) -> End {
        if self.flows_since.take().is_some() {
            self.ended_properly = clean;
        }
        let max = if self.started { self.max_attempts } else { self.max_attempts.min(FIRST) };
        if retry && (live || !clean) && self.attempts < max {
            self.phase = Phase::Lost;
            self.attempts += 1;
            return End::Again { delay: self.pause(), attempt: self.attempts };
        }
        self.phase = Phase::Ended;
        // A stream that ended properly and is gone now was over.
        if clean || (self.ended_properly && !retry) { End::Complete } else { End::Failed }
    }

    /// How much longer than usual nothing may come: a publisher that makes a pause is there in vain for
    /// all who come again, and each time they would give it up sooner.
    #[must_use]
    pub fn patience(&self) -> f64 {
        f64::from(self.attempts) + 1.0
    }

    /// Whether bytes come, or may.
    #[must_use]
    pub fn is_flowing(&self) -> bool {
        self.phase == Phase::Flowing
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Ended
    }

    fn pause(&mut self) -> f64 {
        let doubled = FIRST_PAUSE * f64::from(1_u32 << (self.attempts - 1).min(16));
        // xorshift: not to be predicted is not needed, to differ is.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        let share = f64::from(self.seed >> 8) / f64::from(1_u32 << 24);
        doubled.min(LONGEST_PAUSE) * (1.0 + JITTER * (2.0 * share - 1.0))
    }
}

/// Seconds before the first attempt.
const FIRST_PAUSE: f64 = 0.2;

/// Seconds before an attempt, at most.
const LONGEST_PAUSE: f64 = 10.0;

/// How much longer or shorter a pause may be.
const JITTER: f64 = 0.25;

/// Seconds of media after which a connection counts as one that works.
const STEADY: f64 = 3.0;

/// Attempts while nothing ever came: whoever waits for the first picture wants to know soon.
const FIRST: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn flowing(max: u32) -> Source {
        let mut source = Source::new(max, 7);
        assert!(!source.opened(), "the first is the beginning");
        source.media(0.0);
        source.media(10.0);
        source
    }

    fn attempt(end: End) -> Option<(f64, u32)> {
        if let End::Again { delay, attempt } = end { Some((delay, attempt)) } else { None }
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_attempts_end() {
        let mut source = flowing(8);
        for (n, pause) in [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0].into_iter().enumerate() {
            let (delay, attempt) = attempt(source.ended(false, true, true)).unwrap();
            assert_eq!(attempt as usize, n + 1);
            assert!((pause * 0.75..=pause * 1.25).contains(&delay), "{delay} for {pause}");
        }
        assert_eq!(source.ended(false, true, true), End::Failed);
        assert!(source.is_over());
    }

    #[test]
    fn seeds_make_viewers_differ() {
        let delay = |seed| {
            let mut source = Source::new(8, seed);
            attempt(source.ended(false, true, true)).unwrap().0
        };
        let delays: Vec<_> = (0..100).map(delay).collect();
        let near = |to: f64| delays.iter().filter(|delay| (*delay - to).abs() < 0.01).count();
        assert!(near(0.16) > 2 && near(0.2) > 2 && near(0.24) > 2, "{delays:?}");
    }

    #[test]
    fn media_that_flows_makes_it_the_first_attempt_again() {
        let mut source = flowing(8);
        source.ended(false, true, true);
        source.ended(false, true, true);
        assert!(source.opened());
        source.media(20.0);
        assert_eq!(source.reconnects, 1);
        // The stored pictures alone do not.
        assert_eq!(attempt(source.ended(true, true, true)).unwrap().1, 3);
        assert!(source.opened());
        source.media(30.0);
        source.media(34.0);
        assert_eq!(attempt(source.ended(true, true, true)).unwrap().1, 1);
        assert_eq!(source.reconnects, 2);
    }

    #[test]
    fn a_proper_end_and_then_nothing_is_the_end_of_the_stream() {
        let mut source = flowing(8);
        assert!(attempt(source.ended(true, true, true)).is_some());
        assert_eq!(source.ended(false, false, true), End::Complete);
    }

    #[test]
    fn a_loss_and_then_nothing_is_a_failure() {
        let mut source = flowing(8);
        assert!(attempt(source.ended(false, true, true)).is_some());
        assert_eq!(source.ended(false, false, true), End::Failed);
        assert_eq!(flowing(8).ended(false, false, true), End::Failed);
    }

    #[test]
    fn never_means_never() {
        assert_eq!(flowing(0).ended(false, true, true), End::Failed);
        assert_eq!(flowing(0).ended(true, true, true), End::Complete);
    }

    #[test]
    fn a_file_that_ends_is_complete_and_one_that_breaks_off_is_tried_again() {
        assert_eq!(flowing(8).ended(true, true, false), End::Complete);
        assert!(attempt(flowing(8).ended(false, true, false)).is_some());
    }

    #[test]
    fn a_stream_that_never_began_is_given_up_soon() {
        let mut source = Source::new(8, 0);
        for _ in 0..3 {
            assert!(attempt(source.ended(false, true, true)).is_some());
        }
        assert_eq!(source.ended(false, true, true), End::Failed);
    }
}
