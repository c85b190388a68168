//! What hooks can cost: places, connections, and the time of a shutdown.

use super::*;

#[tokio::test]
async fn what_waits_is_bounded_in_all_and_dropped_and_counted_past_that() {
    let server = Server::new(Mood::Says("0")).await;
    let live = Live::new(Config { queue: 3, ..hasty(&server) });
    let hooks = Hooks::new(live.clone(), Shutdown::new());
    let mut started = Vec::new();
    for last in 10..15 {
        let client = client_at("c", last);
        started.push(ask(&hooks, Purpose::Play, Some(&client)).await.unwrap());
    }
    server.set(Mood::Silent);
    drop(started);
    let stats = hooks.stats();
    assert_eq!(stats.of(Event::OnStop, Outcome::Dropped), 2);
    let denied = ask(&hooks, Purpose::Play, None).await.unwrap_err();
    assert!(denied.reason == Reason::Unanswered);
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
    let clients: Vec<_> = (0..=255).map(|last| client_at("c", last)).collect();
    let asked = clients.iter().chain(&clients).map(|it| ask(&hooks, Purpose::Play, Some(it)));
    let denied = futures_util::future::join_all(asked).await;
    assert!(denied.iter().all(Result::is_err));
    let most = server.open[1].load(Ordering::SeqCst);
    assert!((200..=256 + 64).contains(&most), "{most} connections");
}

#[tokio::test]
async fn one_address_does_not_take_the_connections_of_others() {
    let server = Server::new(Mood::Silent).await;
    let hooks = hooks(config(&server));
    let flood: Vec<_> = (0..300)
        .map(|_| {
            let hooks = hooks.clone();
            tokio::spawn(async move { ask(&hooks, Purpose::Play, Some(&client_at("f", 9))).await })
        })
        .collect();
    let stats = hooks.stats();
    until(|| stats.waiting() == 300 && server.actions().len() >= 128).await;
    // The others ask while those hang, of another address or of several.
    server.set(Mood::Says("0"));
    for last in 10..20 {
        assert!(ask(&hooks, Purpose::Play, Some(&client_at("c", last))).await.is_ok());
    }
    let asked = server.requests().iter().filter(|one| one.contains("192.0.2.9")).count();
    assert_eq!(asked, 128, "the rest waits for its turn");
    assert!(flood.iter().all(|one| !one.is_finished()), "and is not refused");
    flood.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn one_address_does_not_take_the_queue_and_does_not_get_in_by_that() {
    let server = Server::new(Mood::Silent).await;
    let hooks = hooks(Config { queue: 5, fail: Fail::Open, ..config(&server) });
    let ask_at = |last| {
        let hooks = hooks.clone();
        async move { ask(&hooks, Purpose::Play, Some(&client_at("c", last))).await }
    };
    let waiting = [9, 9, 9].map(|last| tokio::spawn(ask_at(last)));
    until(|| server.actions().len() == 3).await;
    let denied = ask_at(9).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Crowded);
    server.set(Mood::Says("0"));
    assert!(ask_at(10).await.is_ok(), "others are asked about");
    waiting.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn who_keeps_its_own_questions_waiting_does_not_get_in_by_that() {
    let server = Server::new(Mood::Silent).await;
    let live = Live::new(Config { timeout: Duration::from_secs(3600), ..config(&server) });
    let hooks = Hooks::new(live.clone(), Shutdown::new());
    let ask_at = |last| {
        let hooks = hooks.clone();
        async move { ask(&hooks, Purpose::Play, Some(&client_at("c", last))).await }
    };
    let asked: Vec<_> = (0..128).map(|_| tokio::spawn(ask_at(9))).collect();
    until(|| server.actions().len() == 128).await;
    live.set(Config { fail: Fail::Open, ..hasty(&server) });
    assert_eq!(ask_at(9).await.unwrap_err().reason, Reason::Crowded);
    // One that is asked about and not answered is let in: it is the server that is slow.
    assert!(ask_at(10).await.is_ok());
    assert!(ask_at(9).await.is_ok(), "nobody knows that it would be answered");
    asked.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn who_waits_for_its_turn_in_vain_says_nothing_about_the_hook_server() {
    let server = Server::new(Mood::Silent).await;
    let hooks = hooks(Config { timeout: Duration::from_secs(3600), ..config(&server) });
    let asked: Vec<_> = (0..128)
        .map(|_| {
            let hooks = hooks.clone();
            tokio::spawn(async move { ask(&hooks, Purpose::Play, None).await })
        })
        .collect();
    until(|| server.actions().len() == 128).await;
    let inner = hooks.0.as_ref().unwrap();
    inner.config.set(Config { timeout: Duration::from_millis(100), ..config(&server) });
    let denied = ask(&hooks, Purpose::Play, None).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Crowded);
    assert_eq!(hooks.stats().of(Event::OnPlay, Outcome::Failed), 1);
    assert_eq!((server.actions().len(), hooks.health()[0].failures), (128, 0));
    asked.iter().for_each(JoinHandle::abort);
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
    // Half of all there are: they are of one address.
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
