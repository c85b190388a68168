use proptest::prelude::*;
use pushpull_media::amf0::{self, Value};
use pushpull_media::flv::{Tag, TagKind};

use super::*;
use crate::client::{ClientConfig, ClientConnection, ClientEvent, PublishUrl};
use crate::command::object;
use crate::handshake::{PACKET_LEN, RANDOM_LEN};

const START: Duration = Duration::from_secs(1000);

fn server() -> ServerConnection {
    ServerConnection::new(ServerConfig::default(), [5; RANDOM_LEN], START)
}

/// What the server said.
#[derive(Debug, PartialEq)]
enum Said {
    Command(Command),
    Control(Control),
}

/// A client that can say anything, around the server it talks to.
struct Peer {
    server: ServerConnection,
    writer: chunk::Writer,
    reader: chunk::Reader,
}

impl Peer {
    /// After the handshake.
    fn new() -> Self {
        let mut server = server();
        let mut hello = vec![3];
        hello.extend([1; 2 * PACKET_LEN]);
        server.receive(&hello, START).unwrap();
        assert_eq!(server.take_output().unwrap().len(), 1 + 2 * PACKET_LEN);
        Self {
            server,
            writer: chunk::Writer::new(),
            reader: chunk::Reader::new(chunk::Limits::MEDIA),
        }
    }

    /// After `connect` to the app `live`.
    fn connected() -> Self {
        let mut peer = Self::new();
        peer.connect("live", vec![]);
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Connected { .. })));
        peer
    }

    /// After `publish` on stream 1 was accepted.
    fn publishing() -> Self {
        let mut peer = Self::connected();
        peer.call(0, "createStream", 2.0, vec![]);
        peer.call(1, "publish", 3.0, vec!["s".into(), "live".into()]);
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Publish { .. })));
        peer.server.accept_publish().unwrap();
        peer.said();
        peer
    }

    fn connect(&mut self, app: &str, more: Vec<(String, Value)>) -> Vec<Said> {
        let mut properties = vec![
            ("app".into(), app.into()),
            ("tcUrl".into(), format!("rtmp://h/{app}").into()),
            ("flashVer".into(), "test\n/1".into()),
        ];
        properties.extend(more);
        let object = Value::Object(properties);
        let command =
            Command { name: "connect".into(), transaction: 1.0, object, arguments: vec![] };
        self.send(20, 0, &command.encode());
        self.said()
    }

    fn try_send(&mut self, kind: u8, stream_id: u32, payload: &[u8]) -> Result<(), Error> {
        let mut bytes = Vec::new();
        self.writer.write(3, 0, kind, stream_id, payload, &mut bytes);
        self.server.receive(&bytes, self.server.clock.now)
    }

    fn send(&mut self, kind: u8, stream_id: u32, payload: &[u8]) {
        self.try_send(kind, stream_id, payload).unwrap();
    }

    fn call(
        &mut self,
        stream_id: u32,
        name: &str,
        transaction: f64,
        arguments: Vec<Value>,
    ) -> Vec<Said> {
        self.send(20, stream_id, &Command::new(name, transaction, arguments).encode());
        self.said()
    }

    fn said(&mut self) -> Vec<Said> {
        let Some(output) = self.server.take_output() else {
            return vec![];
        };
        let mut input = output.as_ref();
        let mut said = vec![];
        while let Some(message) = self.reader.read(&mut input).unwrap() {
            let payload = message.payload.data();
            said.push(match message.kind {
                20 => Said::Command(Command::decode(20, payload).unwrap()),
                kind => Said::Control(Control::decode(kind, payload).unwrap()),
            });
        }
        said
    }

    fn media(&mut self) -> Vec<(TagKind, Vec<u8>)> {
        std::iter::from_fn(|| self.server.next_event())
            .map(|event| match event {
                ServerEvent::Media(media) => (media.kind, media.buffer.data().to_vec()),
                event => panic!("{event:?}"),
            })
            .collect()
    }
}

fn result(transaction: f64, value: Value) -> Said {
    Said::Command(Command::new("_result", transaction, vec![value]))
}

/// The code of the only status in `said`.
fn status(said: &[Said]) -> &str {
    let statuses: Vec<_> = said
        .iter()
        .filter_map(|said| match said {
            Said::Command(command) if command.name == "onStatus" => {
                command.arguments[0].get("code")?.as_str()
            }
            _ => None,
        })
        .collect();
    assert_eq!(statuses.len(), 1, "{said:?}");
    statuses[0]
}

