//! The tracks of Enhanced RTMP v2: which of them a message holds, and one of them taken out as a stream of its own.
//!
//! ```text
//! one track                  type|Multitrack kind|packet FourCC(4) track(1) data
//! many tracks                type|Multitrack kind|packet FourCC(4) *( track(1) size(3) data )
//! many tracks, many codecs   type|Multitrack kind|packet *( FourCC(4) track(1) size(3) data )
//! ```
//!
//! ModEx extensions may stand behind the first byte; the half byte that says Multitrack is then the last of them. A
//! message that is not multitrack is track 0.

use pushpull_media::flv::TagKind;

/// The tracks a message holds. A message that is cut holds those before the cut.
pub fn tracks(kind: TagKind, data: &[u8]) -> TrackIds {
    let mut ids = TrackIds::default();
    match Multitrack::read(kind, data) {
        Some(message) => {
            for part in message.parts() {
                ids.insert(part.track);
            }
        }
        None => {
            ids.insert(0);
        }
    }
    ids
}

/// What one track of a message is, written for readers that know of one track only.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// The message as it is.
    AsItIs,
    /// These data.
    Rewritten(Vec<u8>),
    /// Nothing: the message is another track's.
    Nothing,
}

/// Takes `track` out of a message.
///
/// H.264 and AAC get the legacy heads, which every player knows; other codecs keep their FourCC.
pub(super) fn plain(kind: TagKind, data: &[u8], track: u8) -> Plain {
    let Some(message) = Multitrack::read(kind, data) else {
        return if track == 0 || kind == TagKind::Script { Plain::AsItIs } else { Plain::Nothing };
    };
    match message.parts().find(|part| part.track == track) {
        Some(part) => Plain::Rewritten(message.alone(&part)),
        None => Plain::Nothing,
    }
}

/// A set of track ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackIds([u128; 2]);

impl TrackIds {
    /// Adds an id; `false` if it was there.
    pub fn insert(&mut self, id: u8) -> bool {
        let is_new = !self.contains(id);
        self.0[usize::from(id >> 7)] |= 1 << (id & 127);
        is_new
    }

    /// Whether an id is there.
    pub fn contains(&self, id: u8) -> bool {
        self.0[usize::from(id >> 7)] & (1 << (id & 127)) != 0
    }

    /// Those of both.
    pub fn and(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Whether any of `other` are among these.
    pub fn meets(self, other: Self) -> bool {
        (self.0[0] & other.0[0], self.0[1] & other.0[1]) != (0, 0)
    }

    /// Whether all of `other` are among these.
    pub fn covers(self, other: Self) -> bool {
        self.and(other) == self
    }

    /// The lowest.
    pub fn lowest(&self) -> Option<u8> {
        match self.0 {
            [0, 0] => None,
            [0, high] => u8::try_from(128 + high.trailing_zeros()).ok(),
            [low, _] => u8::try_from(low.trailing_zeros()).ok(),
        }
    }
}

/// A multitrack message, taken apart.
struct Multitrack<'a> {
    kind: TagKind,
    /// Up to and with the byte whose lower half says Multitrack.
    prefix: &'a [u8],
    /// The type of all its packets.
    packet: u8,
    layout: Layout,
    /// The codec of all parts, unless each names its own.
    fourcc: Option<[u8; 4]>,
    parts: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    One,
    Many,
}

/// One track's share of a message.
struct Part<'a> {
    fourcc: [u8; 4],
    track: u8,
    data: &'a [u8],
}

