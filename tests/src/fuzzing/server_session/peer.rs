//! A peer that knows RTMP and follows a script.

use pushpull_media::amf0::{self, Value};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_rtmp::chunk::Writer;
use pushpull_rtmp::command::Command;
use pushpull_rtmp::handshake::PACKET_LEN;
use pushpull_rtmp::message::{Control, kind};

use super::Script;

/// What it sends is made up of handshakes, commands and media that are right, or nearly so.
pub struct Peer {
    writer: Writer,
    out: Vec<u8>,
}

impl Peer {
    /// One that has sent nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { writer: Writer::new(), out: Vec::new() }
    }

    /// Its whole side of the handshake.
    #[must_use]
    pub fn handshake(&self) -> Vec<u8> {
        let mut bytes = vec![5; 1 + 2 * PACKET_LEN];
        bytes[0] = 3;
        bytes
    }

    /// What is to be sent since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Does one thing.
    pub fn act(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 => {
                let mut properties = vec![
                    ("app".into(), script.pick(&APPS).into()),
                    ("tcUrl".into(), script.pick(&TC_URLS).into()),
                ];
                if script.byte() % 2 == 1 {
                    properties.push(("capsEx".into(), Value::Number(15.0)));
                    properties.push(("flashVer".into(), value(script, 0)));
                }
                self.command(0, "connect", Value::Object(properties), vec![]);
            }
            1 => self.command(0, "createStream", Value::Null, vec![]),
            2 => {
                let key = key(script);
                self.command(stream_id(script), "publish", Value::Null, vec![key, "live".into()]);
            }
            3 => {
                let key = key(script);
                self.command(stream_id(script), "play", Value::Null, vec![key]);
            }
            4..7 => {
                let kind = script.pick(&[kind::AUDIO, kind::VIDEO, kind::VIDEO, kind::DATA_AMF0]);
                self.message(script, kind);
            }
            7 => {
                let name = script.pick(&COMMANDS);
                let arguments = (0..script.below(4)).map(|_| value(script, 0)).collect();
                self.command(stream_id(script), name, Value::Null, arguments);
            }
            8 => {
                let id = Value::Number(stream_id(script).into());
                self.command(0, "deleteStream", Value::Null, vec![id]);
            }
            9 => {
                let size = 1 + u32::from(script.byte()) * 50;
                let (kind, payload) = (kind::SET_CHUNK_SIZE, size.to_be_bytes());
                self.writer.write(2, 0, kind, 0, &payload, &mut self.out);
                self.writer.set_chunk_size(size);
            }
            10 => {
                let number = script.time();
                let control = script.pick(&[
                    Control::Acknowledgement(number),
                    Control::WindowSize(number),
                    Control::PeerBandwidth(number),
                    Control::PingRequest(number),
                    Control::PingResponse(number),
                    Control::StreamBegin(number),
                ]);
                let (kind, payload) = control.encode();
                self.writer.write(2, 0, kind, 0, &payload, &mut self.out);
            }
            11 => self.aggregate(script),
            12 => self.data(script),
            13 => {
                let kind = script.byte();
                self.message(script, kind);
            }
            14 => self.unfinished(script),
            _ => self.out.extend_from_slice(script.short_bytes()),
        }
    }

    fn message(&mut self, script: &mut Script<'_>, kind: u8) {
        let (chunks, time) = (script.pick(&[4, 6, 7, 70]), script.time());
        let payload = script.payload();
        self.writer.write(chunks, time, kind, stream_id(script), &payload, &mut self.out);
    }

    fn command(&mut self, stream_id: u32, name: &str, object: Value, arguments: Vec<Value>) {
        let command = Command { name: name.into(), transaction: 3.0, object, arguments };
        let kind = kind::COMMAND_AMF0;
        self.writer.write(3, 0, kind, stream_id, &command.encode(), &mut self.out);
    }

    /// Metadata, or what is nearly that, in AMF0 or wrapped as AMF3.
    fn data(&mut self, script: &mut Script<'_>) {
        let mut payload = Vec::new();
        let kind = script.pick(&[kind::DATA_AMF0, kind::DATA_AMF3, kind::COMMAND_AMF3]);
        if script.byte() % 2 == 1 {
            payload.push(0);
        }
        for name in ["@setDataFrame", "onMetaData", "@clearDataFrame"] {
            if script.byte().is_multiple_of(2) {
                amf0::encode(&name.into(), &mut payload);
            }
        }
        amf0::encode(&value(script, 0), &mut payload);
        self.writer.write(5, script.time(), kind, stream_id(script), &payload, &mut self.out);
    }

    fn aggregate(&mut self, script: &mut Script<'_>) {
        let mut payload = Vec::new();
        for _ in 0..script.below(6) {
            let kind = script.pick(&[TagKind::Audio, TagKind::Video, TagKind::Script]);
            let time = script.time().into();
            let tag = Tag::new(kind, time, script.short_bytes()).expect("it fits");
            payload.extend_from_slice(tag.bytes());
        }
        payload.truncate(payload.len().saturating_sub(script.below(20)));
        let time = script.time();
        self.writer.write(6, time, kind::AGGREGATE, stream_id(script), &payload, &mut self.out);
    }

    /// The first chunk of a message whose other chunks may never come.
    fn unfinished(&mut self, script: &mut Script<'_>) {
        let len = script.pick(&[129, 600, 0xFFFF, 0xFF_FFFF]);
        let chunks = 8 + script.byte() % 40;
        self.out.extend_from_slice(&[chunks, 0, 0, 0]);
        self.out.extend_from_slice(&u32::to_be_bytes(len)[1..]);
        self.out.extend_from_slice(&[kind::VIDEO, 1, 0, 0, 0]);
        self.out.extend_from_slice(&[0xEE; 128]);
    }
}

