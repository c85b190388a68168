//! What goes to the peer of one HTTP/2 stream, no faster than the peer takes it.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, HeaderValue, Method, Response, header},
};
use h2::{Reason, SendStream, server::SendResponse};
use httpdate::HttpDate;
use tracing::debug;

use crate::net::{self, Stall};

/// Bytes on their way to the peer of one stream of a connection, as [`net::Outbox`] has those of a connection.
#[derive(Debug)]
pub struct Flow {
    stream: SendStream<Bytes>,
    part: Bytes,
    stall: Stall,
}

impl Flow {
    /// Answers with this head, and goes on with what is pushed.
    ///
    /// # Errors
    /// The peer is gone.
    pub fn begin(
        respond: &mut SendResponse<Bytes>,
        head: Response<()>,
        limits: &net::Limits,
    ) -> io::Result<Self> {
        let stream = respond.send_response(with_date(head), false).map_err(broken)?;
        Ok(Self { stream, part: Bytes::new(), stall: Stall::new(limits) })
    }

    /// Puts bytes on their way. Those from before must have been taken.
    pub fn push(&mut self, bytes: Bytes) {
        debug_assert!(self.part.is_empty());
        self.part = bytes;
    }

    /// Bytes the peer has not made room for yet.
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Hands on what there is room for: ready when that is all, pending while the peer makes no room.
    ///
    /// # Errors
    /// The peer is gone, has taken its request back, or takes next to nothing for too long.
    pub fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(reset) = self.stream.poll_reset(context) {
            let reason = reset.map_err(broken)?;
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                format!("the peer has taken its request back: {reason}"),
            )));
        }
        while !self.part.is_empty() {
            self.stream.reserve_capacity(self.part.len().min(PIECE));
            if self.stream.capacity() == 0 {
                match self.stream.poll_capacity(context) {
                    Poll::Ready(Some(granted)) => drop(granted.map_err(broken)?),
                    Poll::Ready(None) => {
                        return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                    }
                    Poll::Pending => return self.stall.poll_wait(context).map(Err),
                }
                continue;
            }
            let len = self.stream.capacity().min(self.part.len()).min(PIECE);
            self.stream.send_data(self.part.split_to(len), false).map_err(broken)?;
            self.stall.took(len);
        }
        self.stall.rest();
        Poll::Ready(Ok(()))
    }

    /// Ready when the peer has taken its request back.
    pub fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_reset(context).map(drop)
    }

    /// There is no more.
    pub fn finish(mut self, trailers: Option<HeaderMap>) {
        let outcome = match trailers {
            Some(trailers) => self.stream.send_trailers(trailers),
            None => self.stream.send_data(Bytes::new(), true),
        };
        if let Err(error) = outcome {
            debug!(%error, "the peer was gone before the end");
        }
    }

    /// There is more, which the peer does not get. What it has made no room for yet is forgotten.
    pub fn cut(mut self) {
        self.stream.send_reset(Reason::CANCEL);
    }
}

/// Sends a whole answer to a request of `method`.
pub async fn send(
    respond: &mut SendResponse<Bytes>,
    response: Response<Body>,
    method: &Method,
    limits: &net::Limits,
) {
    if let Err(error) = try_send(respond, response, method, limits).await {
        debug!(%error, "the answer did not arrive");
    }
}

async fn try_send(
    respond: &mut SendResponse<Bytes>,
    response: Response<Body>,
    method: &Method,
    limits: &net::Limits,
) -> io::Result<()> {
    let (mut parts, mut body) = response.into_parts();
    // Words about the connection are for HTTP/1 (RFC 9113 §8.2.2).
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE] {
        parts.headers.remove(name);
    }
    if let Some(len) = body.size_hint().exact()
        && (len > 0 || *method != Method::HEAD)
        && !parts.status.is_informational()
        && parts.status != axum::http::StatusCode::NO_CONTENT
    {
        parts.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| len.into());
    }
    let head = Response::from_parts(parts, ());
    if *method == Method::HEAD || body.is_end_stream() {
        return respond.send_response(with_date(head), true).map(drop).map_err(broken);
    }
    let mut flow = Flow::begin(respond, head, limits)?;
    let mut trailers = None;
    loop {
        let frame = poll_fn(|context| {
            if flow.poll_gone(context).is_ready() {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionAborted)));
            }
            Pin::new(&mut body).poll_frame(context).map(Ok)
        });
        match frame.await? {
            None => break,
            Some(Err(error)) => {
                flow.cut();
                return Err(io::Error::other(error));
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    flow.push(data);
                    if let Err(error) = poll_fn(|context| flow.poll_send(context)).await {
                        flow.cut();
                        return Err(error);
                    }
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
        }
    }
    flow.finish(trailers);
    Ok(())
}

fn with_date(mut head: Response<()>) -> Response<()> {
    let now = HttpDate::from(SystemTime::now()).to_string();
    if let Ok(now) = HeaderValue::from_str(&now) {
        head.headers_mut().insert(header::DATE, now);
    }
    head
}

fn broken(error: h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}

/// What goes out as one frame: with its head, it fills one record of TLS.
const PIECE: usize = (16 << 10) - 9;
