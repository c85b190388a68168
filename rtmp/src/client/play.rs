//! Playing.

use pushpull_media::amf0::{Decoder, Value};
use pushpull_media::flv::{TagBuffer, TagKind};

use super::{ClientConnection, ClientEvent, PURPOSE};
use crate::chunk::{Limits, Message};
use crate::command::{Command, skip_format};
use crate::message::{Control, kind};
use crate::{Error, aggregate};

impl ClientConnection {
    /// Pauses at `time` milliseconds of the stream, or goes on from there; a live stream goes on where it is by then.
    ///
    /// # Errors
    /// [`Error::NotPlaying`] before `play` has been sent, and after [`ClientConnection::stop`].
    pub fn pause(&mut self, pause: bool, time: u32) -> Result<(), Error> {
        self.tell("pause", vec![pause.into(), f64::from(time).into()])
    }

    /// Asks for the sound, or for no sound.
    ///
    /// # Errors
    /// As for [`ClientConnection::pause`].
    pub fn receive_audio(&mut self, receive: bool) -> Result<(), Error> {
        self.tell("receiveAudio", vec![receive.into()])
    }

    /// Asks for the pictures, or for none.
    ///
    /// # Errors
    /// As for [`ClientConnection::pause`].
    pub fn receive_video(&mut self, receive: bool) -> Result<(), Error> {
        self.tell("receiveVideo", vec![receive.into()])
    }

    /// Plays no more: `deleteStream`.
    pub fn stop(&mut self) {
        if let Some(stream_id) = self.plays() {
            self.stream_id = None;
            let id = Value::Number(f64::from(stream_id));
            self.send_command(0, &Command::new("deleteStream", 7.0, vec![id]));
        }
    }

    pub(super) fn play(&mut self, stream_id: u32) {
        self.reader.set_limits(Limits::MEDIA);
        let arguments = vec![self.config.url.key.as_str().into(), LIVE_OR_RECORDED.into()];
        self.send_command(stream_id, &Command::new("play", PURPOSE, arguments));
        self.send_control(Control::SetBufferLength { stream_id, millis: BUFFER_MS });
    }

    /// Takes in a message of the stream that is played; any other is none of ours.
    pub(super) fn media(&mut self, message: Message) {
        // Only one stream is played here, and there are servers that send it on message stream 0.
        if !self.plays().is_some_and(|id| [id, 0].contains(&message.stream_id)) {
            return;
        }
        if message.kind == kind::AGGREGATE {
            for inner in aggregate::split(message.payload.data(), message.timestamp) {
                self.emit(inner.kind, inner.timestamp, inner.payload);
            }
        } else {
            self.emit(message.kind, message.timestamp, message.payload);
        }
    }

    fn emit(&mut self, kind: u8, timestamp: u32, mut buffer: TagBuffer) {
        if buffer.is_empty() {
            return;
        }
        let kind = match kind {
            kind::AUDIO => TagKind::Audio,
            kind::VIDEO => TagKind::Video,
            kind::DATA_AMF0 | kind::DATA_AMF3 => {
                let values = skip_format(kind, buffer.data());
                if is_of_the_session(values) {
                    return;
                }
                let format_len = buffer.len().saturating_sub(values.len());
                if format_len > 0 {
                    buffer.strip_front(format_len);
                }
                TagKind::Script
            }
            _ => return,
        };
        self.events.push_back(ClientEvent::Media { kind, timestamp, buffer });
    }

    fn tell(&mut self, name: &str, arguments: Vec<Value>) -> Result<(), Error> {
        let stream_id = self.plays().ok_or(Error::NotPlaying)?;
        self.send_command(stream_id, &Command::new(name, 0.0, arguments));
        Ok(())
    }
}

/// Whether script data is about the session between server and player, and not part of the stream.
fn is_of_the_session(values: &[u8]) -> bool {
    let name = Decoder::new(values).next_value().ok().flatten();
    name.as_ref().and_then(Value::as_str).is_some_and(|name| SESSION_DATA.contains(&name))
}

/// Who may look at the samples, and Flash Media Server's `NetStream.Data.Start`.
const SESSION_DATA: [&str; 2] = ["|RtmpSampleAccess", "onStatus"];

/// The `start` of `play` (section 7.2.2.1).
const LIVE_OR_RECORDED: f64 = -2.0;

/// What a player says it buffers, in milliseconds: a second, as live players do.
const BUFFER_MS: u32 = 1000;
