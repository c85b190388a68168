//! One HTTP-FLV viewer that checks every tag it gets against what was published.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::TagKind;
use pushpull_tests::{Server, Viewer, viewer::is_media};
use tokio::time::timeout;

use crate::stream::Published;

/// What one viewer saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Media tags, from the first keyframe to the last tag of the stream.
    pub tags: usize,
    /// Bytes of all tags, headers included.
    pub bytes: u64,
    /// From the request to the first keyframe.
    pub join: Duration,
    /// From a picture's publication to its arrival, one entry for each picture that was live.
    pub latencies: Vec<Duration>,
}

/// Watches until the stream ends.
///
/// Fails when a tag differs from what was published, or is missing, or comes twice.
pub async fn watch(server: &Server, path: &str, published: &Published) -> Result<Seen> {
    let asked = Instant::now();
    let mut viewer = Viewer::http(server, path).await?;
    let mut seen = Seen::default();
    let mut expected: Option<usize> = None;
    while let Some(tag) = timeout(STALLED, viewer.next()).await.context("no tag for 10 s")?? {
        let now = Instant::now();
        seen.bytes += tag.bytes().len() as u64;
        if !is_media(&tag) {
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
    let last = published.len();
    ensure!(expected == Some(last), "ended before tag {expected:?} of {last}");
    Ok(seen)
}

const STALLED: Duration = Duration::from_secs(10);
