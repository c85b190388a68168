//! The extended head of an audio tag.

use super::{Codec, Head, Packet};
use crate::flv::Error;
use crate::flv::cursor::Cursor;
use crate::flv::extended::{self, Layout};

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
        Ok(Some(Self {
            codec: Codec::from_fourcc(fourcc),
            track: Some(part.track),
            body: cursor.position.min(part.end),
            end: part.end,
            ..*self
        }))
    }

    pub(super) fn extended(first: u8, mut cursor: Cursor<'_>) -> Result<Self, Error> {
        let extended = extended::parse(&mut cursor, first & 0x0F, MULTITRACK, false)?;
        Ok(Self {
            codec: Codec::from_fourcc(extended.fourcc.unwrap_or_default()),
            packet: match extended.packet_type {
                0 => Packet::SequenceStart,
                1 => Packet::Frames,
                2 => Packet::SequenceEnd,
                4 => Packet::MultichannelConfig,
                other => Packet::Unknown(other),
            },
            nano_offset: extended.nano_offset,
            enhanced: true,
            track: extended.part.map(|part| part.track),
            rate_hz: None,
            channels: None,
            bits: 16,
            body: cursor.position,
            end: extended.part.map_or(cursor.len(), |part| part.end),
            layout: extended.part.map_or(Layout::Alone, |part| part.layout),
        })
    }
}

/// The FourCC of each codec that has one.
const FOURCCS: [([u8; 4], Codec); 6] = [
    (*b"mp4a", Codec::Aac),
    (*b".mp3", Codec::Mp3),
    (*b"Opus", Codec::Opus),
    (*b"fLaC", Codec::Flac),
    (*b"ac-3", Codec::Ac3),
    (*b"ec-3", Codec::Eac3),
];

const MULTITRACK: u8 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn extended_opus() {
        let config = Head::parse(b"\x90OpusOpusHead").unwrap();
        assert!(config.is_sequence_header() && config.enhanced);
        assert_eq!((config.codec, config.body), (Codec::Opus, 5));
        assert_eq!(Head::parse(b"\x94Opus\x01\x02").unwrap().packet, Packet::MultichannelConfig);
        assert_eq!(Head::parse(b"\x95\x01Opus\x03x").unwrap().track, Some(3));
    }

    #[test]
    fn every_track_of_a_message_is_found() {
        let data = b"\x95\x21mp4a\x00\x00\x00\x02abOpus\x01\x00\x00\x01x";
        let first = Head::parse(data).unwrap();
        assert_eq!((first.codec, first.track), (Codec::Aac, Some(0)));
        assert_eq!(&data[first.body..first.end], b"ab");
        let second = first.next_track(data).unwrap().unwrap();
        assert_eq!((second.codec, second.track), (Codec::Opus, Some(1)));
        assert_eq!(&data[second.body..second.end], b"x");
        assert_eq!(second.next_track(data), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_give_tracks_within_the_data_or_an_error(data in prop::collection::vec(any::<u8>(), 0..600)) {
            let data = [&[0x95][..], &data].concat();
            if let Ok(head) = Head::parse(&data) && let Ok(Some(next)) = head.next_track(&data) {
                prop_assert!(next.end > head.end && next.end <= data.len());
            }
        }
    }
}
