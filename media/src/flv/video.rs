//! The head of a video tag: legacy (annex E.4.3) and extended (Enhanced RTMP v1 and v2).
//!
//! ```text
//! legacy    frame type(4 bits) codec id(4 bits) [ AVC packet type(1) composition time(3) ]
//! extended  1(1 bit) frame type(3 bits) packet type(4 bits) *ModEx [ multitrack ] FourCC(4) [ composition time(3) ]
//! ```

use alloc::borrow::Cow;

use super::Error;
use super::extended::{self, Cursor, Layout, Part};
use crate::codec::text;

/// How a picture depends on others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameType {
    /// A keyframe: decoding can start here.
    Key,
    /// Depends on earlier pictures.
    Inter,
    /// Depends on earlier pictures, and none depends on it.
    Disposable,
    /// A keyframe made by a server.
    GeneratedKey,
    /// No picture: a command or information for the player.
    Command,
    /// Any other number.
    Unknown(u8),
}

/// The codec of the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// H.264, legacy id 7 or FourCC `avc1`.
    Avc,
    /// H.265, legacy id 12 (a convention of the Chinese clouds) or FourCC `hvc1`.
    Hevc,
    /// AV1, FourCC `av01`.
    Av1,
    /// VP8, FourCC `vp08`.
    Vp8,
    /// VP9, FourCC `vp09`.
    Vp9,
    /// H.266, FourCC `vvc1`.
    Vvc,
    /// Any other legacy codec id.
    Legacy(u8),
    /// Any other FourCC.
    FourCc([u8; 4]),
}

impl Codec {
    /// The name people know it by.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Avc => "H.264".into(),
            Self::Hevc => "H.265".into(),
            Self::Av1 => "AV1".into(),
            Self::Vp8 => "VP8".into(),
            Self::Vp9 => "VP9".into(),
            Self::Vvc => "H.266".into(),
            Self::Legacy(2) => "Sorenson H.263".into(),
            Self::Legacy(3 | 6) => "Screen video".into(),
            Self::Legacy(4 | 5) => "VP6".into(),
            Self::Legacy(id) => text::numbered("codec id ", *id).into(),
            Self::FourCc(fourcc) => text::fourcc(*fourcc).into(),
        }
    }

    fn from_fourcc(fourcc: [u8; 4]) -> Self {
        match &fourcc {
            b"avc1" => Self::Avc,
            b"hvc1" => Self::Hevc,
            b"av01" => Self::Av1,
            b"vp08" => Self::Vp8,
            b"vp09" => Self::Vp9,
            b"vvc1" => Self::Vvc,
            _ => Self::FourCc(fourcc),
        }
    }

    fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Avc => *b"avc1",
            Self::Hevc => *b"hvc1",
            Self::Av1 => *b"av01",
            Self::Vp8 => *b"vp08",
            Self::Vp9 => *b"vp09",
            Self::Vvc => *b"vvc1",
            Self::FourCc(fourcc) => fourcc,
            Self::Legacy(_) => [0; 4],
        }
    }

    /// Whether frames carry a composition time (Enhanced RTMP v2, "ExVideoTagBody").
    fn has_composition_time(self) -> bool {
        matches!(self, Self::Avc | Self::Hevc | Self::Vvc)
    }
}

/// What the tag carries for its codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet {
    /// The configuration record: the sequence header.
    SequenceStart,
    /// Coded pictures.
    Frames,
    /// The end of the sequence; not a configuration.
    SequenceEnd,
    /// AMF metadata such as `colorInfo`.
    Metadata,
    /// The configuration as an MPEG-2 TS descriptor.
    Mpeg2TsSequenceStart,
    /// A video command: no pictures.
    Command,
    /// Any other number.
    Unknown(u8),
}

