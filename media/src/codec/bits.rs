//! Reading and writing bits, most significant first.

use alloc::vec::Vec;

/// The data ended inside a field, or a field is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfBits;

/// A cursor over the bits of a slice.
#[derive(Clone, Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Skips the 03 that keeps start codes out of H.264 and H.265 NAL units (7.4.1).
    emulation_prevention: bool,
    /// Zero bytes directly before the next byte.
    zeros: u8,
    current: u8,
    /// Bits of `current` not yet read.
    left: u8,
}

impl<'a> BitReader<'a> {
    /// Reads plain bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, emulation_prevention: false, zeros: 0, current: 0, left: 0 }
    }

    /// Reads the payload of a NAL unit.
    pub(crate) fn nal(bytes: &'a [u8]) -> Self {
        Self { emulation_prevention: true, ..Self::new(bytes) }
    }

    /// One bit.
    pub(crate) fn flag(&mut self) -> Result<bool, OutOfBits> {
        if self.left == 0 {
            self.current = self.next_byte().ok_or(OutOfBits)?;
            self.left = 8;
        }
        self.left = self.left.wrapping_sub(1);
        Ok(self.current >> self.left & 1 == 1)
    }

    /// `count` bits, at most 32, as a number.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, OutOfBits> {
        let mut value: u32 = 0;
        for _ in 0..count.min(32) {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    /// At most 8 bits as a byte.
    pub(crate) fn byte(&mut self, count: u32) -> Result<u8, OutOfBits> {
        let [.., byte] = self.bits(count.min(8))?.to_be_bytes();
        Ok(byte)
    }

    /// Passes over `count` bits.
    pub(crate) fn skip(&mut self, count: u32) -> Result<(), OutOfBits> {
        for _ in 0..count {
            self.flag()?;
        }
        Ok(())
    }

    /// `ue(v)`: an unsigned Exp-Golomb number (H.264, 9.1).
    pub(crate) fn ue(&mut self) -> Result<u32, OutOfBits> {
        let mut zeros: u32 = 0;
        while !self.flag()? {
            zeros = zeros.wrapping_add(1);
            // 32 zeros would begin 2³²−1 or more, which no field may hold.
            if zeros > 31 {
                return Err(OutOfBits);
            }
        }
        let base = 1u32.checked_shl(zeros).unwrap_or(0).wrapping_sub(1);
        Ok(base.wrapping_add(self.bits(zeros)?))
    }

    /// `se(v)`: a signed Exp-Golomb number (H.264, 9.1.1).
    pub(crate) fn se(&mut self) -> Result<i32, OutOfBits> {
        let code = self.ue()?;
        let magnitude = i32::try_from(code.div_ceil(2)).map_err(|_| OutOfBits)?;
        Ok(if code % 2 == 1 { magnitude } else { magnitude.wrapping_neg() })
    }

    /// Moves on to the next byte boundary.
    pub(crate) fn align(&mut self) {
        self.left = 0;
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        let mut byte = first;
        if self.emulation_prevention && self.zeros >= 2 && byte == 3 {
            let (&second, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            self.zeros = 0;
            byte = second;
        }
        self.zeros = if byte == 0 { self.zeros.saturating_add(1) } else { 0 };
        Some(byte)
    }
}

/// A reader that gives zeros behind the end, and tells at last whether it had to: for who reads much and
/// understands nothing of what is cut off.
pub(crate) struct Patient<'a> {
    bits: BitReader<'a>,
    over: bool,
}

impl<'a> Patient<'a> {
    /// Reads the payload of a NAL unit.
    pub(crate) fn nal(bytes: &'a [u8]) -> Self {
        Self { bits: BitReader::nal(bytes), over: false }
    }

    /// One bit.
    pub(crate) fn flag(&mut self) -> bool {
        self.read(BitReader::flag)
    }

    /// `count` bits, at most 32, as a number.
    pub(crate) fn bits(&mut self, count: u32) -> u32 {
        self.read(|bits| bits.bits(count))
    }

