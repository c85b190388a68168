//! Viewers of HTTP-FLV, WebSocket-FLV and RTMP that keep what they were sent, tag by tag.

use std::{net::SocketAddr, process::Stdio};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use pushpull_media::flv::{self, Item, Tag, TagKind};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    process::{Child, Command},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use crate::{
    http::{self, Response},
    player::Player,
    server::Server,
};

/// Someone who watches a stream.
pub struct Viewer {
    source: Source,
    reader: flv::Reader,
    header: Option<flv::Header>,
    received: u64,
}

enum Source {
    Http(Box<Response>),
    WebSocket(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
    Rtmp(Box<Player>),
    Program(Box<Child>),
}

impl Viewer {
    /// Watches over HTTP. The answer must be 200.
    pub async fn http(server: &Server, path: &str) -> Result<Viewer> {
        Viewer::http_at(server.http, path).await
    }

    /// The same at an address, which may be a proxy's.
    pub async fn http_at(address: SocketAddr, path: &str) -> Result<Viewer> {
        let mut response = http::get(address, path).await?;
        if response.status != 200 {
            let said = response.text().await?;
            bail!("{path}: {} {said}", response.status);
        }
        Ok(Viewer::new(Source::Http(Box::new(response))))
    }

    /// Watches over a WebSocket.
    pub async fn websocket(server: &Server, path: &str) -> Result<Viewer> {
        Viewer::websocket_at(server.http, path).await
    }

    /// The same at an address, which may be a proxy's.
    pub async fn websocket_at(address: SocketAddr, path: &str) -> Result<Viewer> {
        let url = format!("ws://{address}{path}");
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Viewer::new(Source::WebSocket(Box::new(socket))))
    }

    /// Watches over RTMP: `live/<name>`, perhaps with a query. There is no FLV header then.
    pub async fn rtmp(server: &Server, stream: &str) -> Result<Viewer> {
        Viewer::rtmp_at(server.rtmp, stream).await
    }

    /// The same at an address, which may be a proxy's.
    pub async fn rtmp_at(address: SocketAddr, stream: &str) -> Result<Viewer> {
        let player = Player::start(address, stream).await?;
        Ok(Viewer::new(Source::Rtmp(Box::new(player))))
    }

    /// Watches what a program prints, such as curl. It must end as a program does that is content.
    pub fn program(mut command: Command) -> Result<Viewer> {
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        Ok(Viewer::new(Source::Program(Box::new(child))))
    }

    fn new(source: Source) -> Viewer {
        Viewer { source, reader: flv::Reader::new(), header: None, received: 0 }
    }

    /// The FLV header, once the first tag was read.
    pub fn header(&self) -> Option<&flv::Header> {
        self.header.as_ref()
    }

    /// The next tag. `None` when the stream ended as it should: at a tag's end, HTTP by its last chunk, a WebSocket
    /// with close code 1000 or 1001, RTMP with UnpublishNotify.
    pub async fn next(&mut self) -> Result<Option<Tag>> {
        if let Source::Rtmp(player) = &mut self.source {
            return player.next().await;
        }
        loop {
            match self.reader.next()? {
                Some(Item::Header(header)) => {
                    ensure!(
                        self.header.replace(header).is_none(),
                        "a second FLV header in one stream"
                    );
                }
                Some(Item::Tag(tag)) => return Ok(Some(tag)),
                None => match self.piece().await? {
                    Some(bytes) => {
                        self.received += u64::try_from(bytes.len())?;
                        self.reader.push(&bytes);
                    }
                    None => {
                        ensure!(
                            self.reader.offset() == self.received,
                            "the stream ended inside a tag"
                        );
                        return Ok(None);
                    }
                },
            }
        }
    }

