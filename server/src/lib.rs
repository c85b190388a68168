//! Pushpull: an RTMP relay that serves what is pushed to it as HTTP-FLV and WebSocket-FLV, with a page that plays it.
//!
//! [`app`] binds the listeners, wires everything and stops it again; `hub` holds the live streams and knows no protocol;
//! the protocols (`rtmp`, `flv`) know the hub and not each other.

pub mod accept;
pub mod access;
pub mod api;
pub mod app;
pub mod banner;
pub mod config;
pub mod demo;
pub mod descriptors;
pub mod endpoints;
pub mod flv;
pub mod happenings;
pub mod health;
pub mod hex;
pub mod hooks;
pub mod http;
pub mod hub;
pub mod lan;
pub mod limits;
pub mod listeners;
pub mod logs;
pub mod metrics;
pub mod net;
pub mod problem;
pub mod reload;
pub mod remarks;
pub mod rtmp;
pub mod sessions;
pub mod shutdown;
pub mod signals;
#[cfg(test)]
mod testing;
pub mod time;
pub mod tls;
pub mod web;
