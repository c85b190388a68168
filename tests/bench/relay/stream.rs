//! The stream that is published: real H.264 and AAC, made once by ffmpeg, and when each tag was sent.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Item, Reader, Tag, TagKind};
use pushpull_tests::viewer::{is_end, is_keyframe, is_media};

/// 1280x720, 30 pictures a second, 2.5 Mbit/s, a keyframe every 2 s, no B-frames; AAC at 128 kbit/s.
pub fn make(path: &Path, seconds: u64) -> Result<()> {
    let duration = seconds.to_string();
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t")
        .args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", &duration])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"])
        .args(["-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "1250k", "-g", "60", "-bf", "0"])
        .args(["-sc_threshold", "0", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv"])
        .arg(path)
        .status()
        .context("ffmpeg is needed to make the stream: apt-get install ffmpeg")?;
    ensure!(status.success(), "ffmpeg could not make the stream");
    Ok(())
}

/// The tags in order, headers apart, and when each was sent.
pub struct Published {
    /// Metadata and sequence headers.
    pub headers: Vec<Tag>,
    tags: Vec<Tag>,
    sent: Vec<OnceLock<Instant>>,
    by_time: HashMap<(TagKind, i64), usize>,
}

impl Published {
    /// Reads the FLV file at `path`.
    pub fn load(path: &Path) -> Result<Self> {
        let mut reader = Reader::new();
        reader.push(&std::fs::read(path)?);
        let (mut headers, mut tags) = (Vec::new(), Vec::new());
        while let Some(item) = reader.next()? {
            let Item::Tag(tag) = item else { continue };
            if is_end(&tag) {
                continue;
            }
            if is_media(&tag) { tags.push(tag) } else { headers.push(tag) }
        }
        let by_time: HashMap<_, _> =
            tags.iter().enumerate().map(|(i, tag)| ((tag.kind(), tag.time()), i)).collect();
        ensure!(by_time.len() == tags.len(), "two tags of a kind share a time");
        ensure!(tags.iter().any(|tag| tag.time() == 0), "the stream does not begin at 0");
        let sent = tags.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { headers, tags, sent, by_time })
    }

    pub fn len(&self) -> usize {
        self.tags.len()
    }

    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// FLV bytes of the tags.
    pub fn bytes(&self) -> usize {
        self.tags.iter().map(|tag| tag.bytes().len()).sum()
    }

    /// Which tag this is: same kind, same time, same bytes.
    pub fn index_of(&self, tag: &Tag) -> Option<usize> {
        let &index = self.by_time.get(&(tag.kind(), tag.time()))?;
        (self.tags.get(index)?.bytes() == tag.bytes()).then_some(index)
    }

    pub fn is_keyframe(&self, index: usize) -> bool {
        is_keyframe(&self.tags[index])
    }

    pub fn sent(&self, index: usize) -> Option<Instant> {
        self.sent[index].get().copied()
    }

    pub fn mark_sent(&self, index: usize) {
        self.sent[index].get_or_init(Instant::now);
    }
}
