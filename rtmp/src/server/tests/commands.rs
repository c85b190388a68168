//! Commands of the connection, and their answers.

use super::*;
use crate::command::object;

#[test]
fn connect_is_answered_in_order() {
    let said = Peer::new().connect("live", vec![]);
    let [
        Said::Control(Control::WindowSize(2_500_000)),
        Said::Control(Control::PeerBandwidth(2_500_000)),
        Said::Command(result),
    ] = said.as_slice()
    else {
        panic!("{said:?}");
    };
    let info = &result.arguments[0];
    assert_eq!((result.name.as_str(), result.transaction), ("_result", 1.0));
    assert_eq!(info.get("code"), Some(&"NetConnection.Connect.Success".into()));
    assert_eq!(info.get("objectEncoding"), Some(&Value::Number(0.0)));
    assert_eq!(info.get("capsEx"), None);
}

/// The information object of the answer to `connect` with these properties.
fn info(properties: Vec<(String, Value)>) -> Value {
    let said = Peer::new().connect("live", properties);
    let Some(Said::Command(result)) = said.last() else { panic!("{said:?}") };
    result.arguments[0].clone()
}

#[test]
fn enhanced_rtmp_is_answered_to_those_who_speak_it() {
    let forward = || object([("*", Value::Number(4.0))]);
    let all = info(vec![
        ("fourCcList".into(), Value::StrictArray(vec!["hvc1".into()])),
        ("videoFourCcInfoMap".into(), object([("hvc1", Value::Number(1.0))])),
        ("audioFourCcInfoMap".into(), object([("*", Value::Number(7.0))])),
        ("capsEx".into(), Value::Number(15.0)),
    ]);
    // All but asking for a reconnect.
    assert_eq!(all.get("capsEx"), Some(&Value::Number(14.0)));
    assert_eq!(all.get("videoFourCcInfoMap"), Some(&forward()));
    assert_eq!(all.get("audioFourCcInfoMap"), Some(&forward()));
    let Some(Value::StrictArray(codes)) = all.get("fourCcList") else { panic!("{all:?}") };
    for code in ["avc1", "hvc1", "av01", "vp09", "mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3"] {
        assert!(codes.contains(&code.into()), "{code}");
    }
}

#[test]
fn enhanced_rtmp_is_answered_as_far_as_it_was_asked_about() {
    // OBS 29.1 and ffmpeg 6 ask in the way of the first version, whatever the type of the value.
    for list in [Value::StrictArray(vec!["*".into()]), Value::Null, Value::EcmaArray(vec![])] {
        let first = info(vec![("fourCcList".into(), list)]);
        assert!(matches!(first.get("fourCcList"), Some(Value::StrictArray(_))));
        for key in ["capsEx", "videoFourCcInfoMap", "audioFourCcInfoMap"] {
            assert_eq!(first.get(key), None);
        }
    }
    let caps = info(vec![("capsEx".into(), Value::Number(2.0))]);
    assert_eq!((caps.get("capsEx"), caps.get("fourCcList")), (Some(&Value::Number(14.0)), None));
}

#[test]
fn amf3_asked_for_is_answered_in_amf0() {
    let info = info(vec![("objectEncoding".into(), Value::Number(3.0))]);
    assert_eq!(info.get("objectEncoding"), Some(&Value::Number(0.0)));
}

#[test]
fn properties_of_any_type_do_no_harm() {
    // HaishinKit sends null for what it has not got.
    let odd = [Value::Null, Value::Undefined, Value::Number(f64::NAN), Value::EcmaArray(vec![])];
    for value in odd {
        let properties = ["app", "tcUrl", "flashVer", "swfUrl", "capsEx", "objectEncoding"]
            .map(|key| (key.to_owned(), value.clone()));
        let command = Command {
            name: "connect".into(),
            transaction: 1.0,
            object: Value::Object(properties.into()),
            arguments: vec![value],
        };
        let mut peer = Peer::new();
        peer.send(20, 0, &command.encode());
        let said = peer.said();
        assert!(matches!(said.last(), Some(Said::Command(c)) if c.name == "_result"), "{said:?}");
    }
}

