//! Publishers and viewers that stay, and notice whatever is missing.
//!
//! Every picture has a number. A viewer must see each of them whole and once, from the first it gets to the end of the
//! stream: who is dropped, or jumps, or waits for something in vain, is told of.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use pushpull_media::flv::{Tag, TagKind};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    encoder::{Encoder, picture},
    server::PATIENCE,
    viewer::{Viewer, is_media},
};

/// Everybody who stays.
#[derive(Default)]
pub struct Steady {
    tasks: JoinSet<Result<()>>,
    /// Set when the publishers shall say goodbye.
    ends: Arc<AtomicBool>,
    pictures: Arc<AtomicU64>,
}

impl Steady {
    /// Publishes `stream`, such as `live/steady`, until the end.
    pub async fn publish(&mut self, server: SocketAddr, stream: &str) -> Result<()> {
        let encoder = Encoder::start(server, stream).await?;
        let (ends, stream) = (self.ends.clone(), stream.to_owned());
        self.tasks.spawn(async move {
            send(encoder, &ends).await.with_context(|| format!("the publisher of {stream}"))
        });
        Ok(())
    }

    /// Has `viewer` watch to the end of its stream. `who` it is, is told if anything is wrong.
    pub fn watch(&mut self, viewer: Viewer, who: impl Into<String>) -> AbortHandle {
        let (ends, pictures, who) = (self.ends.clone(), self.pictures.clone(), who.into());
        self.tasks.spawn(async move {
            watch(viewer, &ends, &pictures).await.with_context(|| format!("the viewer {who}"))
        })
    }

    /// How many pictures all viewers together have seen so far.
    pub fn pictures(&self) -> u64 {
        self.pictures.load(Ordering::Relaxed)
    }

    /// Fails if anybody has ended.
    pub async fn check(&mut self) -> Result<()> {
        match self.tasks.try_join_next() {
            None => Ok(()),
            Some(ended) => ended?.and_then(|()| bail!("it ended by itself")),
        }
    }

    /// Ends the streams. Everybody must come to the end of theirs; returns how many did.
    pub async fn end(mut self) -> Result<usize> {
        self.check().await?;
        self.ends.store(true, Ordering::Relaxed);
        let mut ended = 0;
        while let Some(outcome) = timeout(PATIENCE, self.tasks.join_next()).await? {
            outcome??;
            ended += 1;
        }
        Ok(ended)
    }
}

/// Pictures and sound in real time, until it is time to say goodbye.
pub async fn send(mut encoder: Encoder, ends: &AtomicBool) -> Result<()> {
    encoder.headers(0).await?;
    let begun = Instant::now();
    for number in 0_u32.. {
        let time = number * PICTURE_MS;
        sleep_until(begun + Duration::from_millis(time.into())).await;
        if ends.load(Ordering::Relaxed) {
            break;
        }
        match number % KEYFRAME_EVERY {
            0 => encoder.keyframe(time, number, 4 * BYTES).await?,
            _ => encoder.send(TagKind::Video, time, &picture(0x27, number, BYTES)).await?,
        }
        encoder.sound(time, number).await?;
    }
    encoder.stop().await
}

async fn watch(mut viewer: Viewer, ends: &AtomicBool, pictures: &AtomicU64) -> Result<()> {
    let mut expected = None;
    while let Some(tag) = viewer.next().await? {
        if tag.kind() != TagKind::Video || !is_media(&tag) {
            continue;
        }
        let number = number_of(&tag)?;
        if let Some(expected) = expected {
            ensure!(number == expected, "picture {number} in place of {expected}");
        }
        expected = Some(number + 1);
        pictures.fetch_add(1, Ordering::Relaxed);
    }
    ensure!(ends.load(Ordering::Relaxed), "its stream ended behind picture {expected:?}");
    Ok(())
}

/// The number of a picture, which must have the bytes that it was sent with.
pub fn number_of(tag: &Tag) -> Result<u32> {
    let data = tag.data();
    let number = data.get(5..9).context("a picture has a number")?.try_into()?;
    let number = u32::from_be_bytes(number);
    let first = *data.first().context("a picture has a head")?;
    ensure!(data == picture(first, number, data.len()), "picture {number} is not whole");
    Ok(number)
}

/// 25 pictures in a second.
const PICTURE_MS: u32 = 40;
const KEYFRAME_EVERY: u32 = 25;

/// Of a picture: 400 kbit/s in all.
const BYTES: usize = 1800;
