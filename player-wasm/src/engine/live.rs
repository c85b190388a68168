//! The live controller: keeps the playhead a small, steady distance behind the newest media.
//!
//! Its means, mildest first: the playback rate, bounded to what the ear forgives; a seek, only when
//! far behind. It never seeks before a picture was presented since the last seek: each seek empties
//! the decoder, and one that still fills would never show anything.

use super::between;
use super::buffered::Range;

/// What the user may choose.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Smallest target, seconds; `None` leaves the choice to the controller.
    pub floor: Option<f64>,
    /// Largest target, seconds.
    pub ceiling: f64,
    /// Largest playback rate; `None` leaves the choice to the controller.
    pub max_rate: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { floor: None, ceiling: 4.0, max_rate: None }
    }
}

/// What the controller looks at. Times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The time now, any origin.
    pub now: f64,
    /// The playhead.
    pub position: f64,
    /// The end of what was received of every track.
    pub edge: f64,
    /// The stretch around the playhead that was appended of every track.
    pub appended: Option<Range>,
    /// Neither paused nor seeking.
    pub playing: bool,
    /// Out of data.
    pub waiting: bool,
    /// A picture was presented since the last seek.
    pub presented: bool,
    /// There is sound.
    pub sound: bool,
    /// Somebody hears it.
    pub audible: bool,
    /// What a buffer has to cover of the stream's unevenness.
    pub jitter: f64,
    /// The distance of two pictures.
    pub frame: f64,
    /// What the browser needs appended ahead in any case.
    pub hold: f64,
    /// Nothing has come for longer than usual.
    pub late: bool,
}

impl Situation {
    /// Pictures are lost until the browser has what it holds, or sound is about to run out: soon is
    /// better than unnoticed.
    fn starved(&self) -> bool {
        let least = if self.sound { RUNS_OUT } else { 0.0 };
        self.edge - self.position < least.max(BARELY_HELD * self.hold)
    }
}

/// What the element should do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Play at this rate.
    Rate(f64),
    /// Go to this time, seconds.
    Seek(f64),
}

/// The controller's state.
#[derive(Debug)]
pub struct Live {
    config: Config,
    rate: f64,
    target: f64,
    /// The distance is far off, after a start, a seek, a stall or a burst: faster rates are allowed.
    catching_up: bool,
    /// It has never been at its target: what the server had in store is played fast, not left out.
    starting: bool,
    /// Inside the dead band nothing is done; once outside it, until well inside.
    correcting: bool,
    updated_at: Option<f64>,
    seek_at: f64,
    /// It has played since the start or the last seek: running out of data is a stall.
    flowing: bool,
    waiting_since: Option<f64>,
    boost: f64,
    boosted_at: f64,
    stalls: u32,
    /// When the last of them were, seconds.
    stalled_at: [f64; FREQUENT],
}

