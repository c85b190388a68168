//! `/api/v1/streams`: every stream as it is now, one of them, and its end.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use pushpull_rtmp::StreamName;
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{
    Api,
    authority::Operator,
    fresh_json,
    parameters::{Named, Page, Parameters},
};
use crate::{
    config::units,
    happenings::{Happening, Kind},
    hub::{KickError, StreamStatus},
    problem::Problem,
};

/// A part of the list.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Streams {
    /// By name.
    pub streams: Vec<StreamStatus>,
    /// How many there are in all.
    pub total: usize,
}

/// The streams, by name.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/streams", tag = "streams", params(Page),
    responses((status = 200, body = Streams), super::openapi::NotRead, super::openapi::BadRequest),
))]
pub async fn list(State(api): State<Api>, page: Page) -> Response {
    let (streams, total) = page.of(api.parts.hub.streams());
    fresh_json(Streams { streams, total })
}

/// One stream.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/streams/{app}/{stream}", tag = "streams", params(super::openapi::StreamPath),
    responses(
        (status = 200, body = StreamStatus), super::openapi::NotRead, super::openapi::BadRequest,
        super::openapi::NotFound,
    ),
))]
pub async fn get(State(api): State<Api>, Named(name): Named) -> Result<Response, Problem> {
    let status = api.parts.hub.stream(&name);
    status.map(fresh_json).ok_or_else(|| Problem::stream_not_found(name.as_str()))
}

/// How long the name is refused.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub struct Ban {
    /// A whole number with `ms`, `s`, `m` or `h`, of a year at most; `0s`, the default, refuses nobody and lifts a ban.
    #[cfg_attr(test, param(pattern = "^[0-9]{1,4}(ms|s|m|h)$", example = "60s"))]
    ban: Option<String>,
}

/// Stops a stream: its publisher is let go, its viewers end, and for `ban` nobody gets its name.
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/v1/streams/{app}/{stream}", tag = "streams", operation_id = "kick_stream",
    params(super::openapi::StreamPath, Ban), security(("token" = []), ()),
    responses(
        (status = 204, description = "It is stopped"), super::openapi::NotChanged, super::openapi::BadRequest,
        super::openapi::NotFound,
        (status = 503, description = "As many names are banned as may be", body = crate::problem::Body<'static>, content_type = "application/problem+json"),
    ),
))]
pub async fn delete(
    _operator: Operator,
    State(api): State<Api>,
    Named(name): Named,
    Parameters(Ban { ban }): Parameters<Ban>,
) -> Result<StatusCode, Problem> {
    let ban = ban.map_or(Ok(Duration::ZERO), |text| {
        units::time(&text, Duration::ZERO..=MAX_BAN)
            .map_err(|reason| Problem::bad_parameter(format!("ban: {reason}")))
    })?;
    api.parts.hub.kick(&name, ban).map_err(|error| refuse(&name, &error))?;
    info!(stream = %name, ?ban, "stopped by the operator");
    api.happenings().tell(|| Happening::new(Kind::Kicked).about(name.as_str()));
    Ok(StatusCode::NO_CONTENT)
}

fn refuse(name: &StreamName, error: &KickError) -> Problem {
    match error {
        KickError::NotFound => Problem::stream_not_found(name.as_str()),
        KickError::TooManyBans { .. } => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_bans",
            "Too many bans",
            error.to_string(),
        )
        .with_stream(name.as_str())
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("60")),
    }
}

/// A year: whoever is to stay out for longer is kept out by other means.
const MAX_BAN: Duration = Duration::from_secs(365 * 24 * 3600);
