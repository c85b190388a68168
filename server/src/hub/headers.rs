//! What a decoder must have before a start: metadata and the sequence headers of every track.

use std::sync::Arc;

use pushpull_media::flv::{Tag, TagKind};

use super::block::Block;
use super::multitrack::{self, TrackIds};

/// The headers in force, and the tracks there are.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    version: u64,
    /// By kind, and those of one kind in the order they came: each is in force for at least one of its tracks.
    kept: Vec<Kept>,
    audio: TrackIds,
    video: TrackIds,
    default: Defaults,
}

/// The tracks that decide where viewers begin, and that they get who choose none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Of the sound; `None` before the first.
    pub audio: Option<u8>,
    /// Of the pictures; `None` before the first.
    pub video: Option<u8>,
}

#[derive(Clone, Debug)]
struct Kept {
    kind: HeaderKind,
    tracks: TrackIds,
    tag: Tag,
}

/// The place of a tag among the headers; they are sent in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderKind {
    /// `onMetaData`.
    Metadata,
    /// A video sequence header.
    Video,
    /// Metadata of the pictures, such as `colorInfo` (Enhanced RTMP v1, "Metadata Frame").
    VideoMetadata,
    /// An audio sequence header.
    Audio,
    /// The order of the channels (Enhanced RTMP v2, "MultichannelConfig").
    AudioChannels,
}

impl Headers {
    /// No headers yet. `version` must be one that this stream has not used.
    pub fn empty(version: u64) -> Self {
        Self { version, ..Self::default() }
    }

    /// Tells headers apart: two of one version hold the same tags.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// The tracks of sound or of pictures that have sent something, if only a configuration.
    pub fn tracks(&self, kind: TagKind) -> TrackIds {
        match kind {
            TagKind::Audio => self.audio,
            TagKind::Video => self.video,
            TagKind::Script => TrackIds::default(),
        }
    }

    /// These headers with `tag` as the one of `kind` for its tracks, under a new version; `None` if it holds the same data
    /// already.
    ///
    /// A tag that would be more than [`BYTES_MAX`] or [`TAGS_MAX`] with the others is not kept: joiners do without it.
    pub fn with(&self, kind: HeaderKind, tag: Tag) -> Option<Self> {
        let tracks = multitrack::tracks(tag.kind(), tag.data());
        let newest = self.kept.iter().rfind(|kept| kept.kind == kind && kept.tracks.meets(tracks));
        if newest.is_some_and(|kept| kept.tag.data() == tag.data()) {
            return None;
        }
        let mut headers = self.clone();
        headers.version += 1;
        headers.see(tag.kind(), tracks);
        headers.forget(kind, tracks);
        let held: usize = headers.kept.iter().map(|kept| kept.tag.bytes().len()).sum();
        if held + tag.bytes().len() <= BYTES_MAX && headers.kept.len() < TAGS_MAX {
            let at = headers.kept.partition_point(|kept| kept.kind <= kind);
            headers.kept.insert(at, Kept { kind, tracks, tag });
        }
        Some(headers)
    }

    /// These headers with these tracks known; `None` if they are.
    pub fn with_tracks(&self, kind: TagKind, tracks: TrackIds) -> Option<Self> {
        if self.tracks(kind).covers(tracks) {
            return None;
        }
        let mut headers = self.clone();
        headers.see(kind, tracks);
        Some(headers)
    }

    /// The default tracks.
    pub fn defaults(&self) -> Defaults {
        self.default
    }

    /// These headers with other default tracks; `None` if they are the same.
    pub fn with_defaults(&self, default: Defaults) -> Option<Self> {
        (self.default != default).then(|| Self { default, ..self.clone() })
    }

    /// These headers without those of a track whose codec is another now, under a new version; `None` if it has none.
    pub fn without(&self, kind: TagKind, track: u8) -> Option<Self> {
        let mut of_track = TrackIds::default();
        of_track.insert(track);
        let mut headers = Self { version: self.version + 1, ..self.clone() };
        headers.kept.retain(|kept| kept.tag.kind() != kind || !of_track.covers(kept.tracks));
        (headers.kept.len() < self.kept.len()).then_some(headers)
    }

    /// The headers as a block to send in front of a start at `time`; `None` if there are none.
    ///
    /// The sequence headers carry that time: a reader that takes every tag's time for the stream's would else see it
    /// jump. Metadata stays at 0, the only time at which ffmpeg takes it for metadata and not for a subtitle.
    pub fn block(self: &Arc<Self>, time: i64) -> Option<Block> {
        let stamp = |kept: &Kept| {
            let time = if kept.kind == HeaderKind::Metadata { 0 } else { time };
            Tag::new(kept.tag.kind(), time, kept.tag.data()).ok()
        };
        let tags: Vec<Tag> = self.kept.iter().filter_map(stamp).collect();
        (!tags.is_empty()).then(|| Block::new(tags, false, 0, self.clone()))
    }

    fn see(&mut self, kind: TagKind, tracks: TrackIds) {
        match kind {
            TagKind::Audio => self.audio = self.audio.and(tracks),
            TagKind::Video => self.video = self.video.and(tracks),
            TagKind::Script => {}
        }
    }

