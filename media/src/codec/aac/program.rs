use alloc::vec::Vec;

use super::config::{PS, SBR};
use crate::codec::bits::{BitReader, BitWriter};

/// A configuration whose channels a program config element lists (ISO/IEC 14496-3, 4.4.1.1), made
/// fit for browsers: Chromium takes numbered configurations only.
///
/// Where the elements are those of a numbered configuration, in its order, its frames are, too. Else
/// the list goes in front of each frame, where decoders look for it, and the number is one of as many
/// channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The AudioSpecificConfig with a number in place of the list.
    pub config: Vec<u8>,
    /// How many channels are listed.
    pub channels: u8,
    /// What goes in front of each frame: whole bytes, or nothing.
    pub prefix: Vec<u8>,
}

impl Program {
    /// Reads an AudioSpecificConfig. `None` if it lists no channels.
    #[must_use]
    pub fn parse(source: &[u8]) -> Option<Self> {
        let mut list = Copy::of(source);
        if list.head(0) != 0 {
            return None;
        }
        list.to = BitWriter::default();
        let (channels, is_standard) = list.elements();
        if channels == 0 || !list.is_whole {
            return None;
        }
        let mut config = Copy::of(source);
        config.head(channels.min(7).into());
        config.from = list.from;
        while config.is_whole {
            config.bits(1);
        }
        let mut prefix = Vec::new();
        if !is_standard {
            prefix = list.to.finish();
            prefix.push(0); // No comment.
        }
        Some(Self { config: config.to.finish(), channels, prefix })
    }
}

/// Copies bits, and says what they are.
struct Copy<'a> {
    from: BitReader<'a>,
    to: BitWriter,
    /// What was asked for was there.
    is_whole: bool,
}

impl<'a> Copy<'a> {
    fn of(source: &'a [u8]) -> Self {
        Self { from: BitReader::new(source), to: BitWriter::default(), is_whole: true }
    }

    /// The last 32 of `count` bits; 0 if they are not there.
    #[inline(never)]
    fn bits(&mut self, count: u32) -> u32 {
        let mut value = 0;
        for _ in 0..count {
            let bit = self.from.flag();
            self.is_whole &= bit.is_ok();
            if let Ok(bit) = bit {
                value = value << 1 | u32::from(bit);
                self.to.push(bit.into(), 1);
            }
        }
        if self.is_whole { value } else { 0 }
    }

    /// Copies what is in front of the list, with `number` for the channel configuration. Gives the one
    /// that was there.
    fn head(&mut self, number: u32) -> u32 {
        let object_type = self.bits(5);
        if object_type == ESCAPE {
            return object_type; // None of those lists its channels here.
        }
        self.frequency();
        let found = self.from.bits(4).unwrap_or(ESCAPE);
        self.to.push(number, 4);
        if object_type == u32::from(SBR) || object_type == u32::from(PS) {
            self.frequency();
            self.bits(5);
        }
        self.bits(1); // frameLengthFlag
        if self.bits(1) == 1 {
            self.bits(14); // coreCoderDelay
        }
        self.bits(1); // extensionFlag
        found
    }

    fn frequency(&mut self) {
        if self.bits(4) == 15 {
            self.bits(24);
        }
    }

    /// Copies the list, as an element of a frame, up to its comment. Gives the number of channels, and
    /// whether they are what that number stands for.
    fn elements(&mut self) -> (u8, bool) {
        self.to.push(ID_PCE.into(), 3);
        self.bits(10); // element_instance_tag, object_type, sampling_frequency_index
        let front = self.bits(4);
        let full = front.saturating_add(self.bits(4)).saturating_add(self.bits(4));
        let (low, data, coupling) = (self.bits(2), self.bits(3), self.bits(4));
        for mixdown_bits in [4, 4, 3] {
            if self.bits(1) == 1 {
                self.bits(mixdown_bits);
            }
        }
        let (mut channels, mut elements): (u8, u64) = (0, 0);
        for at in 0..full.saturating_add(low) {
            let kind = if at < full { self.bits(1).saturating_add(1) } else { LOW_FREQUENCY };
            channels = channels.saturating_add(if kind == PAIR { 2 } else { 1 });
            elements = elements << 8 | u64::from(kind << 4 | self.bits(4));
        }
        self.bits(data.saturating_mul(4).saturating_add(coupling.saturating_mul(5)));
        self.from.align();
        let comment = self.from.bits(8).unwrap_or(0);
        self.is_whole &= self.from.skip(comment.saturating_mul(8)).is_ok();
        // Of eight channels four may be beside those in the middle.
        let placed = front == full.min(2) || (front, full) == (3, 4);
        (channels, STANDARD.contains(&elements) && placed && coupling == 0)
    }
}

