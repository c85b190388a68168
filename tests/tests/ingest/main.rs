//! Publishers as they are: what each of them does that others do not, and what viewers get of it, byte for byte.

mod corners;
mod encoders;
mod names;
mod phones;
mod several;

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::{
    Server, Stage, Viewer,
    rtmp::{self, AUDIO, Peer, VIDEO},
    server::PATIENCE,
    stage,
    viewer::{is_keyframe, is_media},
};

/// A server, and a publisher of `live/s` on message stream 1 that is to send what it likes.
fn publishing(body: impl AsyncFnOnce(Server, Peer) -> Result<()>) {
    stage(async |stage: &Stage| {
        let server = Server::start(stage, &[]).await?;
        let peer = Peer::publishing(server.rtmp, "s").await?;
        body(server, peer).await
    });
}

/// `mark` is published with these bytes and arrives as it is.
fn arrives(wire: impl FnOnce(&[Sent]) -> Vec<u8>) {
    publishing(async |server, mut peer| {
        let sent = media("as it is");
        peer.send(&wire(&sent)).await?;
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

/// `key` on a connection to `app` is the stream `expected`.
fn named(app: &str, tc_url: &str, key: &str, expected: &str) {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connected_to(server.rtmp, app, tc_url).await?;
        peer.send(&rtmp::publish(key)).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        let sent = media("named");
        peer.send(&bytes(&sent)).await?;
        let viewer = watch_path(&server, expected).await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

/// A message as an encoder sends it.
#[derive(Clone)]
struct Sent {
    kind: u8,
    time: u32,
    data: Vec<u8>,
}

impl Sent {
    fn new(kind: u8, time: u32, data: impl Into<Vec<u8>>) -> Sent {
        Sent { kind, time, data: data.into() }
    }

    /// In one chunk, on the chunk stream that ffmpeg would use.
    fn bytes(&self) -> Vec<u8> {
        self.bytes_on(1)
    }

    /// The same on another message stream.
    fn bytes_on(&self, stream: u32) -> Vec<u8> {
        let chunk_stream = if self.kind == AUDIO { 4 } else { 6 };
        rtmp::message(chunk_stream, self.time, self.kind, stream, &self.data)
    }

    fn kind(&self) -> TagKind {
        if self.kind == AUDIO { TagKind::Audio } else { TagKind::Video }
    }

    fn is_media(&self) -> bool {
        Tag::new(self.kind(), 0, &self.data).is_ok_and(|tag| is_media(&tag))
    }
}

/// Under a second of media: headers, a keyframe, 19 pictures after it, and sound. `mark` is in every packet.
fn media(mark: &str) -> Vec<Sent> {
    media_from(0, mark)
}

/// The same from another time on.
fn media_from(start: u32, mark: &str) -> Vec<Sent> {
    let mut all = headers(start, mark);
    for number in 0..20u8 {
        let time = start.wrapping_add(u32::from(number) * 40);
        all.push(picture(time, number == 0, &format!("{mark} {number}"), 300));
        all.push(sound(time, &format!("{mark} {number}")));
    }
    all
}

fn headers(time: u32, mark: &str) -> Vec<Sent> {
    let avc = [&[0x17, 0, 0, 0, 0, 1, 0x42, 0xC0, 0x1E][..], mark.as_bytes()].concat();
    let aac = [0xAF, 0, 0x12, 0x10];
    vec![Sent::new(VIDEO, time, avc), Sent::new(AUDIO, time, aac)]
}

fn picture(time: u32, is_key: bool, mark: &str, len: usize) -> Sent {
    let head = [if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
    let mut data = [&head[..], mark.as_bytes()].concat();
    data.resize(len.max(data.len()), 0x5A);
    Sent::new(VIDEO, time, data)
}

fn sound(time: u32, mark: &str) -> Sent {
    Sent::new(AUDIO, time, [&[0xAF, 1][..], mark.as_bytes()].concat())
}

/// All of it in one piece.
fn bytes(sent: &[Sent]) -> Vec<u8> {
    sent.iter().flat_map(Sent::bytes).collect()
}

/// Watches `live/<name>` from now on, once it is live.
async fn watch(server: &Server, name: &str) -> Result<Viewer> {
    watch_path(server, &format!("live/{name}")).await
}

async fn watch_path(server: &Server, path: &str) -> Result<Viewer> {
    server.live(path).await?;
    Viewer::http(server, &format!("/{path}.flv")).await
}

/// Fails unless `viewer` gets the pictures and sounds of `sent`, their bytes and the distances of their times, and nothing
/// else, by the end of the stream, which `goodbye` is to bring about.
async fn relayed(mut viewer: Viewer, peer: &mut Peer, goodbye: &[u8], sent: &[Sent]) -> Result<()> {
    peer.send(goodbye).await?;
    let relayed =
        tokio::time::timeout(PATIENCE, viewer.rest()).await.context("the stream ends")??;
    same(&relayed, sent)
}

fn same(relayed: &[Tag], sent: &[Sent]) -> Result<()> {
    let first = relayed.iter().find(|tag| is_media(tag)).context("media came")?;
    ensure!(is_keyframe(first) || first.kind() == TagKind::Audio, "it starts with {first:?}");
    for kind in [TagKind::Video, TagKind::Audio] {
        let sent: Vec<_> =
            sent.iter().filter(|sent| sent.kind() == kind && sent.is_media()).collect();
        let relayed: Vec<_> =
            relayed.iter().filter(|tag| tag.kind() == kind && is_media(tag)).collect();
        ensure!(
            sent.len() == relayed.len(),
            "{} of {} {kind:?} packets came",
            relayed.len(),
            sent.len()
        );
        let (Some(sent_first), Some(first)) = (sent.first(), relayed.first()) else { continue };
        for (sent, relayed) in sent.iter().zip(&relayed) {
            ensure!(
                sent.data == relayed.data(),
                "{kind:?}: sent {:?}, relayed {:?}",
                String::from_utf8_lossy(&sent.data),
                String::from_utf8_lossy(relayed.data())
            );
            let (before, after) = (
                i64::from(sent.time.wrapping_sub(sent_first.time) as i32),
                relayed.time() - first.time(),
            );
            ensure!(
                before == after,
                "{kind:?}: {before} ms after the first, relayed as {after} ms"
            );
        }
    }
    Ok(())
}

/// `deleteStream(1)`, the usual goodbye.
fn goodbye() -> Vec<u8> {
    rtmp::command(0, "deleteStream", 9.0, &[rtmp::number(1.0)])
}

/// Whether `pattern` is somewhere in `bytes`.
fn contains(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.windows(pattern.len()).any(|window| window == pattern)
}
