//! How the hub treats publishers and viewers.

use std::time::Duration;

use super::{MAX_CONNECTIONS, MAX_TIME, MIN_TIME};
use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};
use crate::hub::Takeover;

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "takeover",
        section: TITLE,
        value: "POLICY",
        kind: Kind::One,
        default: "replace_if_idle",
        changes: Changes::AtOnce,
        help: "Second publisher of a name: reject, replace or replace_if_idle",
        set: |config, text| {
            let all = [
                ("reject", Takeover::Reject),
                ("replace", Takeover::Replace),
                ("replace_if_idle", Takeover::ReplaceIfIdle),
            ];
            config.hub.takeover = units::one_of(text, "a policy", &all)?;
            Ok(())
        },
    },
    Key {
        name: "takeover_idle",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "3s",
        changes: Changes::AtOnce,
        help: "With replace_if_idle: how long without media makes a publisher replaceable",
        set: |config, text| {
            config.hub.idle_after = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "first_media",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "20s",
        changes: Changes::NewConnections,
        help: "How long a publisher may take for its first media",
        set: |config, text| {
            config.hub.first_media = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "media_idle",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "5m",
        changes: Changes::NewConnections,
        help: "How long a publisher that answers pings may go without media",
        set: |config, text| {
            config.hub.media_idle = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "grace",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        changes: Changes::AtOnce,
        help: "How long viewers are held when a publisher is lost without goodbye; 0s ends them at once",
        set: |config, text| {
            config.hub.grace = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "missing_wait",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "3s",
        changes: Changes::NewConnections,
        help: "How long a viewer waits for a stream nobody publishes, before 404",
        set: |config, text| {
            config.hub.missing_wait = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "start_wait",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        changes: Changes::NewConnections,
        help: "How long a viewer waits for the first keyframe of a live stream",
        set: |config, text| {
            config.hub.start_wait = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "tracks_wait",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "500ms",
        changes: Changes::NewConnections,
        help: "How long after its first frame a publisher may take to show its second track",
        set: |config, text| {
            config.hub.tracks_wait = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "audio_hold",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "40ms",
        changes: Changes::NewConnections,
        help: "How long sound may wait for the next picture, to leave in one write with it",
        set: |config, text| {
            config.hub.held_audio_max = units::time(text, Duration::ZERO..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "batch",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "0ms",
        changes: Changes::NewConnections,
        help: "How long pictures may wait for more of them, to leave in one write: less cost, more latency",
        set: |config, text| {
            config.hub.batch = units::time(text, Duration::ZERO..=MAX_BATCH)?;
            Ok(())
        },
    },
    Key {
        name: "lag",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "5s",
        changes: Changes::AtOnce,
        help: "Media a viewer may be behind before it jumps to the newest keyframe",
        set: |config, text| {
            config.hub.lag = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "lag_bytes",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "8MiB",
        changes: Changes::AtOnce,
        help: "Bytes a viewer may be behind before it jumps to the newest keyframe",
        set: |config, text| {
            config.hub.lag_bytes = units::size(text, MIN_MEDIA..=MAX_MEDIA)?;
            Ok(())
        },
    },
    Key {
        name: "gop",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "20s",
        changes: Changes::AtOnce,
        help: "Longest group of pictures that is kept whole for joiners",
        set: |config, text| {
            config.hub.gop = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "gop_bytes",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "32MiB",
        changes: Changes::AtOnce,
        help: "Largest group of pictures kept whole for joiners, and the most memory a stream takes",
        set: |config, text| {
            config.hub.gop_bytes = units::size(text, MIN_MEDIA..=MAX_MEDIA)?;
            Ok(())
        },
    },
    Key {
        name: "max_streams",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "100",
        changes: Changes::AtOnce,
        help: "Streams at a time",
        set: |config, text| {
            config.hub.max_streams = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "media_bytes",
        section: TITLE,
        value: "SIZE",
        kind: Kind::One,
        default: "1GiB",
        changes: Changes::AtOnce,
        help: "Media of all streams together",
        set: |config, text| {
            config.hub.media_bytes = units::size(text, 1 << 20..=usize::MAX)?;
            Ok(())
        },
    },
    Key {
        name: "max_bans",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "1000",
        changes: Changes::AtOnce,
        help: "Names that are refused after a kick, at a time",
        set: |config, text| {
            config.hub.max_bans = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "max_viewers",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "10000",
        changes: Changes::AtOnce,
        help: "Viewers of one stream",
        set: |config, text| {
            config.hub.max_viewers = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
    Key {
        name: "max_viewers_total",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "20000",
        changes: Changes::AtOnce,
        help: "Viewers of all streams together",
        set: |config, text| {
            config.hub.max_viewers_total = units::number(text, 1..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
];

const TITLE: &str = "Streams";

/// Less than this does not hold one group of pictures.
const MIN_MEDIA: usize = 64 << 10;
const MAX_MEDIA: usize = 4 << 30;

/// More is not live any more.
const MAX_BATCH: Duration = Duration::from_secs(2);
