//! The table of keys: the one place where a key, its default and its range are written down.
//!
//! `docs/configuration.md` is compared with it by `tests/docs.rs`.

use std::time::Duration;

use super::{Config, units};
use crate::logs;

/// One thing the server can be told.
#[derive(Debug)]
pub struct Key {
    /// In the file; the flag and the variable are made from it.
    pub name: &'static str,
    /// Heading in `--help` and in the documentation.
    pub section: &'static str,
    /// How its value is shown in `--help`: ADDR, TIME, SIZE, …
    pub value: &'static str,
    /// How many values it takes.
    pub kind: Kind,
    /// As it would be written; empty for none.
    pub default: &'static str,
    /// One sentence, without a full stop.
    pub help: &'static str,
    /// Parses a value into the configuration, or says what is wrong with it.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
}

/// How many values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// One.
    One,
    /// One or more: the flag repeats, the file has an array, the variable has commas.
    List,
    /// `true` or `false`; the bare flag means `true`.
    Switch,
}

/// The key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

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
        name: "http_max_connections",
        section: LIMITS,
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
        section: LIMITS,
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
        section: LIMITS,
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
        name: "web_dir",
        section: PAGE,
        value: "DIR",
        kind: Kind::One,
        default: "",
        help: "Serve the page from this directory instead of the one built in, for editing it",
        set: |config, text| {
            config.web_dir = (!text.is_empty()).then(|| text.into());
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
const LIMITS: &str = "Limits";
const RUNNING: &str = "Running";

const MIN_TIME: Duration = Duration::from_millis(10);
const MAX_TIME: Duration = Duration::from_secs(24 * 3600);

/// More than the descriptors of one process.
const MAX_CONNECTIONS: usize = 1_000_000;

/// A stop is promised within 5 s; the rest is for what is left to drop.
const MAX_STOP_TIMEOUT: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_valid_and_every_name_is_its_own() {
        let mut config = Config::default();
        for key in KEYS {
            assert_eq!((key.set)(&mut config, key.default), Ok(()), "{}", key.name);
            assert_eq!(
                KEYS.iter().filter(|other| other.name == key.name).count(),
                1,
                "{}",
                key.name
            );
            assert!(
                key.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{}",
                key.name
            );
            assert!(!key.help.ends_with('.') && !key.help.is_empty(), "{}", key.name);
        }
        assert_eq!(config, Config::default(), "a default set again changes nothing");
    }
}
