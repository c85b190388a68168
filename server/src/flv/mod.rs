//! HTTP-FLV and WebSocket-FLV: `GET /{app}/{stream}.flv`, plain or as an upgrade.
//!
//! The tags are sent as the hub holds them; nothing is copied or framed per viewer but the transport's own few bytes.
//! A stream that is missing is answered 404 after a wait, and no answer is 200 before there is something to send.

mod cors;
mod http;
mod tracks;
mod ws;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use pushpull_rtmp::StreamName;

use crate::{
    hub::{Hub, Start, ViewError, ViewerInfo},
    problem::Problem,
    shutdown::Shutdown,
};

/// What the handlers need.
#[derive(Clone, Debug)]
pub struct FlvState {
    hub: Hub,
    shutdown: Shutdown,
}

impl FlvState {
    /// Serves the streams of `hub`. WebSockets run until they end or `shutdown` is forced; what ends them is
    /// [`Hub::close`].
    pub fn new(hub: Hub, shutdown: Shutdown) -> Self {
        Self { hub, shutdown }
    }
}

/// Answers any request whose path [is a stream's](is_stream_path).
pub async fn serve(State(state): State<FlvState>, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::preflight(request.headers());
    }
    let mut response = answer(state, request).await.unwrap_or_else(IntoResponse::into_response);
    cors::allow(response.headers_mut());
    response
}

/// Whether a path is one that [`serve`] answers: it ends in `.flv`.
pub fn is_stream_path(path: &str) -> bool {
    path.ends_with(EXTENSION)
}

async fn answer(state: FlvState, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(Problem::method_not_allowed(METHODS));
    }
    let name = stream_name(parts.uri.path())?;
    let start = start(&parts.uri)?;
    let tracks = tracks::chosen(&parts.uri)?;
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let peer = peer.map_or_else(String::new, |peer| peer.to_string());

    if parts.method == Method::GET && is_websocket(&parts.headers) {
        let upgrade = match ws::upgrade(&mut parts).await {
            Ok(upgrade) => upgrade,
            Err(refusal) => return Ok(refusal),
        };
        let info = ViewerInfo { protocol: "ws-flv", peer };
        let viewer =
            state.hub.view(&name, start, info).await.map_err(|error| refuse(&name, &error))?;
        return Ok(upgrade.start(viewer.choosing(tracks), state.shutdown));
    }
    let info = ViewerInfo { protocol: "http-flv", peer };
    if parts.method == Method::HEAD {
        // Who asks like this wants to know, such as why a WebSocket was refused: there is nothing to wait for.
        let viewer = state.hub.view_now(&name, start, info).await;
        return viewer
            .map(|_| http::head())
            .map_err(|error| refuse(&name, &error).with_detail_header());
    }
    let viewer = state.hub.view(&name, start, info).await.map_err(|error| refuse(&name, &error))?;
    Ok(http::body(viewer.choosing(tracks)))
}

fn refuse(name: &StreamName, error: &ViewError) -> Problem {
    let (code, title, retry_after) = match error {
        ViewError::NotFound => return Problem::stream_not_found(name.as_str()),
        ViewError::NotReady => ("stream_not_ready", "Stream not ready", "1"),
        ViewError::TooManyViewers { .. } => ("too_many_viewers", "Too many viewers", "5"),
        ViewError::Closing => ("server_stopping", "Server stopping", "5"),
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, title, error.to_string())
        .with_stream(name.as_str())
        .with_header(header::RETRY_AFTER, HeaderValue::from_static(retry_after))
}

/// The stream of `/{app}/{stream}.flv`; `.live.flv` is taken for the same.
fn stream_name(path: &str) -> Result<StreamName, Problem> {
    let name = path.strip_suffix(EXTENSION).unwrap_or(path);
    let name = name.strip_suffix(LIVE_EXTENSION).unwrap_or(name);
    StreamName::parse_path(name).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_stream_name",
            "Bad stream name",
            error.to_string(),
        )
    })
}

/// The value of `start` in the query.
fn start(uri: &Uri) -> Result<Start, Problem> {
    let query = uri.query().unwrap_or_default();
    let mut values = query.split('&').filter_map(|pair| pair.strip_prefix("start="));
    match values.next_back() {
        None | Some("gop") => Ok(Start::Gop),
        Some("live") => Ok(Start::Live),
        Some(other) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_parameter",
            "Bad parameter",
            format!("start is {other:?}, expected gop or live"),
        )),
    }
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

const EXTENSION: &str = ".flv";
const LIVE_EXTENSION: &str = ".live";
const METHODS: &str = "GET, HEAD, OPTIONS";
