//! Node-Media-Server 4: one JSON object for each event, and status 200 lets in. It is asked before media passes, and not
//! after.
//!
//! It knows a `pre…` and a `post…` of each beginning. Both are sent, one after the other, and both are questions: whoever
//! decides at either, decides. It has no events of connections; the names of theirs are those of version 2.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Body, Letter, Verdict, refused};
use crate::{
    hooks::Event,
    time::{millis, unix_now},
};

#[derive(Serialize)]
struct Fields<'a> {
    id: &'a str,
    ip: String,
    app: &'a str,
    name: &'a str,
    query: Map<String, Value>,
    protocol: &'a str,
    createtime: u64,
    endtime: u64,
    inbytes: u64,
    outbytes: u64,
    #[serde(rename = "filePath")]
    file_path: &'a str,
    action: &'a str,
}

pub(super) fn write(letter: &Letter<'_>) -> Vec<Body> {
    let actions: &[&str] = match letter.event {
        Event::OnConnect => &["preConnect", "postConnect"],
        Event::OnClose => &["doneConnect"],
        Event::OnPublish => &["prePublish", "postPublish"],
        Event::OnUnpublish => &["donePublish"],
        Event::OnPlay => &["prePlay", "postPlay"],
        Event::OnStop => &["donePlay"],
    };
    actions.iter().map(|action| one(letter, action)).collect()
}

fn one(letter: &Letter<'_>, action: &str) -> Body {
    let Letter { client, bytes, .. } = *letter;
    let (app, name) = letter.app_and_stream();
    let mut query = Map::new();
    for (key, value) in form_urlencoded::parse(letter.query().as_bytes()) {
        query.entry(key).or_insert_with(|| Value::from(value.into_owned()));
    }
    let fields = Fields {
        id: &client.id,
        ip: format!("{}:{}", client.peer.ip().to_canonical(), client.peer.port()),
        app,
        name,
        query,
        // It has one word for streams over HTTP.
        protocol: if client.protocol == "rtmp" { "rtmp" } else { "flv" },
        createtime: client.since_ms,
        endtime: if letter.is_end() { millis(unix_now()) } else { 0 },
        inbytes: bytes.received,
        outbytes: bytes.sent,
        file_path: "",
        action,
    };
    // Text and numbers always become JSON.
    let text = serde_json::to_string(&fields).unwrap_or_default();
    Body { content_type: "application/json", text }
}

pub(super) fn read(status: StatusCode) -> Verdict {
    match status {
        StatusCode::OK => Verdict::Allowed,
        status if status.is_success() => {
            Verdict::Denied(format!("the hook server says {status}, and not 200"))
        }
        status => refused(status),
    }
}
