//! The ring of a stream: the newest blocks, the starts among them, and the viewers that wait for the next.
//!
//! A viewer is a [`Cursor`]. Joining, and catching up after falling behind, are one operation: go to the newest start.
//! The ring knows no clock and no task but the wakers it is given; `tests/loom_ring.rs` checks it under every
//! interleaving.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};

use super::block::{Block, Headers};
use super::sync::{Mutex, MutexGuard};

/// Newest blocks of a stream, shared by one publisher and its viewers.
#[derive(Debug)]
pub struct Ring {
    limits: Limits,
    state: Mutex<State>,
}

/// What a ring keeps.
///
/// A block is kept while it is within *both* lag limits, or not older than the newest start and within *both* GOP
/// limits. A viewer whose next block is gone has fallen behind and goes to the newest start. If a GOP is over its limits
/// there is no start in the ring until the next keyframe comes; joiners wait for it, present viewers notice nothing.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Milliseconds of media a viewer may be behind.
    pub lag_ms: u64,
    /// Bytes a viewer may be behind.
    pub lag_bytes: usize,
    /// Milliseconds of media kept back to the newest start.
    pub gop_ms: u64,
    /// Bytes kept back to the newest start: the most the ring holds, but for a single block that is larger.
    pub gop_bytes: usize,
}

/// A viewer's place in a ring. It must be given back with [`Ring::leave`].
#[derive(Debug)]
pub struct Cursor {
    slot: usize,
    place: Place,
    headers: Option<u64>,
}

/// Where a viewer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// At the newest start that is or will be there.
    Newest,
    /// At the first start that comes from now on.
    Next,
}

/// What [`Ring::poll`] hands out.
#[derive(Debug)]
pub struct Taken {
    /// The next block.
    pub block: Arc<Block>,
    /// The headers to send in front of it: the viewer does not have them.
    pub headers: Option<Arc<Headers>>,
    /// Whether the viewer had fallen behind, and blocks before this one are lost to it.
    pub jumped: bool,
}

/// Why a stream ended for its viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The publisher said goodbye.
    Finished,
    /// The publisher was lost, and did not come back within the grace period.
    PublisherLost,
    /// An operator stopped it.
    Kicked,
    /// The server stops.
    ServerStopping,
}

impl EndReason {
    /// Whether viewers end at once, without what the ring still holds.
    fn is_sudden(self) -> bool {
        matches!(self, Self::Kicked | Self::ServerStopping)
    }
}

impl Ring {
    /// An empty ring.
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::new(State::default()) }
    }

    /// Appends a block and wakes every viewer that waits. Does nothing once the ring is closed.
    pub fn push(&self, block: Arc<Block>) {
        let wakers = {
            let mut state = self.lock();
            if state.end.is_some() {
                return;
            }
            state.append(block);
            state.evict(&self.limits);
            state.take_wakers()
        };
        wake(wakers);
    }

    /// Ends the stream and wakes everyone. The first reason stays, but one that ends it at once overrides.
    ///
    /// Viewers still get what the ring holds, unless the server stops or an operator stopped the stream.
    pub fn close(&self, reason: EndReason) {
        let wakers = {
            let mut state = self.lock();
            if state.end.is_none() || reason.is_sudden() {
                state.end = Some(reason);
            }
            state.take_wakers()
        };
        wake(wakers);
    }

    /// Adds a viewer, unless there are `max` already.
    pub fn join(&self, join: Join, max: usize) -> Option<Cursor> {
        let mut state = self.lock();
        if state.viewers >= max {
            return None;
        }
        state.viewers += 1;
        let from = match join {
            Join::Newest => 0,
            Join::Next => state.end(),
        };
        let slot = match state.free.pop() {
            Some(slot) => slot,
            None => {
                state.waiting.push(None);
                state.waiting.len() - 1
            }
        };
        Some(Cursor { slot, place: Place::Start { from, jumped: false }, headers: None })
    }

    /// Removes the viewer of `cursor`, which must not be used again.
    pub fn leave(&self, cursor: &Cursor) {
        let waker = {
            let mut state = self.lock();
            state.viewers -= 1;
            state.free.push(cursor.slot);
            state.waiting[cursor.slot].take()
        };
        drop(waker);
    }

    /// The next block for a viewer, or the reason why there is none any more.
    ///
    /// While it is pending, `waker` is kept, in place of the one before, and woken by the next push or by the close.
    pub fn poll(&self, cursor: &mut Cursor, waker: &Waker) -> Poll<Result<Taken, EndReason>> {
        let mut state = self.lock();
        if let Some(reason) = state.end.filter(|reason| reason.is_sudden()) {
            return Poll::Ready(Err(reason));
        }
        if let Some(taken) = state.take(cursor) {
            return Poll::Ready(Ok(taken));
        }
        if let Some(reason) = state.end {
            return Poll::Ready(Err(reason));
        }
        let waiting = &mut state.waiting[cursor.slot];
        let before = match waiting {
            Some(known) if known.will_wake(waker) => None,
            _ => waiting.replace(waker.clone()),
        };
        // A waker's drop is the runtime's code: not under the lock.
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Viewers at present, and bytes of the blocks held.
    pub fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.viewers, state.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state whole: every change below is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a cursor stands. Blocks are numbered from 0 in the order they were pushed.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Waits for the newest start numbered `from` or higher.
    Start { from: u64, jumped: bool },
    /// Next comes this block.
    At(u64),
}

