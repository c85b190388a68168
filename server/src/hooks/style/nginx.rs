//! nginx-rtmp: a form, with the peer's own parameters behind it. The status is the answer: 2xx lets in.

use axum::http::StatusCode;
use form_urlencoded::Serializer;

use super::{Body, Letter, Verdict, refused};
use crate::hooks::Event;

pub(super) fn write(letter: &Letter<'_>) -> Body {
    let Letter { event, client, bytes, .. } = *letter;
    let (app, stream) = letter.app_and_stream();
    let connect = &client.connect;
    let call = match event {
        Event::OnConnect => "connect",
        Event::OnClose => "disconnect",
        Event::OnPublish => "publish",
        Event::OnUnpublish => "publish_done",
        Event::OnPlay => "play",
        Event::OnStop => "play_done",
    };
    let address = client.peer.ip().to_canonical().to_string();
    let (sent, received) = (bytes.sent.to_string(), bytes.received.to_string());
    let mut fields = vec![
        ("app", app),
        ("flashver", &connect.flash_ver),
        ("swfurl", &connect.swf_url),
        ("tcurl", &connect.tc_url),
        ("pageurl", &connect.page_url),
        ("addr", &address),
        ("clientid", &client.id),
        ("call", call),
    ];
    if letter.subject.stream().is_some() {
        fields.push(("name", stream));
    }
    match event {
        Event::OnPublish => fields.push(("type", "live")),
        Event::OnPlay => fields.extend([("start", "0"), ("duration", "0"), ("reset", "0")]),
        Event::OnClose | Event::OnUnpublish | Event::OnStop => {
            fields.extend([("bytes_in", received.as_str()), ("bytes_out", sent.as_str())]);
        }
        Event::OnConnect => {}
    }
    let mut form = Serializer::new(String::new());
    form.extend_pairs(&fields);
    // A peer that calls itself by another's name or address is not to be believed: many languages read the last of two.
    let own = form_urlencoded::parse(letter.query().as_bytes());
    form.extend_pairs(own.filter(|(key, _)| !is_reserved(key)));
    Body { content_type: "application/x-www-form-urlencoded", text: form.finish() }
}

/// With a redirect, nginx-rtmp renames the stream or relays it. Neither is done here, and the peer must not get in under
/// the name that was not meant.
pub(super) fn read(status: StatusCode) -> Verdict {
    if status.is_success() {
        Verdict::Allowed
    } else if status.is_redirection() {
        Verdict::Denied("a redirect to another name or server is not supported".to_owned())
    } else {
        refused(status)
    }
}

/// Whether a hook server may take a parameter for one of ours. PHP reads `name[]`, ` name` and `bytes.in` as `name` and
/// `bytes_in`, and others do not tell capitals apart.
fn is_reserved(key: &str) -> bool {
    let key = key.trim_start().split(['[', '\0']).next().unwrap_or_default();
    let key = key.trim_end().replace([' ', '.'], "_").to_ascii_lowercase();
    RESERVED.contains(&key.as_str())
}

/// What a peer's parameters cannot be called.
const RESERVED: [&str; 16] = [
    "app",
    "flashver",
    "swfurl",
    "tcurl",
    "pageurl",
    "addr",
    "clientid",
    "call",
    "name",
    "type",
    "start",
    "duration",
    "reset",
    "bytes_in",
    "bytes_out",
    "epoch",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_of_our_fields_are_ours_too() {
        for key in [
            "addr",
            "Addr",
            "ADDR",
            " addr",
            "addr[]",
            "addr[x][y]",
            "bytes.in",
            "bytes in",
            "addr\0x",
        ] {
            assert!(is_reserved(key), "{key:?}");
        }
        for key in ["sign", "k", "address", "[addr]", ""] {
            assert!(!is_reserved(key), "{key:?}");
        }
    }
}
