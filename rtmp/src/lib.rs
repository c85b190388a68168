//! RTMP without IO: feed bytes, take events, take output.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod aggregate;
pub mod chunk;
pub mod client;
pub mod command;
mod error;
pub mod handshake;
pub mod message;
pub mod name;
pub mod server;

pub use client::ClientConnection;
pub use error::Error;
pub use name::StreamName;
pub use server::ServerConnection;
