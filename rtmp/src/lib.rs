//! RTMP without IO: feed bytes, take events, take output. Time is an argument.
//!
//! ```text
//! bytes ─► handshake ─► chunk::Reader ─► message, command ─► ServerConnection ─► events
//!                                                                  │
//! bytes ◄───────────── chunk::Writer ◄─────────────────────────────┘
//! ```
//!
//! [`ServerConnection`] takes publishers and players; [`ClientConnection`] is one of either. A host moves the bytes, and what
//! goes to players in the form of [`chunk::image`]:
//!
//! ```
//! use std::time::Duration;
//! use pushpull_media::flv::TagKind;
//! use pushpull_rtmp::client::{ClientConfig, ClientEvent, PublishUrl};
//! use pushpull_rtmp::server::{ServerConfig, ServerEvent};
//! use pushpull_rtmp::{ClientConnection, ServerConnection, handshake};
//!
//! # fn main() -> Result<(), pushpull_rtmp::Error> {
//! let now = Duration::ZERO;
//! let url = PublishUrl::parse("rtmp://example.com/live/stream1?token=x")?;
//! let mut client = ClientConnection::new(ClientConfig::new(url), [1; handshake::RANDOM_LEN]);
//! let mut server = ServerConnection::new(ServerConfig::default(), [2; handshake::RANDOM_LEN], now);
//! let mut published = Vec::new();
//! while published.is_empty() {
//!     while let Some(bytes) = client.take_output() {
//!         server.receive(&bytes, now)?;
//!     }
//!     while let Some(event) = server.next_event() {
//!         match event {
//!             ServerEvent::Publish { stream_id, name, query } => {
//!                 assert_eq!((name.as_str(), query.as_str()), ("live/stream1", "token=x"));
//!                 server.accept_publish(stream_id)?;
//!             }
//!             ServerEvent::Media(media) => published.push(media.buffer.finish(media.kind, 0)),
//!             _ => {}
//!         }
//!     }
//!     while let Some(bytes) = server.take_output() {
//!         client.receive(&bytes)?;
//!     }
//!     while let Some(event) = client.next_event() {
//!         if event == ClientEvent::Published {
//!             client.send(TagKind::Video, 0, b"a picture")?;
//!         }
//!     }
//! }
//! assert_eq!(published[0].data(), b"a picture");
//! # Ok(())
//! # }
//! ```
//!
//! Input is hostile until read: nothing here panics on it, nothing is allocated because a length was announced, and every
//! limit has a name. References to sections are to Adobe's RTMP specification 1.0.

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