    /// At most 8 bits as a byte.
    pub(crate) fn byte(&mut self, count: u32) -> u8 {
        let [.., byte] = self.bits(count.min(8)).to_be_bytes();
        byte
    }

    /// `ue(v)`.
    #[inline(never)]
    pub(crate) fn ue(&mut self) -> u32 {
        self.read(BitReader::ue)
    }

    /// `se(v)`.
    pub(crate) fn se(&mut self) -> i32 {
        self.read(BitReader::se)
    }

    /// Reads with what reads without patience.
    pub(crate) fn read<T: Default>(
        &mut self,
        read: impl FnOnce(&mut BitReader<'a>) -> Result<T, OutOfBits>,
    ) -> T {
        read(&mut self.bits).unwrap_or_else(|OutOfBits| {
            self.over = true;
            T::default()
        })
    }

    /// Whether all that was read was there.
    pub(crate) fn check(&self) -> Result<(), OutOfBits> {
        if self.over { Err(OutOfBits) } else { Ok(()) }
    }
}

/// Writes bits, most significant first.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    current: u8,
    used: u8,
}

impl BitWriter {
    /// Appends the low `count` bits of `value`; above 32 bits, zeros come first.
    pub(crate) fn push(&mut self, value: u32, count: u32) {
        for shift in (0..count).rev() {
            let [.., bit] = (value.checked_shr(shift).unwrap_or(0) & 1).to_be_bytes();
            self.current = self.current << 1 | bit;
            self.used = self.used.wrapping_add(1);
            if self.used == 8 {
                self.bytes.push(self.current);
                self.current = 0;
                self.used = 0;
            }
        }
    }

    /// Appends the low `count` bits of a signed number.
    #[cfg(feature = "codecs")]
    pub(crate) fn push_signed(&mut self, value: i32, count: u32) {
        self.push(value.cast_unsigned(), count);
    }

    /// The whole bytes so far.
    #[cfg(feature = "codecs")]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes, the last one filled with zeros.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        while self.used != 0 {
            self.push(0, 1);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exp_golomb_table_9_2() {
        // 1, 010, 011, 00100, 00101, 00110, 00111, 0001000
        let bytes = [0b1010_0110, 0b0100_0010, 0b1001_1000, 0b1110_0010, 0b0000_0000];
        let mut bits = BitReader::new(&bytes);
        let codes: Vec<u32> = (0..8).map(|_| bits.ue().unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
        let mut bits = BitReader::new(&bytes);
        let codes: Vec<i32> = (0..8).map(|_| bits.se().unwrap()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2, 3, -3, 4]);
    }

    #[test]
    fn the_longest_code() {
        let mut bits = BitReader::new(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(bits.ue(), Ok(u32::MAX - 1));
        let mut bits = BitReader::new(&[0, 0, 0, 0, 0x80, 0, 0, 0, 0]);
        assert_eq!(bits.ue(), Err(OutOfBits));
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        let mut bits = BitReader::nal(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3]);
        let bytes: Vec<u8> = (0..8).map(|_| bits.byte(8).unwrap()).collect();
        assert_eq!(bytes, [0, 0, 1, 0, 0, 0, 0, 3]);
        assert_eq!(bits.flag(), Err(OutOfBits));
    }

    #[test]
    fn aligning() {
        let mut bits = BitReader::new(&[0xFF, 0x01]);
        bits.skip(3).unwrap();
        bits.align();
        bits.align();
        assert_eq!(bits.bits(8), Ok(1));
        assert_eq!(bits.bits(32), Err(OutOfBits));
    }

    proptest! {
        #[test]
        fn any_bytes_any_reads_end(bytes in prop::collection::vec(any::<u8>(), 0..40), reads in prop::collection::vec(0u32..40, 0..80)) {
            let mut bits = BitReader::nal(&bytes);
            for read in reads {
                let _ = match read {
                    33..=36 => bits.ue().map(drop),
                    37..=39 => bits.se().map(drop),
                    count => bits.bits(count).map(drop),
                };
            }
            let mut left = 0;
            while bits.flag().is_ok() {
                left += 1;
            }
            prop_assert!(left <= bytes.len() * 8);
        }
    }
}
