//! Codec configuration: what a decoder must know before the first frame, and the RFC 6381 strings
//! browsers ask for. Beyond H.264 and AAC it is there with the feature `codecs`.

pub mod aac;
#[cfg(feature = "codecs")]
pub mod ac3;
#[cfg(feature = "codecs")]
pub mod av1;
pub mod avc;
mod bits;
#[cfg(feature = "codecs")]
mod error;
#[cfg(feature = "codecs")]
pub mod flac;
#[cfg(feature = "codecs")]
pub mod hevc;
#[cfg(feature = "codecs")]
pub mod mp3;
pub mod nal;
#[cfg(feature = "codecs")]
pub mod opus;
#[cfg(feature = "codecs")]
pub mod pcm;
pub(crate) mod text;
#[cfg(feature = "codecs")]
pub mod vp9;

#[cfg(feature = "codecs")]
pub use error::Error;
