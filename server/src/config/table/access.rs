//! Who may publish and view.

use std::time::Duration;

use super::MAX_CONNECTIONS;
use crate::access::{Maker, Once, sign::Template};
use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};
use crate::net::Networks;

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "publish_secrets",
        section: TITLE,
        value: "SECRET",
        kind: Kind::Secrets,
        default: "",
        changes: Changes::NewConnections,
        help: "Secrets that sign the addresses of publishers; with one, they need a signature; may repeat",
        set: |config, text| {
            config.access.publish.secrets = units::secrets(text);
            Ok(())
        },
    },
    Key {
        name: "play_secrets",
        section: TITLE,
        value: "SECRET",
        kind: Kind::Secrets,
        default: "",
        changes: Changes::NewConnections,
        help: "Secrets that sign the addresses of viewers; with one, they need a signature; may repeat",
        set: |config, text| {
            config.access.play.secrets = units::secrets(text);
            Ok(())
        },
    },
    Key {
        name: "publish_tokens",
        section: TITLE,
        value: "SECRET",
        kind: Kind::Secrets,
        default: "",
        changes: Changes::NewConnections,
        help: "Values of token= that let publishers in; may repeat",
        set: |config, text| {
            config.access.publish.tokens = units::secrets(text);
            Ok(())
        },
    },
    Key {
        name: "play_tokens",
        section: TITLE,
        value: "SECRET",
        kind: Kind::Secrets,
        default: "",
        changes: Changes::NewConnections,
        help: "Values of token= that let viewers in; may repeat",
        set: |config, text| {
            config.access.play.tokens = units::secrets(text);
            Ok(())
        },
    },
    Key {
        name: "sign_skew",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        changes: Changes::NewConnections,
        help: "How long an expired signature is still good, as clocks differ",
        set: |config, text| {
            config.access.sign_skew = units::time(text, Duration::ZERO..=MAX_SKEW)?;
            Ok(())
        },
    },
    Key {
        name: "sign_max_life",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "0s",
        changes: Changes::NewConnections,
        help: "Longest life a signature may have left; 0s for any",
        set: |config, text| {
            config.access.sign_max_life = units::time(text, Duration::ZERO..=MAX_LIFE)?;
            Ok(())
        },
    },
    Key {
        name: "sign_ends_sessions",
        section: TITLE,
        value: "BOOL",
        kind: Kind::Switch,
        default: "false",
        changes: Changes::NewConnections,
        help: "End publishers and viewers when the signature that let them in expires",
        set: |config, text| {
            config.access.sign_ends_sessions = units::switch(text)?;
            Ok(())
        },
    },
    Key {
        name: "sign_once",
        section: TITLE,
        value: "WHO",
        kind: Kind::One,
        default: "nobody",
        changes: Changes::NewConnections,
        help: "Whose signatures let in one only: nobody, publishers, viewers or everybody",
        set: |config, text| {
            let all = [
                ("nobody", Once::Nobody),
                ("publishers", Once::Publishers),
                ("viewers", Once::Viewers),
                ("everybody", Once::Everybody),
            ];
            config.access.sign_once = units::one_of(text, "one of those it may be for", &all)?;
            Ok(())
        },
    },
    Key {
        name: "max_signatures",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "100000",
        changes: Changes::NewConnections,
        help: "Used signatures that are remembered for sign_once until they expire",
        set: |config, text| {
            config.access.max_signatures = units::number(text, 1..=MAX_SIGNATURES)?;
            Ok(())
        },
    },
    Key {
        name: "secure_link",
        section: TITLE,
        value: "TEMPLATE",
        kind: Kind::One,
        default: Template::DEFAULT,
        changes: Changes::NewConnections,
        help: "What is signed for md5= and expires=, as in nginx's secure_link_md5",
        set: |config, text| {
            config.access.secure_link = Template::parse(text)?;
            Ok(())
        },
    },
    Key {
        name: "allow_publish",
        section: TITLE,
        value: "NETWORK",
        kind: Kind::List,
        default: "",
        changes: Changes::NewConnections,
        help: "Addresses and networks that may publish, and no others; may repeat",
        set: |config, text| {
            config.access.publish.allow = Networks::parse(text)?;
            Ok(())
        },
    },
    Key {
        name: "deny_publish",
        section: TITLE,
        value: "NETWORK",
        kind: Kind::List,
        default: "",
        changes: Changes::NewConnections,
        help: "Addresses and networks that may not publish; may repeat",
        set: |config, text| {
            config.access.publish.deny = Networks::parse(text)?;
            Ok(())
        },
    },
    Key {
        name: "allow_play",
        section: TITLE,
        value: "NETWORK",
        kind: Kind::List,
        default: "",
        changes: Changes::NewConnections,
        help: "Addresses and networks that may view, and no others; may repeat",
        set: |config, text| {
            config.access.play.allow = Networks::parse(text)?;
            Ok(())
        },
    },
    Key {
        name: "deny_play",
        section: TITLE,
        value: "NETWORK",
        kind: Kind::List,
        default: "",
        changes: Changes::NewConnections,
        help: "Addresses and networks that may not view; may repeat",
        set: |config, text| {
            config.access.play.deny = Networks::parse(text)?;
            Ok(())
        },
    },
    Key {
        name: "sign_maker",
        section: TITLE,
        value: "WHO",
        kind: Kind::One,
        default: "local",
        changes: Changes::NewConnections,
        help: "Who may have addresses signed by the page and the API: local, token, anybody or nobody",
        set: |config, text| {
            let all = [
                ("local", Maker::Local),
                ("token", Maker::Token),
                ("anybody", Maker::Anybody),
                ("nobody", Maker::Nobody),
            ];
            config.access.maker = units::one_of(text, "one of those who may", &all)?;
            Ok(())
        },
    },
    Key {
        name: "max_refusals",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "1000",
        changes: Changes::NewConnections,
        help: "Refused publishers and viewers that are remembered for the page and the API",
        set: |config, text| {
            config.access.max_refusals = units::number(text, 0..=MAX_CONNECTIONS)?;
            Ok(())
        },
    },
];

const TITLE: &str = "Access";

/// A clock that is an hour off is in the wrong time zone.
const MAX_SKEW: Duration = Duration::from_secs(3600);

/// More than a gigabyte of them.
const MAX_SIGNATURES: usize = 10_000_000;

/// Ten years.
const MAX_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
