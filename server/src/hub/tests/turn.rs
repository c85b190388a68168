//! Newcomers that wait to see whether the one who has their name is still there, and names that nobody may have.

use std::net::IpAddr;
use std::time::Duration;

use super::*;

const IDLE: Duration = Duration::from_secs(3);
const MS: Duration = Duration::from_millis(1);

fn claimant(address: &str, query: &str) -> Claimant {
    let address: IpAddr = address.parse().unwrap();
    Claimant { source: source(), identity: Some(Identity { address, query: query.into() }) }
}

fn stranger() -> Claimant {
    claimant("198.51.100.7", "")
}

/// How a claim ended, and after how long.
async fn outcome(claim: PendingClaim) -> (Result<Claim, ClaimError>, Duration) {
    let asked = Instant::now();
    let outcome = claim.await;
    (outcome, asked.elapsed())
}

/// A live publisher from `192.0.2.1`.
async fn publishing(hub: &Hub) -> Publisher {
    let claim = hub.claim_in_turn(&name("live/x"), claimant("192.0.2.1", "key=1")).await.unwrap();
    let mut publisher = claim.go_live();
    publisher.open(0);
    publisher
}

#[tokio::test(start_paused = true)]
async fn a_free_name_is_had_at_once() {
    let hub = Hub::new(Config::default());
    let (claim, took) = outcome(hub.claim_in_turn(&name("live/x"), stranger())).await;
    assert!(claim.is_ok() && took.is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_gets_the_name_of_one_that_has_gone_silent() {
    let hub = Hub::new(Config::default());
    let first = publishing(&hub).await;
    tokio::time::sleep(IDLE / 2).await;
    let (claim, took) = outcome(hub.claim_in_turn(&name("live/x"), stranger())).await;
    assert_eq!(took.as_millis(), (IDLE / 2).as_millis(), "counted from the last media");
    let _second = claim.unwrap().go_live();
    assert_eq!(first.stopped().await, StopReason::Replaced);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_is_refused_when_the_publisher_is_alive() {
    let hub = Hub::new(Config::default());
    let mut first = publishing(&hub).await;
    let claim = tokio::spawn(outcome(hub.claim_in_turn(&name("live/x"), stranger())));
    for time in 1..40 {
        tokio::time::sleep(40 * MS).await;
        first.picture(time * 40);
    }
    let (claim, took) = claim.await.unwrap();
    assert_eq!(claim.unwrap_err(), ClaimError::Busy);
    assert!(took >= IDLE / 3 && took < IDLE / 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_connection_had_on_its_way_does_not_keep_the_name() {
    let hub = Hub::new(Config::default());
    let mut first = publishing(&hub).await;
    let claim = tokio::spawn(outcome(hub.claim_in_turn(&name("live/x"), stranger())));
    tokio::time::sleep(IDLE / 4).await;
    first.picture(40);
    let (claim, took) = claim.await.unwrap();
    assert!(claim.is_ok());
    assert_eq!(took.as_millis(), IDLE.as_millis(), "no longer than that");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_is_lost_or_leaves_makes_room_at_once() {
    for says_goodbye in [false, true] {
        let hub = Hub::new(Config::default());
        let first = publishing(&hub).await;
        let claim = tokio::spawn(outcome(hub.claim_in_turn(&name("live/x"), stranger())));
        tokio::time::sleep(100 * MS).await;
        if says_goodbye {
            first.finish()
        } else {
            drop(first)
        }
        let (claim, took) = claim.await.unwrap();
        assert!(claim.is_ok() && took < 110 * MS, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_peer_waits_for_a_third_of_the_time() {
    let hub = Hub::new(Config::default());
    let _first = publishing(&hub).await;
    let same = claimant("192.0.2.1", "key=1");
    let (claim, took) = outcome(hub.claim_in_turn(&name("live/x"), same)).await;
    assert!(claim.is_ok());
    assert_eq!(took.as_millis(), (IDLE / 3).as_millis());

    // But not one that has the address alone, nor while the publisher is alive.
    let hub = Hub::new(Config::default());
    let mut first = publishing(&hub).await;
    let other = claimant("192.0.2.1", "key=2");
    let (_, took) = outcome(hub.claim_in_turn(&name("live/x"), other)).await;
    assert_eq!(took.as_millis(), IDLE.as_millis());
    first.picture(40);
    let same = hub.claim_in_turn(&name("live/x"), claimant("192.0.2.1", "key=1"));
    let claim = tokio::spawn(outcome(same));
    for time in 2..40 {
        tokio::time::sleep(40 * MS).await;
        first.picture(time * 40);
    }
    assert_eq!(claim.await.unwrap().0.unwrap_err(), ClaimError::Busy);
}

#[tokio::test(start_paused = true)]
async fn the_newest_newcomer_waits_instead_of_the_one_before() {
    let hub = Hub::new(Config::default());
    let _first = publishing(&hub).await;
    let older = tokio::spawn(outcome(hub.claim_in_turn(&name("live/x"), stranger())));
    tokio::time::sleep(100 * MS).await;
    let newer = hub.claim_in_turn(&name("live/x"), stranger());
    let (older, took) = older.await.unwrap();
    assert_eq!(older.unwrap_err(), ClaimError::Busy);
    assert!(took < 110 * MS);
    assert!(newer.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stranger_does_not_push_the_one_that_comes_back_aside() {
    let hub = Hub::new(Config::default());
    let _first = publishing(&hub).await;
    let back = hub.claim_in_turn(&name("live/x"), claimant("192.0.2.1", "key=1"));
    let (claim, took) = outcome(hub.claim_in_turn(&name("live/x"), stranger())).await;
    assert_eq!((claim.unwrap_err(), took), (ClaimError::Busy, Duration::ZERO));
    assert!(back.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_leaves_nothing_behind() {
    let hub = Hub::new(Config::default());
    let first = publishing(&hub).await;
    drop(hub.claim_in_turn(&name("live/x"), stranger()));
    first.finish();
    assert!(hub.names().is_empty());
    let first = publishing(&hub).await;
    let waits = hub.claim_in_turn(&name("live/x"), stranger());
    first.finish();
    assert_eq!(hub.names().len(), 1, "the name is kept for the one that waits");
    drop(waits);
    assert!(hub.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_other_policies_do_not_wait() {
    for (takeover, expected) in
        [(Takeover::Reject, Some(ClaimError::Busy)), (Takeover::Replace, None)]
    {
        let hub = Hub::new(Config { takeover, ..Config::default() });
        let _first = publishing(&hub).await;
        let (claim, took) = outcome(hub.claim_in_turn(&name("live/x"), stranger())).await;
        assert_eq!((claim.err(), took), (expected, Duration::ZERO), "{takeover:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_being_decided_is_waited_for() {
    let hub = Hub::new(Config::default());
    let claim = hub.claim(&name("live/x"), source()).unwrap();
    let waits = tokio::spawn(outcome(hub.claim_in_turn(&name("live/x"), stranger())));
    tokio::time::sleep(100 * MS).await;
    drop(claim);
    let (second, took) = waits.await.unwrap();
    assert!(second.is_ok() && took < 110 * MS, "it was not let in: the name is free");
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_when_the_server_stops() {
    let hub = Hub::new(Config::default());
    let _first = publishing(&hub).await;
    let waits = hub.claim_in_turn(&name("live/x"), stranger());
    hub.close();
    assert_eq!(waits.await.unwrap_err(), ClaimError::Closing);
}

#[tokio::test(start_paused = true)]
async fn a_kick_ends_the_stream_at_once_and_refuses_the_name_for_a_while() {
    let hub = Hub::new(Config::default());
    let mut first = publishing(&hub).await;
    let mut viewer = view(&hub, "live/x").await;
    viewer.read();
    first.picture(40);
    let waits = hub.claim_in_turn(&name("live/x"), stranger());
    let ban = Duration::from_secs(60);
    assert_eq!(hub.kick(&name("live/x"), ban), Ok(()));
    assert_eq!(viewer.ended(), Some(EndReason::Kicked), "without what was left");
    assert_eq!(first.stopped().await, StopReason::Kicked);
    assert_eq!(waits.await.unwrap_err(), ClaimError::Banned { left: ban });
    first.keyframe(80);
    drop(first);
    assert!(hub.streams().is_empty() && hub.names().is_empty());

    tokio::time::sleep(ban - MS).await;
    let refused = hub.claim(&name("live/x"), source()).unwrap_err();
    assert_eq!(refused, ClaimError::Banned { left: MS });
    assert!(refused.to_string().ends_with("for another 1 s"), "{refused}");
    tokio::time::sleep(MS).await;
    publish(&hub, "live/x").finish();
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_refused_by_a_kick_though_the_name_is_free_then() {
    // It is told of both at once, and looks at either first.
    for _ in 0..32 {
        let hub = Hub::new(Config::default());
        let _first = publishing(&hub).await;
        let claim = tokio::spawn(outcome(hub.claim_in_turn(&name("live/x"), stranger())));
        tokio::time::sleep(100 * MS).await;
        hub.kick(&name("live/x"), Duration::ZERO).unwrap();
        let (claim, took) = claim.await.unwrap();
        assert_eq!(claim.unwrap_err(), ClaimError::Busy);
        assert!(took < 110 * MS, "{took:?}");
        assert!(hub.names().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_from_before_a_kick_does_not_go_live() {
    let hub = Hub::new(Config::default());
    let claim = hub.claim(&name("live/x"), source()).unwrap();
    assert_eq!(hub.kick(&name("live/x"), Duration::ZERO), Ok(()));
    let publisher = claim.go_live();
    assert_eq!(publisher.stopped().await, StopReason::Kicked);
    assert!(hub.streams().is_empty() && hub.names().is_empty());
    publish(&hub, "live/x").finish();
}

#[tokio::test(start_paused = true)]
async fn bans_are_bounded_and_can_be_lifted() {
    let hub = Hub::new(Config { max_bans: 1, ..Config::default() });
    let minute = Duration::from_secs(60);
    assert_eq!(hub.kick(&name("live/x"), Duration::ZERO), Err(KickError::NotFound));
    assert_eq!(hub.kick(&name("live/x"), minute), Ok(()), "a name can be banned before its time");
    let too_many = KickError::TooManyBans { limit: 1 };
    assert_eq!(hub.kick(&name("live/y"), minute), Err(too_many));
    assert_eq!(hub.kick(&name("live/x"), Duration::ZERO), Ok(()));
    publish(&hub, "live/x").finish();
    assert_eq!(hub.kick(&name("live/y"), minute), Ok(()));
    tokio::time::sleep(minute).await;
    assert_eq!(hub.kick(&name("live/z"), minute), Ok(()), "what is over does not count");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_without_media_is_stopped_in_the_end() {
    let config = Config::default();
    let hub = Hub::new(config.clone());
    let publisher = publish(&hub, "live/x");
    let began = Instant::now();
    assert_eq!(publisher.stopped().await, StopReason::Silent);
    assert_eq!(began.elapsed().as_millis(), config.first_media.as_millis());
    drop(publisher);
    assert!(hub.names().is_empty());

    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut stopped = Box::pin(publisher.stopped());
    tokio::time::sleep(config.media_idle - MS).await;
    assert!((&mut stopped).now_or_never().is_none(), "an honest pause");
    publisher.picture(40);
    let paused = Instant::now();
    assert_eq!(stopped.await, StopReason::Silent);
    assert_eq!(paused.elapsed().as_millis(), config.media_idle.as_millis());
}

#[tokio::test(start_paused = true)]
async fn a_pause_may_be_limited_to_less_than_the_start() {
    let media_idle = Duration::from_secs(2);
    let hub = Hub::new(Config { media_idle, ..Config::default() });
    let mut publisher = publish(&hub, "live/x");
    let stopped = tokio::spawn(publisher.stopped());
    tokio::time::sleep(media_idle / 2).await;
    publisher.open(0);
    let paused = Instant::now();
    assert_eq!(stopped.await.unwrap(), StopReason::Silent);
    assert_eq!(paused.elapsed().as_millis(), media_idle.as_millis());
}