impl Default for Peer {
    fn default() -> Self {
        Self::new()
    }
}

fn stream_id(script: &mut Script<'_>) -> u32 {
    script.pick(&[1, 1, 1, 2, 3, 0, 4, u32::MAX])
}

fn key(script: &mut Script<'_>) -> Value {
    match script.byte() {
        name @ 0..128 => KEYS[usize::from(name) % KEYS.len()].into(),
        _ => value(script, 0),
    }
}

fn value(script: &mut Script<'_>, depth: usize) -> Value {
    let text = |script: &mut Script<'_>| String::from_utf8_lossy(script.short_bytes()).into_owned();
    let kinds = if depth < 3 { 8 } else { 5 };
    match script.byte() % kinds {
        0 => Value::Null,
        1 => Value::Number(script.time().into()),
        2 => Value::Boolean(script.byte() % 2 == 1),
        3 => Value::String(text(script)),
        4 => Value::Undefined,
        kind => {
            let properties: Vec<_> =
                (0..script.below(4)).map(|_| (text(script), value(script, depth + 1))).collect();
            match kind {
                5 => Value::Object(properties),
                6 => Value::EcmaArray(properties),
                _ => Value::StrictArray(properties.into_iter().map(|(_, value)| value).collect()),
            }
        }
    }
}

const APPS: [&str; 7] = ["live", "live/", "a/b/", "", "live?k=v", "live/_definst_", "../x"];

const TC_URLS: [&str; 4] = ["rtmp://h/live", "", "rtmp://h:1935/live?t=1/s", "%"];

const KEYS: [&str; 10] =
    ["a", "b", "a?k=v", "", "a b", "../c", "mp4:a", "x\u{1}", "caf%C3%A9", "good"];

const COMMANDS: [&str; 16] = [
    "releaseStream",
    "FCPublish",
    "FCUnpublish",
    "FCSubscribe",
    "closeStream",
    "deleteStream",
    "getStreamLength",
    "_checkbw",
    "_result",
    "onStatus",
    "play2",
    "pause",
    "receiveAudio",
    "receiveVideo",
    "seek",
    "connect",
];
