//! Pushpull: an RTMP relay that serves what is pushed to it as HTTP-FLV and WebSocket-FLV, with a page that plays it.
//!
//! [`app`] binds the listeners, wires everything and stops it again; `hub` holds the live streams and knows no protocol;
//! the protocols (`rtmp`, `flv`) know the hub and not each other.

pub mod problem;
