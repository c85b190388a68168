//! How unevenly the stream arrives.
//!
//! The earliest arrival seen in the last seconds draws a line: media of time `t` can be here at
//! `t + line`. Whenever newer media comes, its lateness is how long the player had to live on what
//! it had, beyond that line. The 95th percentile of it is what a buffer has to cover.

/// Measures lateness over a sliding window of 5 to 10 s.
#[derive(Debug)]
pub struct Arrival {
    last: Option<Moment>,
    /// Smallest `now − edge` of the current and the previous half window.
    line: [f64; 2],
    /// Events by lateness, of the current and the previous half window.
    bins: [[u16; BINS]; 2],
    turned_at: f64,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    now: f64,
    edge: f64,
}

impl Arrival {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            last: None,
            line: [f64::INFINITY; 2],
            bins: [[0; BINS]; 2],
            turned_at: f64::NEG_INFINITY,
        }
    }

    /// At `now` (seconds, any origin) the newest media received is of time `edge` (seconds).
    pub fn observe(&mut self, now: f64, edge: f64) {
        if let Some(last) = self.last {
            let slip = (edge - last.edge) - (now - last.now);
            if slip.abs() > UNABSORBABLE || now - last.now > OUTAGE || last.edge - edge > BACK {
                // The stream's clock jumped, or the network stood still for longer than any live
                // buffer would cover: no measure of the line's usual unevenness.
                *self = Self::new();
            } else if edge <= last.edge {
                return;
            }
        }
        if now - self.turned_at > HALF_WINDOW {
            self.turn(now);
        }
        if let Some(last) = self.last {
            self.record(self.lateness(now, last.edge));
        }
        self.line[0] = self.line[0].min(now - edge);
        self.last = Some(Moment { now, edge });
    }

    /// From here on the stream's times are `length` seconds smaller.
    pub fn cut(&mut self, length: f64) {
        if let Some(last) = &mut self.last {
            last.edge -= length;
        }
        for line in &mut self.line {
            *line += length;
        }
    }

    /// The lateness, in seconds, that 95 % of the arrivals stay within; 0 until something is known.
    ///
    /// Without any unevenness this is the distance between two arrivals: one frame.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        let total: u32 = self.bins.iter().flatten().map(|&count| u32::from(count)).sum();
        let beyond = total / 20;
        let mut seen = 0;
        for index in (0..BINS).rev() {
            seen += self
                .bins
                .iter()
                .filter_map(|half| half.get(index))
                .map(|&n| u32::from(n))
                .sum::<u32>();
            if seen > beyond {
                return (index + 1) as f64 * BIN;
            }
        }
        0.0
    }

    /// How long the player has had to live on what it has, beyond the line, when `edge` is the newest
    /// media it has received; seconds.
    #[must_use]
    pub fn lateness(&self, now: f64, edge: f64) -> f64 {
        now - edge - self.line()
    }

    fn line(&self) -> f64 {
        self.line[0].min(self.line[1])
    }

    fn turn(&mut self, now: f64) {
        self.turned_at = now;
        self.line = [f64::INFINITY, self.line[0]];
        self.bins = [[0; BINS], self.bins[0]];
    }

    fn record(&mut self, lateness: f64) {
        let bin = (lateness / BIN).max(0.0) as usize;
        if let Some(count) = self.bins[0].get_mut(bin.min(BINS - 1)) {
            *count = count.saturating_add(1);
        }
    }
}

impl Default for Arrival {
    fn default() -> Self {
        Self::new()
    }
}

/// Width of one bin of the histogram, seconds.
const BIN: f64 = 0.01;

/// Bins of the histogram: up to 1 s.
const BINS: usize = 100;

/// The window slides in halves of this length, seconds.
const HALF_WINDOW: f64 = 5.0;

/// Seconds by which the newest media goes back only when the timeline was put together anew: a hole
/// was closed, and everything is later by that from now on.
const BACK: f64 = 0.1;

/// Seconds without anything that are an outage. What comes after it comes in many pieces, each of
/// them late: that says nothing about the next ones.
const OUTAGE: f64 = 1.5;

