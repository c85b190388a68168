//! Errors of the HTTP surface as problem details (RFC 9457, `application/problem+json`).

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// An HTTP error with a machine-readable `code` and a sentence for people.
///
/// Serialised as `{"type":"about:blank","title":…,"status":…,"detail":…,"code":…,"stream":…}`; `stream` only where one is concerned.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    title: &'static str,
    code: &'static str,
    detail: String,
    stream: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// `title` is the same for every problem of this `code` (RFC 9457 §3.1.3); `detail` is about this occurrence.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem { status, title, code, detail: detail.into(), stream: None, headers: Vec::new() }
    }

    /// Nobody publishes `stream`, and nobody did within the time a viewer waits: 404.
    pub fn stream_not_found(stream: impl Into<String>) -> Problem {
        let stream = stream.into();
        Problem::new(
            StatusCode::NOT_FOUND,
            "stream_not_found",
            "Stream not found",
            format!("nobody publishes {stream}"),
        )
        .with_stream(stream)
    }

    /// A name that no stream can have: 400.
    pub fn bad_stream_name(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad_stream_name", "Bad stream name", detail)
    }

    /// A parameter that makes no sense: 400.
    pub fn bad_parameter(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad_parameter", "Bad parameter", detail)
    }

    /// Nothing lives at `path`: 404.
    pub fn not_found(path: &str) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Not found",
            format!("there is nothing at {path}"),
        )
    }

    /// The method is not one of `allow` (a list as in the `Allow` header): 405.
    pub fn method_not_allowed(allow: &'static str) -> Problem {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            format!("this address takes {allow}"),
        )
        .with_header(header::ALLOW, HeaderValue::from_static(allow))
    }

    /// Names the stream the problem is about.
    pub fn with_stream(mut self, stream: impl Into<String>) -> Problem {
        self.stream = Some(stream.into());
        self
    }

    /// Adds a header to the response, such as `Allow` or `Retry-After`.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }

    /// Says the detail in a header too, as `X-Problem-Detail`: the answer to a HEAD has no body.
    pub fn with_detail_header(self) -> Problem {
        match HeaderValue::from_str(&self.detail) {
            Ok(detail) => self.with_header(DETAIL, detail),
            Err(_) => self,
        }
    }

    /// What is wrong, in words.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            stream: self.stream.as_deref(),
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.extend(self.headers);
        response
    }
}

const DETAIL: HeaderName = HeaderName::from_static("x-problem-detail");

/// What is wrong (RFC 9457).
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = Problem))]
pub(crate) struct Body<'a> {
    /// `about:blank`: `code` tells the kind.
    r#type: &'static str,
    /// The kind, for people.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong, in words.
    detail: &'a str,
    /// The kind, for programs.
    code: &'static str,
    /// The stream that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn missing_stream_is_a_404_that_names_it() {
        let response = Problem::stream_not_found("live/x").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert_eq!(
            body,
            r#"{"type":"about:blank","title":"Stream not found","status":404,"detail":"nobody publishes live/x","code":"stream_not_found","stream":"live/x"}"#
        );
    }

    #[test]
    fn method_not_allowed_says_what_is() {
        let response = Problem::method_not_allowed("GET, HEAD").into_response();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
    }
}
