//! AC-3 and Enhanced AC-3: what a synchronisation frame says, the boxes `dac3` and `dec3`.
//!
//! Source: ETSI TS 102 366 (4.3 and E.1.2, the frames; annex F, the boxes).

use alloc::vec;
use alloc::vec::Vec;

use super::bits::{BitReader, OutOfBits};

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// It is of the enhanced kind.
    pub enhanced: bool,
    /// Sampling frequency in Hz.
    pub rate: u32,
    /// Channels, the one for low frequencies included.
    pub channels: u8,
    /// Samples it lasts: 1536, or fewer of the enhanced kind.
    pub length: u16,
    /// Bytes.
    pub size: usize,
    fscod: u8,
    bsid: u8,
    bsmod: u8,
    acmod: u8,
    lfe: bool,
    /// `bit_rate_code`, or kbit/s of the enhanced kind.
    bit_rate: u16,
}

impl Frame {
    /// Reads the frame at the start of `data`. `None` if there is none.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        let bits = &mut BitReader::new(data.strip_prefix(&[0x0B, 0x77])?);
        // bsid is at the same place in both kinds.
        match data.get(5)? >> 3 {
            0..=10 => Self::plain(bits).ok().flatten(),
            11..=16 => Self::enhanced(bits).ok().flatten(),
            _ => None,
        }
    }

    /// What is in the box `dac3` or `dec3`.
    #[must_use]
    pub fn record(&self) -> Vec<u8> {
        let lfe = u8::from(self.lfe);
        if !self.enhanced {
            // fscod(2 bits) bsid(5) bsmod(3) acmod(3) lfeon(1) bit_rate_code(5) reserved(5)
            let [_, code] = self.bit_rate.to_be_bytes();
            return vec![
                self.fscod << 6 | self.bsid << 1 | self.bsmod >> 2,
                (self.bsmod & 3) << 6 | self.acmod << 3 | lfe << 2 | code >> 3,
                (code & 7) << 5,
            ];
        }
        // data_rate(13 bits) num_ind_sub(3)=0, then fscod(2) bsid(5) 0 asvc(1) bsmod(3) acmod(3)
        // lfeon(1) 000 num_dep_sub(4)=0 0
        let [rate1, rate0] = self.bit_rate.saturating_mul(8).to_be_bytes();
        vec![
            rate1,
            rate0,
            self.fscod << 6 | self.bsid << 1,
            self.bsmod << 4 | self.acmod << 1 | lfe,
            0,
        ]
    }

    fn plain(bits: &mut BitReader<'_>) -> Result<Option<Self>, OutOfBits> {
        bits.skip(16)?; // crc1
        let (fscod, size_code) = (bits.byte(2)?, bits.byte(6)?);
        let (bsid, bsmod, acmod) = (bits.byte(5)?, bits.byte(3)?, bits.byte(3)?);
        if acmod & 1 != 0 && acmod != 1 {
            bits.skip(2)?; // cmixlev
        }
        if acmod & 4 != 0 {
            bits.skip(2)?; // surmixlev
        }
        if acmod == 2 {
            bits.skip(2)?; // dsurmod
        }
        let lfe = bits.flag()?;
        let kilobits = KILOBITS.get(usize::from(size_code >> 1)).copied();
        let (Some(rate), Some(kilobits)) = (frequency(fscod), kilobits) else { return Ok(None) };
        // Words of two bytes in 1536 samples; at 44.1 kHz every other frame is one word longer.
        let words = u32::from(kilobits).saturating_mul(96_000).checked_div(rate).unwrap_or(0);
        let odd = u32::from(size_code & 1) & u32::from(fscod == 1);
        let size = words.saturating_add(odd).saturating_mul(2);
        Ok(Some(Self {
            enhanced: false,
            rate,
            channels: channels_of(acmod).saturating_add(u8::from(lfe)),
            length: 1536,
            size: usize::try_from(size).unwrap_or(usize::MAX),
            fscod,
            bsid,
            bsmod,
            acmod,
            lfe,
            bit_rate: u16::from(size_code >> 1),
        }))
    }

    fn enhanced(bits: &mut BitReader<'_>) -> Result<Option<Self>, OutOfBits> {
        bits.skip(5)?; // strmtyp, substreamid
        let size = bits.bits(11)?.saturating_add(1).saturating_mul(2);
        let fscod = bits.byte(2)?;
        let (rate, blocks) = if fscod == 3 {
            (frequency(bits.byte(2)?).map(|rate| rate / 2), 6)
        } else {
            (frequency(fscod), [1, 2, 3, 6].get(usize::from(bits.byte(2)?)).copied().unwrap_or(6))
        };
        let Some(rate) = rate else { return Ok(None) };
        let acmod = bits.byte(3)?;
        let lfe = bits.flag()?;
        let bsid = bits.byte(5)?;
        let length = 256u16.saturating_mul(blocks);
        let kilobits = u64::from(size)
            .saturating_mul(8)
            .saturating_mul(rate.into())
            .checked_div(u64::from(length).saturating_mul(1000))
            .unwrap_or(0);
        Ok(Some(Self {
            enhanced: true,
            rate,
            channels: channels_of(acmod).saturating_add(u8::from(lfe)),
            length,
            size: usize::try_from(size).unwrap_or(usize::MAX),
            fscod,
            bsid,
            bsmod: 0,
            acmod,
            lfe,
            bit_rate: u16::try_from(kilobits).unwrap_or(u16::MAX).min(0x1FFF),
        }))
    }
}

fn frequency(fscod: u8) -> Option<u32> {
    [48_000, 44_100, 32_000].get(usize::from(fscod)).copied()
}

/// Table 4.3; 0 is two independent channels.
fn channels_of(acmod: u8) -> u8 {
    [2, 1, 2, 3, 3, 4, 4, 5].get(usize::from(acmod)).copied().unwrap_or(2)
}

/// Table 4.13: kbit/s by `frmsizecod` / 2.
const KILOBITS: [u16; 19] =
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_frame() {
        // 48 kHz, 64 kbit/s, bsid 8, stereo.
        let frame = Frame::parse(&[0x0B, 0x77, 0, 0, 0x08, 0x40, 0x40, 0]).unwrap();
        assert_eq!((frame.rate, frame.channels, frame.length), (48_000, 2, 1536));
        assert_eq!(frame.size, 256);
        assert_eq!(frame.record(), [0x10, 0x10, 0x80]);
        // 44.1 kHz, odd code, five channels and low frequencies.
        let frame = Frame::parse(&[0x0B, 0x77, 0, 0, 0x5D, 0x40, 0xE1, 0]).unwrap();
        assert_eq!((frame.rate, frame.channels, frame.size), (44_100, 6, 1672));
    }

    #[test]
    fn an_enhanced_frame() {
        // Independent, 512 bytes, 48 kHz, six blocks, stereo, bsid 16.
        let frame = Frame::parse(&[0x0B, 0x77, 0x00, 0xFF, 0x34, 0x80]).unwrap();
        assert!(frame.enhanced);
        assert_eq!((frame.rate, frame.channels, frame.length, frame.size), (48_000, 2, 1536, 512));
        assert_eq!(frame.record(), [0x04, 0x00, 0x20, 0x04, 0]);
    }

    proptest! {
        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Some(frame) = Frame::parse(&[&[0x0B, 0x77], data.as_slice()].concat()) {
                prop_assert!(frame.rate >= 16_000 && frame.size > 0 && frame.length >= 256);
                let _ = frame.record();
            }
        }
    }
}
