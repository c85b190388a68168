//! What hooks can cost: places, connections, and the time of a shutdown.

use super::*;

#[tokio::test]
async fn what_waits_is_bounded_in_all_and_dropped_and_counted_past_that() {
    let server = Server::new(Mood::Says("0")).await;
    let live = Live::new(Config { queue: 3, ..hasty(&server) });
    let hooks = Hooks::new(live.clone(), Shutdown::new());
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(ask(&hooks, Purpose::Play, None).await.unwrap());
    }
    server.set(Mood::Silent);
    drop(started);
    let stats = hooks.stats();
    assert_eq!(stats.of(Event::OnStop, Outcome::Dropped), 2);
    let denied = ask(&hooks, Purpose::Play, None).await.unwrap_err();
    assert!(denied.is_failure);
    until(|| stats.waiting() == 0).await;
    live.set(Config { fail: Fail::Open, ..config(&server) });
    server.set(Mood::Says("0"));
    assert!(ask(&hooks, Purpose::Play, None).await.is_ok());
}

#[tokio::test]
async fn a_client_cannot_make_more_wait_than_its_share() {
    let server = Server::new(Mood::Silent).await;
    let mut config = config(&server);
    config.set_urls(Event::OnPlay, vec![]);
    let hooks = hooks(Config { timeout: Duration::from_secs(5), ..config });
    let client = client("c");
    let mut begun: usize = 0;
    while ask(&hooks, Purpose::Play, Some(&client)).await.is_ok() {
        begun += 1;
        assert!(begun < 200);
    }
    assert!(hooks.stats().waiting() <= begun);
    assert!(ask(&hooks, Purpose::Play, None).await.is_ok(), "others are not concerned");
}

#[tokio::test]
async fn many_are_asked_about_at_once_and_never_over_more_connections_than_allowed() {
    let server = Server::new(Mood::Silent).await;
    let hooks = hooks(hasty(&server));
    let asked = (0..300).map(|_| ask(&hooks, Purpose::Play, None));
    let denied = futures_util::future::join_all(asked).await;
    assert!(denied.iter().all(Result::is_err));
    let most = server.open[1].load(Ordering::SeqCst);
    assert!((100..=128 + 32).contains(&most), "{most} connections");
}

#[tokio::test]
async fn telling_that_hangs_does_not_keep_questions_waiting() {
    let server = Server::new(Mood::Says("0")).await;
    let slow = Server::new(Mood::Silent).await;
    let mut config = config(&server);
    config.set_urls(Event::OnStop, vec![slow.url()]);
    let hooks = hooks(config);
    let mut started = Vec::new();
    for _ in 0..200 {
        started.push(ask(&hooks, Purpose::Play, None).await.unwrap());
    }
    drop(started);
    until(|| slow.open[0].load(Ordering::SeqCst) == 32).await;
    assert!(ask(&hooks, Purpose::Play, None).await.is_ok());
}

#[tokio::test]
async fn a_server_that_stops_tells_what_it_can() {
    let server = Server::new(Mood::Says("0")).await;
    let shutdown = Shutdown::new();
    let hooks = Hooks::new(Live::new(config(&server)), shutdown.clone());
    let mut started = Vec::new();
    for _ in 0..20 {
        started.push(ask(&hooks, Purpose::Play, None).await.unwrap());
    }
    drop(started);
    assert_eq!(shutdown.finish(Duration::from_secs(60)).await, 0);
    assert_eq!(server.actions().len(), 40);
    assert_eq!(hooks.stats().of(Event::OnStop, Outcome::Told), 20);
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_a_dead_hook() {
    let server = Server::new(Mood::Says("0")).await;
    let shutdown = Shutdown::new();
    let long = Duration::from_secs(3600);
    let hooks =
        Hooks::new(Live::new(Config { timeout: long, ..config(&server) }), shutdown.clone());
    let started = ask(&hooks, Purpose::Play, None).await.unwrap();
    server.set(Mood::Silent);
    drop(started);
    server.until_actions(2).await;
    assert_eq!(shutdown.finish(Duration::from_millis(50)).await, 1);
    assert_eq!(shutdown.running(), 0);
    assert_eq!(hooks.stats().of(Event::OnStop, Outcome::Dropped), 1);
}
