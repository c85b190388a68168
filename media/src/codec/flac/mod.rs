//! FLAC: STREAMINFO, the length of a frame, and an encoder for sound that browsers do not play
//! otherwise.
//!
//! Sources: RFC 9639 (8.2, STREAMINFO; 9, frames) and "Encapsulation of FLAC in ISO Base Media File
//! Format" (3.3.2, the box `dfLa`).

mod encoder;
mod stream;

pub use encoder::{encode, silence};
pub use stream::{StreamInfo, block_size};
