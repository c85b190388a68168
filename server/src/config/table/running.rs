//! How the program runs.

use std::time::Duration;

use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};
use crate::logs;

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "log",
        section: TITLE,
        value: "FORMAT",
        kind: Kind::One,
        default: "text",
        changes: Changes::Restart,
        help: "How the log on stderr is written: text or json",
        set: |config, text| {
            let all = [("text", logs::Format::Text), ("json", logs::Format::Json)];
            config.log = units::one_of(text, "a log format", &all)?;
            Ok(())
        },
    },
    Key {
        name: "log_level",
        section: TITLE,
        value: "LEVELS",
        kind: Kind::One,
        default: "info",
        changes: Changes::AtOnce,
        help: "What is logged: error, warn, info, debug or trace, for all or for parts; RUST_LOG counts in its place",
        set: |config, text| {
            config.log_level = logs::Levels::parse(text)?;
            Ok(())
        },
    },
    Key {
        name: "config_watch",
        section: TITLE,
        value: "BOOL",
        kind: Kind::Switch,
        default: "true",
        changes: Changes::AtOnce,
        help: "Read the configuration again when its file has changed, or one that it names a secret by",
        set: |config, text| {
            config.config_watch = units::switch(text)?;
            Ok(())
        },
    },
    Key {
        name: "stop_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "3s",
        changes: Changes::AtOnce,
        help: "How long connections may take to end when the server stops",
        set: |config, text| {
            config.stop_timeout = units::time(text, Duration::ZERO..=MAX_STOP_TIMEOUT)?;
            Ok(())
        },
    },
];

const TITLE: &str = "Running";

/// A stop is promised within 5 s; the rest is for what is left to drop.
const MAX_STOP_TIMEOUT: Duration = Duration::from_secs(4);
