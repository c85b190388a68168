//! Publishing: asked, accepted, refused, ended.

use super::*;

#[test]
fn publish_takes_any_type_and_no_key() {
    for arguments in [
        vec!["s".into(), "live".into()],
        vec!["s".into(), "record".into()],
        vec!["s".into(), "test".into()],
        vec!["s?k=1".into()],
        vec!["".into()],
        vec![Value::Null],
        vec![],
    ] {
        let mut peer = Peer::connected();
        let said = peer.call(1, "publish", 5.0, arguments.clone());
        assert_eq!(said, [], "no answer before the host decides");
        let Some(ServerEvent::Publish { stream_id: 1, name, query }) = peer.server.next_event()
        else {
            panic!("{arguments:?}");
        };
        let key = arguments.first().and_then(Value::as_str).unwrap_or_default();
        match key {
            "s" => assert_eq!((name.as_str(), query.as_str()), ("live/s", "")),
            "s?k=1" => assert_eq!((name.as_str(), query.as_str()), ("live/s", "k=1")),
            _ => assert_eq!(name.as_str(), "live/default"),
        }
        peer.server.accept_publish(1).unwrap();
        let said = peer.said();
        assert!(said.contains(&Said::Control(Control::StreamBegin(1))));
        assert_eq!(status(&said), "NetStream.Publish.Start");
    }
}

#[test]
fn the_connection_itself_can_be_published_on() {
    // Message stream 0, by pushers that do not look at the answer to createStream.
    let mut peer = Peer::connected();
    peer.call(0, "publish", 5.0, vec!["s".into()]);
    peer.send(9, 0, b"early");
    let said = peer.call(0, "createStream", 6.0, vec![]);
    assert_eq!(said, [result(6.0, Value::Number(1.0))], "calls are answered meanwhile");
    assert!(matches!(peer.server.next_event(), Some(ServerEvent::Publish { stream_id: 0, .. })));
    peer.server.accept_publish(0).unwrap();
    assert_eq!(status(&peer.said()), "NetStream.Publish.Start");
    peer.send(9, 0, b"late");
    let expected = [b"early".to_vec(), b"late".to_vec()].map(|data| (TagKind::Video, data));
    assert_eq!(peer.media(), expected);
}

#[test]
fn a_key_that_is_not_a_string_is_an_error_status() {
    let mut peer = Peer::connected();
    let said = peer.call(1, "publish", 5.0, vec![Value::Number(7.0)]);
    assert_eq!(status(&said), "NetStream.Publish.BadName");
    assert!(peer.server.next_event().is_none());
}

#[test]
fn a_bad_name_is_told_and_ends_the_connection() {
    let mut peer = Peer::connected();
    let said = peer.call(1, "publish", 5.0, vec!["../etc/passwd".into()]);
    assert_eq!(status(&said), "NetStream.Publish.BadName");
    assert!(matches!(peer.server.next_event(), Some(ServerEvent::BadName(_))));
    peer.call(1, "publish", 5.0, vec!["s".into()]);
    assert!(peer.server.next_event().is_none());
    assert_eq!(peer.server.timeout(), None);
}

#[test]
fn publishing_twice_on_one_message_stream_is_an_error_status() {
    let mut peer = Peer::publishing();
    let said = peer.call(1, "publish", 5.0, vec!["other".into()]);
    assert_eq!(status(&said), "NetStream.Publish.BadName");
    peer.send(9, 1, b"still");
    assert_eq!(peer.media().len(), 1);
}

#[test]
fn every_way_to_say_goodbye() {
    type Goodbye = fn(&mut Peer) -> Vec<Said>;
    let ways: [(Goodbye, bool); 5] = [
        (|peer| peer.call(1, "publish", 6.0, vec![false.into()]), true),
        (|peer| peer.call(1, "closeStream", 0.0, vec![]), true),
        (|peer| peer.call(0, "FCUnpublish", 6.0, vec!["s".into()]), true),
        (|peer| peer.call(0, "FCUnpublish", 6.0, vec!["live/s".into()]), true),
        (|peer| peer.call(0, "deleteStream", 7.0, vec![Value::Number(1.0)]), false),
    ];
    for (goodbye, told) in ways {
        let mut peer = Peer::publishing();
        let said = goodbye(&mut peer);
        if told {
            assert_eq!(status(&said), "NetStream.Unpublish.Success");
        }
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Unpublish { stream_id: 1 })));
        peer.send(9, 1, b"late");
        assert!(peer.server.next_event().is_none());
        assert_eq!(peer.server.counters().stray_media, 1);
        // And once more on the same connection.
        peer.call(1, "publish", 8.0, vec!["s".into()]);
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Publish { .. })));
    }
}

#[test]
fn numbers_no_stream_has_are_deleted_without_harm() {
    let mut peer = Peer::publishing();
    for id in [f64::NAN, f64::INFINITY, -1.0, 1e300, 0.0] {
        peer.call(0, "deleteStream", 0.0, vec![Value::Number(id)]);
    }
    peer.send(9, 1, b"still");
    assert_eq!(peer.media().len(), 1);
}

