//! `/api/v1/bans`: names that nobody may publish for a while. `DELETE` of a stream makes them.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use tracing::info;

use super::{
    Api,
    authority::Operator,
    fresh_json,
    parameters::{Named, Page},
};
use crate::{problem::Problem, time::millis};

/// A part of the list.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Bans {
    /// By name.
    pub bans: Vec<Ban>,
    /// How many there are in all.
    pub total: usize,
}

/// A name that nobody may publish for a while.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Ban {
    /// `app/stream`.
    pub stream: String,
    /// Milliseconds that are left.
    pub left_ms: u64,
}

/// The names that are banned.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/bans", tag = "bans", operation_id = "list_bans", params(Page),
    responses((status = 200, body = Bans), super::openapi::NotRead, super::openapi::BadRequest),
))]
pub async fn list(State(api): State<Api>, page: Page) -> Response {
    let (bans, total) = page.of(api.parts.hub.banned());
    let ban = |(stream, left): (_, Duration)| Ban { stream, left_ms: millis(left) };
    fresh_json(Bans { bans: bans.into_iter().map(ban).collect(), total })
}

/// Lifts a ban.
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/v1/bans/{app}/{stream}", tag = "bans", operation_id = "lift_ban",
    params(super::openapi::StreamPath), security(("token" = []), ()),
    responses(
        (status = 204, description = "It is lifted"), super::openapi::NotChanged, super::openapi::BadRequest,
        super::openapi::NotFound,
    ),
))]
pub async fn delete(
    _operator: Operator,
    State(api): State<Api>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    if !api.parts.hub.lift_ban(&name) {
        let detail = format!("{name} is not banned");
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_banned", "Not banned", detail)
            .with_stream(name.as_str()));
    }
    info!(stream = %name, "its ban was lifted by the operator");
    Ok(StatusCode::NO_CONTENT)
}