impl Live {
    /// A controller for a stream that is about to start.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            rate: 1.0,
            target: config.floor.unwrap_or(FLOOR_WITH_SOUND),
            catching_up: true,
            starting: true,
            correcting: false,
            updated_at: None,
            seek_at: f64::NEG_INFINITY,
            flowing: false,
            waiting_since: None,
            boost: 0.0,
            boosted_at: f64::NEG_INFINITY,
            stalls: 0,
            stalled_at: [f64::NEG_INFINITY; FREQUENT],
        }
    }

    /// Looks at the situation; at most one action, at most every [`PERIOD`] seconds.
    pub fn update(&mut self, s: &Situation) -> Option<Action> {
        self.note_stall(s);
        let elapsed = self.updated_at.map_or(PERIOD, |at| s.now - at);
        if elapsed < PERIOD {
            return None;
        }
        self.updated_at = Some(s.now);
        self.retarget(s, elapsed);
        if !s.playing {
            return None;
        }
        let excess = s.edge - s.position - self.target;
        if let Some(to) = self.landing(s, excess) {
            self.moved(s.now);
            return Some(Action::Seek(to));
        }
        self.steer(s, excess, elapsed.min(1.0))
    }

    /// The distance aimed at, seconds.
    #[must_use]
    pub fn target(&self) -> f64 {
        self.target
    }

    /// The rate last asked for.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// How far behind the target is too far for the playback rate alone, seconds: what it cannot make
    /// good in about three.
    #[must_use]
    pub fn tolerance(&self, audible: bool) -> f64 {
        let usual = if audible { EXCESS_HEARD } else { EXCESS_UNHEARD };
        let usual = usual.max(self.target);
        if self.starting { usual.max(EXCESS_AT_START) } else { usual }
    }

    /// How often the element ran out of data.
    #[must_use]
    pub fn stalls(&self) -> u32 {
        self.stalls
    }

    /// Whether it runs out of data again and again.
    #[must_use]
    pub fn is_unsteady(&self, now: f64) -> bool {
        now - self.stalled_at[0] < SOON
    }

    /// The playhead is being moved.
    pub fn moved(&mut self, now: f64) {
        self.seek_at = now;
        self.catching_up = true;
        self.flowing = false;
        self.waiting_since = None;
    }

    fn note_stall(&mut self, s: &Situation) {
        // Who goes this slowly has nothing either, and makes it last.
        let waiting = s.waiting || self.rate < CRAWL;
        if s.playing && s.presented && !waiting {
            self.flowing = true;
        }
        match self.waiting_since {
            None if self.flowing && s.playing && waiting => {
                self.flowing = false;
                self.waiting_since = Some(s.now);
                self.stalls += 1;
                let [_, a, b, c] = self.stalled_at;
                self.stalled_at = [a, b, c, s.now];
            }
            Some(since) if !waiting => {
                self.waiting_since = None;
                self.catching_up = true;
                // A larger buffer helps against short gaps only; after a long one it would just
                // leave everything that much later.
                if s.now - since <= ABSORBABLE && s.now - self.boosted_at > BOOST_PAUSE {
                    self.boost = (self.current_boost(s.now) + self.target / 2.0).min(MAX_BOOST);
                    self.boosted_at = s.now;
                }
            }
            _ => {}
        }
    }

    fn current_boost(&self, now: f64) -> f64 {
        self.boost * between(1.0 - (now - self.boosted_at) / BOOST_DECAY, 0.0, 1.0)
    }

    /// Up at once, down slowly.
    fn retarget(&mut self, s: &Situation, elapsed: f64) {
        let usual = if s.sound { FLOOR_WITH_SOUND } else { FLOOR };
        let floor = self.config.floor.unwrap_or(usual);
        let need = (JITTER_MARGIN * s.jitter + s.frame).max(floor).max(s.hold);
        let aim = (need + self.current_boost(s.now)).min(self.config.ceiling.max(floor));
        self.target = aim.max(self.target - TARGET_FALL * elapsed);
    }

    fn landing(&self, s: &Situation, excess: f64) -> Option<f64> {
        let allowed =
            s.presented && s.now - self.seek_at >= SEEK_PAUSE && excess > self.tolerance(s.audible);
        let to = s.edge.min(s.appended?.end) - self.target;
        let inside = to >= s.appended?.start && to > s.position + MIN_SEEK;
        (allowed && inside).then_some(to)
    }

    fn steer(&mut self, s: &Situation, excess: f64, elapsed: f64) -> Option<Action> {
        let band = DEAD_BAND.max(s.frame);
        let limit = if self.correcting { band * 0.4 } else { band };
        self.correcting = excess.abs() > limit && !s.waiting;
        if excess <= band {
            self.catching_up = false;
            self.starting = false;
        }
        self.catching_up |= excess > BURST;
        let (gain, slew) = if self.catching_up || s.starved() { (2.0, 8.0) } else { (0.5, 0.5) };
        let brakes = s.late && !s.waiting;
        let aim = if brakes {
            // What is left is made to last: a browser that ran out takes its time to begin again.
            between((s.edge - s.position) / STRETCH, SLOWEST, 1.0)
        } else if self.correcting && self.rate >= CRAWL {
            between(1.0 + gain * excess, self.slowest(s), self.fastest(s))
        } else {
            1.0
        };
        let step = if brakes || self.rate < BRAKED { 1.0 } else { slew * elapsed };
        let rate = (self.rate + between(aim - self.rate, -step, step)) * RATE_STEPS;
        let rate = f64::from((rate + 0.5) as u32) / RATE_STEPS;
        if (rate - self.rate).abs() < 0.5 / RATE_STEPS {
            return None;
        }
        self.rate = rate;
        Some(Action::Rate(rate))
    }

    fn fastest(&self, s: &Situation) -> f64 {
        let fastest = match (self.catching_up, s.audible) {
            (true, false) => 2.0,
            (true, true) => 1.5,
            (false, _) => 1.1,
        };
        self.config.max_rate.map_or(fastest, |max| fastest.min(max.max(1.0)))
    }

    fn slowest(&self, s: &Situation) -> f64 {
        if s.starved() {
            return 0.6;
        }
        if s.edge - s.position < 0.4 * self.target { 0.9 } else { 0.95 }
    }
}