impl<'a> Multitrack<'a> {
    /// `None` if the message is not multitrack, or cut before it says more.
    fn read(kind: TagKind, data: &'a [u8]) -> Option<Self> {
        let first = *data.first()?;
        let multitrack = match kind {
            TagKind::Audio if first >> 4 == AUDIO_EXTENDED => AUDIO_MULTITRACK,
            TagKind::Video if first & VIDEO_EXTENDED != 0 => VIDEO_MULTITRACK,
            _ => return None,
        };
        let is_command = kind == TagKind::Video && (first >> 4) & 7 == VIDEO_COMMAND;
        let mut at = 0;
        let mut packet = first & 0x0F;
        while packet == MOD_EX {
            let mut size = usize::from(*data.get(at + 1)?) + 1;
            at += 2;
            if size == 256 {
                let bytes = data.get(at..at + 2)?;
                size = usize::from(u16::from_be_bytes(bytes.try_into().ok()?)) + 1;
                at += 2;
            }
            at += size;
            packet = data.get(at)? & 0x0F;
        }
        if packet != multitrack || is_command {
            return None;
        }
        let prefix = data.get(..=at)?;
        let types = *data.get(at + 1)?;
        let rest = data.get(at + 2..)?;
        let layout = if types >> 4 == ONE_TRACK { Layout::One } else { Layout::Many };
        let (fourcc, parts) = match types >> 4 {
            MANY_CODECS => (None, rest),
            _ => (Some(*rest.first_chunk()?), rest.get(4..)?),
        };
        Some(Self { kind, prefix, packet: types & 0x0F, layout, fourcc, parts })
    }

    fn parts(&self) -> impl Iterator<Item = Part<'a>> {
        let (layout, shared, mut rest) = (self.layout, self.fourcc, self.parts);
        std::iter::from_fn(move || {
            let fourcc = match shared {
                Some(fourcc) => fourcc,
                None => {
                    let (fourcc, behind) = rest.split_first_chunk()?;
                    rest = behind;
                    *fourcc
                }
            };
            let (&track, behind) = rest.split_first()?;
            let (data, behind) = match layout {
                Layout::One => (behind, &[][..]),
                Layout::Many => {
                    let (&[s2, s1, s0], behind) = behind.split_first_chunk()?;
                    let size = u32::from_be_bytes([0, s2, s1, s0]) as usize;
                    behind.split_at(size.min(behind.len()))
                }
            };
            rest = behind;
            Some(Part { fourcc, track, data })
        })
    }

    /// The message as it would be if it held this part alone.
    fn alone(&self, part: &Part<'_>) -> Vec<u8> {
        if let Some(data) = self.legacy(part) {
            return data;
        }
        let mut data = self.prefix.to_vec();
        if let Some(last) = data.last_mut() {
            *last = *last & 0xF0 | self.packet;
        }
        data.extend_from_slice(&part.fourcc);
        data.extend_from_slice(part.data);
        data
    }

    /// The same with the head of old, if there is one for it.
    fn legacy(&self, part: &Part<'_>) -> Option<Vec<u8>> {
        let first = self.prefix.first()?;
        let head: &[u8] = match (self.kind, &part.fourcc, self.packet) {
            (TagKind::Audio, b"mp4a", packet @ 0..=1) => &[AAC, packet],
            // Only coded frames have the composition time behind the FourCC.
            (TagKind::Video, b"avc1", CODED_FRAMES) => &[first & 0x70 | AVC, 1],
            (TagKind::Video, b"avc1", CODED_FRAMES_X) => &[first & 0x70 | AVC, 1, 0, 0, 0],
            (TagKind::Video, b"avc1", packet @ (SEQUENCE_START | SEQUENCE_END)) => {
                &[first & 0x70 | AVC, packet, 0, 0, 0]
            }
            _ => return None,
        };
        Some([head, part.data].concat())
    }
}

const AUDIO_EXTENDED: u8 = 9;
const AUDIO_MULTITRACK: u8 = 5;
const VIDEO_EXTENDED: u8 = 0x80;
const VIDEO_MULTITRACK: u8 = 6;
const VIDEO_COMMAND: u8 = 5;
const MOD_EX: u8 = 7;
const ONE_TRACK: u8 = 0;
const MANY_CODECS: u8 = 2;

/// Video packet types; start and end are the same numbers in the legacy head.
const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
const SEQUENCE_END: u8 = 2;
const CODED_FRAMES_X: u8 = 3;

