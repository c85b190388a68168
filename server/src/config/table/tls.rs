//! TLS: where, with which certificate, and what handshakes are held to.

use std::path::PathBuf;

use super::{MAX_TIME, MIN_TIME};
use crate::config::{
    keys::{Changes, Key, Kind},
    units,
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "https",
        section: TITLE,
        value: "ADDR",
        kind: Kind::List,
        default: "",
        changes: Changes::Restart,
        help: "Where the same is served as over HTTP, under TLS; may repeat. With a certificate and neither this nor rtmps: 0.0.0.0:8443",
        set: |config, text| {
            config.https = units::list(text).map(units::address).collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Key {
        name: "rtmps",
        section: TITLE,
        value: "ADDR",
        kind: Kind::List,
        default: "",
        changes: Changes::Restart,
        help: "Where publishers and players connect for RTMP under TLS; may repeat. With a certificate and neither this nor https: 0.0.0.0:1936",
        set: |config, text| {
            config.rtmps = units::list(text).map(units::address).collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Key {
        name: "tls_cert",
        section: TITLE,
        value: "FILE",
        kind: Kind::One,
        default: "",
        changes: Changes::NewConnections,
        help: "The certificate and those that vouch for it, as PEM; read again when it changes",
        set: |config, text| {
            config.tls.cert = path(text);
            Ok(())
        },
    },
    Key {
        name: "tls_key",
        section: TITLE,
        value: "FILE",
        kind: Kind::One,
        default: "",
        changes: Changes::NewConnections,
        help: "The certificate's key, as PEM; not needed if it is in the same file",
        set: |config, text| {
            config.tls.key = path(text);
            Ok(())
        },
    },
    Key {
        name: "tls_self_signed",
        section: TITLE,
        value: "BOOL",
        kind: Kind::Switch,
        default: "false",
        changes: Changes::NewConnections,
        help: "Make a certificate for this machine's names and addresses, which browsers ask about once",
        set: |config, text| {
            config.tls.self_signed = units::switch(text)?;
            Ok(())
        },
    },
    Key {
        name: "tls_self_signed_file",
        section: TITLE,
        value: "FILE",
        kind: Kind::One,
        default: "",
        changes: Changes::NewConnections,
        help: "Where that certificate and its key are kept; in the user's state directory if nothing is said",
        set: |config, text| {
            config.tls.self_signed_file = path(text);
            Ok(())
        },
    },
    Key {
        name: "tls_handshake_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "10s",
        changes: Changes::NewConnections,
        help: "How long a TLS handshake may take",
        set: |config, text| {
            config.tls.handshake_timeout = units::time(text, MIN_TIME..=MAX_TIME)?;
            Ok(())
        },
    },
    Key {
        name: "tls_handshakes",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "0",
        changes: Changes::Restart,
        help: "TLS handshakes that are computed at a time; 0 for half of the cores",
        set: |config, text| {
            config.tls.handshakes = units::number(text, 0..=1000)?;
            Ok(())
        },
    },
];

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

const TITLE: &str = "TLS";
