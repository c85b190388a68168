//! A phone that publishes, played by the test itself, and those who watch it: what they see is known picture by picture.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::TagKind;
use tokio::sync::watch;

use crate::{
    rtmp::{self, AUDIO, Peer, VIDEO},
    server::{PATIENCE, Server},
    viewer::Viewer,
};

/// A phone, played by a test: each of its pictures is a keyframe with the same word in it.
pub struct Phone {
    /// Its connection.
    pub peer: Peer,
    /// What its pictures say.
    pub word: String,
    /// The time of its last picture.
    pub time: u32,
}

impl Phone {
    /// Publishes `live/<key>`; the pictures are still to come.
    pub async fn start(server: &Server, key: &str, word: &str) -> Result<Phone> {
        let mut peer = Peer::publishing(server.rtmp, key).await?;
        peer.send(&headers()).await?;
        Ok(Phone { peer, word: word.to_owned(), time: 0 })
    }

    /// A picture with its sound.
    pub async fn shoot(&mut self) -> Result<()> {
        self.time += 40;
        self.peer.send(&picture(&self.word, self.time)).await
    }

    /// Goes on shooting until `other` has ended.
    pub async fn shooting<T>(&mut self, other: impl Future<Output = Result<T>>) -> Result<T> {
        let mut other = std::pin::pin!(other);
        loop {
            tokio::select! {
                ended = &mut other => return ended,
                () = tokio::time::sleep(Duration::from_millis(40)) => self.shoot().await?,
            }
        }
    }
}

/// Sequence headers of both tracks, for message stream 1.
pub fn headers() -> Vec<u8> {
    [
        rtmp::message(6, 0, VIDEO, 1, b"\x17\0\0\0\0\x01\x64\0\x1f\xff\xe1\0\0\x01\0\0"),
        rtmp::message(4, 0, AUDIO, 1, b"\xAF\0\x11\x90"),
    ]
    .concat()
}

/// A keyframe with `word` in it and its sound, for message stream 1.
pub fn picture(word: &str, time: u32) -> Vec<u8> {
    let data = [b"\x17\x01\0\0\0".as_slice(), word.as_bytes()].concat();
    [rtmp::message(6, time, VIDEO, 1, &data), rtmp::message(4, time, AUDIO, 1, b"\xAF\x01sound")]
        .concat()
}

/// What a viewer has seen.
#[derive(Clone, Debug, Default)]
struct Seen {
    words: BTreeSet<String>,
    time: i64,
    ended: bool,
    complaint: Option<String>,
}

/// Someone who watches, from the first picture on.
pub struct Witness(watch::Receiver<Seen>);

impl Witness {
    /// Watches with `viewer` in the background, until the stream ends.
    pub fn of(mut viewer: Viewer) -> Witness {
        let (seen, witness) = watch::channel(Seen::default());
        tokio::spawn(async move {
            let outcome = async {
                while let Some(tag) = viewer.next().await? {
                    if tag.kind() != TagKind::Video || tag.data().get(1) != Some(&1) {
                        continue;
                    }
                    let word = String::from_utf8_lossy(&tag.data()[5..]).into_owned();
                    let before = seen.borrow().time;
                    ensure!(tag.time() >= before, "time went back from {before} to {}", tag.time());
                    seen.send_modify(|seen| {
                        seen.words.insert(word);
                        seen.time = tag.time();
                    });
                }
                Ok::<_, anyhow::Error>(())
            };
            let complaint = outcome.await.err().map(|error| format!("{error:#}"));
            seen.send_modify(|seen| {
                seen.ended = true;
                seen.complaint = complaint;
            });
        });
        Witness(witness)
    }

    /// Waits until a picture with `word` has come, on the connection that was there from the start.
    pub async fn sees(&mut self, word: &str) -> Result<()> {
        self.is("a picture", |seen| seen.words.contains(word) || seen.ended).await?;
        let seen = self.0.borrow().clone();
        ensure!(!seen.ended, "the viewer was cut off before {word}: {seen:?}");
        Ok(())
    }

    /// Waits until the stream has ended, as it should.
    pub async fn ends(&mut self) -> Result<()> {
        self.is("the end", |seen| seen.ended).await?;
        let seen = self.0.borrow().clone();
        ensure!(seen.complaint.is_none(), "{seen:?}");
        Ok(())
    }

    /// The words of the pictures so far.
    pub fn words(&self) -> BTreeSet<String> {
        self.0.borrow().words.clone()
    }

    async fn is(&mut self, what: &str, condition: impl FnMut(&Seen) -> bool) -> Result<()> {
        let waiting = tokio::time::timeout(PATIENCE, self.0.wait_for(condition)).await;
        waiting.with_context(|| format!("{what} comes within {PATIENCE:?}"))??;
        Ok(())
    }
}

/// A phone on `live/phone`, published as `key` (which may have parameters), and those who watch it: over HTTP, over a
/// WebSocket and over RTMP.
pub async fn watched(server: &Server, key: &str) -> Result<(Phone, [Witness; 3])> {
    let mut phone = Phone::start(server, key, "first").await?;
    let joining = async {
        let over_http = Viewer::http(server, "/live/phone.flv").await?;
        let over_websocket = Viewer::websocket(server, "/live/phone.flv").await?;
        Ok([over_http, over_websocket, Viewer::rtmp(server, "live/phone").await?])
    };
    let mut witnesses = phone.shooting(joining).await?.map(Witness::of);
    let seeing = async {
        for witness in &mut witnesses {
            witness.sees("first").await?;
        }
        Ok(())
    };
    phone.shooting(seeing).await?;
    Ok((phone, witnesses))
}