/// The head of a video tag's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How the picture depends on others.
    pub frame_type: FrameType,
    /// The codec.
    pub codec: Codec,
    /// What the tag carries.
    pub packet: Packet,
    /// Presentation minus decoding time in milliseconds, −2²³ to 2²³−1.
    pub composition_time: i32,
    /// What ModEx adds to the tag's time: 0 to 999 999 ns.
    pub nano_offset: u32,
    /// Whether the head is of the extended kind.
    pub enhanced: bool,
    /// The track's id when the message is multitrack.
    pub track: Option<u8>,
    /// Where the payload begins in the tag's data.
    pub body: usize,
    /// Where it ends.
    pub end: usize,
    /// What is behind it.
    layout: Layout,
    /// The packet type says that composition times are written.
    timed: bool,
}

impl Head {
    /// Reads the head at the start of a video tag's data.
    ///
    /// # Errors
    /// [`Error::Truncated`] when the data ends inside the head.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(data);
        let first = cursor.byte("video head")?;
        if first & EXTENDED != 0 {
            Self::extended(first, cursor)
        } else {
            Self::legacy(first, cursor)
        }
    }

    /// The head of the next track in a multitrack message: `data` is the same tag's.
    ///
    /// # Errors
    /// As [`Head::parse`].
    pub fn next_track(&self, data: &[u8]) -> Result<Option<Self>, Error> {
        if self.layout == Layout::Alone || self.end >= data.len() {
            return Ok(None);
        }
        let mut cursor = Cursor::at(data, self.end);
        let shared = (self.layout == Layout::SameCodec).then(|| self.codec.fourcc());
        let (fourcc, part) = extended::part(&mut cursor, self.layout, shared)?;
        let mut head = Self { composition_time: 0, ..*self };
        head.finish(&mut cursor, fourcc, part)?;
        Ok(Some(head))
    }

    /// Whether the tag carries a picture at which decoding can start.
    #[must_use]
    pub fn is_keyframe(&self) -> bool {
        self.packet == Packet::Frames
            && matches!(self.frame_type, FrameType::Key | FrameType::GeneratedKey)
    }

    /// Whether the tag carries the codec's configuration.
    #[must_use]
    pub fn is_sequence_header(&self) -> bool {
        matches!(self.packet, Packet::SequenceStart | Packet::Mpeg2TsSequenceStart)
    }

    fn legacy(first: u8, mut cursor: Cursor<'_>) -> Result<Self, Error> {
        let frame_type = frame_type(first >> 4);
        let codec = match first & 0x0F {
            7 => Codec::Avc,
            12 => Codec::Hevc,
            id => Codec::Legacy(id),
        };
        let mut head = Self {
            frame_type,
            codec,
            packet: Packet::Frames,
            composition_time: 0,
            nano_offset: 0,
            enhanced: false,
            track: None,
            body: 0,
            end: cursor.len(),
            layout: Layout::Alone,
            timed: false,
        };
        if frame_type == FrameType::Command {
            head.packet = Packet::Command;
        } else if matches!(codec, Codec::Avc | Codec::Hevc) {
            head.packet = match cursor.byte("AVC packet type")? {
                0 => Packet::SequenceStart,
                1 => Packet::Frames,
                2 => Packet::SequenceEnd,
                other => Packet::Unknown(other),
            };
            // Some senders close with two bytes only; there is nothing to time in an end.
            if head.packet != Packet::SequenceEnd {
                head.composition_time = si24(cursor.array("composition time")?);
            }
        }
        head.body = cursor.position;
        Ok(head)
    }

    fn extended(first: u8, mut cursor: Cursor<'_>) -> Result<Self, Error> {
        let frame_type = frame_type((first >> 4) & 7);
        let is_command = frame_type == FrameType::Command;
        let extended = extended::parse(&mut cursor, first & 0x0F, MULTITRACK, is_command)?;
        let mut head = Self {
            frame_type,
            codec: Codec::FourCc([0; 4]),
            packet: match extended.packet_type {
                _ if extended.fourcc.is_none() => Packet::Command,
                0 => Packet::SequenceStart,
                CODED_FRAMES => Packet::Frames,
                2 => Packet::SequenceEnd,
                3 => Packet::Frames,
                4 => Packet::Metadata,
                5 => Packet::Mpeg2TsSequenceStart,
                other => Packet::Unknown(other),
            },
            composition_time: 0,
            nano_offset: extended.nano_offset,
            enhanced: true,
            track: None,
            body: cursor.position,
            end: cursor.len(),
            layout: Layout::Alone,
            timed: extended.packet_type == CODED_FRAMES,
        };
        let alone = Part { track: 0, layout: Layout::Alone, end: cursor.len() };
        let fourcc = extended.fourcc.unwrap_or_default();
        head.finish(&mut cursor, fourcc, extended.part.unwrap_or(alone))?;
        head.track = extended.part.map(|part| part.track);
        Ok(head)
    }

    /// Reads what stands between a track's FourCC and its payload.
    fn finish(
        &mut self,
        cursor: &mut Cursor<'_>,
        fourcc: [u8; 4],
        part: Part,
    ) -> Result<(), Error> {
        self.codec = Codec::from_fourcc(fourcc);
        if self.timed && self.codec.has_composition_time() {
            self.composition_time = si24(cursor.array("composition time")?);
        }
        self.track = Some(part.track);
        self.layout = part.layout;
        self.end = part.end;
        self.body = cursor.position.min(part.end);
        Ok(())
    }
}

