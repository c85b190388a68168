//! The chunk stream: messages cut into chunks, so that messages of several streams share one connection (RTMP 1.0,
//! section 5.3).
//!
//! ```text
//! basic header (1-3 bytes)   fmt (2 bits), chunk stream id: 2-63 in 6 bits; 0 → 64 + byte; 1 → 64 + byte + 256 × byte
//! message header             fmt 0 (11)  timestamp (3)  length (3)  type (1)  message stream id (4, little-endian)
//!                            fmt 1 (7)   delta (3)      length (3)  type (1)
//!                            fmt 2 (3)   delta (3)
//!                            fmt 3 (0)
//! extended timestamp (4)     when the timestamp or delta field holds 0xFFFFFF
//! payload                    up to the chunk size, or what is left of the message
//! ```

mod header;
mod image;
mod reader;
mod writer;

pub use image::image;
pub use reader::{Drops, Limits, Reader};
pub use writer::Writer;

use pushpull_media::flv::TagBuffer;

/// The chunk size until a Set Chunk Size message (section 5.4.1).
pub const DEFAULT_CHUNK_SIZE: u32 = 128;

/// A complete message.
#[derive(Debug)]
pub struct Message {
    /// The chunk stream it came on.
    pub chunk_stream: u32,
    /// Milliseconds, modulo 2^32.
    pub timestamp: u32,
    /// The message type (see [`crate::message`]).
    pub kind: u8,
    /// The message stream it belongs to; 0 is the connection itself.
    pub stream_id: u32,
    /// The payload, with room for an FLV tag's header around it.
    pub payload: TagBuffer,
}
