//! FLV: the container, and the heads of its audio and video tags.
//!
//! ```text
//! file  = header(9) PreviousTagSize0(4) *( tag )
//! tag   = type(1) data size(3) timestamp(3) timestamp ext(1) stream id(3) data(data size) PreviousTagSize(4)
//! ```
//!
//! Sources: Adobe Flash Video File Format Specification 10.1, annex E; Enhanced RTMP v1 and v2
//! (Veovera Software Organization) for the extended audio and video heads, which are read with the feature
//! `codecs`.

pub mod audio;
mod cursor;
mod error;
#[cfg(feature = "codecs")]
mod extended;
mod header;
mod reader;
mod tag;
pub mod video;

pub use error::Error;
pub use header::Header;
pub use reader::{Item, Limits, Reader};
pub use tag::{Tag, TagBuffer, TagKind};
