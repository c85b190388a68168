//! The checks of `tests/src/fuzzing` and `server/tests/fuzzing`, for the targets beside this file, and a count of the memory
//! they hold.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[path = "../../src/fuzzing/mod.rs"]
mod fuzzing;

/// The server's own parsers.
#[path = "../../../server/tests/fuzzing/mod.rs"]
pub mod server;

pub use fuzzing::*;

/// Bytes allocated now.
pub fn live() -> usize {
    LIVE.load(Relaxed)
}

static LIVE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The system's allocator, counted.
struct Counting;

// SAFETY: every call is the system allocator's own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}
