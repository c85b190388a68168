use std::time::Duration;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_second_publisher_is_refused_or_replaces_as_the_policy_says() {
    let idle = Config::default().idle_after;
    for (takeover, wait, expected) in [
        (Takeover::Reject, idle, Some(ClaimError::Busy)),
        (Takeover::Replace, Duration::ZERO, None),
        (Takeover::ReplaceIfIdle, idle - Duration::from_millis(1), Some(ClaimError::Busy)),
        (Takeover::ReplaceIfIdle, idle, None),
    ] {
        let hub = Hub::new(Config { takeover, ..Config::default() });
        let mut publisher = publish(&hub, "live/x");
        publisher.open(0);
        tokio::time::sleep(wait).await;
        let second = hub.claim(&name("live/x"), source());
        assert_eq!(second.err(), expected, "{takeover:?} after {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn media_keeps_a_name() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    for second in 1..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        publisher.picture(second * 1000);
        assert_eq!(hub.claim(&name("live/x"), source()).unwrap_err(), ClaimError::Busy);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_has_one_claimant_and_is_free_when_the_claim_is_dropped() {
    let hub = Hub::new(Config::default());
    let claim = hub.claim(&name("live/x"), source()).unwrap();
    assert_eq!(hub.claim(&name("live/x"), source()).unwrap_err(), ClaimError::Busy);
    drop(claim);
    assert!(hub.names().is_empty());
    publish(&hub, "live/x").finish();
}

#[tokio::test(start_paused = true)]
async fn streams_are_bounded() {
    let hub = Hub::new(Config { max_streams: 2, ..Config::default() });
    let _claimed = hub.claim(&name("live/a"), source()).unwrap();
    let live = publish(&hub, "live/b");
    let refused = hub.claim(&name("live/c"), source()).unwrap_err();
    assert_eq!(refused, ClaimError::TooManyStreams { limit: 2 });
    live.finish();
    publish(&hub, "live/c").finish();
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_claimant_or_of_the_replaced_reaches_a_viewer() {
    let hub = Hub::new(Config { takeover: Takeover::Replace, ..Config::default() });
    let mut first = publish(&hub, "live/x");
    first.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.read();
    let claim = hub.claim(&name("live/x"), source()).unwrap();
    first.keyframe(40);
    assert_eq!(viewer.read(), ["sound 0", "key 40"], "a claim changes nothing");

    let mut second = claim.go_live();
    assert_eq!(first.stopped().await, StopReason::Replaced);
    first.keyframe(80);
    first.flush();
    drop(first);
    assert_eq!(viewer.read(), [""; 0]);
    second.open(0);
    assert_eq!(viewer.read(), ["avcC 40", "asc 40", "key 80"]);
    assert_eq!(hub.streams().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn goodbye_ends_the_stream_at_once_and_everything_sent_arrives() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.read();
    publisher.sound(20);
    publisher.finish();
    assert!(hub.streams().is_empty() && hub.names().is_empty());
    assert_eq!(viewer.read(), ["sound 0", "sound 20"]);
    assert_eq!(viewer.ended(), Some(EndReason::Finished));
}

#[tokio::test(start_paused = true)]
async fn viewers_of_a_lost_publisher_are_held_for_the_grace_period() {
    let config = Config::default();
    let hub = Hub::new(config.clone());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.read();
    drop(publisher);
    assert_eq!(hub.streams()[0].state, State::Waiting);
    assert_eq!(viewer.read(), ["sound 0"], "what was held is sent");
    let before = Instant::now();
    let Next::End(reason) = viewer.next().await else { panic!("no more media") };
    assert_eq!(reason, EndReason::PublisherLost);
    assert_eq!(before.elapsed().as_millis(), config.grace.as_millis());
    assert!(hub.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_comes_back_goes_on_where_the_timeline_was() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(5_000);
    publisher.keyframe(6_000);
    let mut viewer = view(&hub, "live/x").await;
    viewer.read();
    drop(publisher);

    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut publisher = publish(&hub, "live/x");
    assert_eq!(hub.streams()[0].state, State::Live);
    publisher.video_header("new!");
    publisher.audio_header("asc");
    // Before the first keyframe there is nothing the viewers could decode.
    publisher.picture(70_000);
    publisher.sound(70_020);
    publisher.keyframe(70_040);
    assert_eq!(viewer.read(), ["new! 1000", "asc 1000", "sound 1060", "key 1080"]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    publisher.picture(70_080);
    assert_eq!(viewer.read(), ["inter 1120"], "the grace period is over and forgotten");
    let mut joiner = view(&hub, "live/x").await;
    assert_eq!(joiner.read(), ["new! 1080", "asc 1080", "key 1080", "inter 1120"]);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_has_the_headers_and_tracks_of_its_new_publisher_only() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    drop(publisher);
    let mut publisher = publish(&hub, "live/x");
    publisher.video_header("new!");
    publisher.keyframe(0);
    tokio::time::sleep_until(publisher.flush_at().unwrap()).await;
    publisher.flush();
    let mut joiner = view(&hub, "live/x").await;
    assert!(!joiner.header().has_audio);
    assert_eq!(joiner.read(), ["new! 40", "key 40"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_loss_has_a_grace_period_of_its_own() {
    let config = Config::default();
    let hub = Hub::new(config.clone());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    drop(publisher);
    tokio::time::sleep(config.grace / 2).await;
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    drop(publisher);
    tokio::time::sleep(config.grace / 2 + Duration::from_millis(10)).await;
    assert_eq!(hub.streams().len(), 1, "the first period would be over");
    tokio::time::sleep(config.grace / 2).await;
    assert!(hub.streams().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_sent_nothing_holds_nothing() {
    let hub = Hub::new(Config::default());
    drop(publish(&hub, "live/x"));
    assert!(hub.names().is_empty());
    let hub = Hub::new(Config { grace: Duration::ZERO, ..Config::default() });
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    drop(publisher);
    assert!(hub.names().is_empty(), "no grace period, none given");
}

#[tokio::test(start_paused = true)]
async fn those_who_subscribe_learn_of_every_start_and_stop() {
    let hub = Hub::new(Config::default());
    let mut changes = hub.subscribe();
    let mut publisher = publish(&hub, "live/x");
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    publisher.open(0);
    assert!(changes.has_changed().unwrap(), "the description");
    changes.mark_unchanged();
    publisher.picture(40);
    assert!(!changes.has_changed().unwrap(), "media alone is no news");
    publisher.finish();
    assert!(changes.has_changed().unwrap());
}
