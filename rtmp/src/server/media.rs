//! Audio, video and data messages.

use pushpull_media::amf0::{Decoder, Value};
use pushpull_media::flv::{TagBuffer, TagKind};

use super::streams::Stream;
use super::{Media, ServerConnection, ServerEvent};
use crate::aggregate;
use crate::chunk::Message;
use crate::command::skip_format;
use crate::message::kind;

impl ServerConnection {
    pub(super) fn media(&mut self, stream_id: u32, kind: u8, timestamp: u32, buffer: TagBuffer) {
        let counters = &mut self.counters;
        if !self.streams.get(&stream_id).is_some_and(Stream::is_publishing) {
            counters.stray_media = counters.stray_media.saturating_add(1);
            return;
        }
        if buffer.is_empty() {
            counters.empty_media = counters.empty_media.saturating_add(1);
            return;
        }
        let (kind, buffer) = match kind {
            kind::AUDIO => (TagKind::Audio, buffer),
            kind::VIDEO => (TagKind::Video, buffer),
            _ => match script(kind, buffer) {
                Script::Data(buffer) => (TagKind::Script, buffer),
                Script::Nothing => return,
                Script::Undecodable => {
                    counters.ignored_data = counters.ignored_data.saturating_add(1);
                    return;
                }
            },
        };
        self.events.push_back(ServerEvent::Media(Media { stream_id, kind, timestamp, buffer }));
    }

    pub(super) fn aggregate(&mut self, message: &Message) {
        for inner in aggregate::split(message.payload.data(), message.timestamp) {
            match inner.kind {
                kind::AUDIO | kind::VIDEO | kind::DATA_AMF0 | kind::DATA_AMF3 => {
                    self.media(message.stream_id, inner.kind, inner.timestamp, inner.payload);
                }
                _ => self.ignore(),
            }
        }
    }
}

/// A data message, as script data.
enum Script {
    Data(TagBuffer),
    /// It says something, but nothing for viewers.
    Nothing,
    Undecodable,
}

/// Takes `@setDataFrame` and the format byte off, and checks that every value can be decoded: a viewer should not have
/// to.
fn script(kind: u8, mut buffer: TagBuffer) -> Script {
    let payload = buffer.data();
    let values = skip_format(kind, payload);
    let format_len = payload.len().saturating_sub(values.len());
    let mut decoder = Decoder::new(values);
    let first = match decoder.next_value() {
        Ok(Some(Value::String(name))) => name,
        _ => return Script::Undecodable,
    };
    let mut strip = format_len;
    match first.as_str() {
        "@clearDataFrame" => return Script::Nothing,
        "@setDataFrame" => {
            strip = strip.saturating_add(decoder.offset());
            if !matches!(decoder.next_value(), Ok(Some(Value::String(_)))) {
                return Script::Undecodable;
            }
        }
        _ => {}
    }
    loop {
        match decoder.next_value() {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) => return Script::Undecodable,
        }
    }
    if strip > 0 {
        buffer.strip_front(strip);
    }
    Script::Data(buffer)
}
