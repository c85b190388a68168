//! Uncompressed sound and G.711, as 16-bit samples.
//!
//! Source: ITU-T G.711 (tables 1a and 2a).

/// How samples are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// G.711 A-law.
    ALaw,
    /// G.711 µ-law.
    MuLaw,
    /// Unsigned bytes.
    Byte,
    /// 16 bits, little-endian.
    Word,
}

impl Coding {
    /// Bytes of a sample.
    #[must_use]
    pub fn size(self) -> usize {
        if self == Self::Word { 2 } else { 1 }
    }

    /// The samples of `data`.
    pub fn decode(self, data: &[u8]) -> impl Iterator<Item = i16> {
        data.chunks_exact(self.size()).map(move |sample| match (self, sample) {
            (Self::ALaw, &[byte, ..]) => a_law(byte),
            (Self::MuLaw, &[byte, ..]) => mu_law(byte),
            (Self::Byte, &[byte, ..]) => i16::from(byte).saturating_sub(128).saturating_mul(256),
            (Self::Word, &[low, high, ..]) => i16::from_le_bytes([low, high]),
            _ => 0,
        })
    }
}

/// Thirteen bits of A-law, at the top of sixteen. Even bits are sent inverted.
fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = (u32::from(byte >> 4 & 7), i16::from(byte & 15));
    let middle = step.saturating_mul(16).saturating_add(8);
    let magnitude = match segment {
        0 => middle,
        _ => middle.saturating_add(256).saturating_mul(1 << segment.saturating_sub(1).min(6)),
    };
    if byte & 0x80 == 0 { magnitude.saturating_neg() } else { magnitude }
}

/// Fourteen bits of µ-law, at the top of sixteen. All bits are sent inverted.
fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let (segment, step) = (u32::from(byte >> 4 & 7), i16::from(byte & 15));
    let biased = step.saturating_mul(8).saturating_add(BIAS).saturating_mul(1 << segment.min(7));
    let magnitude = biased.saturating_sub(BIAS);
    if byte & 0x80 == 0 { magnitude } else { magnitude.saturating_neg() }
}

const BIAS: i16 = 132;

#[cfg(test)]
mod tests {
    use super::*;

    fn one(coding: Coding, data: &[u8]) -> i16 {
        coding.decode(data).next().unwrap()
    }

    #[test]
    fn the_ends_and_the_middle_of_each_law() {
        assert_eq!(one(Coding::ALaw, &[0xD5]), 8);
        assert_eq!(one(Coding::ALaw, &[0x55]), -8);
        assert_eq!(one(Coding::ALaw, &[0xAA]), 32_256);
        assert_eq!(one(Coding::ALaw, &[0x2A]), -32_256);
        assert_eq!(one(Coding::MuLaw, &[0xFF]), 0);
        assert_eq!(one(Coding::MuLaw, &[0x80]), 32_124);
        assert_eq!(one(Coding::MuLaw, &[0x00]), -32_124);
    }

    #[test]
    fn uncompressed_samples() {
        assert_eq!(Coding::Byte.decode(&[0, 128, 255]).collect::<Vec<_>>(), [-32_768, 0, 32_512]);
        let words: Vec<_> = Coding::Word.decode(&[1, 0, 0, 0x80, 9]).collect();
        assert_eq!(words, [1, -32_768], "half a sample is left out");
    }
}
