//! The hub's rules, each with a test; what they are made of is here.

mod anything;
mod publishing;
mod ring;
mod takeover;
mod timeline;
mod tracks;
mod turn;
mod viewing;

use futures_util::FutureExt;
use pushpull_media::amf0::{Value, encode};
use pushpull_media::flv::{Tag, TagBuffer, TagKind};

use super::*;

pub(crate) fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

pub(crate) fn source() -> Source {
    Source { protocol: "test", peer: "192.0.2.1:1935".into(), agent: "tests".into() }
}

pub(crate) fn info() -> ViewerInfo {
    ViewerInfo { protocol: "test", peer: "192.0.2.2:80".into() }
}

/// The publisher of a stream of that name.
pub(crate) fn publish(hub: &Hub, text: &str) -> Publisher {
    hub.claim(&name(text), source()).unwrap().go_live()
}

pub(crate) fn buffer(data: &[u8]) -> TagBuffer {
    let mut buffer = TagBuffer::with_capacity(data.len());
    buffer.extend_from_slice(data).unwrap();
    buffer
}

/// What an encoder sends; the payload tells messages apart.
impl Hub {
    /// As [`Hub::view`], but waits for nothing.
    async fn view_now(
        &self,
        name: &StreamName,
        start: Start,
        info: ViewerInfo,
    ) -> Result<Viewer, ViewError> {
        self.view_within(Duration::ZERO, Duration::ZERO, name, start, info).await
    }
}

impl Publisher {
    pub(crate) fn message(&mut self, kind: TagKind, time: u32, data: &[u8]) {
        self.media(kind, time, buffer(data));
    }

    pub(crate) fn keyframe(&mut self, time: u32) {
        self.message(TagKind::Video, time, b"\x17\x01\0\0\0key");
    }

    pub(crate) fn picture(&mut self, time: u32) {
        self.message(TagKind::Video, time, b"\x27\x01\0\0\0inter");
    }

    pub(crate) fn sound(&mut self, time: u32) {
        self.message(TagKind::Audio, time, b"\xAF\x01sound");
    }

    pub(crate) fn video_header(&mut self, payload: &str) {
        self.message(TagKind::Video, 0, format!("\x17\0\0\0\0{payload}").as_bytes());
    }

    pub(crate) fn audio_header(&mut self, payload: &str) {
        let mut data = vec![0xAF, 0];
        data.extend_from_slice(payload.as_bytes());
        self.message(TagKind::Audio, 0, &data);
    }

    /// Both headers, a keyframe and a sound, which decides the tracks.
    pub(crate) fn open(&mut self, time: u32) {
        self.video_header("avcC");
        self.audio_header("asc");
        self.keyframe(time);
        self.sound(time);
    }
}

pub(crate) fn metadata(properties: &[(&str, Value)]) -> Vec<u8> {
    let properties =
        properties.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let mut data = Vec::new();
    encode(&"onMetaData".into(), &mut data);
    encode(&Value::EcmaArray(properties), &mut data);
    data
}

impl Viewer {
    /// The blocks that are ready.
    pub(crate) fn ready(&mut self) -> Vec<Arc<Block>> {
        let mut blocks = Vec::new();
        while let Some(Next::Block(block)) = self.next().now_or_never() {
            blocks.push(block);
        }
        blocks
    }

    /// The tags that are ready, told in words.
    pub(crate) fn read(&mut self) -> Vec<String> {
        self.ready().iter().flat_map(|block| block.tags().iter().map(word)).collect()
    }

    /// Why the stream ended, if it has, after all that is ready.
    pub(crate) fn ended(&mut self) -> Option<EndReason> {
        self.ready();
        match self.next().now_or_never() {
            Some(Next::End(reason)) => Some(reason),
            _ => None,
        }
    }
}

/// A tag in words: payload and time.
pub(crate) fn word(tag: &Tag) -> String {
    let head = match tag.kind() {
        TagKind::Audio => 2,
        TagKind::Video => 5,
        TagKind::Script => return format!("script {}", tag.time()),
    };
    format!("{} {}", String::from_utf8_lossy(&tag.data()[head..]), tag.time())
}

pub(crate) async fn view(hub: &Hub, text: &str) -> Viewer {
    hub.view(&name(text), Start::Gop, info()).await.unwrap()
}
