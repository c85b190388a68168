//! RTMP without IO: feed bytes, take events, take output.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod chunk;
mod error;
pub mod handshake;
pub mod message;
pub mod name;

pub use error::Error;
pub use name::StreamName;
