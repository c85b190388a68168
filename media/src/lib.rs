//! Media formats of Pushpull, without IO: FLV, AMF0, codec configuration, timelines, fragmented MP4
//! and the remuxer between them.
//!
//! Nothing here knows a socket, a clock or a browser: bytes and times come in as arguments. Input is
//! hostile until parsed; every reader returns an error that names what was wrong and where, and
//! every limit is a named constant.

#![cfg_attr(not(test), no_std)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

extern crate alloc;

pub mod amf0;
pub mod codec;
pub mod flv;
pub mod mp4;
pub mod remux;
#[cfg(not(feature = "codecs"))]
mod shared;
pub mod timeline;

#[cfg(feature = "codecs")]
pub use bytes::Bytes;
#[cfg(not(feature = "codecs"))]
pub use shared::Bytes;
