//! What every viewer is sent: blocks of tags, each one write, which they share.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use pushpull_media::flv::Tag;

use super::framed::Framed;
use super::headers::Headers;
use super::selection::Forms;

/// One or more tags that leave in one write. The bytes are contiguous and shared by all viewers.
#[derive(Debug)]
pub struct Block {
    framed: Framed,
    tags: Vec<Tag>,
    is_start: bool,
    position: u64,
    headers: Arc<Headers>,
    forms: Forms,
    chunked: OnceLock<Bytes>,
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
        Self {
            framed,
            tags,
            is_start,
            position,
            headers,
            forms: Forms::default(),
            chunked: OnceLock::new(),
        }
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

    /// The same tags in the framing of another protocol, which `make` builds for the first viewer that wants it; all
    /// others get those bytes, whatever they would have made.
    pub fn chunked(&self, make: impl FnOnce(&[Tag]) -> Bytes) -> Bytes {
        self.chunked.get_or_init(|| make(&self.tags)).clone()
    }

    /// The headers in force behind the last tag.
    pub fn headers(&self) -> &Arc<Headers> {
        &self.headers
    }

    /// What of the block is for viewers of chosen tracks.
    pub fn forms(&self) -> &Forms {
        &self.forms
    }
}
