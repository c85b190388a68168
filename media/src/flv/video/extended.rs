//! The extended head of a video tag.

use super::{Codec, FrameType, Head, Packet, frame_type, si24};
use crate::flv::Error;
use crate::flv::cursor::Cursor;
use crate::flv::extended::{self, Layout, Part};

impl Codec {
    fn from_fourcc(fourcc: [u8; 4]) -> Self {
        let known = FOURCCS.iter().find(|(known, _)| *known == fourcc);
        known.map_or(Self::FourCc(fourcc), |(_, codec)| *codec)
    }

    fn fourcc(self) -> [u8; 4] {
        match (self, FOURCCS.iter().find(|(_, codec)| *codec == self)) {
            (Self::FourCc(fourcc), _) | (_, Some(&(fourcc, _))) => fourcc,
            _ => [0; 4],
        }
    }

    /// Whether frames carry a composition time (Enhanced RTMP v2, "ExVideoTagBody").
    fn has_composition_time(self) -> bool {
        matches!(self, Self::Avc | Self::Hevc | Self::Vvc)
    }
}

impl Head {
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

    pub(super) fn extended(first: u8, mut cursor: Cursor<'_>) -> Result<Self, Error> {
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

/// The FourCC of each codec that has one.
const FOURCCS: [([u8; 4], Codec); 6] = [
    (*b"avc1", Codec::Avc),
    (*b"hvc1", Codec::Hevc),
    (*b"av01", Codec::Av1),
    (*b"vp08", Codec::Vp8),
    (*b"vp09", Codec::Vp9),
    (*b"vvc1", Codec::Vvc),
];

const CODED_FRAMES: u8 = 1;
const MULTITRACK: u8 = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        assert!(Head::parse(b"\x91hv").is_err());
    }

    proptest! {
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
