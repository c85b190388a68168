//! The head of a video tag: legacy (annex E.4.3) and extended (Enhanced RTMP v1 and v2).
//!
//! ```text
//! legacy    frame type(4 bits) codec id(4 bits) [ AVC packet type(1) composition time(3) ]
//! extended  1(1 bit) frame type(3 bits) packet type(4 bits) *ModEx [ multitrack ] FourCC(4) [ composition time(3) ]
//! ```

#[cfg(feature = "codecs")]
mod extended;

use alloc::borrow::Cow;

use super::Error;
use super::cursor::Cursor;
#[cfg(feature = "codecs")]
use super::extended::Layout;
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
    #[cfg(feature = "codecs")]
    layout: Layout,
    /// The packet type says that composition times are written.
    #[cfg(feature = "codecs")]
    timed: bool,
}

impl Head {
    /// Reads the head at the start of a video tag's data.
    ///
    /// # Errors
    /// [`Error::Truncated`] when the data ends inside the head. An extended head is one without the
    /// feature `codecs`.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(data);
        let first = cursor.byte("video head")?;
        if first & EXTENDED != 0 {
            #[cfg(feature = "codecs")]
            return Self::extended(first, cursor);
            #[cfg(not(feature = "codecs"))]
            return Err(Error::Extended);
        }
        Self::legacy(first, cursor)
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
            #[cfg(feature = "codecs")]
            layout: Layout::Alone,
            #[cfg(feature = "codecs")]
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
    fn a_head_cut_short_says_what_is_missing() {
        assert_eq!(
            Head::parse(&[0x17, 1, 0]),
            Err(Error::Truncated { what: "composition time", needed: 5, len: 3 })
        );
        assert!(Head::parse(&[]).is_err());
        assert_eq!(Head::parse(&[0x12, 0]).unwrap().codec.name(), "Sorenson H.263");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_head_within_the_data_or_an_error(data in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(head) = Head::parse(&data) {
                prop_assert!(head.body <= head.end && head.end <= data.len());
            }
        }
    }
}
