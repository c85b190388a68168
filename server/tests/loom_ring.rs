//! The ring under every interleaving of its publisher and its viewers, checked by loom.
//!
//! The ring's own source is compiled here with loom's lock in place of the standard one, so that the check needs no
//! build of its own: it is a test like any other.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../src/hub/block.rs"]
mod block;
#[allow(dead_code)]
#[path = "../src/hub/framed.rs"]
mod framed;
#[allow(dead_code)]
#[path = "../src/hub/headers.rs"]
mod headers;
#[allow(dead_code)]
#[path = "../src/hub/multitrack.rs"]
mod multitrack;
#[allow(dead_code)]
#[path = "../src/hub/ring.rs"]
mod ring;
#[allow(dead_code)]
#[path = "../src/hub/selection.rs"]
mod selection;
mod sync {
    pub(super) use loom::sync::{Mutex, MutexGuard};
}

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use block::Block;
use headers::{HeaderKind, Headers};
use loom::future::block_on;
use loom::sync::Arc as LoomArc;
use loom::thread;
use pushpull_media::flv::{Tag, TagKind};
use ring::{Cursor, EndReason, Join, Limits, Ring, Taken};

#[test]
fn a_waiting_viewer_gets_every_block_in_order_and_then_the_end() {
    model(ALL, || {
        let ring = LoomArc::new(Ring::new(ROOMY));
        let viewer = spawn_viewer(&ring, Join::Newest);
        ring.push(start(0));
        ring.push(inter(1));
        ring.close(EndReason::Finished);
        let seen = viewer.join().unwrap();
        assert_eq!(times(&seen), [0, 1]);
        assert!(seen.iter().all(|taken| !taken.jumped));
        assert_eq!(ring.load().viewers, 0);
    });
}

#[test]
fn two_viewers_get_the_same_and_neither_sleeps_for_ever() {
    model(FEW, || {
        let ring = LoomArc::new(Ring::new(ROOMY));
        let one = spawn_viewer(&ring, Join::Newest);
        let two = spawn_viewer(&ring, Join::Newest);
        ring.push(start(0));
        ring.close(EndReason::Finished);
        assert_eq!(times(&one.join().unwrap()), [0]);
        assert_eq!(times(&two.join().unwrap()), [0]);
    });
}

#[test]
fn a_viewer_that_is_overtaken_goes_on_at_a_start_with_its_headers() {
    static JUMPS: AtomicUsize = AtomicUsize::new(0);
    model(ALL, || {
        // Room for one block: the publisher can overtake.
        let ring = LoomArc::new(Ring::new(Limits { lag_ms: 0, gop_ms: 0, ..ROOMY }));
        ring.push(start(0));
        let viewer = spawn_viewer(&ring, Join::Newest);
        ring.push(inter(1));
        ring.push(start(2));
        ring.close(EndReason::Finished);
        let seen = viewer.join().unwrap();

        assert_eq!(times(&seen).last(), Some(&2), "the newest is never lost");
        assert!(seen[0].block.is_start() && seen[0].headers.is_some());
        for pair in seen.windows(2) {
            let (before, after) = (time(&pair[0]), time(&pair[1]));
            if pair[1].jumped {
                assert!(pair[1].block.is_start() && after > before);
                JUMPS.fetch_add(1, Ordering::Relaxed);
            } else {
                assert_eq!(after, before + 1);
            }
        }
    });
    assert!(JUMPS.load(Ordering::Relaxed) > 0, "some interleaving overtakes");
}

#[test]
fn a_viewer_that_has_the_newest_is_woken_without_asking_again() {
    static WAITED: AtomicUsize = AtomicUsize::new(0);
    model(ALL, || {
        let ring = LoomArc::new(Ring::new(ROOMY));
        ring.push(start(0));
        let mut cursor = ring.join(Join::Newest, MAX_VIEWERS).unwrap();
        let viewer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let mut seen = Vec::new();
                block_on(poll_fn(|context| {
                    while let Poll::Ready(outcome) = ring.poll(&mut cursor, context.waker()) {
                        let Ok(taken) = outcome else { return Poll::Ready(()) };
                        let is_newest = taken.is_newest;
                        seen.push(taken);
                        if is_newest {
                            WAITED.fetch_add(1, Ordering::Relaxed);
                            return Poll::Pending;
                        }
                    }
                    Poll::Pending
                }));
                ring.leave(&cursor);
                seen
            })
        };
        ring.push(inter(1));
        ring.close(EndReason::Finished);
        assert_eq!(times(&viewer.join().unwrap()), [0, 1]);
    });
    assert!(WAITED.load(Ordering::Relaxed) > 0, "some interleaving waits so");
}

#[test]
fn a_stopping_server_wakes_a_viewer_that_has_nothing_to_wait_for() {
    model(ALL, || {
        let ring = LoomArc::new(Ring::new(ROOMY));
        let viewer = spawn_viewer(&ring, Join::Next);
        ring.close(EndReason::ServerStopping);
        assert!(viewer.join().unwrap().is_empty());
    });
}

#[test]
fn a_viewer_that_leaves_takes_nobody_elses_wake_up_along() {
    model(FEW, || {
        let ring = LoomArc::new(Ring::new(ROOMY));
        let stays = spawn_viewer(&ring, Join::Newest);
        let leaves = {
            let ring = ring.clone();
            thread::spawn(move || {
                let cursor = ring.join(Join::Newest, MAX_VIEWERS).unwrap();
                ring.leave(&cursor);
            })
        };
        ring.push(start(0));
        ring.close(EndReason::Finished);
        assert_eq!(times(&stays.join().unwrap()), [0]);
        leaves.join().unwrap();
        assert_eq!(ring.load().viewers, 0);
    });
}

/// Every interleaving: two threads take well under a second.
const ALL: Option<usize> = None;
/// Every interleaving with at most so many preemptions: with three threads, all of them take minutes, and one preemption
/// is enough to lose a wake-up.
const FEW: Option<usize> = Some(2);
const MAX_VIEWERS: usize = 4;
const ROOMY: Limits = Limits { lag_ms: 1000, lag_bytes: 1 << 20, gop_ms: 1000, gop_bytes: 1 << 20 };

fn model(preemptions: Option<usize>, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(check);
}

fn spawn_viewer(ring: &LoomArc<Ring>, join: Join) -> thread::JoinHandle<Vec<Taken>> {
    let ring = ring.clone();
    let cursor = ring.join(join, MAX_VIEWERS).unwrap();
    thread::spawn(move || watch(&ring, cursor))
}

fn watch(ring: &Ring, mut cursor: Cursor) -> Vec<Taken> {
    let mut seen = Vec::new();
    while let Ok(taken) = block_on(poll_fn(|context| ring.poll(&mut cursor, context.waker()))) {
        seen.push(taken);
    }
    ring.leave(&cursor);
    seen
}

fn start(time: i64) -> Arc<Block> {
    block(time, true)
}

fn inter(time: i64) -> Arc<Block> {
    block(time, false)
}

fn block(time: i64, is_start: bool) -> Arc<Block> {
    let header = Tag::new(TagKind::Video, 0, b"header").unwrap();
    let headers = Headers::empty(0).with(HeaderKind::Video, header).unwrap();
    let tag = Tag::new(TagKind::Video, time, b"picture").unwrap();
    Arc::new(Block::new(vec![tag], is_start, time as u64, Arc::new(headers)))
}

fn time(taken: &Taken) -> i64 {
    taken.block.tags()[0].time()
}

fn times(seen: &[Taken]) -> Vec<i64> {
    seen.iter().map(time).collect()
}
