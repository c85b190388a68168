//! Names that are refused for a while.

use std::collections::HashMap;
use std::time::Duration;

use pushpull_rtmp::StreamName;
use tokio::time::Instant;

/// Names that nobody may publish before a given time.
#[derive(Debug, Default)]
pub(super) struct Bans(HashMap<StreamName, Instant>);

impl Bans {
    /// Bans `name` for `time` from now, whatever was said of it before; `false` if there are `max` bans already.
    #[must_use]
    pub(super) fn add(&mut self, name: &StreamName, time: Duration, max: usize) -> bool {
        let now = Instant::now();
        self.0.retain(|_, until| *until > now);
        self.0.remove(name);
        if time.is_zero() {
            return true;
        }
        if self.0.len() >= max {
            return false;
        }
        self.0.insert(name.clone(), now + time);
        true
    }

    /// For how long `name` is still banned.
    pub(super) fn left(&self, name: &StreamName) -> Option<Duration> {
        let left = self.0.get(name)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}
