//! Where the server listens.

use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "rtmp",
        section: TITLE,
        value: "ADDR",
        kind: Kind::One,
        default: "0.0.0.0:1935",
        changes: Changes::Restart,
        help: "Where publishers push RTMP to; port 0 picks a free one",
        set: |config, text| {
            config.rtmp = units::address(text)?;
            Ok(())
        },
    },
    Key {
        name: "http",
        section: TITLE,
        value: "ADDR",
        kind: Kind::List,
        default: "0.0.0.0:8082",
        changes: Changes::Restart,
        help: "Where the page, the API and the streams are served; may repeat",
        set: |config, text| {
            config.http = units::addresses(text)?;
            Ok(())
        },
    },
];

const TITLE: &str = "Listening";