fn values(values: &[Value]) -> Vec<u8> {
    let mut out = vec![];
    for value in values {
        amf0::encode(value, &mut out);
    }
    out
}

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

#[test]
fn enhanced_rtmp_is_answered_to_those_who_speak_it() {
    let more = vec![("fourCcList".into(), Value::StrictArray(vec!["hvc1".into()]))];
    let said = Peer::new().connect("live", more);
    let Some(Said::Command(result)) = said.last() else { panic!() };
    let info = &result.arguments[0];
    assert_eq!(info.get("capsEx"), Some(&Value::Number(12.0)));
    assert_eq!(info.get("videoFourCcInfoMap"), Some(&object([("*", Value::Number(4.0))])));
    let Some(Value::StrictArray(codes)) = info.get("fourCcList") else { panic!() };
    assert!(codes.contains(&"hvc1".into()));
}

#[test]
fn connected_tells_who_it_is_without_control_characters() {
    let mut peer = Peer::new();
    peer.connect("live/room?x=1", vec![]);
    let Some(ServerEvent::Connected { app, agent }) = peer.server.next_event() else { panic!() };
    assert_eq!((app.as_str(), agent.as_str()), ("live/room?x=1", "test/1"));
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
    peer.call(0, "deleteStream", 0.0, vec![Value::Number(1.0)]);
    let said = peer.call(0, "createStream", 2.0, vec![]);
    assert_eq!(said, [result(2.0, Value::Number(17.0))], "ids are not used again");
}

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
        peer.server.accept_publish().unwrap();
        let said = peer.said();
        assert!(said.contains(&Said::Control(Control::StreamBegin(1))));
        assert_eq!(status(&said), "NetStream.Publish.Start");
    }
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
        peer.server.reject_publish(refusal, "because");
        assert_eq!(status(&peer.said()), code);
        peer.send(9, 1, b"after");
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Publish { .. })));
        assert!(peer.server.next_event().is_none());
        peer.server.accept_publish().unwrap();
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
    peer.server.accept_publish().unwrap();
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
    let mut peer = Peer::connected();
    peer.call(1, "publish", 5.0, vec!["s".into()]);
    let limit = ServerConfig::default().max_held_len;
    let piece = vec![0; limit / 2];
    peer.server.receive(&piece, START).unwrap();
    peer.server.receive(&piece, START).unwrap();
    assert_eq!(peer.server.receive(&[0], START), Err(Error::HeldTooLarge { limit }));
}

#[test]
fn messages_may_be_larger_once_a_publish_is_accepted() {
    let payload = vec![0x17; 3 << 20];
    let error = Peer::connected().try_send(9, 1, &payload).unwrap_err();
    assert!(matches!(error, Error::MessageTooLarge { len: 3_145_728, limit: 65_536, .. }));
    let mut peer = Peer::publishing();
    peer.send(9, 1, &payload);
    assert_eq!(peer.media(), [(TagKind::Video, payload)]);
}

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
fn play_is_asked_and_can_be_refused() {
    for (name, argument) in
        [("play", "s?k=1".into()), ("play2", object([("streamName", "s?k=1".into())]))]
    {
        let mut peer = Peer::connected();
        peer.call(1, name, 5.0, vec![argument]);
        let Some(ServerEvent::Play { stream_id: 1, name, query }) = peer.server.next_event() else {
            panic!();
        };
        assert_eq!((name.as_str(), query.as_str()), ("live/s", "k=1"));
        peer.server.reject_play("not here").unwrap();
        assert_eq!(status(&peer.said()), "NetStream.Play.StreamNotFound");
        assert_eq!(peer.call(0, "x", 9.0, vec![]), [result(9.0, Value::Undefined)]);
    }
}

