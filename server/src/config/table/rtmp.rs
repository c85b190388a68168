//! What RTMP peers are held to.

use pushpull_media::flv::Tag;
use pushpull_rtmp::chunk;

use super::{MAX_CONNECTIONS, MAX_TIME, MIN_TIME};
use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "rtmp_max_connections",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "10000",
        changes: Changes::AtOnce,
        help: "RTMP connections at a time, players included",
        set: |config, text| {
            config.rtmp_limits.max_connections = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_connections_per_ip",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "5000",
        changes: Changes::AtOnce,
        help: "RTMP connections of one address at a time; 0 for no such limit",
        set: |config, text| {
            config.rtmp_limits.max_connections_per_ip = units::number(text, 0..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_players",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "9500",
        changes: Changes::AtOnce,
        help: "Streams played over RTMP at a time",
        set: |config, text| {
            config.rtmp_limits.max_players = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_handshake_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        changes: Changes::NewConnections,
        help: "How long the handshake may take",
        set: |config, text| {
            config.rtmp_limits.protocol.handshake_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_setup_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "30s",
        changes: Changes::NewConnections,
        help: "How long a peer may stay connected without publishing or playing",
        set: |config, text| {
            config.rtmp_limits.protocol.setup_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_ping_after",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "5s",
        changes: Changes::NewConnections,
        help: "Silence after which a publisher is pinged",
        set: |config, text| {
            config.rtmp_limits.protocol.ping_after = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_idle_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "30s",
        changes: Changes::NewConnections,
        help: "Silence, unanswered pings included, after which a publisher counts as lost",
        set: |config, text| {
            config.rtmp_limits.protocol.idle_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_write_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "20s",
        changes: Changes::NewConnections,
        help: "Close an RTMP peer, players included, that takes next to nothing of what is sent for so long",
        set: |config, text| {
            config.rtmp_limits.socket.stall = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_message",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "10MiB",
        changes: Changes::NewConnections,
        help: "Largest message of a publisher: one picture, as a rule",
        set: |config, text| {
            let size = units::size(text, MIN_MESSAGE..=MAX_MESSAGE)?;
            let limits = &mut config.rtmp_limits.protocol.media_limits;
            limits.max_message_len = u32::try_from(size).unwrap_or(u32::MAX);
            // One such message, and what the protocol has room for besides.
            limits.max_partial_len = size.saturating_add(PARTIAL_SPARE);
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_setup_message",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "64KiB",
        changes: Changes::NewConnections,
        help: "Largest message before a publish is accepted",
        set: |config, text| {
            let size = units::size(text, MIN_SETUP..=MAX_MESSAGE)?;
            let limits = &mut config.rtmp_limits.protocol.setup_limits;
            limits.max_message_len = u32::try_from(size).unwrap_or(u32::MAX);
            limits.max_partial_len = size.saturating_mul(2);
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_chunk_streams",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "128",
        changes: Changes::NewConnections,
        help: "Chunk streams of a connection",
        set: |config, text| {
            let number = units::number(text, 8..=MAX_CHUNK_STREAMS)?;
            config.rtmp_limits.protocol.setup_limits.max_chunk_streams = number;
            config.rtmp_limits.protocol.media_limits.max_chunk_streams = number;
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_message_streams",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "16",
        changes: Changes::NewConnections,
        help: "Message streams of a connection",
        set: |config, text| {
            config.rtmp_limits.protocol.max_streams = units::number(text, 1..=1024)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_held",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "2MiB",
        changes: Changes::NewConnections,
        help: "What a peer may send along with publish or play, before it has its answer",
        set: |config, text| {
            config.rtmp_limits.protocol.max_held_len = units::size(text, MIN_MESSAGE..=MAX_HELD)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_chunk_size",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "60000",
        changes: Changes::Restart,
        help: "Chunk size of what is sent to RTMP peers",
        set: |config, text| {
            let size = units::size(text, 128..=MAX_CHUNK)?;
            config.rtmp_limits.protocol.chunk_size = u32::try_from(size).unwrap_or(u32::MAX);
            Ok(())
        },
    },
    Key {
        name: "rtmp_window",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "2500000",
        changes: Changes::NewConnections,
        help: "What a publisher may send before it is acknowledged",
        set: |config, text| {
            let size = units::size(text, 4096..=MAX_WINDOW)?;
            config.rtmp_limits.protocol.window = u32::try_from(size).unwrap_or(u32::MAX);
            Ok(())
        },
    },
];

const TITLE: &str = "RTMP limits";

/// The `connect` of any encoder is shorter.
const MIN_SETUP: usize = 4 << 10;

/// All there are.
const MAX_CHUNK_STREAMS: usize = 65_598;
const MAX_HELD: usize = 64 << 20;

const MIN_MESSAGE: usize = 64 << 10;

/// What an FLV tag holds (24 bits of length).
const MAX_MESSAGE: usize = Tag::MAX_DATA_LEN;

/// Unfinished messages besides the largest one, as the protocol has room for by default.
const PARTIAL_SPARE: usize =
    chunk::Limits::MEDIA.max_partial_len - chunk::Limits::MEDIA.max_message_len as usize;

/// The largest that a 24-bit message length can make use of (RTMP 1.0 §5.4.1).
const MAX_CHUNK: usize = 0xFF_FFFF;
const MAX_WINDOW: usize = 1 << 30;
