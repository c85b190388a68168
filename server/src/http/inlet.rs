//! What arrives on an HTTP connection, one request's head at a time.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header, request,
};
use bytes::{Buf, BytesMut};
use tokio::time::timeout;

use crate::net::Socket;

/// Bytes that a peer sent and nobody has used, at most as many as a head may have.
#[derive(Debug)]
pub struct Inlet {
    buffer: BytesMut,
    /// How far the buffer was searched for the end of a head.
    searched: usize,
    limit: usize,
}

/// What stands in front in an [`Inlet`].
#[derive(Debug)]
pub enum Arrival {
    /// A request, whole up to the end of its head. It stays in the inlet until it is used.
    Head(Box<Head>),
    /// Something that is no head, or too large for one.
    Strange,
    /// Nothing, and nothing will come.
    End,
}

/// The head of a request.
#[derive(Debug)]
pub struct Head {
    /// Method, address, version and fields.
    pub request: Request<()>,
    /// Its bytes.
    pub len: usize,
}

/// What follows a head (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// So many bytes, often none.
    Length(u64),
    /// Bytes whose end is known to who reads them.
    Unknown,
}

impl Inlet {
    /// Takes heads of up to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), searched: 0, limit }
    }

    /// The next head, once it is there.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_head(
        &mut self,
        context: &mut Context<'_>,
        socket: &Socket,
    ) -> Poll<io::Result<Arrival>> {
        loop {
            if let Some(arrival) = self.arrival() {
                return Poll::Ready(Ok(arrival));
            }
            if ready!(self.poll_fill(context, socket))? == 0 {
                return Poll::Ready(Ok(Arrival::End));
            }
        }
    }

    /// What stands in front, if it can be told from what has come so far.
    pub fn arrival(&mut self) -> Option<Arrival> {
        if self.is_worth_parsing() {
            let arrival = match parse(&self.buffer) {
                Ok(None) => None,
                Ok(Some(head)) => Some(Arrival::Head(Box::new(head))),
                Err(Strange) => Some(Arrival::Strange),
            };
            if arrival.is_some() {
                // It stays, and may be asked for again.
                self.searched = 0;
                return arrival;
            }
        }
        self.is_full().then_some(Arrival::Strange)
    }

    /// Takes bytes that did not come by a socket.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Ready when the peer is gone, or says so much that it cannot be kept. What it says until then is kept.
    pub fn poll_gone(&mut self, context: &mut Context<'_>, socket: &Socket) -> Poll<()> {
        loop {
            match ready!(self.poll_fill(context, socket)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) if self.is_full() => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
    }

    /// Whether there is as much as is kept.
    pub fn is_full(&self) -> bool {
        self.buffer.len() >= self.limit
    }

    /// Ready when the peer has nothing more to say; what it says until then is dropped.
    pub fn poll_drained(&mut self, context: &mut Context<'_>, socket: &Socket) -> Poll<()> {
        while let Ok(1..) = ready!(self.poll_fill(context, socket)) {
            self.consume(usize::MAX);
        }
        Poll::Ready(())
    }

    /// Listens to a peer that has had its answer and may still send what the answer is to: a connection that is closed with
    /// something unread is reset, and the reset may come before the answer, or while the peer writes.
    ///
    /// No longer than it takes to send a large file over a usual network, and no longer than the peer takes to notice
    /// otherwise.
    pub async fn hear_out(&mut self, socket: &Socket) {
        drop(socket.end());
        let mut left = HEARD_OUT_MAX;
        let end = poll_fn(|context| {
            while let Ok(len @ 1..) = ready!(self.poll_fill(context, socket)) {
                self.consume(usize::MAX);
                left = left.saturating_sub(len);
                if left == 0 {
                    break;
                }
            }
            Poll::Ready(())
        });
        // Whoever has not ended by then is cut off.
        drop(timeout(HEARD_OUT, end).await);
    }

    /// What is there.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Drops `len` bytes: they were used.
    pub fn consume(&mut self, len: usize) {
        self.searched = 0;
        self.buffer.advance(len.min(self.buffer.len()));
        if self.buffer.is_empty() {
            // Connections that wait, and those of viewers, hold no memory.
            self.buffer = BytesMut::new();
        }
    }

    /// Reads what is there; how many bytes that were, 0 at the end.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        socket: &Socket,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(socket.poll_read_ready(context))?;
            self.buffer.reserve(PIECE);
            match socket.try_read_buf(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // The next look is at whether there is anything: nothing is held while it waits.
                    if self.buffer.is_empty() {
                        self.buffer = BytesMut::new();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Whether the buffer has become a head since the last time: it was empty then, or a blank line has come since.
    ///
    /// A head that comes a byte at a time would otherwise be parsed at every byte.
    fn is_worth_parsing(&mut self) -> bool {
        let from = self.searched.saturating_sub(BLANK_LINE_MAX - 1);
        let is_first = self.searched == 0 && !self.buffer.is_empty();
        self.searched = self.buffer.len();
        let new = self.buffer.get(from..).unwrap_or_default();
        is_first
            || new.windows(2).any(|two| two == b"\n\n")
            || new.windows(3).any(|three| three == b"\n\r\n")
    }
}

impl Head {
    /// What follows the head.
    pub fn payload(&self) -> Payload {
        let headers = self.request.headers();
        if headers.contains_key(header::TRANSFER_ENCODING)
            || headers.contains_key(header::UPGRADE)
            || headers.contains_key(header::EXPECT)
            || self.request.method() == Method::CONNECT
        {
            return Payload::Unknown;
        }
        let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
        match (lengths.next(), lengths.next()) {
            (None, _) => Payload::Length(0),
            (Some(length), None) => {
                let length = length.to_str().ok().and_then(|length| length.parse().ok());
                length.map_or(Payload::Unknown, Payload::Length)
            }
            _ => Payload::Unknown,
        }
    }

    /// Whether the connection stays open after the answer, if it is up to the peer (RFC 9112 §9.3).
    ///
    /// One of HTTP/1.0 does not: who wants it to has asked for it in a way that is long forgotten.
    pub fn keeps_open(&self) -> bool {
        self.request.version() == Version::HTTP_11
            && !has_token(self.request.headers(), &header::CONNECTION, "close")
    }
}

/// Whether a field that is a list has `token` in it.
pub fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|found| found.trim().eq_ignore_ascii_case(token))
}

