//! The ring of a stream: the newest blocks, the starts among them, and the viewers that wait for the next.
//!
//! A viewer is a [`Cursor`]. Joining, and catching up after falling behind, are one operation: go to the newest start.
//! The ring knows no clock and no task but the wakers it is given; `tests/loom_ring.rs` checks it under every
//! interleaving.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};

use super::block::Block;
use super::headers::Headers;
use super::sync::{Mutex, MutexGuard};

/// Newest blocks of a stream, shared by one publisher and its viewers.
#[derive(Debug)]
pub struct Ring {
    state: Mutex<State>,
}

/// What a ring keeps.
///
/// A block is kept while it is within *both* lag limits, or not older than the newest start and within *both* GOP
/// limits. Tags of a few bytes cost many times as much as their bytes: a ring also keeps no more than one tag for each
/// KiB of `gop_bytes` (but some thousands), which is far beyond what encoders send. A viewer whose next block is gone has fallen behind and goes to the newest start. If a GOP is over its limits
/// there is no start in the ring until the next keyframe comes; joiners wait for it, present viewers notice nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Milliseconds of media a viewer may be behind.
    pub lag_ms: u64,
    /// Bytes a viewer may be behind.
    pub lag_bytes: usize,
    /// Milliseconds of media kept back to the newest start.
    pub gop_ms: u64,
    /// Bytes kept back to the newest start: the most the ring holds, but for a single block that is larger. Also how far
    /// behind a viewer may hold a block that it is taking: what such viewers hold, all of them together, is part of
    /// these many last bytes of the stream.
    pub gop_bytes: usize,
}

/// A viewer's place in a ring. It must be given back with [`Ring::leave`].
#[derive(Debug)]
pub struct Cursor {
    slot: usize,
    place: Place,
    headers: Option<u64>,
}

impl Cursor {
    /// Its place among the viewers of the ring, for [`Ring::lag_at`].
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// The number of the next block, or of the first that it can begin with.
    pub fn number(&self) -> u64 {
        match self.place {
            Place::At(number) | Place::Since(number) | Place::Start { from: number, .. } => number,
        }
    }

    /// Goes on at the newest start numbered `number` or higher, headers first; at that block itself if there is none: what
    /// it has is not sent again.
    pub fn resume(&mut self, number: u64) {
        self.place = Place::Since(number);
        self.headers = None;
    }
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
    /// Whether there is no more at present: the viewer's waker is kept, as if it had asked for the next one.
    pub is_newest: bool,
}

/// How far a viewer is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Bytes of the stream that it has not been sent.
    pub bytes: u64,
    /// Milliseconds of media from what it was sent last to the newest.
    pub ms: u64,
}

