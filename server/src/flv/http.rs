//! HTTP-FLV: the stream as the body of one endless answer.

use std::{future::poll_fn, io, task::Poll, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use tokio::time::timeout;

use super::{
    Asked, FlvState, Watching, cors,
    sender::{Ended, Form, Sender},
};
use crate::{http::answer, hub::EndReason};

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
    mut watching: Watching,
    state: &FlvState,
    form: Form,
    keeps_open: bool,
) -> bool {
    let Asked { socket, inlet, limits, span, .. } = asked;
    let keeps_open = keeps_open && form == Form::Chunks;
    let mut sender = Sender::new(socket, limits, form);
    sender.outbox.push(answer::head(StatusCode::OK, head(form).headers(), keeps_open));
    sender.begin(&watching.viewer.header().to_bytes());
    let outcome = poll_fn(|context| {
        let Watching { viewer, session } = &mut watching;
        let ended = sender.aside.poll(context, |context| {
            if inlet.poll_gone(context, socket).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            session.poll_stopped(context).map(|stop| Ok(Ended::Session(stop)))
        });
        if ended.is_ready() {
            return ended;
        }
        sender.poll_stream(context, viewer).map_ok(Ended::Stream)
    })
    .await;
    span.in_scope(|| {
        if let Err(error) = &outcome {
            state.cut_off(error);
        }
        drop(watching);
    });
    let Ok(ended) = outcome else { return false };
    if form == Form::Chunks {
        sender.outbox.push(Bytes::from_static(LAST_CHUNK));
    }
    let flush = poll_fn(|context| sender.poll_flush(context));
    let flush = async {
        match ended {
            Ended::Stream(_) => flush.await.is_ok(),
            // It is not to be served any more, and so not waited for either.
            Ended::Session(_) => matches!(timeout(SHOWN_OUT, flush).await, Ok(Ok(()))),
        }
    };
    let is_flushed = state.shutdown.forced().run_until_cancelled(flush).await;
    is_flushed == Some(true) && keeps_open && ended != Ended::Stream(EndReason::ServerStopping)
}

/// How long one that must leave has to take what was on its way.
pub(super) const SHOWN_OUT: Duration = Duration::from_secs(1);

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Asks nginx in front not to collect the stream before it passes it on.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
