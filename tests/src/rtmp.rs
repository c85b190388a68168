//! An RTMP peer that writes its own bytes, so that it can write wrong ones.
//!
//! It knows as much of the protocol as it takes to get somewhere first: the plain handshake, chunk headers of every
//! form, AMF0 of the few types commands need.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, bail, ensure};
use pushpull_rtmp::chunk;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// A connection to an RTMP server.
pub struct Peer {
    socket: TcpStream,
    received: Vec<u8>,
    /// What was received, read as chunks.
    reader: chunk::Reader,
    messages: Vec<(u8, Vec<u8>)>,
}

impl Peer {
    /// Connects and sends nothing.
    pub async fn connect(server: SocketAddr) -> Result<Peer> {
        let socket = TcpStream::connect(server).await?;
        socket.set_nodelay(true)?;
        Ok(Peer::over(socket))
    }

    fn over(socket: TcpStream) -> Peer {
        let reader = chunk::Reader::new(chunk::Limits::MEDIA);
        Peer { socket, received: Vec::new(), reader, messages: Vec::new() }
    }

    /// Connects and shakes hands.
    pub async fn greet(server: SocketAddr) -> Result<Peer> {
        Peer::connect(server).await?.shake_hands().await
    }

    async fn shake_hands(mut self) -> Result<Peer> {
        self.send(&c0_c1()).await?;
        let mut answer = vec![0; 1 + 2 * HANDSHAKE_LEN];
        tokio::time::timeout(ANSWER, self.socket.read_exact(&mut answer)).await??;
        ensure!(answer.first() == Some(&3), "the server speaks RTMP version 3");
        // C2 returns what S1 brought.
        self.send(&answer[1..=HANDSHAKE_LEN]).await?;
        Ok(self)
    }

    /// Shakes hands and connects to the application `live`, chunks of 65,536 bytes from then on.
    pub async fn connected(server: SocketAddr) -> Result<Peer> {
        Peer::connected_to(server, "live", &format!("rtmp://{server}/live")).await
    }

    /// The same for any application.
    pub async fn connected_to(server: SocketAddr, app: &str, tc_url: &str) -> Result<Peer> {
        Peer::greet(server).await?.join(app, tc_url).await
    }

    async fn join(mut self, app: &str, tc_url: &str) -> Result<Peer> {
        self.send(&set_chunk_size(65_536)).await?;
        self.send(&connect(&object(&[("app", string(app)), ("tcUrl", string(tc_url))]))).await?;
        self.answered(b"NetConnection.Connect.Success").await?;
        Ok(self)
    }

    /// As [`Peer::connected`], with a kernel that takes only `room` bytes of what the test does not read.
    pub async fn connected_with(server: SocketAddr, room: u32) -> Result<Peer> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(room)?;
        let peer = Peer::over(socket.connect(server).await?);
        peer.shake_hands().await?.join("live", &format!("rtmp://{server}/live")).await
    }

    /// Connects and publishes `live/<name>`: the next thing to send is media on message stream 1.
    pub async fn publishing(server: SocketAddr, name: &str) -> Result<Peer> {
        let mut peer = Peer::connected(server).await?;
        peer.send(&publish(name)).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        Ok(peer)
    }

    /// The address the server sees.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match tokio::time::timeout(ANSWER, self.socket.write_all(bytes)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => bail!(
                "the server does not read: {} bytes were not taken within {ANSWER:?}",
                bytes.len()
            ),
        }
    }

    /// Sends bytes to a server that may hang up on them at any moment, as it should.
    pub async fn throw(&mut self, bytes: &[u8]) {
        // Whether they were all taken is the server's choice; that it is alive afterwards is what the test asks.
        drop(self.send(bytes).await);
    }

    /// The bare connection.
    pub fn into_socket(self) -> TcpStream {
        self.socket
    }

    /// Reads until the server has sent `pattern`.
    pub async fn answered(&mut self, pattern: &[u8]) -> Result<()> {
        let wait = async {
            loop {
                if let Some(at) =
                    self.received.windows(pattern.len()).position(|window| window == pattern)
                {
                    self.received.drain(..at + pattern.len());
                    return Ok(());
                }
                if self.read().await? == 0 {
                    bail!(
                        "the server hung up before it said {:?}; it said {:?}",
                        String::from_utf8_lossy(pattern),
                        String::from_utf8_lossy(&self.received)
                    );
                }
            }
        };
        match tokio::time::timeout(ANSWER, wait).await {
            Ok(done) => done,
            Err(_) => bail!(
                "the server did not say {:?} within {ANSWER:?}",
                String::from_utf8_lossy(pattern)
            ),
        }
    }

    /// Reads until the server has sent a message of type `kind`, and returns its payload; each is returned once.
    pub async fn message(&mut self, kind: u8) -> Result<Vec<u8>> {
        let wait = async {
            loop {
                if let Some(at) = self.messages.iter().position(|&(other, _)| other == kind) {
                    return Ok(self.messages.remove(at).1);
                }
                ensure!(
                    self.read().await? > 0,
                    "the server hung up before a message of type {kind}"
                );
            }
        };
        match tokio::time::timeout(ANSWER, wait).await {
            Ok(done) => done,
            Err(_) => bail!("no message of type {kind} came within {ANSWER:?}"),
        }
    }

    async fn read(&mut self) -> Result<usize> {
        let len = self.socket.read_buf(&mut self.received).await?;
        let mut fresh = &self.received[self.received.len() - len..];
        // Without a handshake there are no chunks.
        while let Ok(Some(message)) = self.reader.read(&mut fresh) {
            self.messages.push((message.kind, message.payload.data().to_vec()));
        }
        Ok(len)
    }

    /// Reads until the server hangs up. Returns what it had said.
    pub async fn hung_up(&mut self) -> Result<Vec<u8>> {
        let wait = async {
            // A reset is a way to hang up, too.
            while self.read().await.unwrap_or(0) > 0 {}
        };
        match tokio::time::timeout(HANG_UP, wait).await {
            Ok(()) => Ok(std::mem::take(&mut self.received)),
            Err(_) => bail!("the server did not hang up within {HANG_UP:?}"),
        }
    }
}

