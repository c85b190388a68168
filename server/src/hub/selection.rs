//! Viewers that want one track of each kind, as a plain stream that any player can read.
//!
//! Without a choice a viewer gets all tracks untouched. A chosen form of a block is made when the first viewer asks for it
//! and shared by all who chose the same.

use std::sync::{Arc, Mutex, PoisonError};

use pushpull_media::flv::{Tag, TagKind, video};

use super::block::Block;
use super::headers::Headers;
use super::multitrack::{self, Plain};

/// The tracks a viewer chose. One that is not there, or not chosen, is the stream's default: the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The track of the sound.
    pub audio: Option<u8>,
    /// The track of the pictures.
    pub video: Option<u8>,
}

impl Selection {
    fn among(self, headers: &Headers) -> Chosen {
        let choose = |kind, wanted: Option<u8>| {
            let tracks = headers.tracks(kind);
            let wanted = wanted.filter(|&track| tracks.contains(track));
            wanted.or_else(|| tracks.lowest()).unwrap_or(0)
        };
        Chosen {
            audio: choose(TagKind::Audio, self.audio),
            video: choose(TagKind::Video, self.video),
        }
    }
}

/// What a selection comes to, with the tracks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chosen {
    audio: u8,
    video: u8,
}

/// Turns the blocks of a stream into those for one viewer's selection.
#[derive(Debug)]
pub(super) struct Filter {
    selection: Selection,
    video: Option<u8>,
    /// Pictures are left out until the track's next keyframe: those before it belong to pictures the viewer did not get.
    waits: bool,
}

impl Filter {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, video: None, waits: true }
    }

    /// The next block comes from elsewhere in the stream than the last.
    pub(super) fn jumped(&mut self) {
        self.waits = true;
    }

    /// The block as this viewer gets it; `None` if nothing in it is for it.
    pub(super) fn pass(&mut self, block: Arc<Block>) -> Option<Arc<Block>> {
        let chosen = self.selection.among(block.headers());
        if self.video.replace(chosen.video) != Some(chosen.video) {
            // The track turned up after the viewer, who was given another until now.
            self.waits = true;
        }
        let block = block.forms().get(&block, chosen)?;
        if !self.waits {
            return Some(block);
        }
        let keyframe = block.tags().iter().position(|tag| picture(tag) == Some(true));
        self.waits = keyframe.is_none();
        let until = keyframe.unwrap_or(block.tags().len());
        let is_useless = |(at, tag): (usize, &Tag)| at < until && picture(tag) == Some(false);
        if !block.tags().iter().enumerate().any(is_useless) {
            return Some(block);
        }
        let tags = block.tags().iter().enumerate();
        let tags = tags.filter(|&tag| !is_useless(tag)).map(|(_, tag)| tag.clone()).collect();
        with_tags(&block, tags)
    }
}

/// The forms of a block that viewers have asked for.
#[derive(Debug, Default)]
pub struct Forms(Mutex<Vec<(Chosen, Form)>>);

#[derive(Clone, Debug)]
enum Form {
    /// The block itself: it holds nothing but what was chosen, and that as it should be.
    Same,
    Other(Arc<Block>),
    /// Nothing in it is of the chosen tracks.
    Nothing,
}

impl Forms {
    fn get(&self, block: &Arc<Block>, chosen: Chosen) -> Option<Arc<Block>> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = made.iter().find(|(known, _)| *known == chosen).map(|(_, form)| form.clone());
        let form = known.unwrap_or_else(|| {
            let form = Form::of(block, chosen);
            if made.len() < FORMS_MAX {
                made.push((chosen, form.clone()));
            }
            form
        });
        match form {
            Form::Same => Some(block.clone()),
            Form::Other(block) => Some(block),
            Form::Nothing => None,
        }
    }
}

impl Form {
    fn of(block: &Arc<Block>, chosen: Chosen) -> Self {
        let mut is_same = true;
        let mut tags = Vec::with_capacity(block.tags().len());
        for tag in block.tags() {
            let track = if tag.kind() == TagKind::Audio { chosen.audio } else { chosen.video };
            match multitrack::plain(tag.kind(), tag.data(), track) {
                Plain::AsItIs => tags.push(tag.clone()),
                Plain::Rewritten(data) => {
                    is_same = false;
                    tags.extend(Tag::new(tag.kind(), tag.time(), &data));
                }
                Plain::Nothing => is_same = false,
            }
        }
        match with_tags(block, tags) {
            _ if is_same => Self::Same,
            Some(block) => Self::Other(block),
            None => Self::Nothing,
        }
    }
}

/// The block with these tags in place of its own.
fn with_tags(block: &Block, tags: Vec<Tag>) -> Option<Arc<Block>> {
    let headers = block.headers().clone();
    (!tags.is_empty())
        .then(|| Arc::new(Block::new(tags, block.is_start(), block.position(), headers)))
}

/// Whether a tag of one track is a keyframe; `None` if it is no picture.
fn picture(tag: &Tag) -> Option<bool> {
    if tag.kind() != TagKind::Video {
        return None;
    }
    let head = video::Head::parse(tag.data()).ok()?;
    (head.packet == video::Packet::Frames).then(|| head.is_keyframe())
}

/// Forms of a block that are kept. Further ones are made for each viewer anew: that bounds what viewers can make a ring
/// hold to a few times its own bytes.
const FORMS_MAX: usize = 4;
