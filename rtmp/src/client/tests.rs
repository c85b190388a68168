//! The client against a server that says what the test wants it to.

use pushpull_media::flv::TagKind;

use super::*;
use crate::handshake::{PACKET_LEN, RANDOM_LEN};

/// A server, message by message.
struct Server {
    client: ClientConnection,
    reader: chunk::Reader,
    writer: chunk::Writer,
}

impl Server {
    /// After the handshake, `connect` and `createStream`, with the message stream 3; and the commands that came.
    fn with_stream(config: ClientConfig) -> (Self, Vec<Command>) {
        let mut client = ClientConnection::new(config, [1; RANDOM_LEN]);
        let c0_c1 = client.take_output().unwrap();
        let answer = [&[3], &[2; PACKET_LEN][..], &c0_c1[1..]].concat();
        client.receive(&answer).unwrap();
        let mut output = client.take_output().unwrap();
        let reader = chunk::Reader::new(chunk::Limits::SETUP);
        let mut server = Self { client, reader, writer: chunk::Writer::new() };
        let mut commands = server.read(&output.split_off(PACKET_LEN));
        server.result(CONNECT, Value::Null);
        commands.extend(server.heard());
        server.result(CREATE_STREAM, Value::Number(3.0));
        commands.extend(server.heard());
        assert!(matches!(server.client.next_event(), Some(ClientEvent::Connected { .. })));
        (server, commands)
    }

    fn playing() -> Self {
        let mut server = Self::with_stream(ClientConfig::play(url())).0;
        server.status("status", "NetStream.Play.Start");
        assert_eq!(server.client.next_event(), Some(ClientEvent::Playing));
        server
    }

    fn read(&mut self, mut input: &[u8]) -> Vec<Command> {
        let mut commands = vec![];
        while let Some(message) = self.reader.read(&mut input).unwrap() {
            commands.extend(Command::decode(message.kind, message.payload.data()));
        }
        commands
    }

    fn heard(&mut self) -> Vec<Command> {
        let output = self.client.take_output().unwrap_or_default();
        self.read(&output)
    }

    fn say(&mut self, time: u32, kind: u8, stream_id: u32, payload: &[u8]) {
        let mut bytes = vec![];
        self.writer.write(4, time, kind, stream_id, payload, &mut bytes);
        self.client.receive(&bytes).unwrap();
    }

    fn result(&mut self, transaction: f64, value: Value) {
        let result = Command::new("_result", transaction, vec![value]);
        self.say(0, kind::COMMAND_AMF0, 0, &result.encode());
    }

    fn status(&mut self, level: &str, code: &str) {
        let info = object([("level", level.into()), ("code", code.into())]);
        let status = Command::new("onStatus", 0.0, vec![info]);
        self.say(0, kind::COMMAND_AMF0, 3, &status.encode());
    }

    fn control(&mut self, control: Control) {
        let (kind, payload) = control.encode();
        self.say(0, kind, 0, &payload);
    }

    fn events(&mut self) -> Vec<ClientEvent> {
        std::iter::from_fn(|| self.client.next_event()).collect()
    }

    fn media(&mut self) -> Vec<(TagKind, u32, Vec<u8>)> {
        let events = self.events().into_iter().map(|event| match event {
            ClientEvent::Media { kind, timestamp, buffer } => {
                (kind, timestamp, buffer.data().to_vec())
            }
            event => panic!("{event:?}"),
        });
        events.collect()
    }
}

fn url() -> PublishUrl {
    PublishUrl::parse("rtmp://h/live/s?start=live").unwrap()
}

fn names(commands: &[Command]) -> Vec<&str> {
    commands.iter().map(|command| command.name.as_str()).collect()
}

#[test]
fn what_a_publisher_and_a_player_ask_for() {
    let (_, commands) = Server::with_stream(ClientConfig::new(url()));
    let asked = ["connect", "releaseStream", "FCPublish", "createStream", "publish"];
    assert_eq!(names(&commands), asked);

    let (_, commands) = Server::with_stream(ClientConfig::play(url()));
    assert_eq!(names(&commands), ["connect", "createStream", "play"]);
    assert_eq!(commands[2].arguments, ["s?start=live".into(), Value::Number(-2.0)]);
}

