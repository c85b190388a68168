//! A `connect` that the host is asked about.

use super::*;

/// A peer of a host that wants to be asked.
fn asking() -> Peer {
    let mut peer = Peer::new();
    peer.server.config.ask_connect = true;
    peer
}

/// As [`asking`], after its `connect`.
fn asked() -> Peer {
    let mut peer = asking();
    assert_eq!(peer.connect("live?token=1", vec![]), [], "nothing is said before the answer");
    assert!(matches!(peer.server.next_event(), Some(ServerEvent::Connect)));
    assert!(peer.server.next_event().is_none());
    peer
}

#[test]
fn what_the_peer_says_of_itself_is_passed_on_as_it_was_sent() {
    let mut peer = asking();
    assert_eq!(peer.server.connect(), None);
    let more =
        [("pageUrl", "http://p/"), ("swfUrl", "http://s/x.swf")].map(|(k, v)| (k.into(), v.into()));
    peer.connect("live?token=1", more.into());
    let said = peer.server.connect().unwrap();
    assert_eq!(
        (said.app.as_str(), said.tc_url.as_str()),
        ("live?token=1", "rtmp://h/live?token=1")
    );
    assert_eq!((said.page_url.as_str(), said.swf_url.as_str()), ("http://p/", "http://s/x.swf"));
    assert_eq!(said.flash_ver, "test\n/1");
}

#[test]
fn what_is_kept_of_it_is_bounded() {
    let mut peer = asking();
    let long: Value = "é".repeat(20_000).as_str().into();
    peer.connect("live", vec![("pageUrl".into(), long)]);
    assert_eq!(peer.server.connect().unwrap().page_url.len(), 8 << 10);
}

#[test]
fn an_accepted_peer_is_answered_as_any_other() {
    let mut peer = asked();
    peer.server.accept_connect().unwrap();
    let said = peer.said();
    let [Said::Control(_), Said::Control(_), Said::Command(result)] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert_eq!((result.name.as_str(), result.transaction), ("_result", 1.0));
    let Some(ServerEvent::Connected { app, agent }) = peer.server.next_event() else { panic!() };
    assert_eq!((app.as_str(), agent.as_str()), ("live", "test/1"));
    // A second answer is none.
    peer.server.accept_connect().unwrap();
    peer.server.reject_connect("no");
    assert!(!peer.server.is_over());
    assert_eq!(peer.said(), []);
    assert_eq!(peer.call(0, "createStream", 2.0, vec![]), [result_of_create()]);
}

fn result_of_create() -> Said {
    result(2.0, Value::Number(1.0))
}

#[test]
fn a_refused_peer_is_told_why_and_has_no_more_to_say() {
    let mut peer = asked();
    peer.call(0, "createStream", 2.0, vec![]);
    peer.server.reject_connect("not today");
    let said = peer.said();
    let [Said::Command(error)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((error.name.as_str(), error.transaction), ("_error", 1.0));
    let info = &error.arguments[0];
    assert_eq!(info.get("code"), Some(&"NetConnection.Connect.Rejected".into()));
    assert_eq!(info.get("description"), Some(&"not today".into()));
    assert!(peer.server.is_over());
    assert_eq!(peer.call(0, "createStream", 2.0, vec![]), []);
    assert!(peer.server.next_event().is_none());
}

#[test]
fn what_comes_before_the_answer_is_read_behind_it_and_in_order() {
    let mut peer = asked();
    assert_eq!(peer.call(0, "createStream", 2.0, vec![]), []);
    assert_eq!(peer.call(1, "publish", 3.0, vec!["s".into(), "live".into()]), []);
    peer.send(9, 1, b"picture");
    // What is not the peer's business but the connection's is seen to at once.
    peer.send(4, 0, &[0, 6, 1, 2, 3, 4]);
    assert_eq!(peer.said(), [Said::Control(Control::PingResponse(0x0102_0304))]);
    assert!(peer.server.next_event().is_none());

    peer.server.accept_connect().unwrap();
    assert!(matches!(peer.server.next_event(), Some(ServerEvent::Connected { .. })));
    let Some(ServerEvent::Publish { stream_id: 1, query, .. }) = peer.server.next_event() else {
        panic!();
    };
    assert_eq!(query, "token=1");
    assert!(peer.server.next_event().is_none(), "the publish has its own answer to wait for");
    peer.server.accept_publish(1).unwrap();
    assert_eq!(peer.media(), [(TagKind::Video, b"picture".to_vec())]);
}

#[test]
fn what_is_held_is_bounded_and_there_is_room_for_no_more() {
    let mut peer = asked();
    assert!(peer.server.room() < ServerConfig::default().max_held_len);
    let error = loop {
        // A message that is held takes more than its payload.
        let before = peer.server.room();
        match peer.try_send(20, 0, &Command::new("x", 0.0, vec!["y".into()]).encode()) {
            Ok(()) => assert!(peer.server.room() < before || before == 0),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::HeldTooLarge { limit: ServerConfig::default().max_held_len });

    let mut peer = asked();
    peer.send(20, 0, &Command::new("x", 0.0, vec![]).encode());
    peer.server.accept_connect().unwrap();
    assert_eq!((peer.server.room(), peer.server.held_len), (usize::MAX, 0));
}

#[test]
fn who_waits_is_neither_pinged_nor_without_purpose() {
    let mut peer = asked();
    let config = ServerConfig::default();
    // The only end of it is that of a silent peer.
    assert_eq!(peer.server.timeout(), Some(START + config.idle_timeout));
    peer.server.on_timeout(START + config.ping_after).unwrap();
    assert_eq!(peer.said(), []);
    let later = START + config.idle_timeout - Duration::from_secs(1);
    peer.server.on_timeout(later).unwrap();
    peer.server.accept_connect().unwrap();
    peer.said();
    // From the answer on, it has its time.
    peer.server.receive(&[], later).unwrap();
    let error = peer.server.on_timeout(later + config.setup_timeout).unwrap_err();
    assert!(matches!(error, Error::SetupTimeout { .. } | Error::IdleTimeout { .. }), "{error:?}");
}

#[test]
fn connecting_again_is_an_error_before_the_answer_and_behind_it() {
    let mut peer = asked();
    assert_eq!(peer.connect("other", vec![]), []);
    peer.server.accept_connect().unwrap();
    let said = peer.said();
    assert!(matches!(said.last(), Some(Said::Command(c)) if c.name == "_error"), "{said:?}");
    assert_eq!(peer.server.connect().unwrap().app, "live?token=1");
}
