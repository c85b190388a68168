//! `GET /api/v1/refusals`: who was not let in of late, and why.

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{
    Api, fresh_json,
    parameters::{Only, Page},
};
use crate::access::RefusalStatus;

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
    get, path = "/api/v1/refusals", tag = "sessions", operation_id = "list_refusals", params(super::parameters::OfStream, Page),
    responses((status = 200, body = Refusals), super::openapi::NotRead, super::openapi::BadRequest),
))]
pub async fn list(State(api): State<Api>, Only(stream): Only, page: Page) -> Response {
    let mut all = api.parts.access.refusals();
    if let Some(stream) = stream {
        all.retain(|refusal| refusal.stream == stream.as_str());
    }
    let (refusals, total) = page.of(all);
    fresh_json(Refusals { refusals, total })
}
