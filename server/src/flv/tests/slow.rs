//! Viewers that read slowly, or not at all.

use super::*;
use crate::net::OUTBOX_MAX;

/// Small kernel buffers, so that one who does not read is noticed after a few blocks.
pub(super) fn tight() -> Limits {
    Limits { send_buffer: 16 << 10, unsent: 16 << 10, ..Limits::default() }
}

pub(super) const PICTURE: usize = 4_000;

/// Publishes keyframes until `condition` holds.
pub(super) async fn pictures_until(feed: &mut Feed, mut condition: impl FnMut() -> bool) {
    let mut time = 0;
    until(|| {
        time += 40;
        feed.keyframe(time, PICTURE);
        condition()
    })
    .await;
}

#[tokio::test]
async fn a_slow_viewer_jumps_to_a_keyframe_and_the_others_get_everything() {
    let server = Server::with(Config::default(), tight()).await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut slow = server.get("/live/x.flv").await;
    let mut quick = server.get("/live/x.flv").await;
    let mut seen = Follower::default();
    // 40 s of media: more than the ring keeps, whatever the sockets hold.
    for step in 1..=1_000 {
        if step % 50 == 0 {
            feed.keyframe(step * 40, PICTURE);
        } else {
            feed.inter(step * 40, PICTURE);
        }
        while seen.pictures <= step {
            seen.take(&quick.chunk().await);
        }
    }
    feed.finish();
    seen.take(&quick.body().await);
    let everything = words(&parse(&seen.bytes).1);
    assert_eq!(everything.len(), 2 + 1 + 1 + 1_000, "headers, keyframe, sound, pictures");

    // What the slow one gets is whole, and where something is missing it goes on at a keyframe.
    let (_, tags) = parse(&slow.body().await);
    let read = words(&tags);
    let at = |word: &String| everything.iter().position(|other| other == word).unwrap();
    let mut jumps = 0;
    for pair in read[2..].windows(2) {
        if at(&pair[1]) != at(&pair[0]) + 1 {
            assert!(pair[1].starts_with("key"), "{pair:?}");
            jumps += 1;
        }
    }
    assert_eq!(read.last(), everything.last());
    assert!(jumps > 0);
    assert_eq!(server.hub.stats().jumps(), jumps);
}

#[tokio::test]
async fn viewers_that_read_nothing_pin_next_to_nothing() {
    let server = Server::with(Config::default(), tight()).await;
    let mut feed = server.publish("live/x");
    feed.open();
    const STALLED: usize = 20;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(server.get("/live/x.flv").await);
    }
    // 20 MB go by.
    for step in 1..=5_000 {
        feed.keyframe(step * 40, PICTURE);
        tokio::task::yield_now().await;
    }
    let taken = server.hub.stats().bytes_out() as usize / STALLED;
    // What the kernel holds at both ends, and one outbox.
    let bound = 10 * (16 << 10) + OUTBOX_MAX + PICTURE + 100;
    assert!(taken < bound, "{taken} bytes were taken for each, the bound is {bound}");
    let status = &server.hub.streams()[0];
    assert!(status.lag_bytes > 15 << 20, "{} bytes of lag", status.lag_bytes);
    assert!(status.lag_ms > 150_000, "{} ms of lag", status.lag_ms);
    let ring = status.buffered_bytes;
    assert!(ring < 5 * 25 * (PICTURE + 100), "{ring} bytes: 5 s of media, whoever reads");
}

#[tokio::test]
async fn a_viewer_that_takes_nothing_is_closed() {
    let limits = Limits { stall: Duration::from_millis(100), ..tight() };
    for upgrade in ["", super::ws::UPGRADE] {
        let server = Server::with(Config::default(), limits.clone()).await;
        let mut feed = server.publish("live/x");
        feed.open();
        let _stalled = server.request("GET", "/live/x.flv", upgrade).await;
        server.viewers(1).await;
        pictures_until(&mut feed, || server.hub.streams()[0].viewers == 0).await;
        assert_eq!(server.hub.stats().hits().of(Limit::HttpStall), 1);
    }
}

#[tokio::test]
async fn a_viewer_that_is_silent_but_has_all_there_is_may_stay() {
    let limits = Limits { stall: Duration::from_millis(20), ..tight() };
    let server = Server::with(Config::default(), limits).await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get("/live/x.flv").await;
    for _ in 0..3 {
        client.chunk().await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    feed.keyframe(40, 10);
    feed.finish();
    assert!(client.body().await.windows(2).any(|bytes| bytes == b"\x17\x01"), "the keyframe");
}

#[tokio::test]
async fn a_viewer_that_holds_a_picture_from_too_long_ago_is_closed() {
    // Long before the limit of time.
    let config = Config { lag_bytes: 64 << 10, gop_bytes: 1 << 20, ..Config::default() };
    for upgrade in ["", super::ws::UPGRADE] {
        let server = Server::with(config.clone(), tight()).await;
        let mut feed = server.publish("live/x");
        feed.open();
        let _stalled = server.request("GET", "/live/x.flv", upgrade).await;
        let mut quick = server.get("/live/x.flv").await;
        server.viewers(2).await;
        let mut time = 0;
        while server.hub.streams()[0].viewers == 2 {
            time += 40;
            feed.keyframe(time, PICTURE);
            quick.chunk().await;
        }
        assert!(time / 40 * (PICTURE as u32) < 4 << 20, "{time} ms");
    }
}
