//! The memory that all rings may take together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Hub;
use super::stream::Stream;
use crate::limits::Limit;

/// Memory that the rings take, and may take, in bytes.
#[derive(Debug)]
pub(super) struct Budget {
    limit: AtomicUsize,
    used: AtomicUsize,
    /// Streams that ended and may have viewers who still read their rings.
    ended: Mutex<Vec<Weak<Stream>>>,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: AtomicUsize::new(limit), used: AtomicUsize::new(0), ended: Mutex::default() }
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// A ring has `now` bytes and had `before`.
    pub(super) fn change(&self, before: usize, now: usize) {
        // Wraps on the way, never in sum.
        self.used.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// `stream` has left its name: whoever looks for memory finds it here.
    pub(super) fn ended(&self, stream: &Arc<Stream>) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|stream| stream.strong_count() > 0);
        ended.push(Arc::downgrade(stream));
    }

    /// Streams that have left their names and may have viewers.
    pub(super) fn still_read(&self) -> Vec<Arc<Stream>> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().filter_map(Weak::upgrade).collect()
    }

    /// How much is to be given back, and a bit more, so that it is not asked for at every block.
    fn excess(&self) -> usize {
        let (used, limit) = (self.used(), self.limit.load(Ordering::Relaxed));
        if used <= limit { 0 } else { used - (limit - limit / SPARE) }
    }
}

impl Hub {
    /// Frees media if all rings together hold too much of it: the largest gives first, down to half, then whichever is
    /// the largest then. Viewers that needed what is gone go on at the next keyframe. Streams that ended give all they
    /// have before any that is live gives something: a viewer may read the last of one as slowly as it likes.
    pub(super) fn keep_within_budget(&self) {
        if self.budget().excess() == 0 {
            return;
        }
        self.stats().hits().hit(Limit::MediaBytes);
        for stream in self.budget().still_read() {
            if self.budget().excess() == 0 {
                return;
            }
            stream.ring.shrink(0);
            stream.account();
        }
        let mut streams: Vec<Arc<Stream>> =
            self.names().values().filter_map(|name| name.stream.clone()).collect();
        while let excess @ 1.. = self.budget().excess()
            && let Some((at, bytes)) = streams
                .iter()
                .map(|stream| stream.ring.memory())
                .enumerate()
                .max_by_key(|&(_, bytes)| bytes)
        {
            streams[at].ring.shrink(bytes - excess.min(bytes / 2));
            if streams[at].account() >= bytes {
                // A single block, or one that grew meanwhile.
                streams.swap_remove(at);
            }
        }
    }
}

/// An eighth of the limit is freed beyond what is over it.
const SPARE: usize = 8;