/// Why a viewer must let go of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// It holds a block from too long ago: the memory is needed.
    TooFarBehind,
    /// The server stops; there is a limit of time for what the viewer still holds.
    ServerStopping,
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
        Self { state: Mutex::new(State { limits, ..State::default() }) }
    }

    /// Other limits count from the next block on.
    pub fn limit(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    /// Appends a block and wakes every viewer that waits for it. Does nothing once the ring is closed.
    pub fn push(&self, block: Arc<Block>) {
        let wakers = {
            let mut state = self.lock();
            if state.end.is_some() {
                return;
            }
            state.append(block);
            state.evict();
            state.wakers_after_push()
        };
        wake(wakers);
    }

    /// What the blocks held take of the memory, in bytes.
    pub fn memory(&self) -> usize {
        self.lock().memory()
    }

    /// Lets go of the oldest blocks until they take no more than `memory`, but never of the newest.
    pub fn shrink(&self, memory: usize) {
        let mut state = self.lock();
        while state.memory() > memory && state.blocks.len() > 1 {
            state.drop_oldest();
        }
        state.forget_starts();
    }

    /// Ends the stream and wakes those who must know. The first reason stays, but one that ends it at once overrides.
    ///
    /// Viewers still get what the ring holds, unless the server stops or an operator stopped the stream.
    pub fn close(&self, reason: EndReason) {
        let wakers = {
            let mut state = self.lock();
            if state.end.is_none() || reason.is_sudden() {
                state.end = Some(reason);
            }
            state.wakers_after_close(reason)
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
                state.slots.push(Slot::default());
                state.slots.len() - 1
            }
        };
        Some(Cursor { slot, place: Place::Start { from, jumped: false }, headers: None })
    }

    /// Removes the viewer of `cursor`, which must not be used again.
    pub fn leave(&self, cursor: &Cursor) {
        let slot = {
            let mut state = self.lock();
            state.viewers -= 1;
            state.free.push(cursor.slot);
            std::mem::take(&mut state.slots[cursor.slot])
        };
        // A waker's drop is the runtime's code: not under the lock.
        drop(slot);
    }

    /// The next block for a viewer, or the reason why there is none any more.
    ///
    /// While it is pending, `waker` is kept, in place of the one before, and woken by the next push or by the close. So it is
    /// with the newest block, to save those who keep up a second call.
    pub fn poll(&self, cursor: &mut Cursor, waker: &Waker) -> Poll<Result<Taken, EndReason>> {
        let mut state = self.lock();
        if let Some(reason) = state.end.filter(|reason| reason.is_sudden()) {
            return Poll::Ready(Err(reason));
        }
        let outcome = match (state.take(cursor), state.end) {
            (Some(taken), _) if taken.is_newest => Poll::Ready(Ok(taken)),
            (Some(taken), _) => return Poll::Ready(Ok(taken)),
            (None, Some(reason)) => return Poll::Ready(Err(reason)),
            (None, None) => Poll::Pending,
        };
        let slot = &mut state.slots[cursor.slot];
        slot.unsent = 0;
        let before = slot.wait(Wait::Block, waker);
        drop(state);
        drop(before);
        outcome
    }

    /// For a viewer whose peer takes no more at present: notes how much of what it took is `unsent`, and is ready when it
    /// must not be held any longer. It must come back for the next block otherwise.
    ///
    /// While it is pending, `waker` is kept, in place of the one before, and woken only to say so.
    pub fn hold(&self, cursor: &Cursor, unsent: usize, waker: &Waker) -> Poll<Release> {
        let mut state = self.lock();
        if state.end == Some(EndReason::ServerStopping) {
            return Poll::Ready(Release::ServerStopping);
        }
        let (total, limits) = (state.total, state.limits);
        let slot = &mut state.slots[cursor.slot];
        slot.unsent = unsent as u64;
        if slot.is_too_far(total, &limits) {
            return Poll::Ready(Release::TooFarBehind);
        }
        let before = slot.wait(Wait::Room, waker);
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Whether it has a start: something that a viewer can begin with.
    pub fn has_start(&self) -> bool {
        !self.lock().starts.is_empty()
    }

    /// How far the viewer of `cursor` is behind.
    pub fn lag(&self, cursor: &Cursor) -> Lag {
        self.lag_at(cursor.slot)
    }

    /// How far the viewer at `slot` is behind.
    pub fn lag_at(&self, slot: usize) -> Lag {
        let state = self.lock();
        state.slots.get(slot).map_or_else(Lag::default, |slot| state.lag(slot))
    }

    /// What the ring holds, and for whom.
    pub fn load(&self) -> Load {
        let state = self.lock();
        let mut worst = Lag::default();
        for slot in &state.slots {
            let lag = state.lag(slot);
            worst.bytes = worst.bytes.max(lag.bytes);
            worst.ms = worst.ms.max(lag.ms);
        }
        Load { viewers: state.viewers, bytes: state.bytes, lag: worst }
    }

    /// Blocks held.
    #[cfg(test)]
    pub fn blocks(&self) -> usize {
        self.lock().blocks.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state whole: every change below is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a ring holds, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Viewers at present.
    pub viewers: usize,
    /// Bytes of the blocks held.
    pub bytes: usize,
    /// The most bytes and the most milliseconds that any of the viewers is behind.
    pub lag: Lag,
}

/// Where a cursor stands. Blocks are numbered from 0 in the order they were pushed.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Waits for the newest start numbered `from` or higher.
    Start { from: u64, jumped: bool },
    /// Next comes this block.
    At(u64),
    /// Next comes the newest start numbered so or higher, if there is one; else the block itself.
    Since(u64),
}

/// A block, and where it ends in the stream.
#[derive(Debug)]
struct Held {
    block: Arc<Block>,
    /// Bytes of the stream up to the end of this block.
    end: u64,
    /// Its tags, and the headers that are new with it.
    tags: usize,
}

/// What a ring knows of one viewer. The rest is in its cursor, which needs no lock.
#[derive(Debug, Default)]
struct Slot {
    waker: Option<Waker>,
    wait: Wait,
    /// What it took last; `None` before it began.
    last: Option<Last>,
    /// Bytes of what it took that its peer has not taken.
    unsent: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wait {
    /// For the next block.
    #[default]
    Block,
    /// For its peer.
    Room,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// Bytes of the stream up to its end.
    end: u64,
    position: u64,
}

impl Slot {
    /// Keeps `waker`; the one before is returned, to be dropped without the lock.
    fn wait(&mut self, wait: Wait, waker: &Waker) -> Option<Waker> {
        self.wait = wait;
        match &self.waker {
            Some(known) if known.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }

    /// Whether so much has passed since the block it holds that nobody else may still need that.
    fn is_too_far(&self, total: u64, limits: &Limits) -> bool {
        self.last.is_some_and(|last| total - last.end > limits.gop_bytes as u64)
    }
}

#[derive(Debug, Default)]
struct State {
    limits: Limits,
    blocks: VecDeque<Held>,
    /// The number of the first block held.
    first: u64,
    /// Numbers of the starts held.
    starts: VecDeque<u64>,
    /// Bytes of the blocks held.
    bytes: usize,
    /// Tags in the blocks held, and what their headers changed to.
    tags: usize,
    /// Bytes of all blocks ever pushed.
    total: u64,
    end: Option<EndReason>,
    viewers: usize,
    slots: Vec<Slot>,
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
        let len = block.bytes().len();
        let headers = block.headers();
        let is_known = |held: &Held| held.block.headers().version() == headers.version();
        let new_headers = if self.blocks.back().is_some_and(is_known) { 0 } else { headers.len() };
        let tags = block.tags().len() + new_headers;
        self.bytes += len;
        self.tags += tags;
        self.total += len as u64;
        self.blocks.push_back(Held { block, end: self.total, tags });
    }

