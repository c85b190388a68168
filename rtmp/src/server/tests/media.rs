//! Audio, video and data messages.

use pushpull_media::flv::Tag;

use super::*;
use crate::command::object;

#[test]
fn media_on_other_message_streams_is_kept_apart() {
    let mut peer = Peer::publishing();
    peer.send(9, 2, b"stranger");
    peer.send(9, 0, b"stranger");
    peer.send(9, 1, b"own");
    assert_eq!(peer.media(), [(TagKind::Video, b"own".to_vec())]);
    assert_eq!(peer.server.counters().stray_media, 2);
}

#[test]
fn script_data_starts_with_its_name() {
    let metadata = values(&["onMetaData".into(), object([("width", Value::Number(1.0))])]);
    let set = values(&["@setDataFrame".into()]);
    let mut peer = Peer::publishing();
    peer.send(18, 1, &metadata);
    peer.send(18, 1, &[&set[..], &metadata].concat());
    peer.send(15, 1, &[&[0], &set[..], &metadata].concat());
    peer.send(15, 1, &[&[0], &metadata[..]].concat());
    peer.send(15, 1, &metadata);
    assert_eq!(peer.media(), vec![(TagKind::Script, metadata.clone()); 5]);

    // Every type of value comes through as it is.
    let odd = values(&[
        "onMetaData".into(),
        Value::EcmaArray(vec![
            ("videocodecid".into(), "hvc1".into()),
            ("a".into(), Value::StrictArray(vec![Value::Undefined, Value::Unsupported])),
            ("long".into(), "x".repeat(70_000).into()),
        ]),
    ]);
    peer.send(18, 1, &odd);
    assert_eq!(peer.media(), [(TagKind::Script, odd)]);
}

#[test]
fn script_data_nobody_can_read_is_counted_and_dropped() {
    let deep = [&values(&["onMetaData".into()])[..], &[3, 0, 1, b'a'].repeat(100_000)].concat();
    let huge = [&values(&["onMetaData".into()])[..], &[0x0A, 255, 255, 255, 255]].concat();
    let amf3 = [&values(&["onMetaData".into()])[..], &[0x11, 0x0A]].concat();
    let bare_set = values(&["@setDataFrame".into()]);
    let number = values(&[Value::Number(1.0)]);
    let mut peer = Peer::publishing();
    for payload in [&[0, 1, 2, 3][..], &deep, &huge, &amf3, &bare_set, &number] {
        peer.send(18, 1, payload);
    }
    assert_eq!(peer.server.counters().ignored_data, 6);
    peer.send(18, 1, &values(&["@clearDataFrame".into(), "onMetaData".into()]));
    assert_eq!(peer.server.counters().ignored_data, 6);
    assert!(peer.server.next_event().is_none());
}

#[test]
fn aggregates_come_apart() {
    let mut payload = vec![];
    for (kind, time, data) in [(TagKind::Video, 0, &b"v"[..]), (TagKind::Audio, 5, b"a")] {
        payload.extend_from_slice(Tag::new(kind, time, data).unwrap().bytes());
    }
    let mut peer = Peer::publishing();
    peer.send(22, 1, &payload);
    assert_eq!(peer.media(), [(TagKind::Video, b"v".to_vec()), (TagKind::Audio, b"a".to_vec())]);
}

#[test]
fn what_means_nothing_is_counted() {
    let mut peer = Peer::publishing();
    for kind in [0, 7, 16, 19, 21, 255] {
        peer.send(kind, 0, b"shared object");
    }
    peer.send(20, 0, b"not a command");
    peer.send(8, 1, b"");
    peer.send(3, 0, b"");
    peer.send(4, 0, b"\0");
    assert!(peer.server.next_event().is_none());
    let expected = Counters { ignored_messages: 7, empty_media: 1, ..Counters::default() };
    assert_eq!(peer.server.counters(), expected);
}
