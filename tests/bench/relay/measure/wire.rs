//! How a viewer joins, by each protocol, and how tags are read out of what comes then.

use std::{
    fmt,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use pushpull_media::flv::{self, Item, TagKind};
use pushpull_rtmp::{
    ClientConnection,
    client::{ClientConfig, ClientEvent, PublishUrl},
    handshake::RANDOM_LEN,
};
use socket2::{Domain, SockRef, Socket, Type};

/// A way to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Http,
    Ws,
    Rtmp,
}

impl Protocol {
    pub const ALL: [Self; 3] = [Self::Http, Self::Ws, Self::Rtmp];

    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Ws => "ws",
            Self::Rtmp => "rtmp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Http => "HTTP-FLV",
            Self::Ws => "WS-FLV",
            Self::Rtmp => "RTMP play",
        })
    }
}

/// Where `live/bench` is watched, and how.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    pub protocol: Protocol,
    pub socket: SocketAddr,
}

/// A viewer that has asked for the stream and was not refused.
pub struct Joined {
    pub socket: TcpStream,
    pub decoder: Decoder,
    /// Bytes of the stream that came with the answer.
    pub first: Vec<u8>,
}

/// Connects and asks for the stream; returns when nothing is left to be said by the viewer.
pub fn join(address: Address) -> Result<Joined> {
    let socket = connect(address.socket)?;
    match address.protocol {
        Protocol::Http => join_http(socket, address.socket),
        Protocol::Ws => join_ws(socket, address.socket),
        Protocol::Rtmp => join_rtmp(socket, address.socket),
    }
}

fn connect(to: SocketAddr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    // A viewer that reads every 20 ms has room for a keyframe meanwhile. It has to be set before the connection is made.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_tcp_nodelay(true)?;
    socket.connect(&to.into()).context("joining")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket.into())
}

/// Goes away at once: thousands of closed connections that linger would use up the ports.
pub fn leave(socket: &TcpStream) {
    // If it cannot be set, ports run out later.
    drop(SockRef::from(socket).set_linger(Some(Duration::ZERO)));
}

fn join_http(mut socket: TcpStream, host: SocketAddr) -> Result<Joined> {
    let request = format!("GET /live/bench.flv HTTP/1.1\r\nHost: {host}\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let (head, first) = read_head(&mut socket)?;
    ensure!(head.starts_with("http/1.1 200"), "refused: {head}");
    let framing = match head.contains("\r\ntransfer-encoding: chunked") {
        true => Framing::Chunks { left: 0, head: Vec::new() },
        false => Framing::None,
    };
    Ok(Joined { socket, decoder: Decoder::flv(framing), first })
}

fn join_ws(mut socket: TcpStream, host: SocketAddr) -> Result<Joined> {
    let request = format!(
        "GET /live/bench.flv HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    socket.write_all(request.as_bytes())?;
    let (head, first) = read_head(&mut socket)?;
    ensure!(head.starts_with("http/1.1 101"), "refused: {head}");
    let framing = Framing::Frames { left: 0, head: Vec::new(), is_media: false };
    Ok(Joined { socket, decoder: Decoder::flv(framing), first })
}

/// The answer's head in small letters, and what came behind it.
fn read_head(socket: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let (mut bytes, mut room) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let first = bytes.split_off(at + 4);
            return Ok((String::from_utf8_lossy(&bytes).to_ascii_lowercase(), first));
        }
        let len = socket.read(&mut room).context("waiting for the answer's head")?;
        ensure!(len > 0, "closed without an answer");
        bytes.extend_from_slice(&room[..len]);
        ensure!(bytes.len() < 1 << 20, "no end of the answer's head");
    }
}

fn join_rtmp(mut socket: TcpStream, host: SocketAddr) -> Result<Joined> {
    let url = PublishUrl::parse(&format!("rtmp://{host}/live/bench"))?;
    let mut client = ClientConnection::new(ClientConfig::play(url), [0x5A; RANDOM_LEN]);
    let mut room = vec![0; 64 << 10];
    loop {
        while let Some(output) = client.take_output() {
            socket.write_all(&output)?;
        }
        let len = socket.read(&mut room).context("waiting for an answer")?;
        ensure!(len > 0, "closed without an answer");
        client.receive(&room[..len])?;
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Playing => {
                    let decoder = Decoder::Rtmp(Box::new(client));
                    return Ok(Joined { socket, decoder, first: Vec::new() });
                }
                ClientEvent::Refused { code, description } => bail!("{code}: {description}"),
                _ => {}
            }
        }
    }
}

