//! HTTP-FLV and WebSocket-FLV over real sockets, against a hub fed by hand.

mod answers;
mod http;
mod sessions;
mod slow;
mod stop;
mod ws;

use std::time::Duration;

use std::sync::Arc;

use axum::{Router, routing::get};
use pushpull_media::flv::{Header, Item, Reader, Tag, TagBuffer, TagKind};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

use super::*;
use crate::{
    http as host,
    hub::{Config, Publisher, Source},
    metrics::Metrics,
    net::Limits,
    testing::until,
};

/// A server on a port of its own, and its hub.
struct Server {
    hub: Hub,
    access: Access,
    shutdown: Shutdown,
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let patience = Duration::from_millis(50);
        Self::with(Config { missing_wait: patience, ..Config::default() }, Limits::default()).await
    }

    async fn with(config: Config, limits: Limits) -> Self {
        let hub = Hub::new(config);
        let shutdown = Shutdown::new();
        Self::asking(Access::default(), hub, shutdown, limits).await
    }

    /// One that lets in whom `access` does.
    async fn asking(access: Access, hub: Hub, shutdown: Shutdown, limits: Limits) -> Self {
        let state = FlvState::new(hub.clone(), access.clone(), shutdown.clone());
        let router = Router::new().route("/", get(async || "a page"));
        let metrics = Arc::new(Metrics::new(hub.clone()));
        let limits = host::Limits { net: limits, ..host::Limits::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = host::Server::new(router, state, limits.into(), metrics, shutdown.clone());
        tokio::spawn(server.serve(listener));
        Self { hub, access, shutdown, address }
    }

    fn publish(&self, name: &str) -> Feed {
        let source = Source { protocol: "test", peer: String::new(), agent: String::new() };
        let name = StreamName::parse(name).unwrap();
        Feed(self.hub.claim(&name, source).unwrap().go_live())
    }

    async fn get(&self, target: &str) -> Client {
        self.request("GET", target, "").await
    }

    /// Sends a request with these further header lines and reads the head of the answer.
    async fn request(&self, method: &str, target: &str, lines: &str) -> Client {
        let mut client = self.send(method, target, lines).await;
        client.read_head().await;
        client
    }

    /// Sends a request.
    async fn send(&self, method: &str, target: &str, lines: &str) -> Client {
        let mut client = self.connect().await;
        let request = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{lines}\r\n");
        client.write(request.as_bytes()).await;
        client
    }

    async fn connect(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        // Little room, so that one who does not read is soon noticed.
        socket.set_recv_buffer_size(16 << 10).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        Client { stream, buffer: Vec::new(), head: String::new() }
    }

    /// Waits until the stream has so many viewers.
    async fn viewers(&self, count: usize) {
        until(|| self.hub.streams().iter().map(|stream| stream.viewers).sum::<usize>() == count)
            .await;
    }
}

/// A publisher that sends what an encoder would.
struct Feed(Publisher);

impl Feed {
    fn send(&mut self, kind: TagKind, time: u32, data: &[u8]) {
        let mut buffer = TagBuffer::with_capacity(data.len());
        buffer.extend_from_slice(data).unwrap();
        self.0.media(kind, time, buffer);
    }

    /// Both headers, a keyframe and a sound: enough to be joined.
    fn open(&mut self) {
        self.send(TagKind::Video, 0, b"\x17\0\0\0\0avcC");
        self.send(TagKind::Audio, 0, b"\xAF\0asc");
        self.keyframe(0, 10);
        self.sound(0);
    }

    fn keyframe(&mut self, time: u32, len: usize) {
        self.picture(time, 0x17, len);
    }

    fn inter(&mut self, time: u32, len: usize) {
        self.picture(time, 0x27, len);
    }

    fn picture(&mut self, time: u32, head: u8, len: usize) {
        let mut data = vec![head, 1, 0, 0, 0];
        data.extend((0..len).map(|index| index as u8));
        self.send(TagKind::Video, time, &data);
    }

    fn sound(&mut self, time: u32) {
        self.send(TagKind::Audio, time, b"\xAF\x01sound");
    }

    fn finish(self) {
        self.0.finish();
    }
}

/// A viewer on a bare socket.
struct Client {
    stream: TcpStream,
    /// Read and not yet used.
    buffer: Vec<u8>,
    head: String,
}

impl Client {
    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn read_head(&mut self) {
        let end = self.read_to(b"\r\n\r\n").await;
        self.head = String::from_utf8(end).unwrap();
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The next chunk of the body (RFC 9112 §7.1); empty at its end.
    async fn chunk(&mut self) -> Vec<u8> {
        let size = self.read_to(b"\r\n").await;
        let size = std::str::from_utf8(&size).unwrap().trim();
        let len = usize::from_str_radix(size, 16).unwrap();
        while self.buffer.len() < len + 2 {
            assert_ne!(self.fill().await, 0, "the connection broke off");
        }
        let chunk = self.buffer.drain(..len).collect();
        assert_eq!(self.buffer.drain(..2).as_slice(), b"\r\n");
        chunk
    }

    /// The rest of a chunked body.
    async fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk().await;
            if chunk.is_empty() {
                return body;
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// A body of known length, as text.
    async fn text(&mut self) -> String {
        let len: usize = self.header("content-length").unwrap().parse().unwrap();
        while self.buffer.len() < len {
            assert_ne!(self.fill().await, 0);
        }
        String::from_utf8(self.buffer.drain(..len).collect()).unwrap()
    }

    async fn read_to(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                return self.buffer.drain(..at + end.len()).collect();
            }
            assert_ne!(self.fill().await, 0, "the connection broke off");
        }
    }

    async fn fill(&mut self) -> usize {
        self.stream.read_buf(&mut self.buffer).await.unwrap()
    }
}

/// A stream while it is being read.
#[derive(Default)]
struct Follower {
    bytes: Vec<u8>,
    reader: Reader,
    /// Frames of video so far.
    pictures: u32,
}

impl Follower {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.reader.push(bytes);
        while let Some(item) = self.reader.next().unwrap() {
            if let Item::Tag(tag) = item {
                self.pictures += u32::from(tag.kind() == TagKind::Video && tag.data()[1] == 1);
            }
        }
    }
}

/// Header and tags of an FLV stream.
fn parse(bytes: &[u8]) -> (Header, Vec<Tag>) {
    let mut reader = Reader::new();
    reader.push(bytes);
    let Some(Item::Header(header)) = reader.next().unwrap() else { panic!("no header") };
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        let Item::Tag(tag) = item else { panic!("a second header") };
        tags.push(tag);
    }
    assert_eq!(reader.offset(), bytes.len() as u64, "nothing is cut");
    (header, tags)
}

/// Kind and time of a tag in words.
fn word(tag: &Tag) -> String {
    let kind = match (tag.kind(), tag.data()) {
        (TagKind::Video, [0x17, 0, ..]) => "avcC",
        (TagKind::Video, [0x17, ..]) => "key",
        (TagKind::Video, _) => "inter",
        (TagKind::Audio, [_, 0, ..]) => "asc",
        (TagKind::Audio, _) => "sound",
        (TagKind::Script, _) => "script",
    };
    format!("{kind} {}", tag.time())
}

fn words(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(word).collect()
}
