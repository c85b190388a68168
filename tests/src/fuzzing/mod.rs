//! What must hold for any bytes: one check for each fuzz target of `tests/fuzz/` that is about the formats and RTMP, and
//! nothing in them that needs a fuzzer, so that `tests/tests/fuzz_corpus.rs` replays everything a fuzzer ever found with a
//! stable compiler. Those about the server's own parsers are in `server/tests/fuzzing/`.
//!
//! An input is a script ([`Script`]): a check reads its choices from the front, as many as there are.

pub mod amf0;
pub mod chunk_reader;
pub mod flv_reader;
pub mod handshake;
pub mod round_trip;
mod script;
pub mod server_session;
pub mod stream_name;

pub use script::Script;

/// Looks at what is made of an input; panics when something does not hold.
pub type Check = fn(&[u8]);

/// The checks, by the names of their fuzz targets.
pub const CHECKS: [(&str, Check); 7] = [
    ("amf0", amf0::check),
    ("chunk_reader", chunk_reader::check),
    ("flv_reader", flv_reader::check),
    ("handshake", handshake::check),
    ("round_trip", round_trip::check),
    ("server_session", server_session::check),
    ("stream_name", stream_name::check),
];
