mod answers;
mod commands;
mod connect;
mod keeping;
mod media;
mod play;
mod publish;
mod streams;
mod whole;

use pushpull_media::amf0::{self, Value};
use pushpull_media::flv::TagKind;

use super::*;
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
    Data(Vec<Value>),
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
        peer.server.accept_publish(1).unwrap();
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
                18 => {
                    let mut values = amf0::Decoder::new(payload);
                    Said::Data(std::iter::from_fn(|| values.next_value().unwrap()).collect())
                }
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
