//! `GET /api/v1/qr?text=…`: a QR code, for a phone to scan what would be long to type.

use axum::{
    extract::{Query, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use fast_qr::{
    ECL, QRBuilder,
    convert::{Builder, svg::SvgBuilder},
};
use serde::Deserialize;

use crate::problem::Problem;

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub struct Parameters {
    /// What the code says.
    #[cfg_attr(test, param(required, min_length = 1, max_length = 512))]
    text: Option<String>,
}

/// A QR code, as an SVG image.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/qr", tag = "server", operation_id = "qr", params(Parameters),
    responses(
        (status = 200, description = "The code", body = String, content_type = "image/svg+xml"),
        super::openapi::BadRequest,
    ),
))]
pub async fn get(query: Result<Query<Parameters>, QueryRejection>) -> Result<Response, Problem> {
    let Query(Parameters { text }) = query.map_err(|error| bad_text(error.body_text()))?;
    let text = text
        .filter(|text| !text.is_empty())
        .ok_or_else(|| bad_text("say what to show: /api/v1/qr?text=…"))?;
    if text.len() > MAX_TEXT {
        return Err(bad_text(format!("the text has {} bytes; {MAX_TEXT} is the most", text.len())));
    }
    // A long code takes a while to lay out.
    let svg = tokio::task::spawn_blocking(move || svg(text)).await.ok().flatten();
    let svg = svg.ok_or_else(|| bad_text("the text does not fit a QR code"))?;
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, svg).into_response())
}

fn svg(text: String) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    Some(SvgBuilder::default().margin(QUIET_ZONE).to_str(&code))
}

fn bad_text(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_qr_text", "Cannot make this QR code", detail)
}

/// Longer than any address to push to, short enough to be scanned from a screen.
const MAX_TEXT: usize = 512;

/// Modules of white around the code (ISO/IEC 18004 §9.1).
const QUIET_ZONE: usize = 4;
