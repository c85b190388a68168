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

/// AVC packet type 2: no picture.
fn is_end_of_sequence(tag: &Tag) -> bool {
    tag.kind() == TagKind::Video && tag.data().get(1) == Some(&2)
}

/// Between two pictures of the numbered clips.
pub const FRAME_MS: i64 = 40;

/// Between two keyframes of the numbered clips.
pub const GOP_MS: i64 = 1000;