#[derive(Debug, Default)]
struct State {
    blocks: VecDeque<Arc<Block>>,
    /// The number of the first block held.
    first: u64,
    /// Numbers of the starts held.
    starts: VecDeque<u64>,
    bytes: usize,
    end: Option<EndReason>,
    viewers: usize,
    /// The waker of each viewer that waits, by slot.
    waiting: Vec<Option<Waker>>,
    /// Slots that belong to no viewer.
    free: Vec<usize>,
}

impl State {
    /// The number the next block will have.
    fn end(&self) -> u64 {
        self.first + self.blocks.len() as u64
    }

    fn append(&mut self, block: Arc<Block>) {
        if block.is_start() {
            self.starts.push_back(self.end());
        }
        self.bytes += block.bytes().len();
        self.blocks.push_back(block);
    }

    fn evict(&mut self, limits: &Limits) {
        while self.front_is_done(limits) {
            if let Some(block) = self.blocks.pop_front() {
                self.bytes -= block.bytes().len();
                self.first += 1;
            }
        }
        while self.starts.front().is_some_and(|&start| start < self.first) {
            self.starts.pop_front();
        }
    }

    /// Whether the oldest block is over the limits. The newest block stays whatever its size.
    fn front_is_done(&self, limits: &Limits) -> bool {
        let (Some(front), Some(back)) = (self.blocks.front(), self.blocks.back()) else {
            return false;
        };
        if self.blocks.len() == 1 {
            return false;
        }
        let span = back.position().saturating_sub(front.position());
        let over_gop = self.bytes > limits.gop_bytes || span > limits.gop_ms;
        let over_lag = self.bytes > limits.lag_bytes || span > limits.lag_ms;
        let is_newest_start = self.starts.back() == Some(&self.first);
        over_gop || (over_lag && !is_newest_start)
    }

    fn take(&self, cursor: &mut Cursor) -> Option<Taken> {
        if let Place::At(number) = cursor.place
            && number < self.first
        {
            cursor.place = Place::Start { from: self.first, jumped: true };
        }
        let (number, begins, jumped) = match cursor.place {
            Place::At(number) => (number, false, false),
            Place::Start { from, jumped } => {
                let start = self.starts.back().copied().filter(|&start| start >= from)?;
                (start, true, jumped)
            }
        };
        let index = usize::try_from(number - self.first).ok()?;
        let block = self.blocks.get(index)?.clone();
        let version = block.headers().version();
        let headers = (begins && cursor.headers != Some(version)).then(|| block.headers().clone());
        cursor.headers = Some(version);
        cursor.place = Place::At(number + 1);
        Some(Taken { block, headers, jumped })
    }

    fn take_wakers(&mut self) -> Vec<Waker> {
        self.waiting.iter_mut().filter_map(Option::take).collect()
    }
}

fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}
