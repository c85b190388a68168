//! SRS: one JSON object for each event. What it lets in is answered with 200 and `0`, or `{"code": 0}`.
//!
//! The fields are those of SRS 5 and 6. `session_id`, `protocol`, `user_agent`, and the bytes of streams that end are
//! more than it sends.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Body, Letter, Verdict, refused, words};
use crate::{
    hex::hex,
    hooks::{Event, event::Subject},
};

#[derive(Serialize)]
struct Fields<'a> {
    server_id: &'a str,
    service_id: &'a str,
    action: Event,
    client_id: &'a str,
    ip: String,
    vhost: &'a str,
    app: &'a str,
    #[serde(rename = "tcUrl")]
    tc_url: &'a str,
    param: String,
    protocol: &'a str,
    user_agent: &'a str,
    #[serde(rename = "pageUrl", skip_serializing_if = "Option::is_none")]
    page_url: Option<&'a str>,
    #[serde(rename = "swfUrl", skip_serializing_if = "Option::is_none")]
    swf_url: Option<&'a str>,
    #[serde(rename = "flashVer", skip_serializing_if = "Option::is_none")]
    flash_ver: Option<&'a str>,
    #[serde(flatten)]
    stream: Option<StreamFields<'a>>,
    #[serde(flatten)]
    bytes: Option<Bytes>,
}

#[derive(Serialize)]
struct StreamFields<'a> {
    stream: &'a str,
    stream_url: String,
    stream_id: String,
    session_id: &'a str,
}

#[derive(Serialize)]
struct Bytes {
    send_bytes: u64,
    recv_bytes: u64,
}

pub(super) fn write(letter: &Letter<'_>) -> Body {
    let Letter { event, client, subject, bytes, service } = *letter;
    let (app, stream) = letter.app_and_stream();
    let connect = &client.connect;
    let query = letter.query();
    let is_connect = event == Event::OnConnect;
    let has_page = is_connect || matches!(subject, Subject::Play(_));
    let fields = Fields {
        server_id: &service.server_id,
        service_id: &service.service_id,
        action: event,
        client_id: &client.id,
        ip: client.peer.ip().to_canonical().to_string(),
        vhost: VHOST,
        app,
        tc_url: &connect.tc_url,
        param: if query.is_empty() { String::new() } else { format!("?{query}") },
        protocol: client.protocol,
        user_agent: &connect.flash_ver,
        page_url: has_page.then_some(&connect.page_url),
        swf_url: is_connect.then_some(&connect.swf_url),
        flash_ver: is_connect.then_some(&connect.flash_ver),
        stream: subject.stream().map(|of| StreamFields {
            stream,
            stream_url: format!("/{app}/{stream}"),
            stream_id: stream_id(&service.service_id, of.name.as_str()),
            session_id: &of.session,
        }),
        bytes: letter
            .is_end()
            .then_some(Bytes { send_bytes: bytes.sent, recv_bytes: bytes.received }),
    };
    // Text and numbers always become JSON.
    let text = serde_json::to_string(&fields).unwrap_or_default();
    Body { content_type: "application/json", text }
}

/// SRS tells an empty body, text that is not JSON and an object without a code from each other; all are no answer here.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Verdict {
    if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
        return if status.is_success() {
            Verdict::Senseless(format!("it answers {status} instead of 200"))
        } else {
            refused(status)
        };
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Verdict::Senseless(format!("it answers {status} without a code in JSON"));
    };
    let code = value.as_i64().or_else(|| value.get("code")?.as_i64());
    match code {
        Some(0) => Verdict::Allowed,
        Some(code) => {
            let said = ["msg", "message", "data"]
                .into_iter()
                .find_map(|key| value.get(key)?.as_str().map(words))
                .filter(|said| !said.is_empty());
            Verdict::Denied(said.unwrap_or_else(|| format!("code {code}")))
        }
        None => Verdict::Senseless(format!("it answers {status} without a code")),
    }
}

/// A stream's name of names: the same for as long as this run of the server lasts.
fn stream_id(service_id: &str, name: &str) -> String {
    let digest = Sha256::new().chain_update(service_id).chain_update("/").chain_update(name);
    let digest = digest.finalize();
    format!("vid-{}", hex(digest.get(..4).unwrap_or_default()))
}

/// What SRS calls the only virtual host there is.
const VHOST: &str = "__defaultVhost__";