#[test]
fn a_refused_publisher_hears_why_and_nothing_of_it_gets_through() {
    for (refusal, code) in [
        (PublishRefusal::BadName, "NetStream.Publish.BadName"),
        (PublishRefusal::Denied, "NetStream.Publish.Denied"),
        (PublishRefusal::BadAuth, "NetStream.Publish.BadAuth"),
    ] {
        let mut peer = Peer::connected();
        peer.call(1, "publish", 5.0, vec!["s".into()]);
        peer.send(9, 1, b"before");
        peer.server.reject_publish(1, refusal, "because").unwrap();
        assert_eq!(status(&peer.said()), code);
        peer.send(9, 1, b"after");
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Publish { .. })));
        assert!(peer.server.next_event().is_none());
        peer.server.accept_publish(1).unwrap();
        assert!(peer.server.next_event().is_none() && peer.server.take_output().is_none());
    }
}

#[test]
fn media_sent_with_the_publish_command_arrives_once_it_is_accepted() {
    let mut peer = Peer::connected();
    let mut bytes = vec![];
    let publish = Command::new("publish", 5.0, vec!["s".into()]).encode();
    peer.writer.write(3, 0, 20, 1, &publish, &mut bytes);
    peer.writer.write(6, 40, 9, 1, &[0x17; 5000], &mut bytes);
    peer.writer.write(4, 41, 8, 1, b"sound", &mut bytes);
    let goodbye = Command::new("FCUnpublish", 6.0, vec!["s".into()]).encode();
    peer.writer.write(3, 0, 20, 0, &goodbye, &mut bytes);
    for piece in bytes.chunks(700) {
        peer.server.receive(piece, START).unwrap();
    }
    assert!(matches!(peer.server.next_event(), Some(ServerEvent::Publish { .. })));
    assert!(peer.server.next_event().is_none());
    peer.server.accept_publish(1).unwrap();
    let events: Vec<_> = std::iter::from_fn(|| peer.server.next_event()).collect();
    let [ServerEvent::Media(video), ServerEvent::Media(audio), ServerEvent::Unpublish { .. }] =
        events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!((video.kind, video.timestamp, video.buffer.len()), (TagKind::Video, 40, 5000));
    assert_eq!(
        (audio.kind, audio.timestamp, audio.buffer.data()),
        (TagKind::Audio, 41, &b"sound"[..])
    );
}

#[test]
fn what_is_held_back_is_bounded() {
    let limit = ServerConfig::default().max_held_len;
    for len in [1, 5000, 64 << 10] {
        let mut peer = Peer::connected();
        peer.call(1, "publish", 5.0, vec!["s".into()]);
        let mut sent = 0;
        let error = loop {
            match peer.try_send(9, 1, &vec![0; len]) {
                Ok(()) => sent += len,
                Err(error) => break error,
            }
        };
        assert_eq!(error, Error::HeldTooLarge { limit });
        assert!(sent < limit && sent > limit / 200, "{sent} bytes in messages of {len}");
    }
    // So is one message that is too long by itself.
    let mut peer = Peer::connected();
    peer.call(1, "publish", 5.0, vec!["s".into()]);
    let error = peer.try_send(9, 1, &vec![0; limit + 1]).unwrap_err();
    assert_eq!(error, Error::PartialTooLarge { limit });
}

#[test]
fn who_reads_no_more_than_there_is_room_for_loses_nobody() {
    for len in [0, 1, 200, 5000, 300_000, 1_900_000, 3_000_000] {
        let mut peer = Peer::connected();
        assert_eq!(peer.server.room(), usize::MAX);
        peer.call(1, "publish", 5.0, vec!["s".into()]);
        let mut bytes = vec![];
        for n in 0..(4 << 20) / (len + 200) {
            peer.writer.write(4, n as u32, 8, 1, &vec![7; len], &mut bytes);
        }
        let mut rest = bytes.as_slice();
        while peer.server.room() > 0 && !rest.is_empty() {
            let (piece, after) = rest.split_at(peer.server.room().min(rest.len()));
            peer.server.receive(piece, START).unwrap();
            rest = after;
        }
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Publish { .. })));
        peer.server.accept_publish(1).unwrap();
        assert_eq!(peer.server.room(), usize::MAX);
        peer.server.receive(rest, START).unwrap();
        if len > 0 {
            assert_eq!(peer.media().len(), (4 << 20) / (len + 200));
        }
    }
}

#[test]
fn messages_may_be_larger_once_a_publish_is_accepted() {
    let payload = vec![0x17; 3 << 20];
    let too_large = |error| matches!(error, Error::MessageTooLarge { limit: 65_536, .. });
    assert!(too_large(Peer::connected().try_send(9, 1, &payload).unwrap_err()));
    let mut peer = Peer::publishing();
    peer.send(9, 1, &payload);
    assert_eq!(peer.media(), [(TagKind::Video, payload.clone())]);
    // And not after it.
    peer.call(1, "closeStream", 0.0, vec![]);
    assert!(too_large(peer.try_send(9, 1, &payload).unwrap_err()));
}

#[test]
fn stopping_a_publisher_tells_it_and_reads_no_more() {
    let mut peer = Peer::publishing();
    peer.server.stop_publish(1, PublishRefusal::BadName, "replaced");
    assert_eq!(status(&peer.said()), "NetStream.Publish.BadName");
    peer.send(9, 1, b"late");
    assert!(peer.server.next_event().is_none());
}
