//! What every viewer is sent: blocks of tags, each one write, and the headers they need.

use std::sync::Arc;

use bytes::Bytes;
use pushpull_media::flv::{Tag, TagKind};

use super::framed::Framed;

/// One or more tags that leave in one write. The bytes are contiguous and shared by all viewers.
#[derive(Debug)]
pub struct Block {
    framed: Framed,
    tags: Vec<Tag>,
    is_start: bool,
    position: u64,
    headers: Arc<Headers>,
}

impl Block {
    /// A block of `tags`.
    ///
    /// `is_start`: a viewer can begin with it. `position`: milliseconds of media up to it, see [`Block::position`].
    /// `headers`: those in force behind its last tag, which for a start are those its first tag needs.
    ///
    /// The tags' bytes are joined once, with room for framing around them, and the tags then share the joined bytes.
    pub fn new(mut tags: Vec<Tag>, is_start: bool, position: u64, headers: Arc<Headers>) -> Self {
        let framed = Framed::join(tags.iter().map(|tag| tag.bytes().as_ref()));
        let mut at = 0;
        for tag in &mut tags {
            let end = at + tag.bytes().len();
            if let Some(shared) = tag.rebind(framed.bytes().slice(at..end)) {
                *tag = shared;
            }
            at = end;
        }
        Self { framed, tags, is_start, position, headers }
    }

    /// The FLV bytes of all tags.
    pub fn bytes(&self) -> &Bytes {
        self.framed.bytes()
    }

    /// The FLV bytes of all tags, with their framing.
    pub fn framed(&self) -> &Framed {
        &self.framed
    }

    /// The tags, in order; their bytes are parts of [`Block::bytes`].
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Whether a viewer can begin here: a keyframe, or any audio of a stream without video.
    pub fn is_start(&self) -> bool {
        self.is_start
    }

    /// Milliseconds of media that came before, with the gaps of jumping timestamps closed: it never falls.
    ///
    /// The ring measures lag by it, so that a publisher whose clock jumps does not throw its viewers out.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The headers in force behind the last tag.
    pub fn headers(&self) -> &Arc<Headers> {
        &self.headers
    }
}

/// What a decoder must have before a start: metadata and sequence headers.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    version: u64,
    tags: [Option<Tag>; HeaderKind::COUNT],
}

/// The place of a tag among the headers; they are sent in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderKind {
    /// `onMetaData`.
    Metadata,
    /// The video sequence header.
    Video,
    /// Metadata of the pictures, such as `colorInfo` (Enhanced RTMP v1, "Metadata Frame").
    VideoMetadata,
    /// The audio sequence header.
    Audio,
}

impl HeaderKind {
    const COUNT: usize = 4;
}

impl Headers {
    /// No headers yet. `version` must be one that this stream has not used.
    pub fn empty(version: u64) -> Self {
        Self { version, tags: Default::default() }
    }

    /// Tells headers apart: two of one version hold the same tags.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The tag at `kind`.
    pub fn get(&self, kind: HeaderKind) -> Option<&Tag> {
        self.tags[kind as usize].as_ref()
    }

    /// These headers with `tag` at `kind`, under a new version; `None` if it holds the same data already.
    pub fn with(&self, kind: HeaderKind, tag: Tag) -> Option<Self> {
        if self.get(kind).is_some_and(|old| old.data() == tag.data()) {
            return None;
        }
        let mut headers = self.clone();
        headers.version += 1;
        headers.tags[kind as usize] = Some(tag);
        Some(headers)
    }

    /// The headers as a block to send in front of a start at `time`; `None` if there are none.
    ///
    /// The sequence headers carry that time: a reader that takes every tag's time for the stream's would else see it
    /// jump. Metadata stays at 0, the only time at which ffmpeg takes it for metadata and not for a subtitle.
    pub fn block(self: &Arc<Self>, time: i64) -> Option<Block> {
        let stamp = |tag: &Tag| {
            let time = if tag.kind() == TagKind::Script { 0 } else { time };
            Tag::new(tag.kind(), time, tag.data()).ok()
        };
        let tags: Vec<Tag> = self.tags.iter().flatten().filter_map(stamp).collect();
        (!tags.is_empty()).then(|| Block::new(tags, false, 0, self.clone()))
    }
}
