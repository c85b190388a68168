//! A look at one publisher or viewer from outside, which it does not notice.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::ring::Lag;
use super::stream::Stream;

/// What one publisher or viewer has done so far. It outlives the one it is about.
#[derive(Debug)]
pub struct Probe {
    stream: Weak<Stream>,
    /// A viewer's place in the ring.
    slot: Option<usize>,
    bytes: AtomicU64,
    jumps: AtomicU64,
    has_left: AtomicBool,
}

impl Probe {
    /// Of a viewer at `slot`, or of the publisher.
    pub(super) fn new(stream: &Arc<Stream>, slot: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            stream: Arc::downgrade(stream),
            slot,
            bytes: AtomicU64::new(0),
            jumps: AtomicU64::new(0),
            has_left: AtomicBool::new(false),
        })
    }

    /// Bytes of media received from a publisher, or handed to a viewer; what a viewer got last may not be counted yet, up to
    /// 32 KiB and a picture.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How often a viewer had fallen behind and jumped.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.jumps.load(Ordering::Relaxed)
    }

    /// How far a viewer is behind; nothing for a publisher, and for one that has left.
    #[must_use]
    pub fn lag(&self) -> Lag {
        let lag =
            self.slot.zip(self.stream.upgrade()).map(|(slot, stream)| stream.ring.lag_at(slot));
        // Asked afterwards: the place may be somebody else's by now.
        lag.filter(|_| !self.has_left.load(Ordering::Acquire)).unwrap_or_default()
    }

    /// Counts bytes; by the one it is about only.
    pub(super) fn count(&self, bytes: usize) {
        add(&self.bytes, bytes as u64);
    }

    /// Counts a jump; by the one it is about only.
    pub(super) fn jumped(&self) {
        add(&self.jumps, 1);
    }

    /// The one it is about is about to leave.
    pub(super) fn leave(&self) {
        self.has_left.store(true, Ordering::Release);
    }
}

/// There is one who writes: no other can be lost in between.
fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}
