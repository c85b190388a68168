//! The page and the built-in test stream.

use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "web_dir",
        section: TITLE,
        value: "DIR",
        kind: Kind::One,
        default: "",
        changes: Changes::Restart,
        help: "Serve the page from this directory instead of the one built in, for editing it",
        set: |config, text| {
            config.web_dir = (!text.is_empty()).then(|| units::page_directory(text)).transpose()?;
            Ok(())
        },
    },
    Key {
        name: "demo",
        section: TITLE,
        value: "BOOL",
        kind: Kind::Switch,
        default: "false",
        changes: Changes::AtOnce,
        help: "Publish the built-in test stream as live/demo",
        set: |config, text| {
            config.demo = units::switch(text)?;
            Ok(())
        },
    },
];

const TITLE: &str = "Page and demo";