fn frame_type(number: u8) -> FrameType {
    match number {
        1 => FrameType::Key,
        2 => FrameType::Inter,
        3 => FrameType::Disposable,
        4 => FrameType::GeneratedKey,
        5 => FrameType::Command,
        other => FrameType::Unknown(other),
    }
}

/// A signed 24-bit number.
fn si24([b2, b1, b0]: [u8; 3]) -> i32 {
    i32::from_be_bytes([b2, b1, b0, 0]) >> 8
}

const EXTENDED: u8 = 0x80;
const CODED_FRAMES: u8 = 1;
const MULTITRACK: u8 = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn legacy_avc() {
        let config = Head::parse(&[0x17, 0, 0, 0, 0, 1, 100]).unwrap();
        assert!(config.is_sequence_header() && !config.is_keyframe());
        assert_eq!((config.codec, config.body), (Codec::Avc, 5));

        let key = Head::parse(&[0x17, 1, 0, 0, 66, 0]).unwrap();
        assert!(key.is_keyframe());
        assert_eq!(key.composition_time, 66);

        let inter = Head::parse(&[0x27, 1, 0xFF, 0xFF, 0xFE]).unwrap();
        assert!(!inter.is_keyframe());
        assert_eq!(inter.composition_time, -2);

        let end = Head::parse(&[0x17, 2]).unwrap();
        assert_eq!(end.packet, Packet::SequenceEnd);
        assert!(!end.is_sequence_header() && !end.is_keyframe());
    }

    #[test]
    fn legacy_id_12_is_hevc() {
        let head = Head::parse(&[0x1C, 0, 0, 0, 0]).unwrap();
        assert_eq!(head.codec, Codec::Hevc);
        assert!(head.is_sequence_header() && !head.enhanced);
    }

    #[test]
    fn a_seek_command_has_no_packet_type() {
        let head = Head::parse(&[0x57, 0]).unwrap();
        assert_eq!((head.packet, head.body), (Packet::Command, 1));
    }

    #[test]
    fn extended_frames_with_and_without_composition_time() {
        let config = Head::parse(b"\x90hvc1record").unwrap();
        assert!(config.is_sequence_header() && config.enhanced);
        assert_eq!((config.codec, config.body), (Codec::Hevc, 5));

        let coded = Head::parse(b"\x91hvc1\x00\x00\x21nal").unwrap();
        assert!(coded.is_keyframe());
        assert_eq!((coded.composition_time, coded.body), (33, 8));

        let coded_x = Head::parse(b"\xA3avc1nal").unwrap();
        assert_eq!(
            (coded_x.packet, coded_x.composition_time, coded_x.body),
            (Packet::Frames, 0, 5)
        );
        assert_eq!(coded_x.frame_type, FrameType::Inter);

        let av1 = Head::parse(b"\x91av01obu").unwrap();
        assert_eq!((av1.codec, av1.body), (Codec::Av1, 5));
    }

    #[test]
    fn mod_ex_adds_nanoseconds() {
        let head = Head::parse(b"\x97\x02\x01\x02\x03\x01hvc1\x00\x00\x00nal").unwrap();
        assert_eq!(head.nano_offset, 0x01_02_03);
        assert_eq!((head.packet, head.body), (Packet::Frames, 13));
    }

    #[test]
    fn multitrack_names_its_first_track() {
        let one = Head::parse(b"\x96\x01hvc1\x02\x00\x00\x00nal").unwrap();
        assert_eq!((one.track, one.packet, one.body), (Some(2), Packet::Frames, 10));
        let many = Head::parse(b"\x96\x10av01\x00\x00\x00\x05record").unwrap();
        assert_eq!((many.track, many.packet, many.body), (Some(0), Packet::SequenceStart, 10));
    }

    #[test]
    fn every_track_of_a_message_is_found() {
        let data = b"\x96\x11hvc1\x00\x00\x00\x05\x00\x00\x21ab\x07\x00\x00\x04\x00\x00\x22c";
        let first = Head::parse(data).unwrap();
        assert_eq!((first.track, first.composition_time), (Some(0), 33));
        assert_eq!(&data[first.body..first.end], b"ab");
        let second = first.next_track(data).unwrap().unwrap();
        assert_eq!((second.track, second.composition_time), (Some(7), 34));
        assert_eq!((second.codec, &data[second.body..second.end]), (Codec::Hevc, &b"c"[..]));
        assert_eq!(second.next_track(data), Ok(None));

        let data = b"\x96\x21av01\x00\x00\x00\x02abavc1\x01\x00\x00\x04\x00\x00\x01x";
        let first = Head::parse(data).unwrap();
        assert_eq!((first.codec, &data[first.body..first.end]), (Codec::Av1, &b"ab"[..]));
        let second = first.next_track(data).unwrap().unwrap();
        assert_eq!((second.codec, second.track, second.composition_time), (Codec::Avc, Some(1), 1));
        assert_eq!(&data[second.body..second.end], b"x");
        assert!(first.next_track(&data[..18]).is_err(), "cut inside the second track's head");
    }

    #[test]
    fn an_unknown_codec_keeps_its_name() {
        let head = Head::parse(b"\x91abcdx").unwrap();
        assert_eq!(head.codec.name(), "abcd");
        assert_eq!(Head::parse(&[0x12, 0]).unwrap().codec.name(), "Sorenson H.263");
    }

    #[test]
    fn a_head_cut_short_says_what_is_missing() {
        assert_eq!(
            Head::parse(&[0x17, 1, 0]),
            Err(Error::Truncated { what: "composition time", needed: 5, len: 3 })
        );
        assert!(Head::parse(&[]).is_err());
        assert!(Head::parse(b"\x91hv").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_head_within_the_data_or_an_error(data in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(head) = Head::parse(&data) {
                prop_assert!(head.body <= head.end && head.end <= data.len());
            }
        }

        #[test]
        fn any_multitrack_message_ends(
            kind in 0u8..3, packet in 0u8..6, rest in prop::collection::vec(prop_oneof![3 => 0u8..4, 1 => any::<u8>()], 0..80),
        ) {
            let data = [&[0x96, kind << 4 | packet][..], &rest].concat();
            let mut next = Head::parse(&data).ok();
            let mut end = 0;
            while let Some(head) = next {
                prop_assert!(head.end > end && head.body <= head.end && head.end <= data.len());
                end = head.end;
                next = head.next_track(&data).ok().flatten();
            }
        }
    }
}
