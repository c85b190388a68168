//! Viewers that want one track of each kind, as a plain stream that any player can read.
//!
//! Without a choice a viewer gets all tracks untouched. A chosen form of a block is made when the first viewer asks for it
//! and shared by all who chose the same.

use std::sync::{Arc, Mutex, PoisonError};

use pushpull_media::flv::{Tag, TagKind, video};

use super::block::Block;
use super::headers::Headers;
use super::multitrack::{self, Plain};

/// The tracks a viewer chose. One that is not there, or not chosen, is the stream's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The track of the sound.
    pub audio: Option<u8>,
    /// The track of the pictures.
    pub video: Option<u8>,
}

impl Selection {
    fn among(self, headers: &Headers) -> Chosen {
        let defaults = headers.defaults();
        let choose = |kind, wanted: Option<u8>, default: Option<u8>| {
            let tracks = headers.tracks(kind);
            wanted.filter(|&track| tracks.contains(track)).or(default).unwrap_or(0)
        };
        Chosen {
            audio: choose(TagKind::Audio, self.audio, defaults.audio),
            video: choose(TagKind::Video, self.video, defaults.video),
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
    /// The tracks of the last block.
    chosen: Option<Chosen>,
    /// Pictures are left out until the track's next keyframe: those before it belong to pictures the viewer did not get.
    waits: bool,
}

impl Filter {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, chosen: None, waits: true }
    }

    /// The next block comes from elsewhere in the stream than the last.
    pub(super) fn jumped(&mut self) {
        self.waits = true;
    }

    /// Looks at the next block; `true` if it is given other tracks than before, whose headers it must have first: a track
    /// that was chosen turned up, or the default became another.
    pub(super) fn changes(&mut self, block: &Block) -> bool {
        let chosen = self.selection.among(block.headers());
        let before = self.chosen.replace(chosen);
        if before.map(|before| before.video) != Some(chosen.video) {
            self.waits = true;
        }
        before != Some(chosen)
    }

    /// The block as this viewer gets it; `None` if nothing in it is for it.
    pub(super) fn pass(&mut self, block: Arc<Block>) -> Option<Arc<Block>> {
        let chosen = self.selection.among(block.headers());
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
            let held: usize = made.iter().map(|(_, form)| form.memory()).sum();
            if made.len() < FORMS_MAX && held + form.memory() <= MEMORY_MAX * block.bytes().len() {
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
    fn memory(&self) -> usize {
        match self {
            Self::Other(block) => block.bytes().len(),
            Self::Same | Self::Nothing => 0,
        }
    }

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

/// Forms of a block that are kept. Further ones are made for each viewer anew.
const FORMS_MAX: usize = 8;

/// How many times the bytes of a block its forms may take: enough for one of each track, with the sound in each.
const MEMORY_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use super::super::multitrack::TrackIds;
    use super::*;

    /// A picture of each of so many tracks in one message, and a sound, of these bytes.
    fn block(tracks: u8, picture: u8, sound: usize) -> Arc<Block> {
        let mut data = b"\x96\x11vp09".to_vec();
        let mut ids = TrackIds::default();
        for track in 0..tracks {
            ids.insert(track);
            data.extend([track, 0, 0, picture]);
            data.resize(data.len() + usize::from(picture), track);
        }
        let pictures = Tag::new(TagKind::Video, 0, &data).unwrap();
        let sound = Tag::new(TagKind::Audio, 0, &vec![0x2F; sound]).unwrap();
        let headers = Headers::empty(0).with_tracks(TagKind::Video, ids).unwrap();
        Arc::new(Block::new(vec![pictures, sound], true, 0, Arc::new(headers)))
    }

    #[test]
    fn forms_of_a_block_are_bounded() {
        for (tracks, picture, sound, kept) in
            [(3, 200, 10, 3), (30, 200, 10, FORMS_MAX), (3, 200, 1_000, 2)]
        {
            let block = block(tracks, picture, sound);
            for track in 0..tracks {
                let form = block.forms().get(&block, Chosen { audio: 0, video: track }).unwrap();
                assert_eq!(form.tags()[0].data().last(), Some(&track));
            }
            let made = block.forms().0.lock().unwrap();
            assert_eq!(made.len(), kept, "{tracks} tracks, {sound} bytes of sound");
        }
    }
}