#[test]
fn stopping_a_publisher_tells_it_and_reads_no_more() {
    let mut peer = Peer::publishing();
    peer.server.stop_publish(1, PublishRefusal::BadName, "replaced");
    assert_eq!(status(&peer.said()), "NetStream.Publish.BadName");
    peer.send(9, 1, b"late");
    assert!(peer.server.next_event().is_none());
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

#[test]
fn amf3_commands_are_read() {
    let mut peer = Peer::connected();
    let payload = [&[0], &Command::new("createStream", 2.0, vec![]).encode()[..]].concat();
    peer.send(17, 0, &payload);
    assert_eq!(peer.said(), [result(2.0, Value::Number(1.0))]);
}

#[test]
fn every_window_is_acknowledged_with_the_bytes_so_far() {
    let mut peer = Peer::publishing();
    peer.send(5, 0, &100_000u32.to_be_bytes());
    let mut acknowledged = vec![];
    for _ in 0..240 {
        peer.send(9, 1, &[0; 10_000]);
        peer.media();
        for said in peer.said() {
            let Said::Control(Control::Acknowledgement(bytes)) = said else { panic!("{said:?}") };
            assert_eq!(u64::from(bytes), peer.server.received);
            acknowledged.push(bytes);
        }
    }
    assert!(acknowledged.len() >= 24, "{acknowledged:?}");
    assert!(acknowledged.windows(2).all(|pair| pair[1] - pair[0] <= 100_000));
}

#[test]
fn acknowledgements_wrap_and_a_window_of_0_is_the_default() {
    let mut peer = Peer::publishing();
    peer.send(5, 0, &[0; 4]);
    peer.send(9, 1, &[0; 10_000]);
    assert_eq!(peer.said(), []);
    peer.server.received = u64::from(u32::MAX) - 5;
    peer.send(9, 1, b"x");
    let [Said::Control(Control::Acknowledgement(bytes))] = peer.said()[..] else { panic!() };
    assert_eq!(u64::from(bytes), peer.server.received - (1 << 32));
    // The smallest window must not flood.
    peer.send(5, 0, &[0, 0, 0, 1]);
    assert_eq!(peer.said().len(), 1);
}

#[test]
fn pings_are_answered() {
    let mut peer = Peer::connected();
    peer.send(4, 0, &[0, 6, 1, 2, 3, 4]);
    assert_eq!(peer.said(), [Said::Control(Control::PingResponse(0x0102_0304))]);
}

#[test]
fn a_silent_publisher_is_pinged_and_then_given_up() {
    let mut peer = Peer::publishing();
    let config = ServerConfig::default();
    let mut pings = 0;
    loop {
        let now = peer.server.timeout().unwrap();
        assert!(now > peer.server.clock.now);
        match peer.server.on_timeout(now) {
            Ok(()) => {
                let millis = u32::try_from((now - START).as_millis()).unwrap();
                assert_eq!(peer.said(), [Said::Control(Control::PingRequest(millis))]);
                pings += 1;
            }
            Err(error) => {
                assert_eq!(error, Error::IdleTimeout { limit: config.idle_timeout });
                assert_eq!(now, START + config.idle_timeout);
                break;
            }
        }
    }
    assert_eq!(pings, 5);
}

#[test]
fn any_byte_keeps_a_publisher_alive() {
    let mut peer = Peer::publishing();
    for minute in 1..100 {
        let now = START + Duration::from_secs(20 * minute);
        peer.server.on_timeout(now).unwrap();
        peer.server.clock.now = now;
        peer.send(4, 0, &[0, 7, 0, 0, 0, 0]);
    }
}

#[test]
fn a_handshake_that_trickles_is_given_up() {
    let mut server = server();
    for second in 0..10 {
        let now = START + Duration::from_secs(second);
        server.receive(&[3], now).unwrap();
        server.on_timeout(now).unwrap();
    }
    assert_eq!(server.timeout(), Some(START + Duration::from_secs(10)));
    let error = server.on_timeout(START + Duration::from_secs(10)).unwrap_err();
    assert_eq!(error, Error::HandshakeTimeout { limit: Duration::from_secs(10) });
}

#[test]
fn a_connection_without_a_purpose_is_given_up() {
    for mut peer in [Peer::new(), Peer::connected()] {
        let mut failed = None;
        for second in 0..40 {
            let now = START + Duration::from_secs(second);
            peer.server.clock.now = now;
            failed = peer.server.on_timeout(now).err().map(|error| (second, error));
            if failed.is_some() {
                break;
            }
            peer.send(4, 0, &[0, 7, 0, 0, 0, 0]);
        }
        assert_eq!(failed, Some((30, Error::SetupTimeout { limit: Duration::from_secs(30) })));
    }
}

/// Runs a client against a server, both sides' bytes cut into pieces by `splits`.
fn publish(
    signed: bool,
    chunk_size: u32,
    tags: &[(TagKind, u32, Vec<u8>)],
    splits: &[usize],
) -> Vec<(TagKind, u32, Vec<u8>)> {
    let url = PublishUrl::parse("rtmp://h/live/s?k=1").unwrap();
    let config = ClientConfig { signed, chunk_size, ..ClientConfig::new(url) };
    let mut client = ClientConnection::new(config, [9; RANDOM_LEN]);
    let mut server = server();
    let mut splits = splits.iter().copied().cycle();
    let mut received = vec![];
    let mut unpublished = false;
    loop {
        let mut quiet = true;
        while let Some(bytes) = client.take_output() {
            quiet = false;
            let mut rest = bytes.as_ref();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(splits.next().unwrap().min(rest.len()));
                server.receive(piece, START).unwrap();
                rest = after;
            }
        }
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::Connected { .. } => {}
                ServerEvent::Publish { name, query, .. } => {
                    assert_eq!((name.as_str(), query.as_str()), ("live/s", "k=1"));
                    server.accept_publish().unwrap();
                }
                ServerEvent::Media(media) => {
                    let tag = media.buffer.finish(media.kind, media.timestamp.into());
                    received.push((media.kind, media.timestamp, tag.data().to_vec()));
                }
                ServerEvent::Unpublish { .. } => unpublished = true,
                event => panic!("{event:?}"),
            }
        }
        while let Some(bytes) = server.take_output() {
            quiet = false;
            for piece in bytes.chunks(splits.next().unwrap()) {
                client.receive(piece).unwrap();
            }
        }
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Published => {
                    for (kind, timestamp, data) in tags {
                        client.send(*kind, *timestamp, data).unwrap();
                    }
                    client.unpublish();
                }
                ClientEvent::Refused { code, .. } => panic!("{code}"),
                _ => {}
            }
        }
        if quiet {
            assert!(unpublished);
            assert_eq!(server.counters(), Counters::default());
            return received;
        }
    }
}

