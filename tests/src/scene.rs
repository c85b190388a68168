//! A server with a good stream on it, and someone who watches that stream and notices every missing picture.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::TagKind;
use tokio::sync::watch;

use crate::{
    clip::Clip,
    ffmpeg::Publisher,
    server::{PATIENCE, Server},
    stage::Stage,
    viewer::{Viewer, is_media},
    wait::until,
};

/// The surroundings of a hostile act.
pub struct Scene {
    /// The server.
    pub server: Server,
    witness: watch::Receiver<Seen>,
    memory: u64,
    files: usize,
    _publisher: Publisher,
}

#[derive(Clone, Default)]
struct Seen {
    pictures: u64,
    complaint: Option<Arc<anyhow::Error>>,
}

impl Scene {
    /// Starts a server, publishes `live/good` with ffmpeg, and watches it.
    pub async fn open(stage: &Stage, arguments: &[&str]) -> Result<Scene> {
        Scene::with(stage, arguments, Clip::Plain).await
    }

    /// The same with a clip of one's choice.
    pub async fn with(stage: &Stage, arguments: &[&str], clip: Clip) -> Result<Scene> {
        let server = Server::start(stage, arguments).await?;
        let publisher = Publisher::looped(stage, &server, clip, "good").await?;
        server.live("live/good").await?;
        let viewer = Viewer::http(&server, "/live/good.flv").await?;
        let (seen, mut witness) = watch::channel(Seen::default());
        tokio::spawn(async move {
            let complaint = watch_closely(viewer, &seen).await.err();
            seen.send_modify(|seen| seen.complaint = complaint.map(Arc::new));
        });
        witness.wait_for(|seen| seen.pictures > 0 || seen.complaint.is_some()).await?;
        let (memory, files) = (server.peak_memory()?, server.open_files()?);
        Ok(Scene { server, witness, memory, files, _publisher: publisher })
    }

    /// Fails unless the server serves as well as before: the process is alive, the good stream arrived without a gap
    /// and goes on, new viewers get it, and memory grew by no more than `memory` bytes.
    pub async fn is_unharmed(&mut self, memory: u64) -> Result<()> {
        ensure!(self.server.process().is_running().await?, "the server ended");
        let start = self.witness.borrow().pictures;
        let goes_on =
            self.witness.wait_for(|seen| seen.pictures > start + 25 || seen.complaint.is_some());
        let seen = tokio::time::timeout(PATIENCE, goes_on)
            .await
            .context("the good stream goes on")??
            .clone();
        if let Some(complaint) = seen.complaint {
            anyhow::bail!("the good stream's viewer: {complaint:#}");
        }
        let joins = async { Viewer::http(&self.server, "/live/good.flv").await?.keyframe().await };
        tokio::time::timeout(PATIENCE, joins).await.context("a new viewer gets a picture")??;
        let grown = self.server.peak_memory()?.saturating_sub(self.memory);
        ensure!(grown <= memory, "memory grew by {grown} bytes, more than {memory}");
        Ok(())
    }

    /// Waits until the server has closed every connection beyond those of the good stream.
    pub async fn lets_go(&self, limit: Duration) -> Result<()> {
        until("the server closes the sockets of peers that are gone", limit, async || {
            let open = self.server.open_files()?;
            ensure!(open <= self.files, "{open} files are open, {} were", self.files);
            Ok(Some(()))
        })
        .await
    }
}

async fn watch_closely(mut viewer: Viewer, seen: &watch::Sender<Seen>) -> Result<()> {
    let mut last = None;
    loop {
        let tag = viewer.next_of(TagKind::Video).await?;
        if !is_media(&tag) {
            continue;
        }
        let gap = tag.time() - last.unwrap_or(tag.time());
        ensure!(
            (0..MAX_GAP_MS).contains(&gap),
            "{gap} ms between two pictures, the second at {}",
            tag.time()
        );
        last = Some(tag.time());
        seen.send_modify(|seen| seen.pictures += 1);
    }
}

/// Pictures are 40 ms apart; where the clip starts over ffmpeg leaves a little more.
const MAX_GAP_MS: i64 = 200;
