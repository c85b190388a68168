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

    /// Lifts the ban of `name`; `false` if there is none in force.
    pub(super) fn lift(&mut self, name: &StreamName) -> bool {
        self.0.remove(name).is_some_and(|until| until > Instant::now())
    }

    /// Those in force, by name, and how long they still are.
    pub(super) fn list(&self) -> Vec<(String, Duration)> {
        let now = Instant::now();
        let in_force = self.0.iter().filter(|(_, until)| **until > now);
        let mut list: Vec<_> =
            in_force.map(|(name, until)| (name.to_string(), *until - now)).collect();
        list.sort();
        list
    }

    /// For how long `name` is still banned.
    pub(super) fn left(&self, name: &StreamName) -> Option<Duration> {
        let left = self.0.get(name)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}
