use std::future::poll_fn;
use std::time::Duration;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_joiner_gets_the_headers_and_then_the_newest_keyframe() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.message(TagKind::Script, 0, &metadata(&[("width", 640.0.into())]));
    publisher.open(0);
    publisher.picture(40);
    publisher.keyframe(80);
    publisher.picture(120);
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(viewer.header(), pushpull_media::flv::Header { has_audio: true, has_video: true });
    assert_eq!(
        viewer.read(),
        ["script 0", "avcC 80", "asc 80", "key 80", "inter 120"],
        "the sequence headers carry the time of what follows"
    );
    publisher.sound(121);
    publisher.picture(160);
    assert_eq!(viewer.read(), ["sound 121", "inter 160"]);
}

#[tokio::test(start_paused = true)]
async fn a_live_start_waits_for_the_next_keyframe() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let live = name("live/x");
    let joining = tokio::spawn({
        let hub = hub.clone();
        async move { hub.view(&live, Start::Live, info()).await }
    });
    while hub.streams()[0].viewers == 0 {
        tokio::task::yield_now().await;
    }
    publisher.picture(40);
    publisher.keyframe(80);
    let mut viewer = joining.await.unwrap().unwrap();
    assert_eq!(viewer.read(), ["avcC 80", "asc 80", "key 80"]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_stream_is_waited_for_and_then_not_found() {
    let config = Config::default();
    let hub = Hub::new(config.clone());
    let before = Instant::now();
    let missing = hub.view(&name("live/x"), Start::Gop, info()).await;
    assert_eq!(missing.unwrap_err(), ViewError::NotFound);
    assert_eq!(before.elapsed().as_millis(), config.missing_wait.as_millis());
    assert!(hub.names().is_empty(), "nothing is kept for it");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_after_the_end_is_soon_told_that_it_was_the_end() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    publisher.finish();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = Instant::now();
    let over = hub.view(&name("live/x"), Start::Gop, info()).await;
    assert_eq!(over.unwrap_err(), ViewError::NotFound);
    assert_eq!(before.elapsed().as_millis(), 800);
    // Who comes later has not seen it.
    let missing = hub.view(&name("live/x"), Start::Gop, info()).await;
    assert_eq!(missing.unwrap_err(), ViewError::NotFound);
    assert_eq!(before.elapsed().as_millis(), 3800);
}

#[tokio::test(start_paused = true)]
async fn an_encoder_that_is_started_again_keeps_its_viewers() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    publisher.finish();
    let waiting = tokio::spawn({
        let hub = hub.clone();
        async move { view(&hub, "live/x").await.read() }
    });
    tokio::time::sleep(Duration::from_millis(800)).await;
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    assert_eq!(waiting.await.unwrap(), ["avcC 0", "asc 0", "key 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_starts_while_a_viewer_waits_is_joined() {
    let hub = Hub::new(Config::default());
    let waiting = tokio::spawn({
        let hub = hub.clone();
        async move { view(&hub, "live/x").await.read() }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    assert_eq!(waiting.await.unwrap(), ["avcC 0", "asc 0", "key 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_not_a_stream() {
    let hub = Hub::new(Config::default());
    let _claim = hub.claim(&name("live/x"), source()).unwrap();
    assert!(hub.streams().is_empty());
    let missing = hub.view(&name("live/x"), Start::Gop, info()).await;
    assert_eq!(missing.unwrap_err(), ViewError::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_keyframe_is_not_ready() {
    let config = Config::default();
    let hub = Hub::new(config.clone());
    let mut publisher = publish(&hub, "live/x");
    publisher.sound(0);
    publisher.picture(0);
    let before = Instant::now();
    let error = hub.view(&name("live/x"), Start::Gop, info()).await.unwrap_err();
    assert_eq!(error, ViewError::NotReady);
    assert_eq!(before.elapsed().as_millis(), config.start_wait.as_millis());
    assert_eq!(hub.streams()[0].viewers, 0);
}

#[tokio::test(start_paused = true)]
async fn viewers_are_counted_and_bounded() {
    let hub = Hub::new(Config { max_viewers: 2, ..Config::default() });
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let first = view(&hub, "live/x").await;
    let _second = view(&hub, "live/x").await;
    let error = hub.view(&name("live/x"), Start::Gop, info()).await.unwrap_err();
    assert_eq!(error, ViewError::TooManyViewers { limit: 2 });
    assert_eq!(hub.stats().hits().of(Limit::Viewers), 1);
    assert_eq!(hub.streams()[0].viewers, 2);
    drop(first);
    assert_eq!(hub.streams()[0].viewers, 1);
    view(&hub, "live/x").await;
    assert_eq!(hub.stats().viewers(), 3);
}

#[tokio::test(start_paused = true)]
async fn viewers_of_all_streams_are_bounded_together() {
    let hub = Hub::new(Config { max_viewers_total: 2, ..Config::default() });
    let (mut a, mut b) = (publish(&hub, "live/a"), publish(&hub, "live/b"));
    a.open(0);
    b.open(0);
    let first = view(&hub, "live/a").await;
    let _second = view(&hub, "live/b").await;
    for text in ["live/a", "live/b"] {
        let error = hub.view(&name(text), Start::Gop, info()).await.unwrap_err();
        assert_eq!(error, ViewError::TooManyViewers { limit: 2 });
    }
    assert_eq!(hub.stats().hits().of(Limit::AllViewers), 2);
    drop(first);
    view(&hub, "live/b").await;
}

#[tokio::test]
async fn a_viewer_that_left_something_out_goes_on_at_the_newest_keyframe_with_its_headers() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.read();
    for step in 1..=30 {
        match step % 25 {
            0 => publisher.keyframe(step * 40),
            _ => publisher.picture(step * 40),
        }
        if step == 5 {
            viewer.next().await;
            viewer.pause();
        }
    }
    viewer.read();
    viewer.resume();
    let read = viewer.read();
    assert_eq!(&read[..3], ["avcC 1000", "asc 1000", "key 1000"], "{read:?}");
    assert_eq!(viewer.jumps(), 0, "it was its own wish");
}

#[tokio::test]
async fn a_viewer_that_left_nothing_to_begin_with_out_goes_on_where_it_was() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.read();
    viewer.pause();
    publisher.picture(40);
    publisher.picture(80);
    viewer.read();
    viewer.resume();
    let expected = ["sound 0", "inter 40", "inter 80"];
    assert_eq!(viewer.read(), expected, "nothing twice, and no time that goes back");
}

#[tokio::test(start_paused = true)]
async fn a_slow_viewer_jumps_to_a_keyframe_and_nobody_else_notices() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut quick = view(&hub, "live/x").await;
    let mut slow = view(&hub, "live/x").await;
    quick.read();
    slow.read();
    let mut seen = Vec::new();
    for step in 1..=200 {
        match step % 25 {
            0 => publisher.keyframe(step * 40),
            _ => publisher.picture(step * 40),
        }
        seen.extend(quick.read());
    }
    // The sound that opened the stream was held for the first picture.
    assert_eq!(seen.len(), 201);
    assert_eq!(quick.jumps(), 0);
    let read = slow.read();
    assert_eq!(read.first().unwrap(), "key 8000", "the newest, and no headers again");
    assert_eq!(slow.jumps(), 1);
    assert_eq!((hub.streams()[0].jumps, hub.stats().jumps()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_jump_past_new_headers_sends_them() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut slow = view(&hub, "live/x").await;
    slow.read();
    publisher.video_header("new!");
    for step in 1..200 {
        publisher.keyframe(step * 40);
    }
    assert_eq!(slow.read(), ["new! 7960", "asc 7960", "key 7960"]);
}

#[tokio::test(start_paused = true)]
async fn the_memory_of_a_stream_does_not_depend_on_its_viewers() {
    let config = Config { lag_bytes: 20_000, gop_bytes: 40_000, ..Config::default() };
    let hub = Hub::new(config.clone());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut stalled = Vec::new();
    for _ in 0..500 {
        stalled.push(view(&hub, "live/x").await);
    }
    let mut data = b"\x17\x01\0\0\0".to_vec();
    data.resize(1_000, 0);
    for step in 1..1_000 {
        publisher.message(TagKind::Video, step * 40, &data);
        assert!(hub.streams()[0].buffered_bytes <= config.gop_bytes);
    }
    // A keyframe is the only block needed after the lag: nothing but the lag is kept.
    assert!(hub.streams()[0].buffered_bytes <= config.lag_bytes);
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_ends_viewers_and_publishers_and_lets_nobody_in() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    let late_claim = hub.claim(&name("live/y"), source()).unwrap();
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    let waiting = tokio::spawn({
        let hub = hub.clone();
        async move { hub.view(&name("live/z"), Start::Gop, info()).await.unwrap_err() }
    });
    tokio::task::yield_now().await;
    hub.close();
    assert_eq!(waiting.await.unwrap(), ViewError::Closing);
    assert_eq!(publisher.stopped().await, StopReason::ServerStopping);
    viewer.ready();
    assert_eq!(viewer.ended(), Some(EndReason::ServerStopping));
    assert_eq!(hub.claim(&name("live/x"), source()).unwrap_err(), ClaimError::Closing);
    assert_eq!(late_claim.go_live().stopped().await, StopReason::ServerStopping);
    let refused = hub.view(&name("live/x"), Start::Gop, info()).await;
    assert_eq!(refused.unwrap_err(), ViewError::Closing);
    assert!(hub.streams().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_tells_viewers_of_streams_that_have_ended() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    publisher.finish();
    assert!(hub.streams().is_empty());
    // Its peer takes nothing, and so it has not heard of the end.
    let watching =
        tokio::spawn(async move { poll_fn(|context| viewer.poll_hold(context, 1)).await });
    tokio::task::yield_now().await;
    hub.close();
    assert_eq!(watching.await.unwrap(), Release::ServerStopping);
}

#[tokio::test(start_paused = true)]
async fn a_look_is_no_view_and_waits_for_nothing() {
    let hub = Hub::new(Config { max_viewers: 1, ..Config::default() });
    assert_eq!(hub.look(&name("live/x")), Err(ViewError::NotFound));
    let mut publisher = publish(&hub, "live/x");
    assert_eq!(hub.look(&name("live/x")), Err(ViewError::NotReady));
    publisher.open(0);
    assert_eq!(hub.look(&name("live/x")), Ok(()));
    assert_eq!(hub.look(&name("live/x")), Ok(()), "it took nobody's place");
    let viewer = view(&hub, "live/x").await;
    assert_eq!(hub.look(&name("live/x")), Err(ViewError::TooManyViewers { limit: 1 }));
    drop(viewer);
    hub.configure(Config { max_viewers_total: 0, ..Config::default() });
    assert_eq!(hub.look(&name("live/x")), Err(ViewError::TooManyViewers { limit: 0 }));
    hub.close();
    assert_eq!(hub.look(&name("live/x")), Err(ViewError::Closing));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_its_peer_between_headers_and_block_is_woken_for_what_comes_next() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    // It has taken the newest block with its headers, and there is room for the headers only.
    let mut viewer = view(&hub, "live/x").await;
    let watching = tokio::spawn(async move {
        let mut blocks = 0;
        std::future::poll_fn(|context| {
            while blocks < 3 {
                let std::task::Poll::Ready(next) = viewer.poll_next(context) else {
                    return std::task::Poll::Pending;
                };
                assert!(matches!(next, Next::Block(_)), "{next:?}");
                blocks += 1;
                if blocks == 1 {
                    assert!(viewer.poll_hold(context, 1).is_pending());
                } else if viewer.has_all() && blocks < 3 {
                    return std::task::Poll::Pending;
                }
            }
            std::task::Poll::Ready(())
        })
        .await;
    });
    tokio::task::yield_now().await;
    publisher.sound(20);
    publisher.picture(40);
    publisher.finish();
    let woken = tokio::time::timeout(Duration::from_secs(60), watching).await;
    woken.expect("nobody has woken it").unwrap();
}