    /// The next tag of one kind, which must come.
    pub async fn next_of(&mut self, kind: TagKind) -> Result<Tag> {
        loop {
            let tag = self
                .next()
                .await?
                .with_context(|| format!("the stream ended before a {kind:?} tag came"))?;
            if tag.kind() == kind {
                return Ok(tag);
            }
        }
    }

    /// Everything up to the end of the stream.
    pub async fn rest(&mut self) -> Result<Vec<Tag>> {
        let mut tags = Vec::new();
        while let Some(tag) = self.next().await? {
            tags.push(tag);
        }
        Ok(tags)
    }

    /// Reads both viewers on to the same keyframe; the next tag of each follows it.
    pub async fn catch_up_with(&mut self, other: &mut Viewer) -> Result<()> {
        let mut mine = self.keyframe().await?;
        let mut theirs = other.keyframe().await?;
        while mine.time() != theirs.time() {
            if mine.time() < theirs.time() {
                mine = self.keyframe().await?;
            } else {
                theirs = other.keyframe().await?;
            }
        }
        ensure!(mine.bytes() == theirs.bytes(), "two keyframes at {} differ", mine.time());
        Ok(())
    }

    /// The next keyframe, which must come.
    pub async fn keyframe(&mut self) -> Result<Tag> {
        loop {
            let tag = self.next_of(TagKind::Video).await?;
            if is_keyframe(&tag) {
                return Ok(tag);
            }
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>> {
        match &mut self.source {
            Source::Rtmp(_) => bail!("RTMP brings tags, not pieces of a file"),
            Source::Http(response) => response.piece().await,
            Source::Program(child) => {
                let mut piece = BytesMut::with_capacity(64 << 10);
                let output = child.stdout.as_mut().context("its output is read here")?;
                if output.read_buf(&mut piece).await? > 0 {
                    return Ok(Some(piece.freeze()));
                }
                let status = child.wait().await?;
                ensure!(status.success(), "the program ended with {status}");
                Ok(None)
            }
            Source::WebSocket(socket) => loop {
                match socket.next().await.context("the WebSocket ended without a close frame")?? {
                    Message::Binary(bytes) => return Ok(Some(bytes)),
                    Message::Ping(_) | Message::Pong(_) => {}
                    Message::Close(frame) => {
                        let code = frame.as_ref().map(|frame| u16::from(frame.code));
                        ensure!(matches!(code, Some(1000 | 1001)), "closed with {frame:?}");
                        return Ok(None);
                    }
                    other => bail!("not a binary message: {other:?}"),
                }
            },
        }
    }
}

/// Whether a tag is a picture or sound, neither a header nor a script.
pub fn is_media(tag: &Tag) -> bool {
    match tag.kind() {
        TagKind::Video => {
            flv::video::Head::parse(tag.data()).is_ok_and(|head| !head.is_sequence_header())
        }
        TagKind::Audio => {
            flv::audio::Head::parse(tag.data()).is_ok_and(|head| !head.is_sequence_header())
        }
        TagKind::Script => false,
    }
}

/// Whether a tag is a keyframe's.
pub fn is_keyframe(tag: &Tag) -> bool {
    tag.kind() == TagKind::Video
        && flv::video::Head::parse(tag.data()).is_ok_and(|head| head.is_keyframe())
}

/// Whether a tag says that its publisher's pictures end here; a clip that goes round leaves it out.
pub fn is_end(tag: &Tag) -> bool {
    tag.kind() == TagKind::Video
        && flv::video::Head::parse(tag.data())
            .is_ok_and(|head| head.packet == flv::video::Packet::SequenceEnd)
}

/// A media tag's payload, without the head that FLV puts before it.
pub fn payload(tag: &Tag) -> Result<&[u8]> {
    let body = match tag.kind() {
        TagKind::Video => flv::video::Head::parse(tag.data())?.body,
        TagKind::Audio => flv::audio::Head::parse(tag.data())?.body,
        TagKind::Script => 0,
    };
    tag.data().get(body..).context("a head longer than its tag")
}
