use pushpull_media::amf0::Value;
use pushpull_media::flv::{TagBuffer, TagKind};

/// What the server answered or sent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// `connect` succeeded.
    Connected {
        /// The information object of the answer.
        info: Value,
    },
    /// The stream is published: media may be sent.
    Published,
    /// The stream plays: its media comes next.
    Playing,
    /// A message of the stream that is played.
    Media {
        /// What it is. Script data starts with its name (`onMetaData`).
        kind: TagKind,
        /// Milliseconds, modulo 2^32.
        timestamp: u32,
        /// The data, in the buffer its FLV tag will have.
        buffer: TagBuffer,
    },
    /// The server refused, or ended what it had accepted.
    Refused {
        /// The status code, such as `NetStream.Publish.BadName`.
        code: String,
        /// The reason in words.
        description: String,
    },
    /// Another status.
    Status {
        /// The status code, such as `NetStream.Play.UnpublishNotify`.
        code: String,
    },
    /// User control "Stream Begin": the stream is there.
    Begin,
    /// User control "Stream EOF": nothing more comes until the client asks for it.
    Eof,
}
