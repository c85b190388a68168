//! What the hub counts over its life, for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::Hits;

/// Counters of a hub; they only grow.
#[derive(Debug, Default)]
pub struct Stats {
    publishes: Counter,
    viewers: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
    ignored: Counter,
    unknown: Counter,
    clock_jumps: Counter,
    jumps: Counter,
    hits: Arc<Hits>,
}

impl Stats {
    /// Publishers that went live.
    pub fn publishes(&self) -> u64 {
        self.publishes.get()
    }

    /// Viewers that were given a stream.
    pub fn viewers(&self) -> u64 {
        self.viewers.get()
    }

    /// Bytes of media received, without the framing of the protocol they came by.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.get()
    }

    /// Bytes of FLV tags handed to viewers.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out.get()
    }

    /// Messages that held nothing to relay: empty, cut, or pictures before a publisher's first keyframe.
    pub fn ignored(&self) -> u64 {
        self.ignored.get()
    }

    /// Messages of an unknown codec or of an unknown type, which were relayed as they are.
    pub fn unknown(&self) -> u64 {
        self.unknown.get()
    }

    /// Times a publisher's clock jumped, which viewers do not see.
    pub fn clock_jumps(&self) -> u64 {
        self.clock_jumps.get()
    }

    /// Times a viewer had fallen behind and jumped to a later keyframe.
    pub fn jumps(&self) -> u64 {
        self.jumps.get()
    }

    /// Limits that were run into, those of the protocols too.
    pub fn hits(&self) -> &Arc<Hits> {
        &self.hits
    }

    pub(super) fn published(&self) {
        self.publishes.add(1);
    }

    pub(super) fn viewed(&self) {
        self.viewers.add(1);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes_in.add(bytes as u64);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.bytes_out.add(bytes as u64);
    }

    pub(super) fn ignored_one(&self) {
        self.ignored.add(1);
    }

    pub(super) fn unknown_one(&self) {
        self.unknown.add(1);
    }

    pub(super) fn clock_jumped(&self) {
        self.clock_jumps.add(1);
    }

    pub(super) fn jumped(&self) {
        self.jumps.add(1);
    }
}

/// A count that nothing is ordered by.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
