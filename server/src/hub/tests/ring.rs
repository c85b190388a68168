use std::sync::atomic::AtomicUsize;
use std::task::{Poll, Wake, Waker};

use proptest::prelude::*;

use super::super::headers::{HeaderKind, Headers};
use super::super::ring::{Cursor, Join, Limits, Ring, Taken};
use super::*;

const ROOMY: Limits =
    Limits { lag_ms: 1_000, lag_bytes: 1 << 20, gop_ms: 2_000, gop_bytes: 2 << 20 };

fn headers(version: u64) -> Arc<Headers> {
    let tag = Tag::new(TagKind::Video, 0, &version.to_be_bytes()).unwrap();
    Arc::new(Headers::empty(version - 1).with(HeaderKind::Video, tag).unwrap())
}

fn block(time: i64, is_start: bool, headers: &Arc<Headers>) -> Arc<Block> {
    let tag = Tag::new(TagKind::Video, time, &[0; 85]).unwrap();
    assert_eq!(tag.bytes().len(), BLOCK_LEN);
    Arc::new(Block::new(vec![tag], is_start, time as u64, headers.clone()))
}

const BLOCK_LEN: usize = 100;

fn poll(ring: &Ring, cursor: &mut Cursor) -> Option<Taken> {
    match ring.poll(cursor, Waker::noop()) {
        Poll::Ready(Ok(taken)) => Some(taken),
        Poll::Ready(Err(_)) | Poll::Pending => None,
    }
}

fn time(taken: &Taken) -> i64 {
    taken.block.tags()[0].time()
}

fn take(ring: &Ring, cursor: &mut Cursor) -> i64 {
    time(&poll(ring, cursor).unwrap())
}

#[test]
fn media_is_kept_while_a_viewer_may_be_behind() {
    let ring = Ring::new(ROOMY);
    let headers = headers(1);
    for second in 0..10 {
        ring.push(block(second * 500, true, &headers));
    }
    // 1000 ms behind 4500: 3500, 4000 and 4500.
    assert_eq!((ring.load().viewers, ring.load().bytes), (0, 3 * BLOCK_LEN));
}

#[test]
fn tags_of_a_few_bytes_are_bounded_by_their_number() {
    let limits = Limits { gop_ms: u64::MAX, lag_ms: u64::MAX, gop_bytes: 8 << 20, ..ROOMY };
    let ring = Ring::new(limits);
    let headers = self::headers(1);
    for number in 0..10_000 {
        ring.push(block(0, number == 0, &headers));
    }
    // The headers of the first block count as well.
    assert!((8_191..=8_192).contains(&ring.blocks()));
    assert!(ring.memory() < 2 * limits.gop_bytes);

    // Headers that change with every block are kept by each.
    let ring = Ring::new(limits);
    for version in 1..10_000 {
        ring.push(block(0, version == 1, &self::headers(version)));
    }
    assert_eq!(ring.blocks(), 4_096);
}

#[test]
fn a_gop_is_kept_whole_for_joiners_though_it_is_longer_than_the_lag() {
    let ring = Ring::new(ROOMY);
    let headers = headers(1);
    ring.push(block(0, true, &headers));
    for time in [500, 1_000, 1_500, 2_000] {
        ring.push(block(time, false, &headers));
    }
    let mut joiner = ring.join(Join::Newest, 1).unwrap();
    assert_eq!(take(&ring, &mut joiner), 0);
}

