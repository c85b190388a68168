//! VP9: the uncompressed header of a keyframe, the configuration record.
//!
//! Sources: the VP9 bitstream specification (6.2) and "VP Codec ISO Media File Format Binding".

use alloc::string::String;

use super::Error;
use super::avc::Colour;
use super::bits::BitReader;
use super::text::push_number;

/// What a keyframe says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyframe {
    /// `Profile`.
    pub profile: u8,
    /// Bits per sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// `chromaSubsampling` of the record: 0 4:2:0 beside, 1 4:2:0 on the left sample, 2 4:2:2,
    /// 3 4:4:4.
    pub subsampling: u8,
    /// Samples are of full range.
    pub full_range: bool,
    /// `color_space`.
    pub colour_space: u8,
    /// Luma samples per line.
    pub width: u16,
    /// Lines.
    pub height: u16,
}

impl Keyframe {
    /// Reads the header of a frame (6.2). `None` if it is no keyframe.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let bits = &mut BitReader::new(frame);
        if bits.bits(2) != Ok(2) {
            return None; // frame_marker
        }
        let (low, high) = (bits.byte(1).ok()?, bits.byte(1).ok()?);
        let profile = high << 1 | low;
        if profile == 3 && bits.flag().ok()? {
            return None; // reserved
        }
        // No show_existing_frame, then frame_type 0 is a keyframe.
        if bits.flag().ok()? || bits.flag().ok()? {
            return None;
        }
        bits.skip(2).ok()?; // show_frame, error_resilient_mode
        if bits.bits(24).ok()? != SYNC_CODE {
            return None;
        }
        let bit_depth = match profile >= 2 {
            true if bits.flag().ok()? => 12,
            true => 10,
            false => 8,
        };
        let colour_space = bits.byte(3).ok()?;
        let odd = profile & 1 == 1;
        let (full_range, subsampling) = if colour_space == RGB {
            if odd {
                bits.flag().ok()?;
            }
            (true, 3)
        } else {
            let full_range = bits.flag().ok()?;
            let subsampling = if odd {
                let (x, y) = (bits.flag().ok()?, bits.flag().ok()?);
                bits.flag().ok()?;
                match (x, y) {
                    (true, true) => 1,
                    (true, false) => 2,
                    _ => 3,
                }
            } else {
                1
            };
            (full_range, subsampling)
        };
        let size = |minus_one: u32| u16::try_from(minus_one.saturating_add(1)).ok();
        Some(Self {
            profile,
            bit_depth,
            subsampling,
            full_range,
            colour_space,
            width: size(bits.bits(16).ok()?)?,
            height: size(bits.bits(16).ok()?)?,
        })
    }

    /// How colours are to be understood (7.2.2).
    #[must_use]
    pub fn colour(&self) -> Colour {
        let (primaries, transfer, matrix) = match self.colour_space {
            1 => (6, 6, 6),
            2 => (1, 1, 1),
            3 => (6, 6, 6),
            4 => (7, 7, 7),
            5 => (9, 14, 9),
            RGB => (1, 13, 0),
            _ => (Colour::UNSPECIFIED, Colour::UNSPECIFIED, Colour::UNSPECIFIED),
        };
        Colour { primaries, transfer, matrix, full_range: self.full_range }
    }

    /// The record it implies. VP9 does not say its level: it is taken from the size of the picture.
    #[must_use]
    pub fn record(&self) -> Record {
        let samples = u32::from(self.width).saturating_mul(self.height.into());
        let level =
            LEVELS.iter().find(|(size, _)| samples <= *size).map_or(62, |(_, level)| *level);
        Record {
            profile: self.profile,
            level,
            bit_depth: self.bit_depth,
            subsampling: self.subsampling,
            colour: self.colour(),
        }
    }
}

/// A `VPCodecConfigurationRecord`: what FLV calls the sequence header and MP4 `vpcC`.
///
/// ```text
/// [ version(1)=1 flags(3) ] profile(1) level(1) depth(4 bits) subsampling(3) full range(1)
/// primaries(1) transfer(1) matrix(1) initialisation data(2)=0
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// `profile`.
    pub profile: u8,
    /// Ten times the level.
    pub level: u8,
    /// `bitDepth`.
    pub bit_depth: u8,
    /// `chromaSubsampling`.
    pub subsampling: u8,
    /// How colours are to be understood.
    pub colour: Colour,
}

