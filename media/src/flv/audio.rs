//! The head of an audio tag: legacy (annex E.4.2) and extended (Enhanced RTMP v2).
//!
//! ```text
//! legacy    sound format(4 bits) rate(2) size(1) type(1) [ AAC packet type(1) ]
//! extended  9(4 bits) packet type(4 bits) *ModEx [ multitrack ] FourCC(4)
//! ```

#[cfg(feature = "codecs")]
mod extended;

use alloc::borrow::Cow;

use super::Error;
use super::cursor::Cursor;
#[cfg(feature = "codecs")]
use super::extended::Layout;
use crate::codec::text;

/// The codec of the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// AAC, legacy format 10 or FourCC `mp4a`.
    Aac,
    /// MP3, legacy formats 2 and 14 or FourCC `.mp3`.
    Mp3,
    /// Opus, legacy format 13 (a convention) or FourCC `Opus`.
    Opus,
    /// FLAC, FourCC `fLaC`.
    Flac,
    /// AC-3, FourCC `ac-3`.
    Ac3,
    /// E-AC-3, FourCC `ec-3`.
    Eac3,
    /// G.711 A-law, legacy format 7.
    G711A,
    /// G.711 µ-law, legacy format 8.
    G711U,
    /// Linear PCM, legacy formats 0 (platform endian) and 3 (little endian).
    Pcm,
    /// Speex, legacy format 11.
    Speex,
    /// Nellymoser, legacy formats 4, 5 and 6.
    Nellymoser,
    /// Any other legacy format.
    Legacy(u8),
    /// Any other FourCC.
    FourCc([u8; 4]),
}

impl Codec {
    /// The name people know it by.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Aac => "AAC".into(),
            Self::Mp3 => "MP3".into(),
            Self::Opus => "Opus".into(),
            Self::Flac => "FLAC".into(),
            Self::Ac3 => "AC-3".into(),
            Self::Eac3 => "E-AC-3".into(),
            Self::G711A => "G.711 A-law".into(),
            Self::G711U => "G.711 µ-law".into(),
            Self::Pcm => "PCM".into(),
            Self::Speex => "Speex".into(),
            Self::Nellymoser => "Nellymoser".into(),
            Self::Legacy(id) => text::numbered("sound format ", *id).into(),
            Self::FourCc(fourcc) => text::fourcc(*fourcc).into(),
        }
    }

    fn from_format(number: u8) -> Self {
        match number {
            0 | 3 => Self::Pcm,
            2 | 14 => Self::Mp3,
            4..=6 => Self::Nellymoser,
            7 => Self::G711A,
            8 => Self::G711U,
            10 => Self::Aac,
            11 => Self::Speex,
            13 => Self::Opus,
            other => Self::Legacy(other),
        }
    }
}

/// What the tag carries for its codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet {
    /// The configuration: the sequence header.
    SequenceStart,
    /// Coded sound.
    Frames,
    /// The end of the sequence; an empty legacy message means the same (Enhanced RTMP v2).
    SequenceEnd,
    /// The order of the channels.
    MultichannelConfig,
    /// Any other number.
    Unknown(u8),
}

/// The head of an audio tag's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The codec.
    pub codec: Codec,
    /// What the tag carries.
    pub packet: Packet,
    /// What ModEx adds to the tag's time: 0 to 999 999 ns.
    pub nano_offset: u32,
    /// Whether the head is of the extended kind.
    pub enhanced: bool,
    /// The track's id when the message is multitrack.
    pub track: Option<u8>,
    /// The legacy head's sample rate in Hz; AAC's own configuration overrides it.
    #[cfg(feature = "codecs")]
    pub rate_hz: Option<u32>,
    /// The legacy head's channels; AAC's own configuration overrides it.
    #[cfg(feature = "codecs")]
    pub channels: Option<u8>,
    /// The legacy head's bits per sample, 8 or 16; for PCM only.
    #[cfg(feature = "codecs")]
    pub bits: u8,
    /// Where the payload begins in the tag's data.
    pub body: usize,
    /// Where it ends.
    pub end: usize,
    /// What is behind it.
    #[cfg(feature = "codecs")]
    layout: Layout,
}

impl Head {
    /// Reads the head at the start of an audio tag's data.
    ///
    /// # Errors
    /// [`Error::Truncated`] when the data ends inside the head. An extended head is one without the
    /// feature `codecs`.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(data);
        let first = cursor.byte("audio head")?;
        if first >> 4 == EXTENDED {
            #[cfg(feature = "codecs")]
            return Self::extended(first, cursor);
            #[cfg(not(feature = "codecs"))]
            return Err(Error::Extended);
        }
        Self::legacy(first, cursor)
    }

    /// Whether the tag carries the codec's configuration.
    #[must_use]
    pub fn is_sequence_header(&self) -> bool {
        self.packet == Packet::SequenceStart
    }

    fn legacy(first: u8, mut cursor: Cursor<'_>) -> Result<Self, Error> {
        let codec = Codec::from_format(first >> 4);
        let packet = if codec == Codec::Aac {
            match cursor.byte("AAC packet type")? {
                0 => Packet::SequenceStart,
                1 => Packet::Frames,
                other => Packet::Unknown(other),
            }
        } else {
            Packet::Frames
        };
        #[cfg(feature = "codecs")]
        let rate_hz = match (first >> 4, (first >> 2) & 3) {
            (4, _) | (11, _) => 16_000,
            (5 | 7 | 8 | 14, _) => 8_000,
            (_, 0) => 5_512,
            (_, 1) => 11_025,
            (_, 2) => 22_050,
            _ => 44_100,
        };
        Ok(Self {
            codec,
            packet,
            nano_offset: 0,
            enhanced: false,
            track: None,
            #[cfg(feature = "codecs")]
            rate_hz: Some(rate_hz),
            #[cfg(feature = "codecs")]
            channels: Some(if first & 1 == 0 { 1 } else { 2 }),
            #[cfg(feature = "codecs")]
            bits: if first & 2 == 0 { 8 } else { 16 },
            body: cursor.position,
            end: cursor.len(),
            #[cfg(feature = "codecs")]
            layout: Layout::Alone,
        })
    }
}

const EXTENDED: u8 = 9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn legacy_aac() {
        let config = Head::parse(&[0xAF, 0, 0x11, 0x90]).unwrap();
        assert!(config.is_sequence_header());
        assert_eq!((config.codec, config.body), (Codec::Aac, 2));
        #[cfg(feature = "codecs")]
        assert_eq!((config.rate_hz, config.channels), (Some(44_100), Some(2)));
        let frames = Head::parse(&[0xAF, 1, 0x21]).unwrap();
        assert_eq!(frames.packet, Packet::Frames);
    }

    #[cfg(feature = "codecs")]
    #[test]
    fn legacy_formats_have_rates_of_their_own() {
        let g711 = Head::parse(&[0x7E, 1]).unwrap();
        assert_eq!((g711.codec, g711.rate_hz, g711.channels), (Codec::G711A, Some(8_000), Some(1)));
        let mp3 = Head::parse(&[0x2A]).unwrap();
        assert_eq!((mp3.codec, mp3.rate_hz, mp3.body), (Codec::Mp3, Some(22_050), 1));
    }

    #[test]
    fn an_empty_message_is_an_error_not_a_panic() {
        assert_eq!(
            Head::parse(&[]),
            Err(Error::Truncated { what: "audio head", needed: 1, len: 0 })
        );
        assert!(Head::parse(&[0xAF]).is_err());
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