/// Seconds between two looks.
pub const PERIOD: f64 = 0.05;

/// Smallest target with sound: Chromium's audio runs out with a tenth of a second left, and appends
/// that are gathered come a tenth apart.
const FLOOR_WITH_SOUND: f64 = 0.28;

/// The same of pictures alone.
const FLOOR: f64 = 0.16;

/// Within this many seconds (or one frame, if longer) of the target the rate stays 1.
const DEAD_BAND: f64 = 0.05;

/// Steps of the playback rate per 1.0: each change costs the browser's audio path something.
const RATE_STEPS: f64 = 50.0;

/// Seconds behind the target that playing half as fast again makes good in three seconds.
const EXCESS_HEARD: f64 = 1.2;

/// The same where twice as fast is accepted, as nobody hears it.
const EXCESS_UNHEARD: f64 = 2.2;

/// The same at the start, where a picture moving fast is better than none.
const EXCESS_AT_START: f64 = 3.0;

/// So far behind the target, seconds, it is not drift.
const BURST: f64 = 0.4;

/// Seconds between two seeks.
const SEEK_PAUSE: f64 = 2.0;

/// A seek over less than this, seconds, is not worth emptying the decoder.
const MIN_SEEK: f64 = 0.5;

/// What the target allows beyond the measured jitter.
const JITTER_MARGIN: f64 = 1.2;

/// Seconds per second by which the target falls.
const TARGET_FALL: f64 = 0.02;

/// A gap longer than this, seconds, is no reason for a larger buffer.
const ABSORBABLE: f64 = 0.6;

/// So many stalls …
const FREQUENT: usize = 4;

/// … within so many seconds are more than bad luck.
const SOON: f64 = 30.0;

/// Seconds in which a second stall is still the first one: the buffer had no time to grow.
const BOOST_PAUSE: f64 = 5.0;

/// Most that stalls add to the target, seconds.
const MAX_BOOST: f64 = 1.5;

/// Seconds of clean play after which a stall is forgotten.
const BOOST_DECAY: f64 = 60.0;

/// With less than this share of what the browser holds it counts as starved.
const BARELY_HELD: f64 = 0.85;

/// With this much left, seconds, Chromium's sound is about to run out.
const RUNS_OUT: f64 = 0.14;

/// When nothing comes, what is left would last this long at any time, seconds, if the rate stayed.
const STRETCH: f64 = 0.4;

/// The slowest that Chromium takes is 1/16.
const SLOWEST: f64 = 0.08;

/// A rate below this is no correction.
const BRAKED: f64 = 0.6;

/// A rate below this is a stall. Chromium does not stretch sound that is this slow but skips it, and when
/// it stretches again it believes that it ran out: only to 1 it goes without that.
const CRAWL: f64 = 0.3;

#[cfg(test)]
mod tests;
