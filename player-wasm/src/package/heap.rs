//! The allocator of the built package: first fit, lowest address first.
//!
//! The engine allocates little and for long, and its queues in order of arrival, so the list of free
//! blocks stays short; what counts is that it takes a tenth of the bytes of Rust's own, and that
//! memory is used again: neighbours that are both free become one block at once.
//!
//! Every block begins at a multiple of [`UNIT`] and is a multiple of it long. A free block holds its
//! own length and the address of the next free block, which is above it; a block in use holds nothing
//! of ours, as [`GlobalAlloc`](core::alloc::GlobalAlloc) tells its length when it is given back.

use core::ptr::null_mut;

/// What a free block says of itself.
struct Free {
    size: usize,
    next: *mut Free,
}

/// Size and alignment of the smallest block: a [`Free`] fits, and so does a number of 64 bits.
pub const UNIT: usize = size_of::<Free>();
const _: () = assert!(UNIT.is_power_of_two() && UNIT >= align_of::<u64>());

/// Memory that is not in use.
pub struct Heap {
    first: *mut Free,
}

impl Heap {
    /// A heap without memory.
    pub const fn new() -> Self {
        Self { first: null_mut() }
    }

    /// A block of at least `size` bytes, or null if none is free.
    ///
    /// # Safety
    /// The heap is used by one thread at a time.
    pub unsafe fn take(&mut self, size: usize) -> *mut u8 {
        let Some(size) = whole(size) else { return null_mut() };
        let mut link = &raw mut self.first;
        // SAFETY: `link` is the head of the list or the `next` of a block in it. Blocks in it are
        // memory that was given to this heap by `give` and belongs to nobody else, long and aligned
        // enough for a `Free`, and `give` has written one there. What is written behind the first
        // `size` bytes of a block lies inside it: both lengths are multiples of UNIT, and the block
        // is longer.
        unsafe {
            while let Some(block) = (*link).as_mut() {
                if block.size >= size {
                    let found = &raw mut *block;
                    *link = if block.size == size {
                        block.next
                    } else {
                        let rest = found.byte_add(size);
                        rest.write(Free { size: block.size - size, next: block.next });
                        rest
                    };
                    return found.cast();
                }
                link = &raw mut block.next;
            }
        }
        null_mut()
    }

    /// Takes memory: a block that is given back, or new.
    ///
    /// # Safety
    /// The heap is used by one thread at a time. The `size` bytes at `start`, rounded up to a
    /// multiple of [`UNIT`], are memory that can be written, that nobody else uses, and that is not in
    /// the heap yet. `start` is a multiple of [`UNIT`].
    pub unsafe fn give(&mut self, start: *mut u8, size: usize) {
        let Some(size) = whole(size) else { return };
        let block: *mut Free = start.cast();
        let mut before: *mut Free = null_mut();
        let mut after = self.first;
        // SAFETY: blocks in the list are valid as in `take`; `block` is by this function's contract.
        // The two it is joined with are its neighbours in memory, so the joined block is memory of
        // this heap from end to end.
        unsafe {
            while !after.is_null() && after < block {
                before = after;
                after = (*after).next;
            }
            block.write(if block.byte_add(size) == after {
                Free { size: size + (*after).size, next: (*after).next }
            } else {
                Free { size, next: after }
            });
            if before.is_null() {
                self.first = block;
            } else if before.byte_add((*before).size) == block {
                (*before).size += (*block).size;
                (*before).next = (*block).next;
            } else {
                (*before).next = block;
            }
        }
    }
}

/// `size` rounded up to whole units, one at least.
const fn whole(size: usize) -> Option<usize> {
    match size.checked_next_multiple_of(UNIT) {
        Some(0) => Some(UNIT),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory for a heap, aligned as its blocks are.
    #[repr(align(16))]
    #[derive(Clone, Copy)]
    struct Unit {
        _bytes: [u8; UNIT],
    }

    fn free_blocks(heap: &Heap) -> Vec<(usize, usize)> {
        let mut blocks = Vec::new();
        let mut next = heap.first;
        // SAFETY: the list is valid, see `take`.
        while let Some(block) = unsafe { next.as_ref() } {
            blocks.push((next as usize, block.size));
            next = block.next;
        }
        blocks
    }

    /// Numbers that look random, the same every time.
    struct Dice(u32);

    impl Dice {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as usize % bound
        }
    }

    #[test]
    fn blocks_keep_their_bytes_and_all_memory_comes_back_as_one() {
        let mut memory = vec![Unit { _bytes: [0; UNIT] }; 4096];
        let (start, whole) = (memory.as_mut_ptr().cast::<u8>(), memory.len() * UNIT);
        let mut heap = Heap::new();
        let mut dice = Dice(1);
        let mut held: Vec<(*mut u8, usize, u8)> = Vec::new();
        // SAFETY: the memory is given once, blocks are written within their size and given back once.
        unsafe {
            heap.give(start, whole);
            for round in 0..50_000_usize {
                let full = held.len() > 40;
                if full || (dice.below(2) == 0 && !held.is_empty()) {
                    let (block, size, mark) = held.swap_remove(dice.below(held.len()));
                    let bytes = core::slice::from_raw_parts(block, size);
                    assert!(bytes.iter().all(|byte| *byte == mark), "round {round}");
                    heap.give(block, size);
                } else {
                    let size = dice.below(3000);
                    let block = heap.take(size);
                    if block.is_null() {
                        continue;
                    }
                    assert_eq!(block as usize % UNIT, 0);
                    let mark = round as u8;
                    block.write_bytes(mark, size);
                    held.push((block, size, mark));
                }
                let blocks = free_blocks(&heap);
                let apart = |pair: &[(usize, usize)]| pair[0].0 + pair[0].1 < pair[1].0;
                assert!(blocks.windows(2).all(apart), "in order, and joined with neighbours");
            }
            for (block, size, _) in held.drain(..) {
                heap.give(block, size);
            }
        }
        assert_eq!(free_blocks(&heap), [(start as usize, whole)]);
    }

    #[test]
    fn a_queue_of_frames_needs_no_more_memory_however_long_it_runs() {
        let mut memory = vec![Unit { _bytes: [0; UNIT] }; 0x1_0000];
        let mut heap = Heap::new();
        let mut dice = Dice(7);
        let mut queue = std::collections::VecDeque::new();
        let mut highest = 0;
        // SAFETY: as above.
        unsafe {
            heap.give(memory.as_mut_ptr().cast(), memory.len() * UNIT);
            for round in 0..200_000 {
                let size = 20 + dice.below(if round % 60 == 0 { 60_000 } else { 4000 });
                let block = heap.take(size);
                assert!(!block.is_null(), "round {round}");
                highest = highest.max(block as usize + size - memory.as_ptr() as usize);
                queue.push_back((block, size));
                if queue.len() > 60 {
                    let (block, size) = queue.pop_front().unwrap();
                    heap.give(block, size);
                }
            }
        }
        // What is queued is 60 frames of 2 kB and a keyframe or two.
        assert!(highest < 400_000, "{highest}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut memory = [Unit { _bytes: [0; UNIT] }; 2];
        let mut heap = Heap::new();
        // SAFETY: as above.
        unsafe {
            assert!(heap.take(1).is_null());
            heap.give(memory.as_mut_ptr().cast(), 2 * UNIT);
            assert!(heap.take(2 * UNIT + 1).is_null());
            assert!(heap.take(usize::MAX).is_null());
            let both = [heap.take(0), heap.take(UNIT)];
            assert!(!both.iter().any(|block| block.is_null()) && both[0] != both[1]);
            assert!(heap.take(1).is_null());
        }
    }
}