    fn memory(&self) -> usize {
        self.bytes + self.tags * TAG_COST
    }

    fn evict(&mut self) {
        while self.front_is_done() {
            self.drop_oldest();
        }
        self.forget_starts();
    }

    fn drop_oldest(&mut self) {
        if let Some(held) = self.blocks.pop_front() {
            self.bytes -= held.block.bytes().len();
            self.tags -= held.tags;
            self.first += 1;
        }
    }

    fn forget_starts(&mut self) {
        while self.starts.front().is_some_and(|&start| start < self.first) {
            self.starts.pop_front();
        }
    }

    /// Whether the oldest block is over the limits. The newest block stays whatever its size.
    fn front_is_done(&self) -> bool {
        let limits = &self.limits;
        let (Some(front), Some(back)) = (self.blocks.front(), self.blocks.back()) else {
            return false;
        };
        if self.blocks.len() == 1 {
            return false;
        }
        let span = back.block.position().saturating_sub(front.block.position());
        let over_gop = self.bytes > limits.gop_bytes
            || span > limits.gop_ms
            || self.tags > (limits.gop_bytes / TAG_SHARE).max(TAGS_MIN);
        let over_lag = self.bytes > limits.lag_bytes || span > limits.lag_ms;
        let is_newest_start = self.starts.back() == Some(&self.first);
        over_gop || (over_lag && !is_newest_start)
    }

    fn take(&mut self, cursor: &mut Cursor) -> Option<Taken> {
        let newest = self.starts.back().copied();
        if let Place::Since(number) = cursor.place {
            let has_start = newest.is_some_and(|start| start >= number);
            let start = Place::Start { from: number, jumped: false };
            cursor.place = if has_start { start } else { Place::At(number) };
        }
        if matches!(cursor.place, Place::At(number) if number < self.first) {
            cursor.place = Place::Start { from: self.first, jumped: true };
        }
        let (number, begins, jumped) = match cursor.place {
            Place::At(number) | Place::Since(number) => (number, false, false),
            Place::Start { from, jumped } => (newest.filter(|&start| start >= from)?, true, jumped),
        };
        let index = usize::try_from(number - self.first).ok()?;
        let Held { block, end, .. } = self.blocks.get(index)?;
        let version = block.headers().version();
        let headers = (begins && cursor.headers != Some(version)).then(|| block.headers().clone());
        cursor.headers = Some(version);
        cursor.place = Place::At(number + 1);
        let is_newest = index + 1 == self.blocks.len() && self.end.is_none();
        let slot = &mut self.slots[cursor.slot];
        slot.last = Some(Last { end: *end, position: block.position() });
        slot.unsent = 0;
        Some(Taken { block: block.clone(), headers, jumped, is_newest })
    }

    fn lag(&self, slot: &Slot) -> Lag {
        let newest = self.blocks.back().map_or(0, |held| held.block.position());
        slot.last.map_or_else(Lag::default, |last| Lag {
            bytes: self.total - last.end + slot.unsent,
            ms: newest.saturating_sub(last.position),
        })
    }

    /// Those who wait for a block, and those who have held theirs for too long.
    fn wakers_after_push(&mut self) -> Vec<Waker> {
        let limits = self.limits;
        let total = self.total;
        let concerned = |slot: &mut Slot| match slot.wait {
            Wait::Block => slot.waker.take(),
            Wait::Room if slot.is_too_far(total, &limits) => slot.waker.take(),
            Wait::Room => None,
        };
        let mut wakers = Vec::with_capacity(self.viewers);
        wakers.extend(self.slots.iter_mut().filter_map(concerned));
        wakers
    }

    fn wakers_after_close(&mut self, reason: EndReason) -> Vec<Waker> {
        let concerned = |slot: &mut Slot| match slot.wait {
            Wait::Room if reason != EndReason::ServerStopping => None,
            Wait::Room | Wait::Block => slot.waker.take(),
        };
        self.slots.iter_mut().filter_map(concerned).collect()
    }
}

fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}

/// Bytes of [`Limits::gop_bytes`] for each tag that a ring may hold. An audio frame has 200 to 400, a picture some thousands.
const TAG_SHARE: usize = 1 << 10;

/// Tags that a ring may hold however small it is: half a minute of sound and pictures.
const TAGS_MIN: usize = 4096;

/// What a tag takes besides its bytes if it is a block of its own, in bytes.
const TAG_COST: usize = 512;
