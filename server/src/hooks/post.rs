//! One request to a hook server, and its answer: nothing that is sent back can take more than a little time and memory.
//!
//! Each request has a connection of its own. An event is rare next to what a connection costs on the way to it, and there is
//! none that a server may have closed meanwhile.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// What a hook server has answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// Nothing, if it is longer than allowed.
    pub(super) body: Option<Bytes>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody has heard of it.
    Unreached(String),
    /// Nobody has: too much of the same address is under way, and what is under way is answered.
    Crowded,
    /// Somebody may have.
    Unanswered(String),
}

impl Failure {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Unreached(reason) | Self::Unanswered(reason) => reason,
            Self::Crowded => "too much of the same address is under way",
        }
    }
}

/// Connects to one of `addresses`.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<Bounded, Failure> {
    let mut reason = "its name has no address".to_owned();
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for &address in addresses {
        // Each of several has its share of the time.
        let now = Instant::now();
        let until = now + deadline.saturating_duration_since(now) / left.max(1);
        left = left.saturating_sub(1);
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                // What is sent is one small piece, and waiting for more is of no use.
                let _ = socket.set_nodelay(true);
                return Ok(Bounded { socket, left: MAX_REPLY });
            }
            Ok(Err(error)) => reason = format!("no connection to {address}: {error}"),
            Err(_) => reason = format!("no connection to {address} in time"),
        }
    }
    Err(Failure::Unreached(reason))
}

/// Sends `request` and waits for the answer.
pub(super) async fn exchange(
    socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Body>,
    deadline: Instant,
) -> Result<Reply, Failure> {
    let talk = async {
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(socket))
            .await?;
        let answer = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = axum::body::to_bytes(Body::new(body), MAX_BODY).await;
            Ok::<_, hyper::Error>(Reply { status: head.status, body: body.ok() })
        };
        // What goes wrong with the connection is told where the answer is waited for.
        let connection = async {
            let _ = connection.await;
            std::future::pending().await
        };
        tokio::select! {
            answer = answer => answer,
            never = connection => never,
        }
    };
    match timeout_at(deadline, talk).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => Err(Failure::Unanswered(chain(&error))),
        Err(_) => Err(Failure::Unanswered("no answer in time".to_owned())),
    }
}

/// An error and what caused it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// A socket that ends in an error when more has come than an answer has, under TLS or not.
#[derive(Debug)]
pub(super) struct Bounded {
    socket: TcpStream,
    left: usize,
}

impl AsyncRead for Bounded {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        Poll::Ready(match this.left.checked_sub(read) {
            Some(left) => {
                this.left = left;
                Ok(())
            }
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "the answer has no end")),
        })
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}

/// The longest body of an answer: a code and a sentence.
pub(super) const MAX_BODY: usize = 4 << 10;

/// The longest head, and the smallest limit that the HTTP implementation takes.
const MAX_HEAD: usize = 16 << 10;

const MAX_HEADERS: usize = 64;

/// Everything that is read of a connection: interim answers, the frames of a body and what TLS needs included.
const MAX_REPLY: usize = 64 << 10;