#[test]
fn media_of_the_stream_that_is_played_comes_as_its_tags_had_it() {
    let mut server = Server::playing();
    let mut metadata = vec![];
    pushpull_media::amf0::encode(&"onMetaData".into(), &mut metadata);
    let mut access = vec![];
    pushpull_media::amf0::encode(&"|RtmpSampleAccess".into(), &mut access);
    server.say(0, kind::DATA_AMF0, 3, &access);
    server.say(0, kind::DATA_AMF3, 3, &[&[0], &metadata[..]].concat());
    server.say(7, kind::VIDEO, 3, &[0x17; 70_000]);
    server.say(0x0100_0000, kind::AUDIO, 3, b"sound");
    server.say(9, kind::AUDIO, 4, b"of another stream");
    server.say(9, kind::VIDEO, 3, b"");
    assert_eq!(
        server.media(),
        [
            (TagKind::Script, 0, metadata),
            (TagKind::Video, 7, vec![0x17; 70_000]),
            (TagKind::Audio, 0x0100_0000, b"sound".to_vec()),
        ]
    );
}

#[test]
fn media_on_message_stream_0_is_the_stream_s_too() {
    let mut server = Server::playing();
    server.say(7, kind::VIDEO, 0, b"a picture");
    assert_eq!(server.media(), [(TagKind::Video, 7, b"a picture".to_vec())]);
}

#[test]
fn aggregates_come_as_what_is_in_them() {
    let mut server = Server::playing();
    let mut payload = vec![];
    for (kind, time, data) in [(8, 1000, b"a"), (9, 1040, b"v")] {
        let tag = pushpull_media::flv::Tag::new(TagKind::from_type(kind).unwrap(), time, data);
        payload.extend_from_slice(tag.unwrap().bytes());
    }
    server.say(5000, kind::AGGREGATE, 3, &payload);
    assert_eq!(
        server.media(),
        [(TagKind::Audio, 5000, b"a".to_vec()), (TagKind::Video, 5040, b"v".to_vec())]
    );
}

#[test]
fn begin_and_end_of_the_stream_are_told() {
    let mut server = Server::playing();
    server.control(Control::StreamBegin(3));
    server.control(Control::StreamEof(4));
    server.control(Control::StreamEof(3));
    server.status("status", "NetStream.Play.UnpublishNotify");
    server.status("error", "NetStream.Play.StreamNotFound");
    assert_eq!(
        server.events(),
        [
            ClientEvent::Begin,
            ClientEvent::Eof,
            ClientEvent::Status { code: "NetStream.Play.UnpublishNotify".into() },
            ClientEvent::Refused {
                code: "NetStream.Play.StreamNotFound".into(),
                description: String::new()
            },
        ]
    );
}

#[test]
fn a_player_says_what_it_wants_and_goodbye() {
    let mut server = Server::playing();
    server.heard();
    server.client.pause(true, 40).unwrap();
    server.client.receive_audio(false).unwrap();
    server.client.receive_video(true).unwrap();
    let heard = server.heard();
    assert_eq!(names(&heard), ["pause", "receiveAudio", "receiveVideo"]);
    assert_eq!(heard[0].arguments, [true.into(), Value::Number(40.0)]);
    assert_eq!(server.client.send(TagKind::Audio, 0, b"a"), Err(Error::NotPublishing));
    server.client.stop();
    assert_eq!(names(&server.heard()), ["deleteStream"]);
    assert_eq!(server.client.pause(false, 0), Err(Error::NotPlaying));
}

#[test]
fn a_player_acknowledges_what_it_receives() {
    let mut server = Server::playing();
    server.control(Control::WindowSize(1000));
    server.heard();
    server.say(0, kind::VIDEO, 3, &[0; 2000]);
    let output = server.client.take_output().unwrap();
    let message = server.reader.read(&mut output.as_ref()).unwrap().unwrap();
    assert_eq!(message.kind, kind::ACKNOWLEDGEMENT);
}
