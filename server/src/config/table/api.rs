//! The API and the metrics.

use crate::{
    api::Readers,
    config::{
        Secret,
        keys::{Changes, Key, Kind},
        units,
    },
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "api_tokens",
        section: TITLE,
        value: "SECRET",
        kind: Kind::Secrets,
        default: "",
        changes: Changes::AtOnce,
        help: "Who sends one of these (`Authorization: Bearer …`) may change things; may repeat",
        set: |config, text| {
            let tokens = units::list(text).map(|token| match token.len() {
                0..MIN_TOKEN => {
                    Err(format!("a token needs {MIN_TOKEN} bytes at least: it could be guessed"))
                }
                _ => Ok(Secret::new(token)),
            });
            config.api.tokens = tokens.collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Key {
        name: "api_read",
        section: TITLE,
        value: "WHO",
        kind: Kind::One,
        default: "anybody",
        changes: Changes::AtOnce,
        help: "Who may read the API and the metrics: anybody, local (or a token), token",
        set: |config, text| {
            let all = [
                ("anybody", Readers::Anybody),
                ("local", Readers::Local),
                ("token", Readers::Token),
            ];
            config.api.read = units::one_of(text, "one of those who may", &all)?;
            Ok(())
        },
    },
    Key {
        name: "metrics_streams",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "100",
        changes: Changes::AtOnce,
        help: "Streams that have figures of their own in the metrics",
        set: |config, text| {
            config.api.metrics_streams = units::number(text, 0..=MAX_METRICS_STREAMS)?;
            Ok(())
        },
    },
];

const TITLE: &str = "API and metrics";

/// Nobody tries so many: 80 bits, if each character is one of 32.
const MIN_TOKEN: usize = 16;

/// A scrape of some megabytes.
const MAX_METRICS_STREAMS: usize = 10_000;
