//! Sessions: what is known of them, and their ends.

use super::*;

/// Somebody who wants to play `name`.
pub(crate) fn player(name: &str) -> Request {
    Request {
        purpose: Purpose::Play,
        protocol: "test",
        peer: SocketAddr::from(([192, 0, 2, 2], 80)),
        name: StreamName::parse(name).unwrap(),
        query: "token=hunter2".to_owned(),
        agent: "test/1".to_owned(),
        referer: String::new(),
        tc_url: String::new(),
        client: None,
    }
}

#[test]
fn sessions_are_listed_until_they_are_dropped() {
    let sessions = Sessions::default();
    let mut changed = sessions.subscribe();
    let first = sessions.open(player("live/a"));
    let second = sessions.open(player("live/b"));
    assert!(changed.has_changed().unwrap());
    let _ = changed.borrow_and_update();
    let names = || sessions.list().into_iter().map(|status| status.stream).collect::<Vec<_>>();
    assert_eq!(names(), ["live/a", "live/b"]);
    assert_ne!(first.id(), second.id());
    drop(first);
    assert_eq!(names(), ["live/b"]);
    assert!(changed.has_changed().unwrap());
}

#[tokio::test]
async fn a_stop_is_seen_before_and_after_the_wait_began() {
    let sessions = Sessions::default();
    for is_early in [true, false] {
        let mut session = sessions.open(player("live/a"));
        let id = session.id().clone();
        let stop = || assert!(sessions.stop(id.as_str(), Stop::Expired));
        if is_early {
            stop();
        }
        let wait =
            tokio::spawn(async move { poll_fn(|context| session.poll_stopped(context)).await });
        if !is_early {
            tokio::task::yield_now().await;
            stop();
        }
        assert_eq!(wait.await.unwrap(), Stop::Expired);
    }
    assert!(!sessions.stop("nobody", Stop::Kicked));
}

#[tokio::test]
async fn all_sessions_of_a_connection_end_by_its_name() {
    let sessions = Sessions::default();
    let address = SocketAddr::from(([192, 0, 2, 2], 80));
    let client = Client::new("its-name".to_owned(), "rtmp", address, Default::default());
    let request = |name| Request { client: Some(client.clone()), ..player(name) };
    let mut of_it = [sessions.open(request("live/a")), sessions.open(request("live/b"))];
    let mut other = sessions.open(player("live/a"));
    assert!(sessions.stop("its-name", Stop::Kicked));
    let context = Context::from_waker(Waker::noop());
    for session in &mut of_it {
        assert_eq!(session.poll_stopped(&context), Poll::Ready(Stop::Kicked));
    }
    assert_eq!(other.poll_stopped(&context), Poll::Pending);
}

#[test]
fn what_peers_say_at_length_is_not_kept_as_long_as_they_stay() {
    let long = "é".repeat(8 << 10);
    let (query, referer, tc_url, agent) = (long.clone(), long.clone(), long.clone(), long);
    let request = Request { query, referer, tc_url, agent, ..player("live/a") };
    let session = Sessions::default().open(request);
    let Request { query, referer, tc_url, agent, .. } = &session.entry.request;
    let kept = [query, referer, tc_url, agent].map(String::capacity);
    assert!(kept.iter().sum::<usize>() <= AGENT_MAX, "{kept:?}");
    assert!(agent.starts_with('é'));
}

#[test]
fn the_parameters_are_not_printed() {
    let text = format!("{:?}", player("live/a"));
    assert!(text.contains("live/a") && !text.contains("hunter2"), "{text}");
}
