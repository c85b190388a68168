//! WebSocket-FLV: the same bytes as HTTP-FLV, in binary messages of one block each.

pub mod reader;

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, Request, StatusCode, Version, header},
};
use bytes::{BufMut, BytesMut};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

use super::{
    Asked, FlvState, Watching, cors,
    sender::{Form, Sender},
};
use crate::{
    http::{
        answer,
        inlet::{Inlet, has_token},
    },
    hub::EndReason,
    net::OUTBOX_MAX,
    problem::Problem,
    sessions::Stop,
};

use reader::{Reader, Said};

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    has_token(headers, &header::UPGRADE, "websocket")
}

/// The answer that makes the connection a WebSocket (RFC 6455 §4.2.2).
///
/// # Errors
/// What is missing in the request (§4.2.1).
pub(super) fn accept(request: &Request<()>) -> Result<HeaderMap, Problem> {
    let headers = request.headers();
    let refuse = |why: &str| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_upgrade", "Bad upgrade", why)
            .with_header(header::SEC_WEBSOCKET_VERSION, VERSION)
    };
    if request.version() != Version::HTTP_11 {
        return Err(refuse("a WebSocket begins with HTTP/1.1"));
    }
    if !has_token(headers, &header::CONNECTION, "upgrade") {
        return Err(refuse("the field Connection does not say upgrade"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        return Err(refuse("the WebSocket protocol spoken here has version 13"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == KEY_LEN);
    let key = key.ok_or_else(|| refuse("the field Sec-WebSocket-Key is missing or wrong"))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(key) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    }
    cors::allow(&mut headers);
    Ok(headers)
}

/// Upgrades, and streams to `viewer` until either side ends it.
pub(super) async fn stream(
    asked: Asked<'_>,
    headers: HeaderMap,
    mut watching: Watching,
    state: &FlvState,
) {
    let Asked { socket, inlet, limits, span, .. } = asked;
    let mut sender = Sender::new(socket, limits, Form::Messages);
    sender.outbox.push(answer::head(StatusCode::SWITCHING_PROTOCOLS, &headers, true));
    drop(headers);
    sender.begin(&watching.viewer.header().to_bytes());
    let mut listener = Box::new(Listener::new());
    let outcome = poll_fn(|context| {
        let Watching { viewer, session } = &mut watching;
        if let Some(waker) = sender.aside.due(context) {
            let context = &mut Context::from_waker(&waker);
            if let Poll::Ready(stop) = session.poll_stopped(context) {
                return Poll::Ready(Ok(End::Session(stop)));
            }
            let end = listener.poll(context, inlet, &mut sender);
            if end.is_ready() {
                return end;
            }
        }
        sender.poll_stream(context, viewer).map_ok(End::Stream)
    })
    .await;
    span.in_scope(|| {
        match &outcome {
            Ok(End::Stream(_) | End::Session(_) | End::Closed(_)) => {}
            Ok(End::Violation(code)) => debug!(code, "viewer shown out"),
            Err(error) => state.cut_off(error),
        }
        drop(watching);
    });
    if let Ok(end) = outcome {
        let farewell = farewell(end, &mut sender, inlet, &mut listener, limits.stall);
        state.shutdown.forced().run_until_cancelled(farewell).await;
    }
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// There is no more to send.
    Stream(EndReason),
    /// The viewer must leave.
    Session(Stop),
    /// The viewer closed, with this code if it gave one.
    Closed(Option<u16>),
    /// The viewer broke the rules.
    Violation(u16),
}

impl End {
    /// What is said in the close frame: a code, and words for people.
    fn words(self) -> (Option<u16>, &'static str) {
        match self {
            Self::Stream(EndReason::ServerStopping) => (Some(AWAY), "server stopping"),
            Self::Stream(_) => (Some(NORMAL), "stream ended"),
            Self::Session(Stop::Kicked) => (Some(POLICY), "ended by the server's operator"),
            Self::Session(Stop::Expired) => (Some(POLICY), "signature expired"),
            Self::Closed(code) => (code, ""),
            Self::Violation(code) => (Some(code), ""),
        }
    }
}

/// Says why it ends, and gives the peer a moment to say goodbye: a socket closed with words still on their way to us is
/// reset, and our reason lost.
///
/// One that wants no more has `limit` to take what was on its way. What it holds is no longer known to the ring, which would
/// let go of it otherwise, and it may take it a few bytes at a time.
async fn farewell(
    end: End,
    sender: &mut Sender<'_>,
    inlet: &mut Inlet,
    listener: &mut Listener,
    limit: Duration,
) {
    let (code, reason) = end.words();
    let code = code.map(u16::to_be_bytes);
    let payload = [code.as_ref().map_or(&[][..], |code| code), reason.as_bytes()].concat();
    sender.outbox.push(control(CLOSE, &payload));
    let flush = poll_fn(|context| sender.poll_flush(context));
    let is_flushed = match end {
        End::Stream(_) => flush.await.is_ok(),
        End::Session(_) | End::Closed(_) | End::Violation(_) => {
            matches!(timeout(limit, flush).await, Ok(Ok(())))
        }
    };
    if !is_flushed {
        return;
    }
    let answer = async {
        // Who closed first has said its last word. Of who broke the rules nothing is understood any more, but it is
        // read, so that our word arrives.
        match end {
            End::Closed(_) => {}
            End::Stream(_) | End::Session(_) => {
                poll_fn(|context| listener.poll(context, inlet, sender).map(drop)).await
            }
            End::Violation(_) => {
                let _ = sender.socket.end();
                poll_fn(|context| inlet.poll_drained(context, sender.socket)).await;
            }
        }
    };
    let _ = timeout(FAREWELL, answer).await;
}

/// Reads what a viewer says, answers its pings, and sends pings of our own into silence.
#[derive(Debug)]
struct Listener {
    reader: Reader,
    ping: Pin<Box<Sleep>>,
}

impl Listener {
    fn new() -> Self {
        Self { reader: Reader::default(), ping: Box::pin(sleep(PING_AFTER)) }
    }

    /// Ready when the viewer has ended the conversation.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        inlet: &mut Inlet,
        sender: &mut Sender<'_>,
    ) -> Poll<io::Result<End>> {
        if self.ping.as_mut().poll(context).is_ready() {
            // Only now it is asked whether there was silence: a timer set anew at every picture would cost more.
            if !std::mem::take(&mut sender.has_sent) && sender.outbox.is_empty() {
                sender.outbox.push(control(PING, b""));
            }
            self.ping.as_mut().reset(Instant::now() + PING_AFTER);
            context.waker().wake_by_ref();
        }
        loop {
            let mut bytes = inlet.bytes();
            let len = bytes.len();
            let mut pong = None;
            while let Some(said) = self.reader.next(&mut bytes) {
                match said {
                    // Of several pings the newest is answered (RFC 6455 §5.5.3): who sends nothing else gets less back
                    // than it sends.
                    Said::Ping(payload) => pong = Some(control(PONG, &payload)),
                    Said::Close(code) => return Poll::Ready(Ok(End::Closed(code))),
                    Said::Violation(code) => return Poll::Ready(Ok(End::Violation(code))),
                }
            }
            inlet.consume(len);
            // A viewer that does not read its pongs needs no more of them.
            if sender.outbox.len() < OUTBOX_MAX {
                pong.into_iter().for_each(|pong| sender.outbox.push(pong));
            }
            match inlet.poll_fill(context, sender.socket) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// A control frame (RFC 6455 §5.5); the payload has 125 bytes at most.
fn control(opcode: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(2 + payload.len());
    frame.put_u8(0x80 | opcode);
    frame.put_u8(payload.len() as u8);
    frame.put_slice(payload);
    frame.freeze()
}

const VERSION: HeaderValue = HeaderValue::from_static("13");

/// 16 bytes in base64.
const KEY_LEN: usize = 24;

const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The purpose is fulfilled.
const NORMAL: u16 = 1000;
/// The server goes down.
const AWAY: u16 = 1001;

/// Not allowed (RFC 6455 §7.4.1).
const POLICY: u16 = 1008;

/// A ping goes out after silence of this to twice this, and keeps the connection open through proxies; many cut after
/// 30 s or more.
const PING_AFTER: Duration = Duration::from_secs(10);

/// How long a peer has to answer our close.
const FAREWELL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::net;

    #[tokio::test]
    async fn who_has_closed_does_not_take_the_rest_for_as_long_as_it_likes() {
        let limits = net::Limits {
            send_buffer: 16 << 10,
            unsent: 16 << 10,
            stall: Duration::from_millis(200),
            stall_bytes: 1,
            ..net::Limits::default()
        };
        let listening = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listening.local_addr().unwrap()).await.unwrap();
        net::tune(&near, &limits);
        let (mut far, _) = listening.accept().await.unwrap();
        let slow = tokio::spawn(async move {
            let mut piece = vec![0; 64 << 10];
            while far.read(&mut piece).await.is_ok_and(|len| len > 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let near = near.into();
        let mut sender = Sender::new(&near, &limits, Form::Messages);
        sender.outbox.push(vec![0; 64 << 20].into());
        let (mut inlet, mut listener) = (Inlet::new(1000), Listener::new());
        let end = End::Closed(None);
        let farewell = farewell(end, &mut sender, &mut inlet, &mut listener, limits.stall);
        assert!(timeout(Duration::from_secs(5), farewell).await.is_ok());
        assert!(!sender.outbox.is_empty());
        slow.abort();
    }
}
