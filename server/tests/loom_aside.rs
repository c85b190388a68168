//! What is asked aside, under every interleaving of the task that asks and those that have an answer, checked by loom.
//!
//! As with the ring, its own source is compiled here with loom's lock in place of the standard one.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../src/net/aside.rs"]
mod aside;
mod sync {
    pub(super) use loom::sync::{Mutex, atomic::AtomicBool};
}

use std::future::poll_fn;
use std::task::{Context, Poll};

use aside::Aside;
use loom::future::{AtomicWaker, block_on};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Something that is counted up by others.
struct Source {
    count: AtomicUsize,
    waker: AtomicWaker,
}

impl Source {
    fn new() -> Arc<Self> {
        Arc::new(Self { count: AtomicUsize::new(0), waker: AtomicWaker::new() })
    }

    fn add(&self) {
        self.count.fetch_add(1, Ordering::Release);
        self.waker.wake();
    }

    fn poll(&self, context: &Context<'_>, count: usize) -> Poll<()> {
        self.waker.register_by_ref(context.waker());
        if self.count.load(Ordering::Acquire) < count { Poll::Pending } else { Poll::Ready(()) }
    }
}

#[test]
fn what_comes_is_heard_of_whenever_it_comes() {
    model(|| {
        let source = Source::new();
        let other = thread::spawn({
            let source = source.clone();
            move || {
                source.add();
                source.add();
            }
        });
        let mut aside = Aside::default();
        block_on(poll_fn(|context| aside.poll(context, |context| source.poll(context, 1))));
        block_on(poll_fn(|context| aside.poll(context, |context| source.poll(context, 2))));
        other.join().unwrap();
    });
}

#[test]
fn a_task_that_wakes_for_other_reasons_misses_nothing() {
    model(|| {
        let (media, source) = (Source::new(), Source::new());
        let other = thread::spawn({
            let (media, source) = (media.clone(), source.clone());
            move || {
                media.add();
                source.add();
            }
        });
        let mut aside = Aside::default();
        let (mut has_media, mut asked) = (false, 0);
        block_on(poll_fn(|context| {
            has_media |= media.poll(context, 1).is_ready();
            let answer = aside.poll(context, |context| {
                asked += 1;
                source.poll(context, 1)
            });
            if has_media { answer } else { Poll::Pending }
        }));
        // Once at first, once when it rang, and once because it was ready and not listened to.
        assert!((1..=3).contains(&asked), "{asked}");
        other.join().unwrap();
    });
}

/// Every interleaving with at most two preemptions: all of them take minutes.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(check);
}