/// Takes tags out of what a socket gives.
pub enum Decoder {
    Flv { framing: Framing, reader: Box<flv::Reader> },
    Rtmp(Box<ClientConnection>),
}

/// What HTTP and WebSocket put around FLV.
pub enum Framing {
    None,
    /// `left` counts the line's end behind a chunk.
    Chunks {
        left: usize,
        head: Vec<u8>,
    },
    Frames {
        left: usize,
        head: Vec<u8>,
        is_media: bool,
    },
}

impl Decoder {
    fn flv(framing: Framing) -> Self {
        Self::Flv { framing, reader: Box::new(flv::Reader::new()) }
    }

    /// Hands every media message and header that is complete to `take`, with its time.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(TagKind, i64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Flv { framing, reader } => {
                framing.strip(bytes, |piece| reader.push(piece))?;
                while let Some(item) = reader.next()? {
                    if let Item::Tag(tag) = item {
                        take(tag.kind(), tag.time(), tag.data())?;
                    }
                }
                Ok(())
            }
            Self::Rtmp(client) => {
                client.receive(bytes)?;
                while let Some(event) = client.next_event() {
                    if let ClientEvent::Media { kind, timestamp, buffer } = event {
                        take(kind, i64::from(timestamp), buffer.data())?;
                    }
                }
                Ok(())
            }
        }
    }

    /// What a viewer has to say meanwhile.
    pub fn take_output(&mut self) -> Option<bytes::Bytes> {
        match self {
            Self::Rtmp(client) => client.take_output(),
            Self::Flv { .. } => None,
        }
    }
}

impl Framing {
    fn strip(&mut self, mut bytes: &[u8], mut take: impl FnMut(&[u8])) -> Result<()> {
        while !bytes.is_empty() {
            match self {
                Self::None => {
                    take(bytes);
                    return Ok(());
                }
                Self::Chunks { left: 0, head } => {
                    head.push(bytes[0]);
                    bytes = &bytes[1..];
                    if let Some(line) = head.strip_suffix(b"\r\n") {
                        let size = std::str::from_utf8(line)?.split(';').next().unwrap_or_default();
                        let size = usize::from_str_radix(size, 16).context("a chunk's size")?;
                        ensure!(size > 0, "the stream ended");
                        *self = Self::Chunks { left: size + 2, head: Vec::new() };
                    }
                }
                Self::Chunks { left, .. } => {
                    let (piece, rest) = bytes.split_at(bytes.len().min(*left));
                    // The last two bytes are a line's end.
                    take(&piece[..piece.len().min(left.saturating_sub(2))]);
                    *left -= piece.len();
                    bytes = rest;
                }
                Self::Frames { left: 0, head, .. } => {
                    head.push(bytes[0]);
                    bytes = &bytes[1..];
                    let Some(left) = frame_length(head) else { continue };
                    let kind = head[0] & 0x0F;
                    ensure!(kind != 8, "the WebSocket is closed");
                    *self = Self::Frames { left, head: Vec::new(), is_media: kind < 3 };
                }
                Self::Frames { left, is_media, .. } => {
                    let (piece, rest) = bytes.split_at(bytes.len().min(*left));
                    if *is_media {
                        take(piece);
                    }
                    *left -= piece.len();
                    bytes = rest;
                }
            }
        }
        Ok(())
    }
}

/// The payload's length once a frame's head is complete; a server does not mask.
fn frame_length(head: &[u8]) -> Option<usize> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    match head.get(1)? & 0x7F {
        126 => head.get(2..4).map(number),
        127 => head.get(2..10).map(number),
        len => Some(usize::from(len)),
    }
}

const RECEIVE_BUFFER: usize = 1 << 20;

/// For each answer of the server.
pub const PATIENCE: Duration = Duration::from_secs(10);
