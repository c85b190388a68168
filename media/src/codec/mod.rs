//! Codec configuration: what a decoder must know before the first frame, and the RFC 6381 strings
//! browsers ask for.

pub mod aac;
pub mod avc;
mod bits;
pub mod nal;
mod text;
