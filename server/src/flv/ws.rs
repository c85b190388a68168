//! WebSocket-FLV: the same bytes as HTTP-FLV, in binary messages of one block each (large blocks in several).

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{
        FromRequestParts, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    http::request::Parts,
    response::{IntoResponse, Response},
};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{Instrument, Span};

use crate::{
    hub::{EndReason, Next, Viewer},
    shutdown::Shutdown,
};

/// A request that can become a WebSocket.
pub(super) struct Upgrade(WebSocketUpgrade);

/// Checks that a request can become a WebSocket; the response says what is missing.
pub(super) async fn upgrade(parts: &mut Parts) -> Result<Upgrade, Response> {
    WebSocketUpgrade::from_request_parts(parts, &())
        .await
        .map(Upgrade)
        .map_err(IntoResponse::into_response)
}

impl Upgrade {
    /// Upgrades, and streams to `viewer` in a task of `shutdown`.
    pub(super) fn start(self, viewer: Viewer, shutdown: Shutdown) -> Response {
        let span = Span::current();
        self.0
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_MAX)
            .max_message_size(CLIENT_MESSAGE_MAX)
            .max_frame_size(CLIENT_MESSAGE_MAX)
            .on_upgrade(async move |socket| {
                shutdown.spawn(converse(socket, viewer).instrument(span));
            })
    }
}

/// Streams until either side ends it. Errors of the socket need no word: the peer is gone.
async fn converse(mut socket: WebSocket, mut viewer: Viewer) {
    if let Ok(reason) = stream(&mut socket, &mut viewer).await {
        drop(viewer);
        close(socket, reason).await;
    }
}

/// `Err` if the peer left.
async fn stream(socket: &mut WebSocket, viewer: &mut Viewer) -> Result<EndReason, axum::Error> {
    let header = Bytes::copy_from_slice(&viewer.header().to_bytes());
    socket.send(Message::Binary(header)).await?;
    let mut ping_at = Instant::now() + PING_AFTER;
    loop {
        tokio::select! {
            next = viewer.next() => match next {
                Next::Block(block) => {
                    send(socket, block.bytes().clone()).await?;
                    ping_at = Instant::now() + PING_AFTER;
                }
                Next::End(reason) => return Ok(reason),
            },
            // Pings are answered underneath; what a viewer says has no meaning.
            message = socket.recv() => match message {
                Some(message) => drop(message?),
                None => return Err(axum::Error::new("the peer closed")),
            },
            () = sleep_until(ping_at) => {
                socket.send(Message::Ping(Bytes::new())).await?;
                ping_at = Instant::now() + PING_AFTER;
            }
        }
    }
}

async fn send(socket: &mut WebSocket, mut block: Bytes) -> Result<(), axum::Error> {
    while block.len() > MESSAGE_MAX {
        socket.send(Message::Binary(block.split_to(MESSAGE_MAX))).await?;
    }
    socket.send(Message::Binary(block)).await
}

/// Says why, and gives the peer a moment to say goodbye: a socket closed with words still on their way to us is reset,
/// and our reason lost.
async fn close(mut socket: WebSocket, reason: EndReason) {
    let (code, reason) = match reason {
        EndReason::Finished | EndReason::PublisherLost | EndReason::Kicked => {
            (close_code::NORMAL, "stream ended")
        }
        EndReason::ServerStopping => (close_code::AWAY, "server stopping"),
    };
    let frame = CloseFrame { code, reason: reason.into() };
    let farewell = async {
        socket.send(Message::Close(Some(frame))).await?;
        while socket.recv().await.transpose()?.is_some() {}
        Ok::<_, axum::Error>(())
    };
    let _ = timeout(FAREWELL, farewell).await;
}

/// Bytes of one message. The WebSocket layer copies a message before it is written and keeps that buffer for the next: so
/// much a viewer costs, and a larger block goes in several messages. Most pictures fit in one.
const MESSAGE_MAX: usize = 32 << 10;

/// One message, its frame's head, and answers to pings.
const WRITE_BUFFER_MAX: usize = 2 * MESSAGE_MAX;

/// Viewers send pings and little else.
const READ_BUFFER: usize = 1 << 10;

/// The largest message a viewer may send before it is shown out.
const CLIENT_MESSAGE_MAX: usize = 4 << 10;

/// Silence after which a ping keeps the connection open through proxies; many cut after 30 s or more.
const PING_AFTER: Duration = Duration::from_secs(20);

/// How long a peer has to answer our close.
const FAREWELL: Duration = Duration::from_secs(1);
