//! The table of keys: the one place where a key, its default and its range are written down, a file for each section.
//!
//! `docs/configuration.md` is compared with it by `tests/docs.rs`, and the defaults with those of the modules by the tests
//! of [`super::keys`].

mod access;
mod api;
mod hooks;
mod http;
mod listening;
mod page;
mod proxies;
mod rtmp;
mod running;
mod streams;
mod tls;

use std::time::Duration;

use super::keys::Key;

/// Every key by section, in the order of `--help`.
pub const SECTIONS: &[&[Key]] = &[
    listening::KEYS,
    tls::KEYS,
    streams::KEYS,
    access::KEYS,
    hooks::KEYS,
    proxies::KEYS,
    http::KEYS,
    rtmp::KEYS,
    api::KEYS,
    page::KEYS,
    running::KEYS,
];

const MIN_TIME: Duration = Duration::from_millis(10);
const MAX_TIME: Duration = Duration::from_secs(24 * 3600);

/// More than the descriptors of one process.
const MAX_CONNECTIONS: usize = 1_000_000;
