//! A small HTTP/1.1 client that hides nothing: the head as it came, the body in the pieces it came in.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends `GET path` on a connection of its own.
pub async fn get(server: SocketAddr, path: &str) -> Result<Response> {
    request(server, "GET", path, &[]).await
}

/// Sends a request without a body on a connection of its own and reads the answer's head.
pub async fn request(
    server: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Response> {
    send(server, method, path, headers, b"").await
}

/// Sends a request on a connection of its own and reads the answer's head.
pub async fn send(
    server: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Response> {
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    let mut socket = TcpStream::connect(server).await?;
    socket.write_all(request.as_bytes()).await?;
    socket.write_all(body).await?;
    Response::read(socket, method).await
}

/// The head of a request to turn a connection into a WebSocket.
pub fn websocket_request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// An answer; its body may still be coming.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values, in the order they came.
    pub headers: Vec<(String, String)>,
    socket: TcpStream,
    buffer: BytesMut,
    body: Body,
}

enum Body {
    None,
    /// Bytes that are still to come.
    Length(u64),
    Chunked,
    UntilClose,
    Done,
}

impl Response {
    /// Reads the head of the answer to a request that was sent on `socket`.
    pub async fn read(mut socket: TcpStream, method: &str) -> Result<Response> {
        let mut buffer = BytesMut::new();
        let end = loop {
            if let Some(at) = find(&buffer, b"\r\n\r\n") {
                break at;
            }
            ensure!(buffer.len() < 64 << 10, "the head of the answer does not end");
            if socket.read_buf(&mut buffer).await? == 0 {
                bail!(
                    "the connection closed inside the head: {:?}",
                    String::from_utf8_lossy(&buffer)
                );
            }
        };
        let head = buffer.split_to(end + 4);
        let head = std::str::from_utf8(&head)?;
        let mut lines = head.trim_end().split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .context("an HTTP/1.1 status line")?
            .parse()?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();

        let mut response = Response { status, headers, socket, buffer, body: Body::UntilClose };
        let length = response.header("content-length").map(str::parse).transpose()?;
        response.body = match length {
            _ if method == "HEAD" || status == 204 || status == 304 => Body::None,
            _ if response.header("transfer-encoding") == Some("chunked") => Body::Chunked,
            Some(length) => Body::Length(length),
            None => Body::UntilClose,
        };
        Ok(response)
    }

    /// A header's value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The next piece of the body as it came, `None` at its proper end.
    ///
    /// A body that is cut short is an error: a chunked body needs its last chunk, a counted one all its bytes.
    pub async fn piece(&mut self) -> Result<Option<Bytes>> {
        match self.body {
            Body::None | Body::Done => Ok(None),
            Body::Length(0) => {
                self.body = Body::Done;
                Ok(None)
            }
            Body::Length(left) => {
                ensure!(self.fill().await?, "the body ended {left} bytes early");
                let piece =
                    self.buffer.split_to(self.buffer.len().min(usize::try_from(left)?)).freeze();
                self.body = Body::Length(left - u64::try_from(piece.len())?);
                Ok(Some(piece))
            }
            Body::UntilClose => match self.fill().await? {
                true => Ok(Some(self.buffer.split().freeze())),
                false => Ok(None),
            },
            Body::Chunked => self.chunk().await,
        }
    }

    /// The whole body.
    pub async fn bytes(&mut self) -> Result<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// The whole body as text.
    pub async fn text(&mut self) -> Result<String> {
        Ok(String::from_utf8(self.bytes().await?.to_vec())?)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let line = loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                break at;
            }
            ensure!(self.more().await?, "the connection closed between chunks");
        };
        let size = std::str::from_utf8(&self.buffer[..line])?.to_owned();
        let size =
            usize::from_str_radix(&size, 16).with_context(|| format!("chunk size {size:?}"))?;
        self.buffer.advance(line + 2);
        while self.buffer.len() < size + 2 {
            ensure!(self.more().await?, "the connection closed inside a chunk");
        }
        let piece = self.buffer.split_to(size).freeze();
        self.buffer.advance(2);
        if size == 0 {
            self.body = Body::Done;
            return Ok(None);
        }
        Ok(Some(piece))
    }

    /// Whether there is something in the buffer, after reading if need be.
    async fn fill(&mut self) -> Result<bool> {
        Ok(!self.buffer.is_empty() || self.more().await?)
    }

    async fn more(&mut self) -> Result<bool> {
        // Without it the buffer, emptied piece by piece, offers the socket ever smaller room.
        self.buffer.reserve(READ);
        Ok(self.socket.read_buf(&mut self.buffer).await? > 0)
    }
}

/// Room for one read of the body.
const READ: usize = 64 << 10;

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
