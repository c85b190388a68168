//! Several message streams on one connection.

use super::*;

/// What happened, in short: `publish 1 live/a`, `media 1 x`, `unpublish 1`.
fn events(peer: &mut Peer) -> Vec<String> {
    std::iter::from_fn(|| peer.server.next_event())
        .map(|event| match event {
            ServerEvent::Publish { stream_id, name, .. } => format!("publish {stream_id} {name}"),
            ServerEvent::Unpublish { stream_id } => format!("unpublish {stream_id}"),
            ServerEvent::Media(media) => {
                let text = String::from_utf8_lossy(media.buffer.data());
                format!("media {} {text}", media.stream_id)
            }
            event => format!("{event:?}"),
        })
        .collect()
}

/// A peer that publishes `a` on message stream 1 and `b` on 2.
fn two() -> Peer {
    let mut peer = Peer::connected();
    for (stream_id, key) in [(1, "a"), (2, "b")] {
        peer.call(0, "createStream", 2.0, vec![]);
        peer.call(stream_id, "publish", 0.0, vec![key.into()]);
        assert_eq!(events(&mut peer), [format!("publish {stream_id} live/{key}")]);
        peer.server.accept_publish(stream_id).unwrap();
        assert_eq!(status(&peer.said()), "NetStream.Publish.Start");
    }
    peer
}

#[test]
fn two_are_published_apart() {
    let mut peer = two();
    peer.send(9, 1, b"a1");
    peer.send(9, 2, b"b1");
    peer.send(8, 1, b"a2");
    peer.send(9, 3, b"stray");
    assert_eq!(events(&mut peer), ["media 1 a1", "media 2 b1", "media 1 a2"]);
    assert_eq!(peer.server.counters().stray_media, 1);
}

#[test]
fn one_says_goodbye_and_the_other_goes_on() {
    type Goodbye = fn(&mut Peer) -> Vec<Said>;
    let ways: [Goodbye; 5] = [
        |peer| peer.call(1, "publish", 0.0, vec![false.into()]),
        |peer| peer.call(1, "closeStream", 0.0, vec![]),
        |peer| peer.call(0, "FCUnpublish", 0.0, vec!["a".into()]),
        |peer| peer.call(0, "FCUnpublish", 0.0, vec!["a?token=1".into()]),
        |peer| peer.call(0, "deleteStream", 0.0, vec![Value::Number(1.0)]),
    ];
    for goodbye in ways {
        let mut peer = two();
        goodbye(&mut peer);
        peer.send(9, 1, b"late");
        peer.send(9, 2, b"on");
        assert_eq!(events(&mut peer), ["unpublish 1", "media 2 on"]);
        assert!(!peer.server.is_over());
    }
}

#[test]
fn a_goodbye_that_names_nobody_ends_nobody() {
    let mut peer = two();
    peer.call(0, "FCUnpublish", 0.0, vec!["c".into()]);
    peer.call(0, "FCUnpublish", 0.0, vec![]);
    assert_eq!(events(&mut peer), [""; 0]);
}

#[test]
fn a_refused_second_does_not_harm_the_first() {
    let mut peer = Peer::publishing();
    peer.call(2, "publish", 0.0, vec!["other".into()]);
    peer.send(9, 2, b"refused");
    peer.send(9, 1, b"first");
    assert_eq!(events(&mut peer), ["publish 2 live/other", "media 1 first"]);
    peer.server.reject_publish(2, PublishRefusal::BadName, "in use").unwrap();
    assert_eq!(status(&peer.said()), "NetStream.Publish.BadName");
    peer.send(9, 2, b"refused");
    peer.send(9, 1, b"on");
    assert_eq!(events(&mut peer), ["media 1 on"]);
    assert_eq!(peer.server.counters().stray_media, 2);
    assert!(!peer.server.is_over());
    // The refused one may try again.
    peer.call(2, "publish", 0.0, vec!["third".into()]);
    assert_eq!(events(&mut peer), ["publish 2 live/third"]);
}

#[test]
fn a_bad_second_name_does_not_harm_the_first() {
    let mut peer = Peer::publishing();
    let said = peer.call(2, "publish", 0.0, vec!["a/../b".into()]);
    assert_eq!(status(&said), "NetStream.Publish.BadName");
    assert!(matches!(peer.server.next_event(), Some(ServerEvent::BadName(_))));
    peer.send(9, 1, b"on");
    assert_eq!(events(&mut peer), ["media 1 on"]);
}

