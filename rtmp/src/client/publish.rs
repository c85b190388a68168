//! Publishing.

use pushpull_media::amf0::{self, Value};
use pushpull_media::flv::TagKind;

use super::{ClientConnection, PURPOSE};
use crate::Error;
use crate::command::Command;
use crate::message::kind;

impl ClientConnection {
    /// Sends the data of an FLV tag at `timestamp` milliseconds (modulo 2^32). Script data gets `@setDataFrame` in front.
    ///
    /// From the moment `publish` has been sent this works, whether the server has accepted it or not.
    ///
    /// # Errors
    /// [`Error::NotPublishing`] before that, and after [`ClientConnection::unpublish`].
    pub fn send(&mut self, kind: TagKind, timestamp: u32, data: &[u8]) -> Result<(), Error> {
        let stream_id = self.publishes().ok_or(Error::NotPublishing)?;
        let (chunk_stream, kind) = match kind {
            TagKind::Audio => (AUDIO_CHUNKS, kind::AUDIO),
            TagKind::Video => (VIDEO_CHUNKS, kind::VIDEO),
            TagKind::Script => {
                let mut payload = Vec::new();
                amf0::encode(&"@setDataFrame".into(), &mut payload);
                payload.extend_from_slice(data);
                self.write(DATA_CHUNKS, timestamp, kind::DATA_AMF0, stream_id, &payload);
                return Ok(());
            }
        };
        self.write(chunk_stream, timestamp, kind, stream_id, data);
        Ok(())
    }

    /// Says goodbye: `FCUnpublish` and `deleteStream`.
    pub fn unpublish(&mut self) {
        if let Some(stream_id) = self.publishes() {
            self.stream_id = None;
            let key = self.config.url.key.as_str().into();
            self.send_command(0, &Command::new("FCUnpublish", 6.0, vec![key]));
            let id = Value::Number(f64::from(stream_id));
            self.send_command(0, &Command::new("deleteStream", 7.0, vec![id]));
        }
    }

    /// Announces the stream as encoders do, before the message stream is made.
    pub(super) fn announce(&mut self) {
        let key = || vec![self.config.url.key.as_str().into()];
        let (release, fc_publish) = (key(), key());
        self.send_command(0, &Command::new("releaseStream", 2.0, release));
        self.send_command(0, &Command::new("FCPublish", 3.0, fc_publish));
    }

    pub(super) fn publish(&mut self, stream_id: u32) {
        let arguments = vec![self.config.url.key.as_str().into(), "live".into()];
        self.send_command(stream_id, &Command::new("publish", PURPOSE, arguments));
    }
}

const AUDIO_CHUNKS: u32 = 4;
const DATA_CHUNKS: u32 = 5;
const VIDEO_CHUNKS: u32 = 6;