/// The legacy codec id of H.264.
const AVC: u8 = 7;

/// The legacy first byte of AAC: the same for all of it, whatever its rate and channels.
const AAC: u8 = 0xAF;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pushpull_media::flv::{audio, video};

    use super::*;

    fn ids(kind: TagKind, data: &[u8]) -> Vec<u8> {
        let tracks = tracks(kind, data);
        (0..=u8::MAX).filter(|&id| tracks.contains(id)).collect()
    }

    fn rewritten(kind: TagKind, data: &[u8], track: u8) -> Vec<u8> {
        match plain(kind, data, track) {
            Plain::Rewritten(data) => data,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_multitrack_is_track_0() {
        let messages: [(TagKind, &[u8]); 6] = [
            (TagKind::Video, b"\x17\x01\0\0\0key"),
            (TagKind::Video, b"\x91hvc1\0\0\0nal"),
            (TagKind::Audio, b"\xAF\x01x"),
            (TagKind::Audio, b"\x91Opusx"),
            (TagKind::Video, b"\xD6\x01"),
            (TagKind::Video, b""),
        ];
        for (kind, data) in messages {
            assert_eq!(ids(kind, data), [0], "{data:?}");
            assert_eq!(plain(kind, data, 0), Plain::AsItIs, "{data:?}");
            assert_eq!(plain(kind, data, 1), Plain::Nothing, "{data:?}");
        }
        assert_eq!(plain(TagKind::Script, b"\x02", 1), Plain::AsItIs, "scripts are for all tracks");
    }

    #[test]
    fn one_track() {
        let data = b"\x96\x01hvc1\x02\x00\x00\x21nal";
        assert_eq!(ids(TagKind::Video, data), [2]);
        assert_eq!(plain(TagKind::Video, data, 0), Plain::Nothing);
        assert_eq!(rewritten(TagKind::Video, data, 2), b"\x91hvc1\x00\x00\x21nal");
    }

    #[test]
    fn many_tracks_of_one_codec() {
        let data = b"\x96\x11hvc1\x00\x00\x00\x05\x00\x00\x21ab\x07\x00\x00\x04\x00\x00\x22c";
        assert_eq!(ids(TagKind::Video, data), [0, 7]);
        assert_eq!(rewritten(TagKind::Video, data, 0), b"\x91hvc1\x00\x00\x21ab");
        assert_eq!(rewritten(TagKind::Video, data, 7), b"\x91hvc1\x00\x00\x22c");
    }

    #[test]
    fn many_tracks_of_many_codecs() {
        let data = b"\x95\x21.mp3\x00\x00\x00\x02abOpus\xC8\x00\x00\x01x";
        assert_eq!(ids(TagKind::Audio, data), [0, 200]);
        assert_eq!(rewritten(TagKind::Audio, data, 0), b"\x91.mp3ab");
        assert_eq!(rewritten(TagKind::Audio, data, 200), b"\x91Opusx");
    }

    #[test]
    fn the_codecs_of_old_get_their_legacy_heads() {
        let cases: [(TagKind, &[u8], &[u8]); 7] = [
            (TagKind::Video, b"\x96\x00avc1\x01avcC", b"\x17\0\0\0\0avcC"),
            (TagKind::Video, b"\x96\x01avc1\x01\0\0\x21nal", b"\x17\x01\0\0\x21nal"),
            (TagKind::Video, b"\xA6\x03avc1\x01nal", b"\x27\x01\0\0\0nal"),
            (TagKind::Video, b"\x96\x02avc1\x01", b"\x17\x02\0\0\0"),
            (TagKind::Audio, b"\x95\x00mp4a\x01\x11\x90", b"\xAF\x00\x11\x90"),
            (TagKind::Audio, b"\x95\x01mp4a\x01aac", b"\xAF\x01aac"),
            // There is no legacy form of these.
            (TagKind::Video, b"\x96\x04avc1\x01meta", b"\x94avc1meta"),
        ];
        for (kind, data, legacy) in cases {
            assert_eq!(rewritten(kind, data, 1), legacy, "{data:?}");
        }
    }

    #[test]
    fn extensions_stay_in_front() {
        let data = b"\x97\x02\x01\x02\x03\x06\x01hvc1\x01\x00\x00\x00nal";
        assert_eq!(ids(TagKind::Video, data), [1]);
        let alone = rewritten(TagKind::Video, data, 1);
        assert_eq!(alone, b"\x97\x02\x01\x02\x03\x01hvc1\x00\x00\x00nal");
        assert_eq!(video::Head::parse(&alone).unwrap().nano_offset, 0x01_02_03);

        // An extension of 256 bytes has its size in two more.
        let mut long = b"\x97\xFF\x00\xFF".to_vec();
        long.extend([0; 256]);
        long.extend(b"\x16\x01vp09\x03key");
        assert_eq!(ids(TagKind::Video, &long), [3]);
        assert!(rewritten(TagKind::Video, &long, 3).ends_with(b"\x11vp09key"));
    }

    #[test]
    fn sets_of_ids() {
        let mut ids = TrackIds::default();
        assert_eq!(ids.lowest(), None);
        for id in [255, 128, 127] {
            assert!(ids.insert(id) && !ids.insert(id));
            assert_eq!(ids.lowest(), Some(id));
        }
        let mut fewer = TrackIds::default();
        fewer.insert(128);
        assert!(ids.covers(fewer) && !fewer.covers(ids) && ids.contains(255) && !ids.contains(0));
    }

    proptest! {
        /// The tracks found here are those that the tag's own parser finds, and each is taken out as it is.
        #[test]
        fn any_message_holds_the_tracks_that_its_parser_finds(
            is_video in any::<bool>(), kind in 0u8..3, packet in prop_oneof![Just(0u8), Just(1), Just(3)],
            codec in prop_oneof![Just(*b"avc1"), Just(*b"hvc1"), Just(*b"vp09"), Just(*b"mp4a"), Just(*b"Opus")],
            parts in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 3..9)), 1..5),
        ) {
            let mut data = vec![if is_video { 0x96 } else { 0x95 }, kind << 4 | packet];
            if kind != MANY_CODECS {
                data.extend(codec);
            }
            let parts = if kind == ONE_TRACK { &parts[..1] } else { &parts };
            for (track, body) in parts {
                if kind == MANY_CODECS {
                    data.extend(codec);
                }
                data.push(*track);
                if kind != ONE_TRACK {
                    data.extend([0, 0, body.len() as u8]);
                }
                data.extend(body);
            }
            let media = if is_video { TagKind::Video } else { TagKind::Audio };
            let mut found = TrackIds::default();
            for (track, body) in parts {
                if found.insert(*track) {
                    let alone = rewritten(media, &data, *track);
                    prop_assert!(alone.ends_with(body));
                    prop_assert_eq!(ids(media, &alone), [0]);
                    if is_video {
                        let (alone, whole) = (video::Head::parse(&alone).unwrap(), video::Head::parse(&data).unwrap());
                        prop_assert_eq!((alone.codec, alone.packet), (whole.codec, whole.packet));
                    } else {
                        let (alone, whole) = (audio::Head::parse(&alone).unwrap(), audio::Head::parse(&data).unwrap());
                        prop_assert_eq!(alone.codec, whole.codec);
                    }
                }
            }
            prop_assert_eq!(tracks(media, &data), found);
        }

        #[test]
        fn any_bytes_are_survived(is_video in any::<bool>(), track in any::<u8>(), data in prop::collection::vec(any::<u8>(), 0..600)) {
            let kind = if is_video { TagKind::Video } else { TagKind::Audio };
            for first in [0x96, 0x97, 0x95, 0xA6] {
                let data = [&[first][..], &data].concat();
                let held = tracks(kind, &data).contains(track);
                prop_assert_eq!(plain(kind, &data, track) != Plain::Nothing, held);
            }
        }
    }
}