/// Seconds that no live buffer would cover.
const UNABSORBABLE: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds 30 frames a second for `seconds`, each late by what `late` says.
    fn feed(arrival: &mut Arrival, from: f64, seconds: f64, late: impl Fn(usize) -> f64) {
        for frame in 0..(seconds * 30.0) as usize {
            let time = from + frame as f64 / 30.0;
            arrival.observe(1000.0 + time + late(frame), time);
        }
    }

    #[test]
    fn an_even_stream_needs_one_frame() {
        let mut arrival = Arrival::new();
        feed(&mut arrival, 0.0, 20.0, |_| 0.0);
        assert!((0.03..=0.05).contains(&arrival.jitter()), "{}", arrival.jitter());
    }

    #[test]
    fn repeated_lateness_counts_and_is_forgotten() {
        let mut arrival = Arrival::new();
        feed(&mut arrival, 0.0, 10.0, |frame| if frame % 10 == 0 { 0.2 } else { 0.0 });
        assert!((0.2..=0.3).contains(&arrival.jitter()), "{}", arrival.jitter());
        feed(&mut arrival, 10.0, 12.0, |_| 0.0);
        assert!(arrival.jitter() <= 0.05, "{}", arrival.jitter());
    }

    #[test]
    fn what_the_server_had_in_store_is_not_lateness() {
        let mut arrival = Arrival::new();
        // Two seconds come within 5 ms, in many pieces.
        for frame in 0..60 {
            arrival.observe(1000.0 + f64::from(frame) * 0.0001, f64::from(frame) / 30.0);
        }
        assert!(arrival.jitter() <= 0.05, "{}", arrival.jitter());
    }

    #[test]
    fn a_lone_long_silence_does_not_raise_the_target() {
        let mut arrival = Arrival::new();
        feed(&mut arrival, 0.0, 10.0, |_| 0.0);
        arrival.observe(1013.0, 10.0);
        feed(&mut arrival, 10.0, 3.0, |_| 3.0);
        feed(&mut arrival, 13.0, 3.0, |_| 0.0);
        assert!(arrival.jitter() <= 0.05, "{}", arrival.jitter());
    }

    #[test]
    fn what_is_left_out_is_not_lateness() {
        let mut arrival = Arrival::new();
        feed(&mut arrival, 0.0, 5.0, |_| 0.0);
        arrival.cut(1.5);
        for frame in 0..150 {
            let time = 5.0 + f64::from(frame) / 30.0;
            arrival.observe(1000.0 + time, time - 1.5);
        }
        assert!(arrival.jitter() <= 0.05, "{}", arrival.jitter());
    }

    #[test]
    fn an_outage_made_good_in_pieces_does_not_raise_the_target() {
        for outage in [1.8, 2.5, 3.0] {
            let mut arrival = Arrival::new();
            feed(&mut arrival, 0.0, 10.0, |_| 0.0);
            // What was missed, within a fifth of a second.
            for frame in 0..90 {
                let time = f64::from(frame) / 90.0;
                arrival.observe(1010.0 + outage + time / 5.0, 10.0 + time * (outage + 0.2));
            }
            feed(&mut arrival, 10.2 + outage, 3.0, |_| 0.0);
            assert!(arrival.jitter() <= 0.05, "{outage}: {}", arrival.jitter());
        }
    }

    #[test]
    fn a_hole_that_is_closed_is_not_lateness() {
        let mut arrival = Arrival::new();
        feed(&mut arrival, 0.0, 10.0, |_| 0.0);
        // Seen once beyond the hole, then without it.
        arrival.observe(1010.0, 10.8);
        for frame in 0..90 {
            let time = 10.0 + f64::from(frame) / 30.0;
            arrival.observe(1000.0 + time, time);
        }
        assert!(arrival.jitter() <= 0.05, "{}", arrival.jitter());
    }

    #[test]
    fn a_clock_that_jumps_begins_anew() {
        let mut arrival = Arrival::new();
        feed(&mut arrival, 0.0, 5.0, |_| 0.0);
        for frame in 0..60 {
            let time = f64::from(frame) / 30.0;
            arrival.observe(1005.0 + time, time - 500.0);
        }
        assert!(arrival.jitter() <= 0.05, "{}", arrival.jitter());
    }
}
