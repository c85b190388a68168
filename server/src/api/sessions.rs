//! `/api/v1/sessions`: everybody who publishes or views, one of them, and its end.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{
    Api,
    authority::Operator,
    fresh_json,
    parameters::{Only, Page, Parameters},
};
use crate::{
    problem::Problem,
    sessions::{Purpose, SessionStatus, Stop},
};

/// A part of the list.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Sessions {
    /// The oldest first.
    pub sessions: Vec<SessionStatus>,
    /// How many there are in all.
    pub total: usize,
}

/// Which of the sessions are asked for.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub struct WithPurpose {
    /// Those with this purpose only.
    purpose: Option<Purpose>,
}

/// Who publishes and who views, the oldest first.
///
/// `/api/v1/clients` is the same.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions", operation_id = "list_sessions",
    params(super::parameters::OfStream, WithPurpose, Page),
    responses((status = 200, body = Sessions), super::openapi::NotRead, super::openapi::BadRequest),
))]
pub async fn list(
    State(api): State<Api>,
    Only(stream): Only,
    Parameters(with): Parameters<WithPurpose>,
    page: Page,
) -> Response {
    let sessions = api.parts.access.sessions();
    let (sessions, total) = sessions.page(stream.as_ref(), with.purpose, page.offset, page.limit);
    fresh_json(Sessions { sessions, total })
}

/// One session.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/sessions/{id}", tag = "sessions", operation_id = "get_session",
    params(("id" = String, Path, description = "Its id in the list")),
    responses(
        (status = 200, body = SessionStatus), super::openapi::NotRead, super::openapi::BadRequest,
        super::openapi::NotFound,
    ),
))]
pub async fn get(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = checked(id)?;
    api.parts.access.sessions().get(&id).map(fresh_json).ok_or_else(not_found)
}

/// Ends a session: a publisher is let go and its stream ends, a viewer is disconnected.
#[cfg_attr(test, utoipa::path(
    delete, path = "/api/v1/sessions/{id}", tag = "sessions", operation_id = "kick_session",
    params(("id" = String, Path, description = "Its id in the list")), security(("token" = []), ()),
    responses(
        (status = 204, description = "It is told to end"), super::openapi::NotChanged, super::openapi::BadRequest,
        super::openapi::NotFound,
    ),
))]
pub async fn delete(
    _operator: Operator,
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let id = checked(id)?;
    if !api.parts.access.sessions().stop(&id, Stop::Kicked) {
        return Err(not_found());
    }
    info!(session = id, "ended by the operator");
    Ok(StatusCode::NO_CONTENT)
}

fn checked(id: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let id = id.map(|Path(id)| id);
    id.map_err(|error| Problem::bad_parameter(error.body_text()))
}

fn not_found() -> Problem {
    let detail = "there is no session of that id: it may have ended";
    Problem::new(StatusCode::NOT_FOUND, "session_not_found", "Session not found", detail)
}
