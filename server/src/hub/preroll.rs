//! What a publisher sends before its tracks are known.

use std::collections::VecDeque;
use std::time::Duration;

use pushpull_media::flv::{TagBuffer, TagKind};
use tokio::time::Instant;

use super::packet::{Packet, Role};
use super::tracks::{Learner, Tracks};

/// A message with its time unwrapped, not yet on the stream's timeline.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: TagKind,
    pub(super) packet: Packet,
    /// The publisher's time in milliseconds; `None` before all frames.
    pub(super) time: Option<i64>,
    pub(super) buffer: TagBuffer,
}

/// Holds the first messages until the tracks are known: no viewer is let in before, and the earliest frame of either
/// track tells where the timeline begins.
#[derive(Debug)]
pub(super) struct Preroll {
    learner: Learner,
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Preroll {
    /// Lasts at most `wait` from the first frame on.
    pub(super) fn new(wait: Duration) -> Self {
        Self { learner: Learner::new(wait), messages: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn hold(&mut self, message: Message, now: Instant) {
        self.learner.see(message.packet.role, now);
        self.bytes += message.buffer.len();
        self.messages.push_back(message);
        // Headers and scripts only, and no end of them: the oldest are of no use.
        while self.is_full() && self.learner.seen() == Tracks::default() {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.buffer.len();
        }
    }

    /// The tracks, once they are known or there is too much to hold any longer.
    pub(super) fn decided(&self, now: Instant) -> Option<Tracks> {
        let seen = self.learner.seen();
        let is_forced = self.is_full() && seen != Tracks::default();
        self.learner.decided(now).or(is_forced.then_some(seen))
    }

    pub(super) fn seen(&self) -> Tracks {
        self.learner.seen()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.learner.deadline()
    }

    /// The publisher's time of its earliest frame.
    pub(super) fn first_time(&self) -> i64 {
        let frames = self
            .messages
            .iter()
            .filter(|message| matches!(message.packet.role, Role::Sound | Role::Picture { .. }));
        frames.filter_map(|frame| frame.time).min().unwrap_or(0)
    }

    pub(super) fn into_messages(self) -> impl Iterator<Item = Message> {
        self.messages.into_iter()
    }

    fn is_full(&self) -> bool {
        self.bytes >= BYTES_MAX || self.messages.len() >= MESSAGES_MAX
    }
}

/// Half a second at 128 Mbit/s.
const BYTES_MAX: usize = 8 << 20;

/// Half a second of any encoder is some fifty; a file sent as fast as the network goes may bring more.
const MESSAGES_MAX: usize = 1_000;
