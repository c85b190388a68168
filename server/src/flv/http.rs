//! HTTP-FLV: the stream as the body of one endless response.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use futures_util::{Stream, stream};

use crate::hub::{Next, Viewer};

/// The response that streams to `viewer`.
pub(super) fn body(viewer: Viewer) -> Response {
    let header = Bytes::copy_from_slice(&viewer.header().to_bytes());
    respond(Body::from_stream(Chunks { viewer, header: Some(header) }))
}

/// The head of that response: an empty body of unknown length, so that no length is told.
pub(super) fn head() -> Response {
    respond(Body::from_stream(stream::empty::<Result<Bytes, Infallible>>()))
}

fn respond(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/x-flv"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// One chunk per block. A viewer that is behind has several ready at once, and they leave in one vectored write.
struct Chunks {
    viewer: Viewer,
    header: Option<Bytes>,
}

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(header) = self.header.take() {
            return Poll::Ready(Some(Ok(header)));
        }
        Poll::Ready(match ready!(self.viewer.poll_next(context)) {
            Next::Block(block) => Some(Ok(block.bytes().clone())),
            Next::End(_) => None,
        })
    }
}

/// Asks nginx in front not to collect the stream before it passes it on.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
