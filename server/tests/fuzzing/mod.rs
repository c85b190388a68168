//! What must hold for any bytes that reach the server's own parsers: one check for each fuzz target of `tests/fuzz/` that is
//! about them. Those about the formats and RTMP are in `tests/src/fuzzing/`, which this crate knows nothing of.

pub mod access_signature;
pub mod config_file;
pub mod http_head;
#[path = "../../../tests/src/fuzzing/script.rs"]
#[allow(dead_code)]
mod script;
pub mod ws_reader;

use script::Script;

/// Looks at what is made of an input; panics when something does not hold.
pub type Check = fn(&[u8]);

/// The checks, by the names of their fuzz targets.
#[allow(dead_code)]
pub const CHECKS: [(&str, Check); 4] = [
    ("access_signature", access_signature::check),
    ("config_file", config_file::check),
    ("http_head", http_head::check),
    ("ws_reader", ws_reader::check),
];