#[test]
fn joiners_of_a_gop_that_is_too_large_wait_for_the_next_and_others_notice_nothing() {
    for limits in [ROOMY, Limits { gop_ms: u64::MAX, gop_bytes: 3 * BLOCK_LEN, ..ROOMY }] {
        let ring = Ring::new(limits);
        let headers = headers(1);
        let mut present = ring.join(Join::Newest, 2).unwrap();
        for time in [0, 700, 1_400, 2_100] {
            ring.push(block(time, time == 0, &headers));
            assert_eq!(take(&ring, &mut present), time);
        }
        let mut joiner = ring.join(Join::Newest, 2).unwrap();
        assert!(poll(&ring, &mut joiner).is_none(), "the keyframe is gone");
        ring.push(block(2_800, false, &headers));
        assert!(poll(&ring, &mut joiner).is_none());
        ring.push(block(3_500, true, &headers));
        let taken = poll(&ring, &mut joiner).unwrap();
        assert_eq!((time(&taken), taken.jumped), (3_500, false));
        assert_eq!(take(&ring, &mut present), 2_800);
        assert_eq!(take(&ring, &mut present), 3_500);
    }
}

#[test]
fn the_newest_block_stays_however_large() {
    let ring = Ring::new(Limits { gop_bytes: 1, ..ROOMY });
    let headers = headers(1);
    ring.push(block(0, true, &headers));
    ring.push(block(1, true, &headers));
    assert_eq!(ring.load().bytes, BLOCK_LEN);
    let mut joiner = ring.join(Join::Newest, 1).unwrap();
    assert_eq!(take(&ring, &mut joiner), 1);
}

#[test]
fn a_viewer_that_fell_behind_goes_to_the_newest_start() {
    let ring = Ring::new(ROOMY);
    let headers = headers(1);
    let mut slow = ring.join(Join::Newest, 1).unwrap();
    ring.push(block(0, true, &headers));
    assert!(poll(&ring, &mut slow).unwrap().headers.is_some());
    for step in 1..20 {
        ring.push(block(step * 100, step % 4 == 0, &headers));
    }
    let taken = poll(&ring, &mut slow).unwrap();
    assert_eq!((time(&taken), taken.jumped), (1_600, true));
    assert!(taken.headers.is_none(), "they have not changed");
    let next = poll(&ring, &mut slow).unwrap();
    assert_eq!((time(&next), next.jumped), (1_700, false));
}

#[test]
fn a_jump_over_new_headers_brings_them() {
    let ring = Ring::new(ROOMY);
    let (old, new) = (headers(1), headers(2));
    let mut slow = ring.join(Join::Newest, 1).unwrap();
    ring.push(block(0, true, &old));
    take(&ring, &mut slow);
    for step in 1..4 {
        ring.push(block(step * 1_000, true, &new));
    }
    let taken = poll(&ring, &mut slow).unwrap();
    assert!(taken.jumped);
    assert_eq!(taken.headers.unwrap().version(), 2);
}

#[test]
fn new_headers_that_were_sent_in_order_are_not_sent_again() {
    let ring = Ring::new(ROOMY);
    let (old, new) = (headers(1), headers(2));
    let mut viewer = ring.join(Join::Newest, 1).unwrap();
    ring.push(block(0, true, &old));
    take(&ring, &mut viewer);
    ring.push(block(1, false, &new));
    take(&ring, &mut viewer);
    for step in 1..4 {
        ring.push(block(step * 1_000, true, &new));
    }
    let taken = poll(&ring, &mut viewer).unwrap();
    assert!(taken.jumped && taken.headers.is_none());
}

#[test]
fn a_viewer_that_wants_the_next_start_gets_none_that_was_there() {
    let ring = Ring::new(ROOMY);
    let headers = headers(1);
    ring.push(block(0, true, &headers));
    let mut viewer = ring.join(Join::Next, 1).unwrap();
    ring.push(block(1, false, &headers));
    assert!(poll(&ring, &mut viewer).is_none());
    ring.push(block(2, true, &headers));
    assert_eq!(take(&ring, &mut viewer), 2);
}