impl Record {
    /// Reads a record, with or without the version and flags of its box in front.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::OutOfRange`].
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let data = match data {
            [1, 0, 0, 0, record @ ..] => record,
            record => record,
        };
        let &[profile, level, sizes, primaries, transfer, matrix, ..] = data else {
            return Err(Error::Truncated);
        };
        let record = Self {
            profile,
            level,
            bit_depth: sizes >> 4,
            subsampling: sizes >> 1 & 7,
            colour: Colour { primaries, transfer, matrix, full_range: sizes & 1 == 1 },
        };
        let sound = profile <= 3 && matches!(record.bit_depth, 8 | 10 | 12);
        if sound { Ok(record) } else { Err(Error::OutOfRange) }
    }

    /// What is in the box `vpcC`, version and flags included.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 12] {
        let Colour { primaries, transfer, matrix, full_range } = self.colour;
        let sizes = self.bit_depth << 4 | (self.subsampling & 7) << 1 | u8::from(full_range);
        [1, 0, 0, 0, self.profile, self.level, sizes, primaries, transfer, matrix, 0, 0]
    }

    /// The codec string: `vp09.PP.LL.DD`.
    #[must_use]
    pub fn codec_string(&self) -> String {
        let mut text = String::from("vp09");
        for number in [self.profile, self.level, self.bit_depth] {
            text.push('.');
            push_number(&mut text, number, 2);
        }
        text
    }

    /// 1 4:2:0, 2 4:2:2, 3 4:4:4.
    #[must_use]
    pub fn chroma_format(&self) -> u8 {
        self.subsampling.max(1)
    }
}

const SYNC_CODE: u32 = 0x49_83_42;
/// `CS_RGB`.
const RGB: u8 = 7;
/// Luma samples of a picture and the level that has them.
const LEVELS: [(u32, u8); 10] = [
    (36_864, 10),
    (73_728, 11),
    (122_880, 20),
    (245_760, 21),
    (552_960, 30),
    (983_040, 31),
    (2_228_224, 40),
    (8_912_896, 50),
    (35_651_584, 60),
    (u32::MAX, 62),
];

#[cfg(test)]
mod tests {
    use mp4_atom::{Atom, VpcC};
    use proptest::prelude::*;

    use super::*;
    use crate::flv::{Item, Reader, TagKind, video};

    /// The payloads of the pictures of a recording by libvpx, its header first.
    fn recorded() -> Vec<Vec<u8>> {
        let mut reader = Reader::new();
        reader.push(include_bytes!("../../../tests/fixtures/codecs/vp9-opus.flv"));
        let mut payloads = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            if let Item::Tag(tag) = item
                && tag.kind() == TagKind::Video
            {
                let head = video::Head::parse(tag.data()).unwrap();
                payloads.push(tag.data()[head.body..].to_vec());
            }
        }
        payloads
    }

    #[test]
    fn a_recording() {
        let payloads = recorded();
        let record = Record::parse(&payloads[0]).unwrap();
        let full_box = [&[1, 0, 0, 0], payloads[0].as_slice()].concat();
        assert_eq!(Record::parse(&full_box).unwrap(), record);
        let theirs = VpcC::decode_body(&mut &record.to_bytes()[..]).unwrap();
        assert_eq!((record.profile, record.level), (theirs.profile, theirs.level));
        assert_eq!(
            (record.bit_depth, record.subsampling),
            (theirs.bit_depth, theirs.chroma_subsampling)
        );

        let key = Keyframe::parse(&payloads[1]).unwrap();
        assert_eq!((key.width, key.height, key.bit_depth), (192, 108, 8));
        assert_eq!(key.record().codec_string(), "vp09.00.10.08");
        assert_eq!(Keyframe::parse(&payloads[2]), None);
    }

    #[test]
    fn levels_follow_the_size() {
        let mut key = Keyframe::parse(&recorded()[1]).unwrap();
        (key.width, key.height) = (1920, 1080);
        assert_eq!(key.record().level, 40);
        (key.width, key.height) = (u16::MAX, u16::MAX);
        assert_eq!(key.record().level, 62);
    }

    proptest! {
        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..30)) {
            let _ = Keyframe::parse(&data);
            if let Ok(record) = Record::parse(&data) {
                prop_assert_eq!(Record::parse(&record.to_bytes()), Ok(record));
            }
        }
    }
}
