//! Who is asked and told about those who come and go.

use std::time::Duration;

use crate::config::{
    Config,
    keys::{Changes, Key, Kind},
    units,
};
use crate::hooks::{Authorities, Event, Fail, Style, Url};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "on_connect",
        section: TITLE,
        value: "URL",
        kind: Kind::Urls,
        default: "",
        changes: Changes::AtOnce,
        help: "Ask here whether an RTMP peer may connect",
        set: |config, text| set_urls(config, Event::OnConnect, text),
    },
    Key {
        name: "on_close",
        section: TITLE,
        value: "URL",
        kind: Kind::Urls,
        default: "",
        changes: Changes::AtOnce,
        help: "Tell here that an RTMP connection has ended",
        set: |config, text| set_urls(config, Event::OnClose, text),
    },
    Key {
        name: "on_publish",
        section: TITLE,
        value: "URL",
        kind: Kind::Urls,
        default: "",
        changes: Changes::AtOnce,
        help: "Ask here whether somebody may publish a stream",
        set: |config, text| set_urls(config, Event::OnPublish, text),
    },
    Key {
        name: "on_unpublish",
        section: TITLE,
        value: "URL",
        kind: Kind::Urls,
        default: "",
        changes: Changes::AtOnce,
        help: "Tell here that a publisher has ended",
        set: |config, text| set_urls(config, Event::OnUnpublish, text),
    },
    Key {
        name: "on_play",
        section: TITLE,
        value: "URL",
        kind: Kind::Urls,
        default: "",
        changes: Changes::AtOnce,
        help: "Ask here whether somebody may play a stream",
        set: |config, text| set_urls(config, Event::OnPlay, text),
    },
    Key {
        name: "on_stop",
        section: TITLE,
        value: "URL",
        kind: Kind::Urls,
        default: "",
        changes: Changes::AtOnce,
        help: "Tell here that a player has ended",
        set: |config, text| set_urls(config, Event::OnStop, text),
    },
    Key {
        name: "hook_style",
        section: TITLE,
        value: "STYLE",
        kind: Kind::One,
        default: "srs",
        changes: Changes::AtOnce,
        help: "Whose events, fields and replies hooks have: srs, nginx (nginx-rtmp) or nms (Node-Media-Server)",
        set: |config, text| {
            let all = [("srs", Style::Srs), ("nginx", Style::Nginx), ("nms", Style::Nms)];
            config.hooks.style = units::one_of(text, "a style of hooks", &all)?;
            Ok(())
        },
    },
    Key {
        name: "hook_secret",
        section: TITLE,
        value: "SECRET",
        kind: Kind::Secret,
        default: "",
        changes: Changes::AtOnce,
        help: "Sign the bodies sent to hooks with this (HMAC-SHA256)",
        set: |config, text| {
            config.hooks.secret = units::secrets(text).into_iter().next();
            Ok(())
        },
    },
    Key {
        name: "hook_ca",
        section: TITLE,
        value: "FILE",
        kind: Kind::File,
        default: "",
        changes: Changes::AtOnce,
        help: "The authorities that vouch for hooks over https, as PEM, in place of those that the system trusts",
        set: |config, text| {
            config.hooks.authorities = match text {
                "" => None,
                file => Some(Authorities::read(file.as_ref()).map_err(|error| error.to_string())?),
            };
            Ok(())
        },
    },
    Key {
        name: "hook_timeout",
        section: TITLE,
        value: "TIME",
        kind: Kind::One,
        default: "5s",
        changes: Changes::AtOnce,
        help: "How long a hook may take to answer",
        set: |config, text| {
            config.hooks.timeout = units::time(text, MIN_TIMEOUT..=MAX_TIMEOUT)?;
            Ok(())
        },
    },
    Key {
        name: "hook_fail",
        section: TITLE,
        value: "POLICY",
        kind: Kind::One,
        default: "closed",
        changes: Changes::AtOnce,
        help: "Whether peers are refused (closed) or let in (open) when a hook gives no answer that makes sense",
        set: |config, text| {
            let all = [("closed", Fail::Closed), ("open", Fail::Open)];
            config.hooks.fail = units::one_of(text, "a policy", &all)?;
            Ok(())
        },
    },
    Key {
        name: "hook_retries",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "5",
        changes: Changes::AtOnce,
        help: "How often telling a hook is tried again, after 1s, 2s, 4s and so on",
        set: |config, text| {
            config.hooks.retries = units::number(text, 0..=MAX_RETRIES)?;
            Ok(())
        },
    },
    Key {
        name: "hook_queue",
        section: TITLE,
        value: "NUMBER",
        kind: Kind::One,
        default: "20000",
        changes: Changes::AtOnce,
        help: "Events that may wait for hooks, in all",
        set: |config, text| {
            config.hooks.queue = units::number(text, 1..=MAX_QUEUE)?;
            Ok(())
        },
    },
];

fn set_urls(config: &mut Config, event: Event, text: &str) -> Result<(), String> {
    let of_one = |(first, next): (&str, &str)| first.contains('?') && !next.contains("://");
    if units::list(text).zip(units::list(text).skip(1)).any(of_one) {
        // What stands behind it may be secret, as all of a query.
        return Err("a comma ends a URL: in a query it is written %2C".to_owned());
    }
    let urls: Vec<Url> = units::list(text).map(Url::parse).collect::<Result<_, _>>()?;
    if urls.len() > MAX_URLS {
        return Err(format!("{} URLs for one event are more than {MAX_URLS}", urls.len()));
    }
    config.hooks.set_urls(event, urls);
    Ok(())
}

const TITLE: &str = "Hooks";

/// Each is asked about every peer.
const MAX_URLS: usize = 8;

const MIN_TIMEOUT: Duration = Duration::from_millis(100);

/// Less than what a peer that waits for its answer may be silent for.
const MAX_TIMEOUT: Duration = Duration::from_secs(20);

/// With pauses of up to 30 s, five minutes.
const MAX_RETRIES: u32 = 12;

const MAX_QUEUE: usize = 1_000_000;
