//! Which tracks a publisher really sends. Announcements are often wrong; only frames count.

use std::time::Duration;

use tokio::time::Instant;

use super::packet::Role;

/// The tracks of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// Sound.
    pub audio: bool,
    /// Pictures.
    pub video: bool,
}

/// Learns the tracks of a publisher from its first frames.
#[derive(Debug)]
pub(super) struct Learner {
    wait: Duration,
    seen: Tracks,
    deadline: Option<Instant>,
}

impl Learner {
    /// Decides `wait` after the first frame at the latest.
    pub(super) fn new(wait: Duration) -> Self {
        Self { wait, seen: Tracks::default(), deadline: None }
    }

    pub(super) fn see(&mut self, role: Role, now: Instant) {
        match role {
            Role::Sound => self.seen.audio = true,
            Role::Picture { .. } => self.seen.video = true,
            Role::Header(_) | Role::Other => return,
        }
        self.deadline.get_or_insert(now + self.wait);
    }

    /// The tracks, once they are known: both were seen, or the time is over.
    pub(super) fn decided(&self, now: Instant) -> Option<Tracks> {
        let both = self.seen.audio && self.seen.video;
        let over = self.deadline.is_some_and(|deadline| now >= deadline);
        (both || over).then_some(self.seen)
    }

    /// The tracks as far as they are known.
    pub(super) fn seen(&self) -> Tracks {
        self.seen
    }

    /// When they are decided even if nothing more comes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}
