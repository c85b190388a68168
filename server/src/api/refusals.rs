//! `GET /api/v1/refusals`: who was not let in of late, and why.

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{
    Api, fresh_json,
    parameters::{OfStream, Page, Parameters},
};
use crate::{access::RefusalStatus, problem::Problem};

/// A part of the list.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Refusals {
    /// The newest first.
    pub refusals: Vec<RefusalStatus>,
    /// How many are remembered in all.
    pub total: usize,
}

/// Who was not let in of late, the newest first.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/refusals", tag = "sessions", operation_id = "list_refusals", params(OfStream, Page),
    responses((status = 200, body = Refusals), super::openapi::NotRead, super::openapi::BadRequest),
))]
pub async fn list(
    State(api): State<Api>,
    Parameters(of): Parameters<OfStream>,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let (page, stream) = (page.checked()?, of.name()?);
    let mut all = api.parts.access.refusals();
    if let Some(stream) = stream {
        all.retain(|refusal| refusal.stream == stream.as_str());
    }
    let total = all.len();
    Ok(fresh_json(Refusals { refusals: page.of(all), total }))
}