    /// Leaves out what a new header of `kind` for `tracks` replaces: all whose every track has a newer one.
    fn forget(&mut self, kind: HeaderKind, tracks: TrackIds) {
        let mut newer = tracks;
        let mut kept = std::mem::take(&mut self.kept);
        kept.reverse();
        kept.retain(|kept| {
            let is_old = kept.kind == kind && newer.covers(kept.tracks);
            if kept.kind == kind {
                newer = newer.and(kept.tracks);
            }
            !is_old
        });
        kept.reverse();
        self.kept = kept;
    }
}

/// Bytes of all headers of a stream. Those of one track are some hundred bytes; metadata with a picture in it may be more.
const BYTES_MAX: usize = 1 << 20;

/// Headers of all tracks of a stream: each change makes a list of them anew, which the blocks up to the next change hold.
/// OBS sends ten tracks of pictures and six of sound at the most, with one or two headers each.
const TAGS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn add(headers: &mut Headers, kind: HeaderKind, data: &[u8]) -> bool {
        let media = match kind {
            HeaderKind::Metadata => TagKind::Script,
            HeaderKind::Video | HeaderKind::VideoMetadata => TagKind::Video,
            HeaderKind::Audio | HeaderKind::AudioChannels => TagKind::Audio,
        };
        let next = headers.with(kind, Tag::new(media, 0, data).unwrap());
        if let Some(next) = next {
            assert!(next.version() > headers.version());
            *headers = next;
            return true;
        }
        false
    }

    fn held(headers: &Headers) -> Vec<String> {
        let text = |kept: &Kept| String::from_utf8_lossy(kept.tag.data()).into_owned();
        headers.kept.iter().map(text).collect()
    }

    #[test]
    fn headers_are_kept_by_kind_and_by_track() {
        let mut headers = Headers::empty(0);
        assert!(add(&mut headers, HeaderKind::Audio, b"\xAF\0asc"));
        assert!(add(&mut headers, HeaderKind::Video, b"\x17\0\0\0\0avcC"));
        assert!(add(&mut headers, HeaderKind::Video, b"\x96\x00avc1\x01one"));
        assert!(add(&mut headers, HeaderKind::Metadata, b"meta"));
        assert!(!add(&mut headers, HeaderKind::Video, b"\x96\x00avc1\x01one"), "the same again");
        assert!(add(&mut headers, HeaderKind::Video, b"\x17\0\0\0\0new"));
        let order: Vec<_> = headers.kept.iter().map(|kept| kept.kind).collect();
        assert!(order.is_sorted());
        assert_eq!(headers.kept.len(), 4);
        assert!(held(&headers)[2].ends_with("new"));
        assert_eq!(headers.tracks(TagKind::Video).lowest(), Some(0));
        assert!(headers.tracks(TagKind::Video).contains(1));
    }

    #[test]
    fn a_message_of_many_tracks_is_kept_while_it_is_in_force_for_one() {
        let both = b"\x96\x10avc1\x00\x00\x00\x01a\x01\x00\x00\x01b";
        let mut headers = Headers::empty(0);
        add(&mut headers, HeaderKind::Video, both);
        add(&mut headers, HeaderKind::Video, b"\x96\x00avc1\x01c");
        assert_eq!(headers.kept.len(), 2);
        assert!(add(&mut headers, HeaderKind::Video, both), "track 1 is as it was before");
        assert_eq!(headers.kept.len(), 1);
        add(&mut headers, HeaderKind::Video, b"\x96\x00avc1\x01c");
        add(&mut headers, HeaderKind::Video, b"\x96\x00avc1\x00d");
        assert_eq!(headers.kept.len(), 2, "each track has one of its own");
    }

    #[test]
    fn a_track_whose_codec_changed_has_no_header_any_more() {
        let mut headers = Headers::empty(0);
        add(&mut headers, HeaderKind::Audio, b"\xAF\0asc");
        add(&mut headers, HeaderKind::Video, b"\x17\0\0\0\0avcC");
        let headers = headers.without(TagKind::Audio, 0).unwrap();
        assert_eq!(headers.kept.len(), 1);
        assert!(headers.without(TagKind::Audio, 0).is_none());
    }

    #[test]
    fn headers_are_bounded() {
        let mut headers = Headers::empty(0);
        let mut large = b"\x96\x00avc1\x00".to_vec();
        large.resize(BYTES_MAX / 4, 0);
        for track in 0..200 {
            large[6] = track;
            add(&mut headers, HeaderKind::Video, &large);
        }
        let bytes: usize = headers.kept.iter().map(|kept| kept.tag.bytes().len()).sum();
        assert!(bytes <= BYTES_MAX && headers.kept.len() == 3);
        large.truncate(10);
        for track in 0..=u8::MAX {
            large[6] = track;
            add(&mut headers, HeaderKind::Video, &large);
        }
        assert_eq!(headers.kept.len(), TAGS_MAX);
    }
}