/// The bytes are no head.
struct Strange;

/// `None`: it goes on.
fn parse(bytes: &[u8]) -> Result<Option<Head>, Strange> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut fields);
    let len = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Strange),
    };
    let request = build(&parsed).ok_or(Strange)?;
    Ok(Some(Head { request, len }))
}

fn build(parsed: &httparse::Request<'_, '_>) -> Option<Request<()>> {
    let mut parts: request::Parts = Request::new(()).into_parts().0;
    parts.method = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    parts.uri = Uri::try_from(parsed.path?).ok()?;
    parts.version = if parsed.version? == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    parts.headers.reserve(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        parts.headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    Some(Request::from_parts(parts, ()))
}

/// What is read at once, at least: most heads.
const PIECE: usize = 1 << 10;

/// Fields in the head of a request: browsers send two dozen.
pub const FIELDS_MAX: usize = 100;

/// How long a peer is listened to that has had its answer: round trips, and what the system holds of a slow one.
pub const HEARD_OUT: Duration = Duration::from_secs(5);

/// What such a peer may send: one that reads no answer before it has sent all of a large request still gets it.
pub const HEARD_OUT_MAX: usize = 16 << 20;

/// LF CR LF.
const BLANK_LINE_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        let Ok(Some(head)) = parse(text.as_bytes()) else { panic!("{text:?}") };
        head
    }

    #[test]
    fn heads_are_parsed_when_they_may_have_become_whole() {
        let mut inlet = Inlet::new(1000);
        let mut parsed = Vec::new();
        for (at, byte) in b"\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nX".iter().enumerate() {
            inlet.push(&[*byte]);
            if inlet.is_worth_parsing() {
                parsed.push(at);
            }
        }
        assert_eq!(parsed, [0, 25]);
        let Ok(Some(head)) = parse(&inlet.buffer) else { panic!() };
        assert_eq!(head.len, 26);
        inlet.consume(head.len);
        assert_eq!(inlet.bytes(), b"X");
        assert!(inlet.is_worth_parsing(), "what follows is new");
    }

    #[tokio::test]
    async fn who_says_nothing_costs_no_memory() {
        use std::future::poll_fn;
        use tokio::io::AsyncWriteExt;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let near = Socket::from(listener.accept().await.unwrap().0);
        let mut inlet = Inlet::new(1000);
        far.write_all(b"said").await.unwrap();
        poll_fn(|context| inlet.poll_fill(context, &near)).await.unwrap();
        inlet.consume(4);
        poll_fn(|context| {
            assert!(inlet.poll_fill(context, &near).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(inlet.buffer.capacity(), 0);
    }

    #[test]
    fn what_follows_a_head_is_known() {
        for (fields, payload) in [
            ("", Payload::Length(0)),
            ("Content-Length: 5\r\n", Payload::Length(5)),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Payload::Unknown),
            ("Content-Length: -5\r\n", Payload::Unknown),
            ("Transfer-Encoding: chunked\r\n", Payload::Unknown),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Payload::Unknown),
            ("Upgrade: websocket\r\n", Payload::Unknown),
            ("Expect: 100-continue\r\nContent-Length: 5\r\n", Payload::Unknown),
        ] {
            let head = head(&format!("POST / HTTP/1.1\r\n{fields}\r\n"));
            assert_eq!(head.payload(), payload, "{fields}");
        }
    }

    #[test]
    fn connections_stay_open_unless_the_peer_says_otherwise() {
        for (text, keeps_open) in [
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false),
        ] {
            assert_eq!(head(text).keeps_open(), keeps_open, "{text:?}");
        }
    }

    #[test]
    fn addresses_come_in_two_forms() {
        for text in ["GET /live/x.flv?a HTTP/1.1\r\n\r\n", "GET http://h/live/x.flv HTTP/1.1\n\n"] {
            assert_eq!(head(text).request.uri().path(), "/live/x.flv");
        }
        for text in ["GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01", "GET  / HTTP/1.1\r\n"]
        {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
