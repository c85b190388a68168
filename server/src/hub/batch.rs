//! Tags that wait for the next picture, to leave in one write with it.

use std::time::Duration;

use pushpull_media::flv::Tag;
use tokio::time::Instant;

/// Held tags, in order.
#[derive(Debug)]
pub(super) struct Batch {
    max_wait: Duration,
    tags: Vec<Tag>,
    bytes: usize,
    since: Option<Instant>,
}

impl Batch {
    pub(super) fn new(max_wait: Duration) -> Self {
        Self { max_wait, tags: Vec::new(), bytes: 0, since: None }
    }

    pub(super) fn hold(&mut self, tag: Tag) {
        self.since.get_or_insert_with(Instant::now);
        self.bytes += tag.bytes().len();
        self.tags.push(tag);
    }

    /// Whether it is too much, or too old, to wait any longer.
    pub(super) fn is_due(&self) -> bool {
        self.bytes >= BYTES_MAX
            || self.deadline().is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// When the oldest has waited for long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + self.max_wait)
    }

    pub(super) fn take(&mut self) -> Vec<Tag> {
        self.since = None;
        self.bytes = 0;
        std::mem::take(&mut self.tags)
    }
}

/// What is held at most: a second of uncompressed speech is less, and joining it to a block is no burden.
const BYTES_MAX: usize = 64 * 1024;
