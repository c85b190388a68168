use alloc::vec::Vec;

use crate::codec::Error;
use crate::codec::bits::BitReader;

/// A STREAMINFO block (8.2), as far as a player needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// The whole block, without its header.
    pub bytes: [u8; 34],
    /// Sampling frequency in Hz, not 0.
    pub rate: u32,
    /// Channels, 1 to 8.
    pub channels: u8,
    /// Bits per sample, 4 to 32.
    pub bits: u8,
    /// The smallest block, in samples.
    pub min_block: u16,
    /// The largest.
    pub max_block: u16,
}

impl StreamInfo {
    /// A stream of our own: 16 bits, blocks of any size.
    #[must_use]
    pub fn new(rate: u32, channels: u8) -> Self {
        let channels = channels.clamp(1, 8);
        let rate = rate.clamp(1, 0xF_FFFF);
        let mut bytes = [0; 34];
        let (low, high) = (16u16.to_be_bytes(), u16::MAX.to_be_bytes());
        let [_, r2, r1, r0] = (rate << 4).to_be_bytes();
        // rate(20 bits) channels−1(3) bits−1(5) samples(36)=0; sizes of frames and checksum not known
        let depth = 15u8;
        let head = [
            low[0],
            low[1],
            high[0],
            high[1],
            0,
            0,
            0,
            0,
            0,
            0,
            r2,
            r1,
            r0 | channels.saturating_sub(1) << 1 | depth >> 4,
            depth << 4,
        ];
        if let Some(room) = bytes.first_chunk_mut() {
            *room = head;
        }
        Self { bytes, rate, channels, bits: 16, min_block: 16, max_block: u16::MAX }
    }

    /// Reads a sequence header: "fLaC" and metadata blocks, STREAMINFO first; or STREAMINFO alone.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::NotIt`] or [`Error::OutOfRange`].
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let blocks = data.strip_prefix(b"fLaC").unwrap_or(data);
        let block = match blocks {
            [kind, 0, 0, 34, block @ ..] if kind & 0x7F == 0 => block,
            block => block,
        };
        let &bytes = block.first_chunk::<34>().ok_or(Error::Truncated)?;
        let bits = &mut BitReader::new(&bytes);
        let (min_block, max_block) = (bits.bits(16)?, bits.bits(16)?);
        bits.skip(48)?; // frame sizes
        let rate = bits.bits(20)?;
        let channels = bits.byte(3)?.saturating_add(1);
        let depth = bits.byte(5)?.saturating_add(1);
        let size = |size: u32| u16::try_from(size).map_err(|_| Error::OutOfRange);
        if rate == 0 || min_block < 16 || depth < 4 {
            return Err(Error::OutOfRange);
        }
        let (min_block, max_block) = (size(min_block)?, size(max_block)?);
        Ok(Self { bytes, rate, channels, bits: depth, min_block, max_block })
    }

    /// What is in the box `dfLa`, version and flags included.
    #[must_use]
    pub fn record(&self) -> Vec<u8> {
        const LAST_BLOCK: u8 = 0x80;
        [&[0, 0, 0, 0, LAST_BLOCK, 0, 0, 34][..], &self.bytes].concat()
    }
}

/// Samples in the frame at the start of `data`; `None` if there is none.
#[must_use]
pub fn block_size(data: &[u8]) -> Option<u16> {
    let &[0xFF, b1, b2, _, ref rest @ ..] = data else { return None };
    if b1 & 0xFE != 0xF8 {
        return None;
    }
    let code = b2 >> 4;
    Some(match code {
        0 => return None,
        1 => 192,
        2..=5 => 144u16.checked_shl(code.into())?,
        6 | 7 => {
            // The number of the frame or sample comes first, as in UTF-8.
            let len = match rest.first()?.leading_ones() {
                0 => 1,
                ones => ones,
            };
            let size = rest.get(usize::try_from(len).ok()?..)?;
            match (code, size) {
                (6, &[minus_one, ..]) => u16::from(minus_one).saturating_add(1),
                (7, &[high, low, ..]) => u16::from_be_bytes([high, low]).checked_add(1)?,
                _ => return None,
            }
        }
        _ => 1u16.checked_shl(code.into())?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn our_own_stream_reads_back() {
        for (rate, channels) in [(8_000, 1), (44_100, 2), (192_000, 8)] {
            let ours = StreamInfo::new(rate, channels);
            assert_eq!(StreamInfo::parse(&ours.bytes).unwrap(), ours);
            let header = [b"fLaC\x80\0\0\x22", &ours.bytes[..]].concat();
            assert_eq!(StreamInfo::parse(&header).unwrap(), ours);
            assert_eq!(ours.record()[8..], ours.bytes);
        }
        assert_eq!(StreamInfo::parse(b"fLaC\0\0\0\x22"), Err(Error::Truncated));
    }

    #[test]
    fn block_sizes_of_table_14() {
        let size =
            |code: u8, rest: &[u8]| block_size(&[&[0xFF, 0xF8, code << 4, 8], rest].concat());
        assert_eq!(size(1, &[]), Some(192));
        assert_eq!(size(5, &[]), Some(4608));
        assert_eq!(size(8, &[]), Some(256));
        assert_eq!(size(15, &[]), Some(32_768));
        assert_eq!(size(6, &[5, 159]), Some(160));
        assert_eq!(size(7, &[0xC2, 0x80, 0x01, 0x3F]), Some(320), "number of two bytes");
        assert_eq!(size(0, &[]), None);
        assert_eq!(size(7, &[0xC2, 0x80, 0x01]), None);
        assert_eq!(block_size(&[0xFF, 0xFB, 0x90, 0]), None);
    }

    proptest! {
        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..50)) {
            let _ = StreamInfo::parse(&data);
            let _ = block_size(&[&[0xFF, 0xF9], data.as_slice()].concat());
        }
    }
}