#[test]
fn a_closed_ring_is_read_to_its_end_unless_the_server_stops() {
    let ring = Ring::new(ROOMY);
    let headers = headers(1);
    let mut viewer = ring.join(Join::Newest, 1).unwrap();
    ring.push(block(0, true, &headers));
    ring.close(EndReason::Finished);
    ring.push(block(1, false, &headers));
    assert_eq!(take(&ring, &mut viewer), 0);
    let end = |cursor: &mut Cursor| match ring.poll(cursor, Waker::noop()) {
        Poll::Ready(Err(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(end(&mut viewer), EndReason::Finished);
    ring.close(EndReason::PublisherLost);
    assert_eq!(end(&mut viewer), EndReason::Finished, "the first reason stays");
    let mut late = ring.join(Join::Newest, 2).unwrap();
    ring.close(EndReason::ServerStopping);
    assert_eq!(end(&mut late), EndReason::ServerStopping);
}

#[test]
fn places_of_viewers_that_left_are_used_again() {
    let ring = Ring::new(ROOMY);
    let first = ring.join(Join::Newest, 2).unwrap();
    let second = ring.join(Join::Newest, 2).unwrap();
    assert!(ring.join(Join::Newest, 2).is_none());
    ring.leave(&first);
    let third = ring.join(Join::Newest, 2).unwrap();
    assert_eq!(ring.load().viewers, 2);
    ring.leave(&second);
    ring.leave(&third);
    assert_eq!(ring.load().viewers, 0);
}

#[test]
fn lag_is_what_was_not_sent_and_the_worst_is_known() {
    let ring = Ring::new(ROOMY);
    let headers = headers(1);
    let mut quick = ring.join(Join::Newest, 3).unwrap();
    let mut slow = ring.join(Join::Newest, 3).unwrap();
    let waiting = ring.join(Join::Next, 3).unwrap();
    for time in [0, 100, 200] {
        ring.push(block(time, time == 0, &headers));
        take(&ring, &mut quick);
    }
    take(&ring, &mut slow);
    assert_eq!(ring.lag(&quick), Lag { bytes: 0, ms: 0 });
    assert_eq!(ring.lag(&slow), Lag { bytes: 2 * BLOCK_LEN as u64, ms: 200 });
    assert!(ring.hold(&slow, 30, Waker::noop()).is_pending());
    assert_eq!(ring.lag(&slow), Lag { bytes: 2 * BLOCK_LEN as u64 + 30, ms: 200 });
    assert_eq!(ring.lag(&waiting), Lag::default(), "nothing is owed to who has not begun");
    assert_eq!(ring.load().lag, ring.lag(&slow));
    // It goes on, and jumps: what it lost is no lag any more.
    for time in [300, 2_000] {
        ring.push(block(time, time == 2_000, &headers));
    }
    assert_eq!(take(&ring, &mut slow), 2_000);
    assert_eq!(ring.lag(&slow), Lag::default());
    ring.leave(&quick);
    assert_eq!(ring.load().lag, Lag::default());
}

#[test]
fn who_holds_a_block_for_too_long_is_told_to_let_go_and_nobody_else_is() {
    let ring = Ring::new(Limits { lag_bytes: 3 * BLOCK_LEN, gop_bytes: 5 * BLOCK_LEN, ..ROOMY });
    let headers = headers(1);
    let mut stalled = ring.join(Join::Newest, 2).unwrap();
    let mut present = ring.join(Join::Newest, 2).unwrap();
    ring.push(block(0, true, &headers));
    take(&ring, &mut stalled);
    take(&ring, &mut present);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    assert!(ring.hold(&stalled, 50, &waker).is_pending());
    for time in 1..=5 {
        ring.push(block(time, false, &headers));
        assert_eq!(take(&ring, &mut present), time);
    }
    assert_eq!(woken.times(), 0, "pushes are no news for who waits for its peer");
    assert!(ring.hold(&present, 50, Waker::noop()).is_pending());
    ring.push(block(6, false, &headers));
    assert_eq!(woken.times(), 1);
    assert_eq!(ring.hold(&stalled, 50, &waker), Poll::Ready(Release::TooFarBehind));
    assert!(ring.hold(&present, 50, Waker::noop()).is_pending());
    ring.close(EndReason::ServerStopping);
    assert_eq!(ring.hold(&present, 50, &waker), Poll::Ready(Release::ServerStopping));
}

#[test]
fn the_end_of_a_stream_hurries_nobody_but_a_stopping_server_does() {
    let ring = Ring::new(ROOMY);
    ring.push(block(0, true, &headers(1)));
    let mut viewer = ring.join(Join::Newest, 1).unwrap();
    take(&ring, &mut viewer);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    assert!(ring.hold(&viewer, 50, &waker).is_pending());
    ring.close(EndReason::Finished);
    assert_eq!(woken.times(), 0);
    ring.close(EndReason::ServerStopping);
    assert_eq!(woken.times(), 1);
}

/// Counts how often it is woken.
#[derive(Debug, Default)]
struct Woken(AtomicUsize);

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What happens to a ring.
#[derive(Clone, Debug)]
enum Step {
    Push { is_start: bool, new_headers: bool, step_ms: i64 },
    Poll { viewer: usize },
    Join { viewer: usize, join: Join },
}

fn step() -> impl Strategy<Value = Step> {
    let push = (proptest::bool::weighted(0.2), proptest::bool::weighted(0.1), 0..400_i64)
        .prop_map(|(is_start, new_headers, step_ms)| Step::Push { is_start, new_headers, step_ms });
    let join = prop_oneof![Just(Join::Newest), Just(Join::Next)];
    prop_oneof![
        4 => push,
        6 => (0..VIEWERS).prop_map(|viewer| Step::Poll { viewer }),
        1 => (0..VIEWERS, join).prop_map(|(viewer, join)| Step::Join { viewer, join }),
    ]
}

const VIEWERS: usize = 3;

proptest! {
    /// Whatever the order of events: a viewer begins at a start, gets every block from there on, and where blocks are
    /// missing it has jumped, forward and to a start; before every start it has the headers that belong to it.
    #[test]
    fn viewers_get_gapless_runs_that_begin_at_starts(
        steps in proptest::collection::vec(step(), 1..400),
        gop_blocks in 1..12_usize,
    ) {
        let limits = Limits { gop_bytes: gop_blocks * BLOCK_LEN, ..ROOMY };
        let ring = Ring::new(limits);
        let mut pushed: Vec<(i64, Arc<Block>)> = Vec::new();
        let mut version = 1;
        let mut at = 0;
        let mut viewers: [Option<(Cursor, Option<usize>, u64)>; VIEWERS] = Default::default();
        for step in steps {
            match step {
                Step::Push { is_start, new_headers, step_ms } => {
                    // A start holds nothing that changes headers.
                    version += u64::from(new_headers && !is_start);
                    at += step_ms;
                    let block = block(at, is_start, &headers(version));
                    pushed.push((at, block.clone()));
                    ring.push(block);
                    prop_assert!(ring.load().bytes <= limits.gop_bytes.max(BLOCK_LEN));
                }
                Step::Join { viewer, join } => {
                    if let Some((cursor, ..)) = viewers[viewer].take() {
                        ring.leave(&cursor);
                    }
                    viewers[viewer] = ring.join(join, VIEWERS).map(|cursor| (cursor, None, 0));
                }
                Step::Poll { viewer } => {
                    let Some((cursor, last, known)) = &mut viewers[viewer] else { continue };
                    let Some(taken) = poll(&ring, cursor) else { continue };
                    let index = pushed
                        .iter()
                        .position(|(_, block)| Arc::ptr_eq(block, &taken.block))
                        .unwrap();
                    match *last {
                        Some(last) if !taken.jumped => prop_assert_eq!(index, last + 1),
                        Some(last) => prop_assert!(index > last + 1 && taken.block.is_start()),
                        None => prop_assert!(taken.block.is_start() && !taken.jumped),
                    }
                    if let Some(headers) = &taken.headers {
                        *known = headers.version();
                    }
                    if taken.block.is_start() {
                        prop_assert_eq!(*known, taken.block.headers().version());
                    }
                    *known = taken.block.headers().version();
                    *last = Some(index);
                }
            }
        }
    }
}
