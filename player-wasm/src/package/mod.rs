//! What only the built package has: it links no `std`, whose panic messages, formatting and allocator
//! would be an eighth of the WebAssembly.
//!
//! - [`exports`] is [`crate::Engine`] as WebAssembly functions: numbers in, numbers out, so that
//!   `js/engine.js` is all the glue there is.
//! - [`heap`] is the allocator.
//! - A panic traps: the host sees a `RuntimeError` and tells of it.
//!
//! This is the only unsafe code of the player. All of it rests on one fact: WebAssembly without the
//! `atomics` feature has one thread, and the package imports nothing, so that no call into it can
//! begin while another is running.

#![allow(unsafe_code, reason = "an allocator and exported functions cannot be written without")]

#[cfg(all(feature = "package", target_arch = "wasm32"))]
mod exports;
#[cfg(any(test, all(feature = "package", target_arch = "wasm32")))]
mod heap;

#[cfg(all(feature = "package", target_arch = "wasm32"))]
mod allocator {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32;
    use core::cell::UnsafeCell;
    use core::ptr::null_mut;

    use super::heap::{Heap, UNIT};

    #[cfg(target_feature = "atomics")]
    compile_error!("the package's allocator and its engine are made for one thread");

    struct Allocator(UnsafeCell<Heap>);

    // SAFETY: one thread, see above.
    unsafe impl Sync for Allocator {}

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator(UnsafeCell::new(Heap::new()));

    // SAFETY: blocks are as long as asked for, aligned to UNIT (what needs more gets none), and
    // nobody else's until they are given back, by `Heap`. Nothing here panics or calls back, so no
    // second reference to the heap exists while one does.
    unsafe impl GlobalAlloc for Allocator {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if layout.align() > UNIT {
                return null_mut();
            }
            // SAFETY: as above.
            let heap = unsafe { &mut *self.0.get() };
            // SAFETY: one thread.
            let block = unsafe { heap.take(layout.size()) };
            if !block.is_null() {
                return block;
            }
            let pages = (layout.size() / PAGE + 1).max(LEAST_PAGES);
            let before = wasm32::memory_grow(0, pages);
            if before == usize::MAX {
                return null_mut();
            }
            // SAFETY: these pages are new: nobody has them. They are more than was asked for.
            unsafe {
                heap.give((before * PAGE) as *mut u8, pages * PAGE);
                heap.take(layout.size())
            }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the caller had the block from `alloc` with this layout, and has no use for it.
            unsafe { (*self.0.get()).give(block, layout.size()) }
        }
    }

    const PAGE: usize = 0x1_0000;
    /// Memory grows by at least a megabyte: each time, the host's views of it become useless.
    const LEAST_PAGES: usize = 16;
}

#[cfg(all(feature = "package", target_arch = "wasm32"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
