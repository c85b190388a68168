//! What HTTP peers are held to.

use std::time::Duration;

use super::{MAX_CONNECTIONS, MAX_TIME, MIN_TIME};
use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "http_max_connections",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "10000",
        changes: Changes::AtOnce,
        help: "HTTP connections at a time, viewers included",
        set: |config, text| {
            config.http_limits.max_connections = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "http_max_connections_per_ip",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "5000",
        changes: Changes::AtOnce,
        help: "HTTP connections of one address at a time; 0 for no such limit",
        set: |config, text| {
            config.http_limits.max_connections_per_ip = units::number(text, 0..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "http_head_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        changes: Changes::NewConnections,
        help: "How long a request's head may take to arrive, then its body, and an idle connection to ask again",
        set: |config, text| {
            config.http_limits.head_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "http_head_size",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "16KiB",
        changes: Changes::NewConnections,
        help: "Largest head of a request",
        set: |config, text| {
            config.http_limits.head_size = units::size(text, 1 << 10..=1 << 20)?;
            Ok(())
        },
    },
    Key {
        name: "http_stall",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "20s",
        changes: Changes::NewConnections,
        help: "Close an HTTP peer, viewers included, that takes next to nothing of what is sent for so long",
        set: |config, text| {
            config.http_limits.net.stall = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "http_stall_bytes",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "16KiB",
        changes: Changes::NewConnections,
        help: "What counts as next to nothing",
        set: |config, text| {
            config.http_limits.net.stall_bytes = units::size(text, 1..=1 << 20)?;
            Ok(())
        },
    },
    Key {
        name: "http_send_buffer",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "512KiB",
        changes: Changes::NewConnections,
        help: "Bytes the kernel holds for an HTTP peer, sent and not acknowledged included",
        set: |config, text| {
            config.http_limits.net.send_buffer = units::size(text, MIN_BUFFER..=MAX_BUFFER)?;
            Ok(())
        },
    },
    Key {
        name: "http_unsent",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "128KiB",
        changes: Changes::NewConnections,
        help: "Bytes the kernel holds for an HTTP peer before they are sent (Linux)",
        set: |config, text| {
            let unsent = units::size(text, MIN_BUFFER..=MAX_BUFFER)?;
            config.http_limits.net.unsent = u32::try_from(unsent).unwrap_or(u32::MAX);
            Ok(())
        },
    },
    Key {
        name: "http_keepalive",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "30s",
        changes: Changes::NewConnections,
        help: "Silence after which the system asks an HTTP peer whether it is there",
        set: |config, text| {
            config.http_limits.net.keepalive =
                units::time(text, Duration::from_secs(1)..=MAX_TIME)?;
            Ok(())
        },
    },
];

const TITLE: &str = "HTTP limits";

const MIN_BUFFER: usize = 4 << 10;
const MAX_BUFFER: usize = 64 << 20;