/// What the numbers from 1 to 7 stand for (table 1.19): of each element its kind and its tag.
const STANDARD: [u64; 7] = [0x10, 0x20, 0x1020, 0x10_2011, 0x10_2021, 0x1020_2130, 0x10_2021_2230];
/// Two channels, of one it is 1.
const PAIR: u32 = 2;
const LOW_FREQUENCY: u32 = 3;
/// Object types from 32 on begin with this.
const ESCAPE: u32 = 31;
/// `id_syn_ele` of a program config element.
pub const ID_PCE: u8 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::AudioSpecificConfig;
    use super::*;

    /// Low complexity at 48 kHz; the elements in front, beside, behind: `1` a single one, `2` a pair.
    fn config(front: &str, side: &str, back: &str, low: u32) -> Vec<u8> {
        tagged(front, side, back, low, 0)
    }

    /// The same, with tags of pairs from `tag` on.
    fn tagged(front: &str, side: &str, back: &str, low: u32, tag: u32) -> Vec<u8> {
        let mut bits = BitWriter::default();
        for (value, count) in [(2, 5), (3, 4), (0, 4), (0, 3), (0, 4), (1, 2), (3, 4)] {
            bits.push(value, count);
        }
        for part in [front, side, back] {
            bits.push(part.len().try_into().unwrap(), 4);
        }
        for (value, count) in [(low, 2), (0, 3), (0, 4), (0, 3)] {
            bits.push(value, count);
        }
        let mut tags = [0, tag];
        for element in [front, side, back].concat().bytes() {
            let pair = usize::from(element == b'2');
            bits.push(pair.try_into().unwrap(), 1);
            bits.push(tags[pair], 4);
            tags[pair] += 1;
        }
        for tag in 0..low {
            bits.push(tag, 4);
        }
        let mut bytes = bits.finish();
        bytes.extend([3, b'a', b'b', b'c', 0x56, 0xE5, 0]);
        bytes
    }

    #[test]
    fn the_elements_of_a_number_are_that_number() {
        for (front, side, back, low, number) in [
            ("1", "", "", 0, 1),
            ("2", "", "", 0, 2),
            ("12", "", "", 0, 3),
            ("12", "", "1", 0, 4),
            ("12", "2", "", 0, 5),
            ("12", "2", "", 1, 6),
            ("12", "", "2", 1, 6),
            ("12", "2", "2", 1, 7),
            ("122", "", "2", 1, 7),
        ] {
            let source = config(front, side, back, low);
            let program = Program::parse(&source).unwrap();
            let parsed = AudioSpecificConfig::parse(&program.config).unwrap();
            assert_eq!(parsed.channel_configuration, number);
            assert_eq!(program.prefix, [0; 0], "{front} {side} {back} {low}");
            assert_eq!(parsed.sbr_frequency, None);
            let listed = AudioSpecificConfig::parse(&source).unwrap();
            assert_eq!(parsed.channels, listed.channels);
        }
    }

    #[test]
    fn others_are_listed_in_front_of_each_frame() {
        for (front, side, back, low, number) in [
            ("2", "", "2", 0, 4),
            ("2", "", "", 1, 3),
            ("122", "", "", 0, 5),
            ("12", "2", "1", 1, 7),
        ] {
            let program = Program::parse(&config(front, side, back, low)).unwrap();
            let parsed = AudioSpecificConfig::parse(&program.config).unwrap();
            assert_eq!(parsed.channel_configuration, number, "{front} {side} {back} {low}");
            assert_eq!(program.prefix[0] >> 5, 5);
            assert_eq!(program.prefix.last(), Some(&0));
        }
        // The elements of a number, with tags that are not.
        let program = Program::parse(&tagged("12", "2", "", 1, 3)).unwrap();
        assert!(!program.prefix.is_empty());
    }

    #[test]
    fn too_many_and_none() {
        assert_eq!(Program::parse(&config("12", "22", "22", 1)).unwrap().channels, 12);
        assert_eq!(Program::parse(&[0x11, 0x90]), None);
        assert_eq!(Program::parse(&[]), None);
    }

    /// An explicit signal of SBR in front is kept, and what follows the list.
    #[test]
    fn what_is_around_the_list_is_kept() {
        let mut bits = BitWriter::default();
        for (value, count) in [(5, 5), (6, 4), (0, 4), (3, 4), (2, 5), (0, 3)] {
            bits.push(value, count);
        }
        for (value, count) in [(0, 10), (1, 4), (0, 17), (0, 3), (1, 1), (0, 4)] {
            bits.push(value, count);
        }
        let mut source = bits.finish();
        source.push(0);
        let program = Program::parse(&source).unwrap();
        let parsed = AudioSpecificConfig::parse(&program.config).unwrap();
        assert_eq!((parsed.object_type, parsed.channel_configuration), (5, 2));
        assert_eq!(parsed.output_frequency(), 48_000);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(program) = Program::parse(&bytes) {
                prop_assert!(!program.config.is_empty() && program.channels > 0);
            }
        }
    }
}