#[test]
fn connected_tells_who_it_is_without_control_characters_and_secrets() {
    let mut peer = Peer::new();
    peer.connect("live/\u{202e}room?txSecret=1", vec![]);
    let Some(ServerEvent::Connected { app, agent }) = peer.server.next_event() else { panic!() };
    assert_eq!((app.as_str(), agent.as_str()), ("live/room", "test/1"));
}

#[test]
fn every_call_gets_its_answer() {
    let mut peer = Peer::connected();
    let undefined = || Value::Undefined;
    for name in ["releaseStream", "_checkbw", "pause", "seek", "receiveAudio", "makeCoffee"] {
        assert_eq!(peer.call(0, name, 9.0, vec!["s".into()]), [result(9.0, undefined())]);
        assert_eq!(peer.call(0, name, 0.0, vec![]), [], "nobody asked for an answer");
    }
    for id in 1..=3 {
        assert_eq!(
            peer.call(0, "createStream", 4.0, vec![]),
            [result(4.0, Value::Number(f64::from(id)))]
        );
    }
    assert_eq!(peer.call(0, "getStreamLength", 5.0, vec![]), [result(5.0, Value::Number(0.0))]);
    for (name, notice) in [
        ("FCPublish", "onFCPublish"),
        ("FCUnpublish", "onFCUnpublish"),
        ("FCSubscribe", "onFCSubscribe"),
    ] {
        let said = peer.call(0, name, 7.0, vec!["key".into()]);
        let [first, Said::Command(notified)] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!(first, &result(7.0, undefined()));
        assert_eq!((notified.name.as_str(), notified.transaction), (notice, 7.0));
    }
    assert!(peer.server.next_event().is_none());
}

#[test]
fn the_chunk_size_is_told_before_anything_is_longer_than_a_chunk_was() {
    let mut peer = Peer::new();
    let connect = Command::new("connect", 1.0, vec![]);
    peer.send(20, 0, &connect.encode());
    let output = peer.server.take_output().unwrap();
    let find = |pattern: &[u8]| output.windows(pattern.len()).position(|w| w == pattern).unwrap();
    let told = find(&[1, 0, 0, 0xEA, 0x60]);
    assert!(told < 128 && told < find(b"_result"), "Set Chunk Size at byte {told}");
}

#[test]
fn connecting_twice_is_an_error_that_changes_nothing() {
    let mut peer = Peer::connected();
    let said = peer.connect("other", vec![]);
    assert!(matches!(said.as_slice(), [Said::Command(c)] if c.name == "_error"), "{said:?}");
    assert!(peer.server.next_event().is_none());
}

#[test]
fn commands_before_connect_end_the_connection() {
    let payload = Command::new("publish", 1.0, vec!["s".into()]).encode();
    let error = Peer::new().try_send(20, 0, &payload).unwrap_err();
    assert_eq!(error, Error::NotConnected { name: "publish".into() });
}

#[test]
fn message_streams_are_bounded() {
    let mut peer = Peer::connected();
    for _ in 0..16 {
        peer.call(0, "createStream", 2.0, vec![]);
    }
    let said = peer.call(0, "createStream", 2.0, vec![]);
    assert!(matches!(said.as_slice(), [Said::Command(c)] if c.name == "_error"), "{said:?}");
    let said = peer.call(99, "publish", 0.0, vec!["s".into()]);
    assert_eq!(status(&said), "NetStream.Publish.Failed");
    assert_eq!(peer.server.counters().refused_streams, 2);
    peer.call(0, "deleteStream", 0.0, vec![Value::Number(1.0)]);
    let said = peer.call(0, "createStream", 2.0, vec![]);
    assert_eq!(said, [result(2.0, Value::Number(17.0))], "ids are not used again");
}

#[test]
fn amf3_commands_are_read() {
    let mut peer = Peer::connected();
    let payload = [&[0], &Command::new("createStream", 2.0, vec![]).encode()[..]].concat();
    peer.send(17, 0, &payload);
    assert_eq!(peer.said(), [result(2.0, Value::Number(1.0))]);
}
