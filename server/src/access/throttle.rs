//! Lines in the log, so many a second and no more: a flood of refusals must not become a flood of lines.

use std::time::Duration;

use tokio::time::Instant;

/// Gives out permission to write lines.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Lines that may be written at once.
    left: u32,
    /// When `left` was right.
    at: Instant,
    /// Lines that were not written since the last one that was.
    withheld: u64,
}

impl Throttle {
    pub(super) fn new(now: Instant) -> Throttle {
        Throttle { left: BURST, at: now, withheld: 0 }
    }

    /// Whether a line may be written, and how many were not before it.
    pub(super) fn allow(&mut self, now: Instant) -> Option<u64> {
        let gained = now.saturating_duration_since(self.at).as_nanos() / EVERY.as_nanos();
        let gained = u32::try_from(gained).unwrap_or(u32::MAX);
        // What is left of the time counts for the next one.
        self.at = if gained >= BURST { now } else { self.at + EVERY * gained };
        self.left = self.left.saturating_add(gained).min(BURST);
        if self.left == 0 {
            self.withheld = self.withheld.saturating_add(1);
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.withheld))
    }
}

/// Enough for every encoder of a full server to be refused at once.
const BURST: u32 = 100;

/// Ten lines a second can be read by somebody who looks for one.
const EVERY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_held_back_and_counted() {
        let mut now = Instant::now();
        let mut throttle = Throttle::new(now);
        let allowed = (0..1000).filter(|_| throttle.allow(now).is_some()).count();
        assert_eq!(allowed, 100);
        now += EVERY;
        assert_eq!(throttle.allow(now), Some(900), "the next line tells how many are missing");
        assert_eq!(throttle.allow(now), None);
        now += EVERY / 2;
        assert_eq!(throttle.allow(now), None, "too early");
        now += EVERY / 2;
        assert_eq!(throttle.allow(now), Some(2));
        now += Duration::from_secs(3600);
        let allowed = (0..1000).filter(|_| throttle.allow(now).is_some()).count();
        assert_eq!(allowed, 100, "silence saves no more than a burst");
    }
}
