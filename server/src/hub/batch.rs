//! Tags that leave in one write: sound waits for the next picture, and pictures for more of them if the operator wants it.

use std::time::Duration;

use pushpull_media::flv::Tag;
use tokio::time::Instant;

use super::Config;

/// Held tags, in order.
#[derive(Debug)]
pub(super) struct Batch {
    /// The longest that a picture waits.
    picture_wait: Duration,
    /// The longest that anything waits.
    wait: Duration,
    tags: Vec<Tag>,
    bytes: usize,
    since: Option<Instant>,
    has_picture: bool,
    is_start: bool,
}

/// Tags that leave together.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) tags: Vec<Tag>,
    /// Whether viewers can begin with the first.
    pub(super) is_start: bool,
}

impl Batch {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            picture_wait: config.batch,
            wait: config.batch.max(config.held_audio_max),
            tags: Vec::new(),
            bytes: 0,
            since: None,
            has_picture: false,
            is_start: false,
        }
    }

    /// Holds what waits for a picture.
    pub(super) fn hold(&mut self, tag: Tag) {
        self.since.get_or_insert_with(Instant::now);
        self.bytes += tag.bytes().len();
        self.tags.push(tag);
    }

    /// Holds what the others wait for.
    pub(super) fn hold_picture(&mut self, tag: Tag) {
        self.has_picture = true;
        self.hold(tag);
    }

    /// Holds what viewers can begin with. What was held before must be gone, unless it begins like this too.
    pub(super) fn hold_start(&mut self, tag: Tag) {
        self.is_start = true;
        self.hold_picture(tag);
    }

    /// Whether viewers can begin with what is held.
    pub(super) fn is_start(&self) -> bool {
        self.is_start
    }

    /// Whether it is too much, or too old, to wait any longer.
    pub(super) fn is_due(&self) -> bool {
        self.bytes >= BYTES_MAX
            || self.deadline().is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// When the oldest has waited for long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let wait = if self.has_picture { self.picture_wait } else { self.wait };
        self.since.map(|since| since + wait)
    }

    pub(super) fn take(&mut self) -> Held {
        self.since = None;
        self.bytes = 0;
        self.has_picture = false;
        let is_start = std::mem::take(&mut self.is_start);
        Held { tags: std::mem::take(&mut self.tags), is_start }
    }
}

/// What is held at most: a second of uncompressed speech is less, and joining it to a block is no burden.
const BYTES_MAX: usize = 64 * 1024;
