//! A publisher that sends what a test tells it to, message by message.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context, Result, bail};
use pushpull_media::flv::{self, Item, Tag, TagKind};
use pushpull_rtmp::{
    ClientConnection,
    client::{ClientConfig, ClientEvent, PublishUrl},
    handshake::RANDOM_LEN,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::server::PATIENCE;

/// A publisher that was accepted.
pub struct Encoder {
    socket: TcpStream,
    rtmp: ClientConnection,
    room: Vec<u8>,
}

impl Encoder {
    /// Publishes `stream`, such as `live/stream1`.
    pub async fn start(server: SocketAddr, stream: &str) -> Result<Encoder> {
        let url = PublishUrl::parse(&format!("rtmp://{server}/{stream}"))?;
        let socket = TcpStream::connect(server).await?;
        socket.set_nodelay(true)?;
        let rtmp = ClientConnection::new(ClientConfig::new(url), [0x45; RANDOM_LEN]);
        let mut encoder = Encoder { socket, rtmp, room: vec![0; 4096] };
        loop {
            encoder.flush().await?;
            while let Some(event) = encoder.rtmp.next_event() {
                match event {
                    ClientEvent::Published => return Ok(encoder),
                    ClientEvent::Refused { code, description } => bail!("{code}: {description}"),
                    _ => {}
                }
            }
            let len = encoder.socket.read(&mut encoder.room).await?;
            let bytes = encoder.room.get(..len).filter(|bytes| !bytes.is_empty());
            encoder.rtmp.receive(bytes.context("the server hung up")?)?;
        }
    }

    /// Sends one message at `time` milliseconds.
    pub async fn send(&mut self, kind: TagKind, time: u32, data: &[u8]) -> Result<()> {
        self.rtmp.send(kind, time, data)?;
        self.flush().await?;
        // Acknowledgements and pings; nothing is waited for.
        while let Ok(len) = self.socket.try_read(&mut self.room) {
            let bytes = self.room.get(..len).filter(|bytes| !bytes.is_empty());
            self.rtmp.receive(bytes.context("the server hung up")?)?;
        }
        Ok(())
    }

    /// The configurations of H.264 and AAC, told apart by `mark`.
    pub async fn headers(&mut self, mark: u8) -> Result<()> {
        self.send(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1, 66, 0, 30, 0xFF, 0xE0, 0, mark])
            .await?;
        self.send(TagKind::Audio, 0, &[0xAF, 0, 0x11, 0x90, mark]).await
    }

    /// A keyframe of `len` bytes, which `mark` tells from others.
    pub async fn keyframe(&mut self, time: u32, mark: u32, len: usize) -> Result<()> {
        self.send(TagKind::Video, time, &picture(0x17, mark, len)).await
    }

    /// A picture that is none, of 40 bytes.
    pub async fn picture(&mut self, time: u32, mark: u32) -> Result<()> {
        self.send(TagKind::Video, time, &picture(0x27, mark, 40)).await
    }

    /// Sound.
    pub async fn sound(&mut self, time: u32, mark: u32) -> Result<()> {
        self.send(TagKind::Audio, time, &sound(mark)).await
    }

    /// Sends tags at their times, modulo 2^32, one after the other.
    pub async fn send_all(&mut self, tags: &[Tag]) -> Result<()> {
        for tag in tags {
            self.send(tag.kind(), u32::try_from(tag.time() & 0xFFFF_FFFF)?, tag.data()).await?;
        }
        Ok(())
    }

    /// Says goodbye, and waits until the server has read all and hung up: a socket that is closed with words of the server
    /// still unread is reset, and what was sent last may be lost.
    pub async fn stop(mut self) -> Result<()> {
        self.rtmp.unpublish();
        self.flush().await?;
        self.socket.shutdown().await?;
        let read = async { while self.socket.read(&mut self.room).await.unwrap_or(0) > 0 {} };
        timeout(PATIENCE, read).await.context("the server does not hang up")
    }

    async fn flush(&mut self) -> Result<()> {
        while let Some(bytes) = self.rtmp.take_output() {
            self.socket.write_all(&bytes).await?;
        }
        Ok(())
    }
}

/// The tags of an FLV file.
pub fn tags_of(file: &Path) -> Result<Vec<Tag>> {
    let bytes = std::fs::read(file).with_context(|| format!("{} is missing", file.display()))?;
    let mut reader = flv::Reader::new();
    reader.push(&bytes);
    let mut tags = Vec::new();
    while let Some(item) = reader.next()? {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// The data of a picture's tag.
pub fn picture(first: u8, mark: u32, len: usize) -> Vec<u8> {
    let mut data = vec![first, 1, 0, 0, 0];
    data.extend(mark.to_be_bytes());
    data.extend((data.len()..len).map(|at| (at % 251) as u8));
    data
}

/// The data of a sound's tag.
pub fn sound(mark: u32) -> Vec<u8> {
    [&[0xAF, 1], &mark.to_be_bytes()[..]].concat()
}
