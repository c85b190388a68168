//! The table of keys: the one place where a key, its default and its range are written down.
//!
//! `docs/configuration.md` is compared with it by `tests/docs.rs`, and the defaults with those of the modules by the tests
//! of [`super::keys`].

use std::time::Duration;

use pushpull_media::flv::Tag;
use pushpull_rtmp::chunk;

use super::{
    keys::{Key, Kind},
    units,
};
use crate::{hub::Takeover, logs};

/// Every key, in the order of `--help`.
pub const KEYS: &[Key] = &[
    Key {
        name: "rtmp",
        section: LISTENING,
        value: "ADDR",
        kind: Kind::One,
        default: "0.0.0.0:1935",
        help: "Where publishers push RTMP to; port 0 picks a free one",
        set: |config, text| {
            config.rtmp = units::address(text)?;
            Ok(())
        },
    },
    Key {
        name: "http",
        section: LISTENING,
        value: "ADDR",
        kind: Kind::List,
        default: "0.0.0.0:8082",
        help: "Where the page, the API and the streams are served; may repeat",
        set: |config, text| {
            config.http = units::addresses(text)?;
            Ok(())
        },
    },
    Key {
        name: "takeover",
        section: STREAMS,
        value: "POLICY",
        kind: Kind::One,
        default: "replace_if_idle",
        help: "Second publisher of a name: reject, replace or replace_if_idle",
        set: |config, text| {
            config.hub.takeover = match text {
                "reject" => Takeover::Reject,
                "replace" => Takeover::Replace,
                "replace_if_idle" => Takeover::ReplaceIfIdle,
                _ => {
                    return Err(format!(
                        "{text:?} is not a policy: write reject, replace or replace_if_idle"
                    ));
                }
            };
            Ok(())
        },
    },
    Key {
        name: "takeover_idle",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "3s",
        help: "With replace_if_idle: how long without media makes a publisher replaceable",
        set: |config, text| {
            config.hub.idle_after = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "grace",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        help: "How long viewers are held when a publisher is lost without goodbye; 0s ends them at once",
        set: |config, text| {
            config.hub.grace = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "missing_wait",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "3s",
        help: "How long a viewer waits for a stream nobody publishes, before 404",
        set: |config, text| {
            config.hub.missing_wait = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "start_wait",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        help: "How long a viewer waits for the first keyframe of a live stream",
        set: |config, text| {
            config.hub.start_wait = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "tracks_wait",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "500ms",
        help: "How long after its first frame a publisher may take to show its second track",
        set: |config, text| {
            config.hub.tracks_wait = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "audio_hold",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "40ms",
        help: "How long sound may wait for the next picture, to leave in one write with it",
        set: |config, text| {
            config.hub.held_audio_max = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "lag",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "5s",
        help: "Media a viewer may be behind before it jumps to the newest keyframe",
        set: |config, text| {
            config.hub.lag = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "lag_bytes",
        section: STREAMS,
        value: "SIZE",
        kind: Kind::One,
        default: "8MiB",
        help: "Bytes a viewer may be behind before it jumps to the newest keyframe",
        set: |config, text| {
            config.hub.lag_bytes = units::size(text, MIN_MEDIA..=MAX_MEDIA)?;
            Ok(())
        },
    },
    Key {
        name: "gop",
        section: STREAMS,
        value: "TIME",
        kind: Kind::One,
        default: "20s",
        help: "Longest group of pictures that is kept whole for joiners",
        set: |config, text| {
            config.hub.gop = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "gop_bytes",
        section: STREAMS,
        value: "SIZE",
        kind: Kind::One,
        default: "32MiB",
        help: "Largest group of pictures kept whole for joiners, and the most memory a stream takes",
        set: |config, text| {
            config.hub.gop_bytes = units::size(text, MIN_MEDIA..=MAX_MEDIA)?;
            Ok(())
        },
    },
    Key {
        name: "max_streams",
        section: STREAMS,
        value: "NUMBER",
        kind: Kind::One,
        default: "100",
        help: "Streams at a time",
        set: |config, text| {
            config.hub.max_streams = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "max_viewers",
        section: STREAMS,
        value: "NUMBER",
        kind: Kind::One,
        default: "10000",
        help: "Viewers of one stream",
        set: |config, text| {
            config.hub.max_viewers = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "http_max_connections",
        section: HTTP,
        value: "NUMBER",
        kind: Kind::One,
        default: "10000",
        help: "HTTP connections at a time, viewers included",
        set: |config, text| {
            config.http_limits.max_connections = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "http_head_timeout",
        section: HTTP,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        help: "How long a request's head may take to arrive, and an idle connection to ask again",
        set: |config, text| {
            config.http_limits.head_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "http_head_size",
        section: HTTP,
        value: "SIZE",
        kind: Kind::One,
        default: "16KiB",
        help: "Largest head of a request",
        set: |config, text| {
            config.http_limits.head_size = units::size(text, 1 << 10..=1 << 20)?;
            Ok(())
        },
    },
    Key {
        name: "http_stall",
        section: HTTP,
        value: "TIME",
        kind: Kind::One,
        default: "20s",
        help: "Close an HTTP peer, viewers included, that takes next to nothing of what is sent for so long",
        set: |config, text| {
            config.http_limits.net.stall = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "http_stall_bytes",
        section: HTTP,
        value: "SIZE",
        kind: Kind::One,
        default: "16KiB",
        help: "What counts as next to nothing",
        set: |config, text| {
            config.http_limits.net.stall_bytes = units::size(text, 1..=1 << 20)?;
            Ok(())
        },
    },
    Key {
        name: "http_send_buffer",
        section: HTTP,
        value: "SIZE",
        kind: Kind::One,
        default: "512KiB",
        help: "Bytes the kernel holds for an HTTP peer, sent and not acknowledged included",
        set: |config, text| {
            config.http_limits.net.send_buffer = units::size(text, MIN_BUFFER..=MAX_BUFFER)?;
            Ok(())
        },
    },
    Key {
        name: "http_unsent",
        section: HTTP,
        value: "SIZE",
        kind: Kind::One,
        default: "128KiB",
        help: "Bytes the kernel holds for an HTTP peer before they are sent (Linux)",
        set: |config, text| {
            let unsent = units::size(text, MIN_BUFFER..=MAX_BUFFER)?;
            config.http_limits.net.unsent = u32::try_from(unsent).unwrap_or(u32::MAX);
            Ok(())
        },
    },
    Key {
        name: "http_keepalive",
        section: HTTP,
        value: "TIME",
        kind: Kind::One,
        default: "30s",
        help: "Silence after which the system asks an HTTP peer whether it is there",
        set: |config, text| {
            config.http_limits.net.keepalive =
                units::time(text, Duration::from_secs(1)..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_connections",
        section: RTMP,
        value: "NUMBER",
        kind: Kind::One,
        default: "500",
        help: "RTMP connections at a time",
        set: |config, text| {
            config.rtmp_limits.max_connections = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_handshake_timeout",
        section: RTMP,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        help: "How long the handshake may take",
        set: |config, text| {
            config.rtmp_limits.protocol.handshake_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_setup_timeout",
        section: RTMP,
        value: "TIME",
        kind: Kind::One,
        default: "30s",
        help: "How long a peer may stay connected without publishing",
        set: |config, text| {
            config.rtmp_limits.protocol.setup_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_ping_after",
        section: RTMP,
        value: "TIME",
        kind: Kind::One,
        default: "5s",
        help: "Silence after which a publisher is pinged",
        set: |config, text| {
            config.rtmp_limits.protocol.ping_after = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_idle_timeout",
        section: RTMP,
        value: "TIME",
        kind: Kind::One,
        default: "30s",
        help: "Silence, unanswered pings included, after which a publisher counts as lost",
        set: |config, text| {
            config.rtmp_limits.protocol.idle_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_write_timeout",
        section: RTMP,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        help: "How long a publisher may take for what is sent to it",
        set: |config, text| {
            config.rtmp_limits.write_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "rtmp_max_message",
        section: RTMP,
        value: "SIZE",
        kind: Kind::One,
        default: "10MiB",
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
        name: "rtmp_chunk_size",
        section: RTMP,
        value: "SIZE",
        kind: Kind::One,
        default: "60000",
        help: "Chunk size of what is sent to RTMP peers",
        set: |config, text| {
            let size = units::size(text, 128..=MAX_CHUNK)?;
            config.rtmp_limits.protocol.chunk_size = u32::try_from(size).unwrap_or(u32::MAX);
            Ok(())
        },
    },
    Key {
        name: "rtmp_window",
        section: RTMP,
        value: "SIZE",
        kind: Kind::One,
        default: "2500000",
        help: "What a publisher may send before it is acknowledged",
        set: |config, text| {
            let size = units::size(text, 4096..=MAX_WINDOW)?;
            config.rtmp_limits.protocol.window = u32::try_from(size).unwrap_or(u32::MAX);
            Ok(())
        },
    },
    Key {
        name: "web_dir",
        section: PAGE,
        value: "DIR",
        kind: Kind::One,
        default: "",
        help: "Serve the page from this directory instead of the one built in, for editing it",
        set: |config, text| {
            config.web_dir = (!text.is_empty()).then(|| units::page_directory(text)).transpose()?;
            Ok(())
        },
    },
    Key {
        name: "demo",
        section: PAGE,
        value: "BOOL",
        kind: Kind::Switch,
        default: "false",
        help: "Publish the built-in test stream as live/demo",
        set: |config, text| {
            config.demo = units::switch(text)?;
            Ok(())
        },
    },
    Key {
        name: "log",
        section: RUNNING,
        value: "FORMAT",
        kind: Kind::One,
        default: "text",
        help: "How the log on stderr is written: text or json",
        set: |config, text| {
            config.log = match text {
                "text" => logs::Format::Text,
                "json" => logs::Format::Json,
                _ => return Err(format!("{text:?} is not a log format: write text or json")),
            };
            Ok(())
        },
    },
    Key {
        name: "stop_timeout",
        section: RUNNING,
        value: "TIME",
        kind: Kind::One,
        default: "3s",
        help: "How long connections may take to end when the server stops",
        set: |config, text| {
            config.stop_timeout = units::time(text, Duration::ZERO..=MAX_STOP_TIMEOUT)?;
            Ok(())
        },
    },
];

const LISTENING: &str = "Listening";
const PAGE: &str = "Page and demo";
const STREAMS: &str = "Streams";
const HTTP: &str = "HTTP limits";
const RTMP: &str = "RTMP limits";
const RUNNING: &str = "Running";

const MIN_TIME: Duration = Duration::from_millis(10);
const MAX_TIME: Duration = Duration::from_secs(24 * 3600);

const MIN_BUFFER: usize = 4 << 10;
const MAX_BUFFER: usize = 64 << 20;

/// Less than this does not hold one group of pictures.
const MIN_MEDIA: usize = 64 << 10;
const MAX_MEDIA: usize = 4 << 30;

const MIN_MESSAGE: usize = 64 << 10;

/// What an FLV tag holds (24 bits of length).
const MAX_MESSAGE: usize = Tag::MAX_DATA_LEN;

/// Unfinished messages besides the largest one, as the protocol has room for by default.
const PARTIAL_SPARE: usize =
    chunk::Limits::MEDIA.max_partial_len - chunk::Limits::MEDIA.max_message_len as usize;

/// The largest that a 24-bit message length can make use of (RTMP 1.0 §5.4.1).
const MAX_CHUNK: usize = 0xFF_FFFF;
const MAX_WINDOW: usize = 1 << 30;

/// More than the descriptors of one process.
const MAX_CONNECTIONS: usize = 1_000_000;

/// A stop is promised within 5 s; the rest is for what is left to drop.
const MAX_STOP_TIMEOUT: Duration = Duration::from_secs(4);