#[test]
fn refusals_without_end_end_the_connection() {
    let mut peer = Peer::publishing();
    let mut refused = 0;
    while !peer.server.is_over() {
        peer.call(2, "publish", 0.0, vec!["..".into()]);
        refused += 1;
    }
    assert_eq!(refused, ServerConfig::default().max_streams + 1);
}

#[test]
fn one_is_stopped_and_the_other_goes_on() {
    let mut peer = two();
    peer.server.stop_publish(1, PublishRefusal::BadName, "replaced");
    assert_eq!(status(&peer.said()), "NetStream.Publish.BadName");
    peer.send(9, 1, b"late");
    peer.send(9, 2, b"on");
    assert_eq!(events(&mut peer), ["media 2 on"]);
    peer.server.stop_publish(2, PublishRefusal::BadName, "replaced");
    assert!(peer.server.is_over());
}

#[test]
fn while_one_waits_for_an_answer_all_else_goes_on() {
    let mut peer = Peer::publishing();
    peer.call(2, "publish", 0.0, vec!["b".into()]);
    peer.send(9, 2, b"b1");
    peer.send(9, 1, b"a1");
    peer.send(4, 0, &[0, 6, 0, 0, 0, 9]);
    let aggregate = pushpull_media::flv::Tag::new(TagKind::Audio, 0, b"b2").unwrap();
    peer.send(22, 2, aggregate.bytes());
    assert_eq!(peer.said(), [Said::Control(Control::PingResponse(9))]);
    let said = peer.call(0, "createStream", 5.0, vec![]);
    assert_eq!(said, [result(5.0, Value::Number(2.0))]);
    // Goodbyes wait behind the media they follow.
    peer.call(0, "FCUnpublish", 0.0, vec!["b".into()]);
    peer.call(2, "publish", 0.0, vec!["c".into()]);
    peer.send(9, 2, b"c1");
    assert_eq!(events(&mut peer), ["publish 2 live/b", "media 1 a1"]);
    peer.server.accept_publish(2).unwrap();
    let expected = ["media 2 b1", "media 2 b2", "unpublish 2", "publish 2 live/c"];
    assert_eq!(events(&mut peer), expected);
    peer.server.accept_publish(2).unwrap();
    assert_eq!(events(&mut peer), ["media 2 c1"]);
    assert_eq!(peer.server.held_len, 0);
}

#[test]
fn what_was_held_is_read_no_further_than_the_end() {
    let mut peer = Peer::connected();
    peer.call(1, "publish", 0.0, vec!["a".into()]);
    peer.call(1, "closeStream", 0.0, vec![]);
    peer.call(1, "publish", 0.0, vec!["..".into()]);
    peer.call(1, "publish", 0.0, vec!["b".into()]);
    assert_eq!(events(&mut peer), ["publish 1 live/a"]);
    peer.server.accept_publish(1).unwrap();
    assert!(peer.server.is_over());
    let events = events(&mut peer);
    assert_eq!((&*events[0], events.len()), ("unpublish 1", 2));
    assert!(events[1].starts_with("BadName"), "{events:?}");
}

#[test]
fn an_answer_nobody_waits_for_changes_nothing() {
    let mut peer = two();
    peer.server.accept_publish(1).unwrap();
    peer.server.reject_publish(2, PublishRefusal::Failed, "late").unwrap();
    peer.server.reject_play(1, PlayRefusal::NotFound, "late");
    peer.server.accept_publish(99).unwrap();
    peer.server.stop_publish(99, PublishRefusal::Failed, "late");
    assert_eq!(peer.said(), []);
    peer.send(9, 2, b"on");
    assert_eq!(events(&mut peer), ["media 2 on"]);
}

#[test]
fn a_deleted_stream_makes_room_and_is_no_bearer_of_media() {
    let mut peer = two();
    peer.call(0, "deleteStream", 0.0, vec![Value::Number(2.0)]);
    peer.call(0, "deleteStream", 0.0, vec![Value::Number(2.0)]);
    peer.send(9, 2, b"late");
    assert_eq!(events(&mut peer), ["unpublish 2"]);
    assert_eq!(peer.server.streams.len(), 1);
    // Publishing on an id that was never made, or is gone, makes it: some pushers guess theirs.
    peer.call(7, "publish", 0.0, vec!["c".into()]);
    assert_eq!(events(&mut peer), ["publish 7 live/c"]);
}
