//! A clip as FLV tags, kept in memory: what the world in front of the camera is like.

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Item, Reader, Tag, TagKind};

use crate::{
    clip::Clip,
    ffmpeg,
    viewer::{is_keyframe, is_media},
};

/// A clip's tags: what comes first, and the media in the order it was encoded.
#[derive(Clone, Debug)]
pub struct Footage {
    /// `onMetaData` and the sequence headers.
    pub heads: Vec<Tag>,
    /// Pictures and sound; times from 0, milliseconds.
    pub media: Vec<Tag>,
}

impl Footage {
    /// Draws a clip and reads it.
    pub async fn of(clip: Clip) -> Result<Footage> {
        let file = clip.path().await?;
        let flv = tempfile::Builder::new().suffix(".flv").tempfile()?.into_temp_path();
        let (from, to) = (file.display().to_string(), flv.display().to_string());
        let arguments = ["-v", "error", "-i", &from, "-c", "copy", "-f", "flv", "-y", &to];
        ffmpeg::run("ffmpeg", &arguments.map(str::to_owned)).await?;
        Footage::parse(&std::fs::read(&flv)?)
    }

    /// The same sound with the pictures of a VP9 clip, in tags of Enhanced RTMP.
    pub async fn with_vp9(&self, clip: Clip) -> Result<Footage> {
        let file = clip.path().await?;
        let ivf = tempfile::Builder::new().suffix(".ivf").tempfile()?.into_temp_path();
        let (from, to) = (file.display().to_string(), ivf.display().to_string());
        let arguments = ["-v", "error", "-i", &from, "-an", "-c", "copy", "-f", "ivf", "-y", &to];
        ffmpeg::run("ffmpeg", &arguments.map(str::to_owned)).await?;
        let mut footage = self.clone();
        footage.heads.retain(|tag| tag.kind() != TagKind::Video);
        footage.media.retain(|tag| tag.kind() != TagKind::Video);
        footage.heads.push(Tag::new(TagKind::Video, 0, &[&VP9_START[..], &VP9_RECORD].concat())?);
        for (number, frame) in ivf_frames(&std::fs::read(&ivf)?).into_iter().enumerate() {
            // Uncompressed header: marker 2 bits, profile 2, show_existing_frame, frame_type (0 is a keyframe).
            let is_key = frame.first().is_some_and(|first| first & 4 == 0);
            let head: &[u8; 5] = if is_key { b"\x91vp09" } else { b"\xa1vp09" };
            let time = i64::try_from(number)? * FRAME_MS;
            footage.media.push(Tag::new(TagKind::Video, time, &[&head[..], frame].concat())?);
        }
        footage.media.sort_by_key(Tag::time);
        Ok(footage)
    }

    /// Reads an FLV file.
    pub fn parse(bytes: &[u8]) -> Result<Footage> {
        let mut reader = Reader::new();
        reader.push(bytes);
        let (mut heads, mut media) = (Vec::new(), Vec::new());
        while let Some(item) = reader.next()? {
            match item {
                Item::Header(_) => {}
                Item::Tag(tag) if is_media(&tag) && !is_end_of_sequence(&tag) => media.push(tag),
                // A script behind the media is the muxer's own account of the file.
                Item::Tag(tag) if media.is_empty() => heads.push(tag),
                Item::Tag(_) => {}
            }
        }
        ensure!(media.iter().any(is_keyframe), "the clip has a keyframe");
        // The muxer moves everything by the pictures' reordering; the world begins at 0.
        let start = media.iter().map(Tag::time).min().context("the clip has media")?;
        for tag in &mut media {
            *tag = Tag::new(tag.kind(), tag.time() - start, tag.data())?;
        }
        media.sort_by_key(Tag::time);
        Ok(Footage { heads, media })
    }

    /// The time of the last keyframe at or before `time`.
    pub fn keyframe_before(&self, time: i64) -> i64 {
        let keyframes = self.media.iter().filter(|tag| is_keyframe(tag) && tag.time() <= time);
        keyframes.last().map_or(0, Tag::time)
    }

    /// The heads of one kind.
    pub fn heads_of(&self, kind: TagKind) -> impl DoubleEndedIterator<Item = &Tag> {
        self.heads.iter().filter(move |tag| tag.kind() == kind)
    }
}

/// The frames of an IVF file: a header of 32 bytes, then each with its length and time before it.
fn ivf_frames(file: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    let mut rest = file.get(32..).unwrap_or_default();
    while let Some((head, after)) = rest.split_first_chunk::<12>() {
        let [a, b, c, d, ..] = *head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(0);
        let Some((frame, after)) = after.split_at_checked(length) else { break };
        frames.push(frame);
        rest = after;
    }
    frames
}

/// A keyframe's sequence start.
const VP9_START: [u8; 5] = *b"\x90vp09";

/// Profile 0, level 1, 8 bits of 4:2:0, colours not told, no initialisation data.
const VP9_RECORD: [u8; 8] = [0, 10, 0x82, 2, 2, 2, 0, 0];

/// AVC packet type 2: no picture.
fn is_end_of_sequence(tag: &Tag) -> bool {
    tag.kind() == TagKind::Video && tag.data().get(1) == Some(&2)
}

/// Between two pictures of the numbered clips.
pub const FRAME_MS: i64 = 40;

/// Between two keyframes of the numbered clips.
pub const GOP_MS: i64 = 1000;
