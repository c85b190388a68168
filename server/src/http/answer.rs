//! Answers that are sent without hyper.

use std::{fmt::Write, future::poll_fn, io, time::SystemTime};

use axum::{
    body::{Bytes, to_bytes},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use bytes::{BufMut, BytesMut};
use httpdate::HttpDate;

use crate::net::{self, Outbox, Socket};

/// Sends a whole answer to a request of `method`.
///
/// # Errors
/// Those of the socket.
pub async fn send(
    socket: &Socket,
    limits: &net::Limits,
    method: &Method,
    response: Response,
    keeps_open: bool,
) -> io::Result<()> {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_MAX).await.map_err(io::Error::other)?;
    // Nothing behind an answer to HEAD does not mean that there would be nothing for GET: a stream has no length.
    let has_none = parts.headers.contains_key(header::TRANSFER_ENCODING)
        || parts.status == StatusCode::NO_CONTENT
        || (*method == Method::HEAD && body.is_empty());
    if !has_none {
        parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    }
    let mut outbox = Outbox::new(limits);
    outbox.push(head(parts.status, &parts.headers, keeps_open));
    if *method != Method::HEAD {
        outbox.push(body);
    }
    poll_fn(|context| outbox.poll_send(context, socket)).await
}

/// The head of an answer (RFC 9112 §4), dated.
pub fn head(status: StatusCode, headers: &HeaderMap, keeps_open: bool) -> Bytes {
    let mut out = BytesMut::with_capacity(HEAD_USUAL);
    let reason = status.canonical_reason().unwrap_or_default();
    // Writing to a buffer that grows does not fail.
    let _ = write!(out, "HTTP/1.1 {} {reason}\r\n", status.as_u16());
    for (name, value) in headers {
        out.put_slice(name.as_str().as_bytes());
        out.put_slice(b": ");
        out.put_slice(value.as_bytes());
        out.put_slice(b"\r\n");
    }
    if !keeps_open {
        out.put_slice(b"connection: close\r\n");
    }
    let _ = write!(out, "date: {}\r\n\r\n", HttpDate::from(SystemTime::now()));
    out.freeze()
}

const HEAD_USUAL: usize = 512;

/// Answers that are sent this way are a few words.
const BODY_MAX: usize = 64 << 10;
