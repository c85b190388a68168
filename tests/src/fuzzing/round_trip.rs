//! FLV → RTMP → FLV: tags sent by our client come out of our server bit for bit, at their times.

use std::time::Duration;

use pushpull_media::amf0::{self, Value};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_rtmp::client::{ClientConfig, ClientEvent, PublishUrl};
use pushpull_rtmp::handshake::RANDOM_LEN;
use pushpull_rtmp::server::{Counters, ServerConfig, ServerEvent};
use pushpull_rtmp::{ClientConnection, ServerConnection};

use super::Script;
use super::script::cut;

/// Sends the tags of the script.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let mode = script.byte();
    let seed = script.byte();
    let url = PublishUrl::parse("rtmp://h/live/a?b=c").expect("a URL");
    let mut config = ClientConfig::new(url);
    config.signed = mode & 1 != 0;
    config.chunk_size = script.pick(&[1, 128, 4096, 0x7FFF_FFFF]);
    let mut pair = Pair {
        client: ClientConnection::new(config, [1; RANDOM_LEN]),
        server: ServerConnection::new(
            ServerConfig { chunk_size: script.pick(&[60_000, 128]), ..ServerConfig::default() },
            [2; RANDOM_LEN],
            Duration::ZERO,
        ),
        seed,
        published: false,
        unpublished: 0,
        received: Vec::new(),
    };
    while pair.exchange() {}
    assert!(pair.published);
    let mut sent = Vec::new();
    let mut bytes = 0;
    while !script.is_over() && bytes < MAX_SENT {
        let tag = tag(&mut script);
        bytes += tag.bytes().len();
        let time = tag.time() as u32;
        pair.client.send(tag.kind(), time, tag.data()).expect("it publishes");
        sent.push(tag);
        if script.byte().is_multiple_of(4) {
            while pair.exchange() {}
        }
    }
    pair.client.unpublish();
    while pair.exchange() {}
    assert_eq!(pair.unpublished, 1);
    assert_eq!(pair.server.counters(), Counters::default());
    for (n, (received, sent)) in pair.received.iter().zip(&sent).enumerate() {
        assert!(
            received.bytes() == sent.bytes() && received == sent,
            "{n}: {received:?} for {sent:?}"
        );
    }
    assert_eq!(pair.received.len(), sent.len());
}

fn tag(script: &mut Script<'_>) -> Tag {
    let kind = script.pick(&[TagKind::Video, TagKind::Audio, TagKind::Script]);
    let time = i64::from(script.time());
    let mut data = script.payload();
    if kind == TagKind::Script {
        // Script data is a name and values; whatever else is not passed on.
        let text = String::from_utf8_lossy(&data).into_owned();
        data.clear();
        let name = if text.starts_with('@') { "onCuePoint" } else { &text };
        amf0::encode(&name.into(), &mut data);
        amf0::encode(&Value::EcmaArray(vec![(text, Value::Number(1.0))]), &mut data);
    } else if data.is_empty() {
        // Messages without a payload carry nothing, and are counted instead.
        data.push(0);
    }
    Tag::new(kind, time, &data).expect("it fits")
}

/// Both ends, in memory.
struct Pair {
    client: ClientConnection,
    server: ServerConnection,
    seed: u8,
    published: bool,
    unpublished: u32,
    received: Vec<Tag>,
}

impl Pair {
    /// Carries what each side has for the other; whether there was anything.
    fn exchange(&mut self) -> bool {
        let mut moved = false;
        while let Some(bytes) = self.client.take_output() {
            for piece in cut(&bytes, self.seed) {
                self.server.receive(piece, Duration::ZERO).expect("a good client");
                self.events();
            }
            moved = true;
        }
        while let Some(bytes) = self.server.take_output() {
            for piece in cut(&bytes, self.seed) {
                self.client.receive(piece).expect("a good server");
            }
            moved = true;
        }
        while let Some(event) = self.client.next_event() {
            match event {
                ClientEvent::Published => self.published = true,
                ClientEvent::Refused { code, .. } => panic!("refused: {code}"),
                _ => {}
            }
        }
        moved
    }

    fn events(&mut self) {
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::Publish { stream_id, name, query } => {
                    assert_eq!((name.as_str(), query.as_str()), ("live/a", "b=c"));
                    self.server.accept_publish(stream_id).expect("nothing is held that is wrong");
                }
                ServerEvent::Media(media) => {
                    let tag = media.buffer.finish(media.kind, media.timestamp.into());
                    self.received.push(tag);
                }
                ServerEvent::Unpublish { .. } => self.unpublished += 1,
                ServerEvent::Connected { .. } => {}
                event => panic!("{event:?}"),
            }
        }
    }
}

/// Enough for every form of header.
const MAX_SENT: usize = 16 << 10;
