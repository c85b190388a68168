//! When the publisher captured what is shown, if the stream says so.
//! `js/script.js` reads the script tags that tell.

use super::track::seconds;

/// The latest pair of capture time and media time.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock {
    /// Capture time minus media time on the stream's line, seconds.
    ahead: Option<f64>,
}

impl WallClock {
    /// Media at `line_us` on the stream's line was captured at `unix_ms`.
    pub fn set(&mut self, unix_ms: f64, line_us: i64) {
        self.ahead = Some(unix_ms / 1000.0 - seconds(line_us));
    }

    /// When what is shown at `time`, seconds of an output that begins at `base_us` of the stream's
    /// line, was captured; Unix seconds.
    #[must_use]
    pub fn at(&self, base_us: i64, time: f64) -> Option<f64> {
        Some(self.ahead? + seconds(base_us) + time)
    }

    /// From here on the stream's line leaves out `length` seconds.
    pub fn cut(&mut self, length: f64) {
        self.ahead = self.ahead.map(|ahead| ahead + length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_leads_to_the_output() {
        let mut clock = WallClock::default();
        assert_eq!(clock.at(0, 1.0), None);
        clock.set(1_000_000.0, 5_000_000);
        assert_eq!(clock.at(4_000_000, 2.0), Some(1001.0));
        clock.cut(3.0);
        assert_eq!(clock.at(4_000_000, 2.0), Some(1004.0));
    }
}
