//! The handshake that opens every RTMP connection (RTMP 1.0, section 5.2).
//!
//! ```text
//! client ── C0 (1 byte: version 3) C1 (1536 bytes) ──────────────► server
//! client ◄───────────── S0 S1 S2 (1 + 1536 + 1536 bytes, one write) server
//! client ── C2 (1536 bytes) ─────────────────────────────────────► server
//!
//! C1, S1:  time (4)  version or zero (4)  random (1528)
//! ```
//!
//! In the simple form S2 is C1 byte for byte: some clients compare. In the digest form, which Adobe never published, C1
//! and S1 hide an HMAC-SHA256 of themselves at a place given by four of their bytes, and S2 and C2 end in an HMAC keyed
//! with the peer's (see `digest.rs`). C2 is never looked at: too many clients send something else.

mod client;
mod digest;
mod server;

pub use client::Client;
pub use server::Server;

/// The length of C1, C2, S1 and S2.
pub const PACKET_LEN: usize = 1536;

/// The length of the random part of C1 and S1.
pub const RANDOM_LEN: usize = 1528;

/// The only version of RTMP in use.
const VERSION: u8 = 3;

/// Moves bytes from the front of `input` to `buffer` until it holds `len`; whether it does.
fn fill(buffer: &mut Vec<u8>, len: usize, input: &mut &[u8]) -> bool {
    let missing = len.saturating_sub(buffer.len());
    let (piece, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
    buffer.extend_from_slice(piece);
    *input = rest;
    buffer.len() >= len
}
