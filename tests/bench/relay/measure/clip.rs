//! The stream that is published: real H.264 and AAC, made once by ffmpeg, and when each tag was sent.

use std::{
    collections::HashMap,
    path::Path,
    process::Command,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Item, Reader, Tag, TagKind};
use pushpull_tests::{
    stage::target_dir,
    viewer::{is_end, is_keyframe, is_media},
};

/// The tags of one round in order, headers apart.
pub struct Clip {
    /// Metadata and sequence headers.
    pub headers: Vec<Tag>,
    pub tags: Vec<Tag>,
    by_look: HashMap<Look, usize>,
}

/// What tells one tag from all others before all of it is compared.
type Look = (TagKind, usize, [u8; 24]);

impl Clip {
    /// Reads the clip, drawn first if this is the first time: 1280x720, 30 pictures a second, 2.5 Mbit/s, a keyframe
    /// every 2 s, no B-frames; AAC at 128 kbit/s.
    pub fn load() -> Result<Self> {
        let folder = target_dir()?.join("bench/relay");
        let path = folder.join("720p30-v1.flv");
        if !path.is_file() {
            draw(&folder, &path)?;
        }
        let mut reader = Reader::new();
        reader.push(&std::fs::read(path)?);
        let (mut headers, mut tags) = (Vec::new(), Vec::new());
        while let Some(item) = reader.next()? {
            let Item::Tag(tag) = item else { continue };
            if !is_media(&tag) && !is_end(&tag) {
                headers.push(tag);
            } else if is_media(&tag) && tag.time() < ROUND_MS {
                tags.push(tag);
            }
        }
        let by_look: HashMap<_, _> =
            tags.iter().enumerate().map(|(at, tag)| (look(tag.kind(), tag.data()), at)).collect();
        ensure!(by_look.len() == tags.len(), "two tags of the clip look the same");
        let first = tags.iter().find(|tag| tag.kind() == TagKind::Video);
        ensure!(first.is_some_and(is_keyframe), "the clip does not begin with a keyframe");
        Ok(Self { headers, tags, by_look })
    }

    /// FLV bytes of one round.
    pub fn bytes(&self) -> usize {
        self.tags.iter().map(|tag| tag.bytes().len()).sum()
    }

    /// Which tag this is, every byte compared.
    pub fn index_of(&self, kind: TagKind, data: &[u8]) -> Option<usize> {
        let &index = self.by_look.get(&look(kind, data))?;
        (self.tags.get(index)?.data() == data).then_some(index)
    }

    /// The tag of the same kind that follows, in the next round after the last one.
    pub fn after(&self, index: usize) -> usize {
        let kind = self.tags[index].kind();
        let later = (index + 1..self.tags.len()).chain(0..=index);
        later.into_iter().find(|&at| self.tags[at].kind() == kind).unwrap_or(index)
    }
}

fn look(kind: TagKind, data: &[u8]) -> Look {
    // Behind the head and the first bytes of a slice, which many have in common.
    let mut bytes = [0; 24];
    for (to, from) in bytes.iter_mut().zip(data.iter().skip(12)) {
        *to = *from;
    }
    (kind, data.len(), bytes)
}

/// When the tags were sent, round after round, and how much.
pub struct Log {
    begun: Instant,
    /// Nanoseconds after `begun`; before the first round below 0.
    sent: Vec<AtomicI64>,
    bytes: AtomicU64,
}

impl Log {
    pub fn new(clip: &Clip) -> Self {
        let sent = clip.tags.iter().map(|_| AtomicI64::new(-1)).collect();
        Self { begun: Instant::now(), sent, bytes: AtomicU64::new(0) }
    }

    /// This tag is sent now.
    pub fn mark(&self, index: usize, bytes: usize) {
        let now = i64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        self.sent[index].store(now, Ordering::Release);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// When a tag was sent last.
    pub fn sent(&self, index: usize) -> Option<Instant> {
        let nanos = u64::try_from(self.sent[index].load(Ordering::Acquire)).ok()?;
        Some(self.begun + Duration::from_nanos(nanos))
    }

    /// FLV bytes sent so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

fn draw(folder: &Path, path: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    // Whoever draws it at the same time, in this process or another, has a file of their own.
    let made = tempfile::Builder::new().suffix(".flv").tempfile_in(folder)?.into_temp_path();
    // Noise, so that no two packets are the same.
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t")
        .args(["-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=48000", "-t", "8.2"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"])
        .args(["-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "1250k", "-g", "60", "-bf", "0"])
        .args(["-sc_threshold", "0", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv"])
        .arg(&*made)
        .status()
        .context("ffmpeg is needed to make the stream: apt-get install ffmpeg")?;
    ensure!(status.success(), "ffmpeg could not make the stream");
    Ok(made.persist(path)?)
}

/// One round: whole pictures, whole GOPs, and 375 frames of 1024 samples at 48 kHz.
pub const ROUND_MS: i64 = 8000;