/// How long the server may take to answer, or to read what it is sent.
const ANSWER: Duration = Duration::from_secs(10);

/// How long the server may take to give up on a peer; longer than its own limits.
const HANG_UP: Duration = Duration::from_secs(45);

/// Bytes of C1, C2, S1 and S2.
pub const HANDSHAKE_LEN: usize = 1536;

/// The peer's first two messages of the plain handshake.
pub fn c0_c1() -> Vec<u8> {
    let mut bytes = vec![3];
    bytes.extend([0; 8]);
    bytes.extend((0..HANDSHAKE_LEN - 8).map(|at| (at % 251) as u8));
    bytes
}

/// A chunk's basic header: format and chunk stream id in its one-, two- or three-byte form.
pub fn basic_header(format: u8, id: u32) -> Vec<u8> {
    let format = format << 6;
    match id {
        2..=63 => vec![format | id as u8],
        64..=319 => vec![format, (id - 64) as u8],
        _ => vec![format | 1, (id - 64) as u8, ((id - 64) >> 8) as u8],
    }
}

/// The head of a type-0 chunk: all fields given.
pub fn full_header(chunk_stream: u32, time: u32, len: u32, kind: u8, stream: u32) -> Vec<u8> {
    let mut bytes = basic_header(0, chunk_stream);
    bytes.extend_from_slice(&time.to_be_bytes()[1..]);
    bytes.extend_from_slice(&len.to_be_bytes()[1..]);
    bytes.push(kind);
    bytes.extend_from_slice(&stream.to_le_bytes());
    bytes
}

/// A message in one type-0 chunk; it must fit the chunk size in force.
pub fn message(chunk_stream: u32, time: u32, kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = full_header(chunk_stream, time, payload.len() as u32, kind, stream);
    bytes.extend_from_slice(payload);
    bytes
}

/// A message in chunks of `size` bytes: one of type 0, the rest of type 3.
pub fn chunked(
    size: usize,
    chunk_stream: u32,
    time: u32,
    kind: u8,
    stream: u32,
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = full_header(chunk_stream, time, payload.len() as u32, kind, stream);
    for (number, piece) in payload.chunks(size).enumerate() {
        if number > 0 {
            bytes.extend(basic_header(3, chunk_stream));
        }
        bytes.extend_from_slice(piece);
    }
    bytes
}

/// Protocol control message 1.
pub fn set_chunk_size(size: u32) -> Vec<u8> {
    message(2, 0, 1, 0, &size.to_be_bytes())
}

/// Protocol control message 5.
pub fn window_size(size: u32) -> Vec<u8> {
    message(2, 0, 5, 0, &size.to_be_bytes())
}

/// The command `connect` with this command object.
pub fn connect(object: &[u8]) -> Vec<u8> {
    message(3, 0, COMMAND, 0, &[&string("connect"), &number(1.0), object].concat())
}

/// `releaseStream`, `createStream` and `publish` of a name in the application `live`, as ffmpeg sends them, all at once.
pub fn publish(name: &str) -> Vec<u8> {
    let release = [string("releaseStream"), number(2.0), null(), string(name)].concat();
    let create = [string("createStream"), number(3.0), null()].concat();
    let publish = [string("publish"), number(4.0), null(), string(name), string("live")].concat();
    [
        message(3, 0, COMMAND, 0, &release),
        message(3, 0, COMMAND, 0, &create),
        message(8, 0, COMMAND, 1, &publish),
    ]
    .concat()
}

/// A command on message stream `stream` without a command object; the arguments are encoded already.
pub fn command(stream: u32, name: &str, transaction: f64, arguments: &[Vec<u8>]) -> Vec<u8> {
    let head = [string(name), number(transaction), null()].concat();
    message(3, 0, COMMAND, stream, &[head, arguments.concat()].concat())
}

/// `createStream` and `play` of a name in the application `live`, on message stream 1.
pub fn play(name: &str) -> Vec<u8> {
    let create = [string("createStream"), number(3.0), null()].concat();
    let play = [string("play"), number(4.0), null(), string(name)].concat();
    [message(3, 0, COMMAND, 0, &create), message(8, 0, COMMAND, 1, &play)].concat()
}

/// Message type of an AMF0 command.
pub const COMMAND: u8 = 20;
/// Message type of AMF0 data.
pub const DATA: u8 = 18;
/// Message type of audio.
pub const AUDIO: u8 = 8;
/// Message type of video.
pub const VIDEO: u8 = 9;

/// An AMF0 string.
pub fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x02];
    bytes.extend_from_slice(&(text.len() as u16).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// An AMF0 string of more than 65,535 bytes.
pub fn long_string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x0C];
    bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// An AMF0 number.
pub fn number(value: f64) -> Vec<u8> {
    let mut bytes = vec![0x00];
    bytes.extend_from_slice(&value.to_be_bytes());
    bytes
}

/// The AMF0 null.
pub fn null() -> Vec<u8> {
    vec![0x05]
}

/// An AMF0 object; the values are encoded already.
pub fn object(properties: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0x03];
    for (key, value) in properties {
        bytes.extend_from_slice(&(key.len() as u16).to_be_bytes());
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(value);
    }
    bytes.extend_from_slice(&[0, 0, 9]);
    bytes
}
