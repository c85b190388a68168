//! Proxies in front of the server.

use crate::{
    config::keys::{Changes, Key, Kind},
    net::Networks,
};

pub(super) const KEYS: &[Key] = &[Key {
    name: "trusted_proxies",
    section: TITLE,
    value: "NETWORK",
    kind: Kind::List,
    default: "",
    changes: Changes::NewConnections,
    help: "Proxies whose X-Forwarded-For is believed, such as 127.0.0.1 or 10.0.0.0/8; may repeat",
    set: |config, text| {
        config.http_limits.trusted_proxies = Networks::parse(text)?;
        Ok(())
    },
}];

const TITLE: &str = "Proxies";
