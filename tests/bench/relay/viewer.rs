//! One HTTP-FLV viewer that checks every tag it gets against what was published.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use pushpull_media::flv::{Item, Reader, TagKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stream::Published;

/// What one viewer saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Media tags, from the first keyframe to the last tag of the stream.
    pub tags: usize,
    /// FLV bytes.
    pub bytes: u64,
    /// From the request to the first keyframe.
    pub join: Duration,
    /// From a picture's publication to its arrival, one entry for each picture that was live.
    pub latencies: Vec<Duration>,
}

/// Watches until the stream ends.
///
/// Fails when a tag differs from what was published, or is missing, or comes twice.
pub async fn watch(server: SocketAddr, path: &str, published: &Published) -> Result<Seen> {
    let asked = Instant::now();
    let mut socket = TcpStream::connect(server).await.context("connect")?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;

    let mut body = Chunked::default();
    let mut reader = Reader::new();
    let mut seen = Seen::default();
    let mut expected: Option<usize> = None;
    let mut room = vec![0; 64 << 10];
    loop {
        let len = timeout(STALLED, socket.read(&mut room)).await.context("no byte for 10 s")??;
        ensure!(len > 0, "the connection closed before the stream's end");
        let now = Instant::now();
        let ended = body.feed(&room[..len], |piece| {
            seen.bytes += piece.len() as u64;
            reader.push(piece);
        })?;
        while let Some(item) = reader.next()? {
            let Item::Tag(tag) = item else { continue };
            if tag.kind() == TagKind::Script || published.is_header(&tag) {
                continue;
            }
            let index = published.index_of(&tag).with_context(|| format!("unknown {tag:?}"))?;
            match expected {
                None if published.is_keyframe(index) => seen.join = asked.elapsed(),
                // Sound that rides in front of the first keyframe.
                None => continue,
                Some(expected) => ensure!(index == expected, "tag {index} instead of {expected}"),
            }
            expected = Some(index + 1);
            seen.tags += 1;
            if let Some(sent) = published.sent(index).filter(|&sent| sent > asked)
                && tag.kind() == TagKind::Video
            {
                seen.latencies.push(now.saturating_duration_since(sent));
            }
        }
        if ended {
            match expected {
                Some(next) if next == published.len() => return Ok(seen),
                other => bail!("ended before tag {other:?} of {}", published.len()),
            }
        }
    }
}

/// Takes an HTTP/1.1 answer apart: head, then chunks.
#[derive(Default)]
struct Chunked {
    head: Vec<u8>,
    in_body: bool,
    left: usize,
    line: Vec<u8>,
}

impl Chunked {
    /// Feeds bytes from the socket; `true` when the body is complete.
    fn feed(&mut self, mut bytes: &[u8], mut piece: impl FnMut(&[u8])) -> Result<bool> {
        while !self.in_body {
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(false) };
            self.head.push(byte);
            bytes = rest;
            if self.head.ends_with(b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.head).to_lowercase();
                ensure!(head.starts_with("http/1.1 200"), "answer: {head}");
                ensure!(head.contains("transfer-encoding: chunked"), "not chunked: {head}");
                self.in_body = true;
            }
        }
        while !bytes.is_empty() {
            if self.left > 0 {
                let (data, rest) = bytes.split_at(self.left.min(bytes.len()));
                piece(data);
                self.left -= data.len();
                bytes = rest;
                continue;
            }
            let (byte, rest) = (bytes[0], &bytes[1..]);
            bytes = rest;
            self.line.push(byte);
            if !self.line.ends_with(b"\r\n") {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if line.len() == 2 {
                continue; // the end of a chunk's data
            }
            let digits = std::str::from_utf8(&line)?.trim();
            self.left = usize::from_str_radix(digits, 16).context("chunk size")?;
            if self.left == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

const STALLED: Duration = Duration::from_secs(10);
