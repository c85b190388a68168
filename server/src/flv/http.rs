//! HTTP-FLV: the stream as the body of one endless answer.

use std::{future::poll_fn, io, task::Poll};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    Asked, FlvState, cors,
    sender::{Form, Sender},
};
use crate::{
    http::answer,
    hub::{EndReason, Viewer},
};

/// The head of the answer that is a stream, with nothing behind it: for HEAD.
pub(super) fn head(form: Form) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/x-flv"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    if form == Form::Chunks {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    cors::allow(headers);
    response
}

/// Streams to `viewer`; `false` if the connection must be closed then.
pub(super) async fn stream(
    asked: Asked<'_>,
    mut viewer: Box<Viewer>,
    state: &FlvState,
    form: Form,
    keeps_open: bool,
) -> bool {
    let Asked { socket, inlet, limits, span, .. } = asked;
    let keeps_open = keeps_open && form == Form::Chunks;
    let mut sender = Sender::new(socket, limits, form);
    sender.outbox.push(answer::head(StatusCode::OK, head(form).headers(), keeps_open));
    sender.begin(&viewer.header().to_bytes());
    let outcome = poll_fn(|context| {
        if inlet.poll_gone(context, socket).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        sender.poll_stream(context, &mut viewer)
    })
    .await;
    span.in_scope(|| {
        if let Err(error) = &outcome {
            state.cut_off(error);
        }
        drop(viewer);
    });
    let Ok(reason) = outcome else { return false };
    if form == Form::Chunks {
        sender.outbox.push(Bytes::from_static(LAST_CHUNK));
    }
    let flush = poll_fn(|context| sender.poll_flush(context));
    let is_flushed =
        matches!(state.shutdown.forced().run_until_cancelled(flush).await, Some(Ok(())));
    is_flushed && keeps_open && reason != EndReason::ServerStopping
}

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Asks nginx in front not to collect the stream before it passes it on.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