fn tag() -> impl Strategy<Value = (TagKind, u32, Vec<u8>)> {
    let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
    let time = prop_oneof![0..100u32, 0xFF_FFF0..0x100_0010u32, Just(u32::MAX), any::<u32>()];
    (kind, time, prop::collection::vec(any::<u8>(), 1..600)).prop_map(|(kind, time, data)| {
        match kind {
            TagKind::Script => (kind, time, values(&["onMetaData".into(), Value::Null])),
            _ => (kind, time, data),
        }
    })
}

proptest! {
    #[test]
    fn what_a_client_publishes_arrives_whatever_the_pieces(
        signed in any::<bool>(),
        chunk_size in prop_oneof![1..300u32, Just(60_000u32)],
        tags in prop::collection::vec(tag(), 0..12),
        splits in prop::collection::vec(prop_oneof![1..40usize, 1..5000usize], 1..12),
    ) {
        prop_assert_eq!(publish(signed, chunk_size, &tags, &splits), tags);
    }

    #[test]
    fn arbitrary_messages_never_panic(
        messages in prop::collection::vec(
            (0..24u8, 0..3u32, prop::collection::vec(any::<u8>(), 0..60)),
            0..60,
        ),
        accept in any::<bool>(),
    ) {
        let mut peer = Peer::connected();
        for (kind, stream_id, payload) in &messages {
            if peer.try_send(*kind, *stream_id, payload).is_err() {
                return Ok(());
            }
            while peer.server.next_event().is_some() {}
            if accept {
                let _ = peer.server.accept_publish();
            }
            let _ = peer.server.reject_play("no");
            peer.server.take_output();
        }
    }

    #[test]
    fn arbitrary_commands_never_panic(
        commands in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "connect", "createStream", "publish", "play", "play2", "closeStream",
                    "deleteStream", "FCPublish", "FCUnpublish", "releaseStream", "x",
                ]),
                0..3u32,
                prop_oneof![Just(0.0), Just(1.0), any::<f64>()],
                prop::collection::vec(
                    prop_oneof![
                        Just(Value::Boolean(false)),
                        any::<f64>().prop_map(Value::Number),
                        ".{0,8}".prop_map(Value::String),
                        Just(Value::Object(vec![("streamName".into(), Value::Null)])),
                    ],
                    0..4,
                ),
            ),
            0..40,
        ),
    ) {
        let mut peer = Peer::connected();
        for (name, stream_id, transaction, arguments) in commands {
            let payload = Command::new(name, transaction, arguments).encode();
            peer.try_send(20, stream_id, &payload).unwrap();
            peer.try_send(9, stream_id, b"media").unwrap();
            while let Some(event) = peer.server.next_event() {
                match event {
                    ServerEvent::Publish { .. } => peer.server.accept_publish().unwrap(),
                    ServerEvent::Play { .. } => peer.server.reject_play("no").unwrap(),
                    _ => {}
                }
            }
            peer.said();
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut peer = Peer::connected();
        let _ = peer.server.receive(&bytes, START);
        let mut fresh = server();
        let _ = fresh.receive(&[&[3], &bytes[..]].concat(), START);
    }
}
