//! MPEG audio, layer 3: frame headers, silence.
//!
//! Source: ISO/IEC 11172-3 (2.4.2.3) and 13818-3 for the lower sampling frequencies; MPEG 2.5 is a
//! convention.

use alloc::vec::Vec;

/// The header of a frame.
///
/// ```text
/// sync(11 bits)=1 version(2) layer(2)=01 no CRC(1) bit rate(4) rate(2) padding(1) private(1)
/// mode(2) extension(2) copyright(1) original(1) emphasis(2)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Sampling frequency in Hz.
    pub rate: u32,
    /// Channels.
    pub channels: u8,
    /// Samples it lasts: 1152, or 576 at the lower frequencies.
    pub length: u16,
    /// Bytes, header included.
    pub size: usize,
}

impl Frame {
    /// Reads the header at the start of `data`. `None` if there is none of layer 3, or one without
    /// a bit rate.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        let &[b0, b1, b2, b3, ..] = data else { return None };
        let version = b1 >> 3 & 3;
        if b0 != 0xFF || b1 >> 5 != 7 || version == 1 || b1 >> 1 & 3 != 1 {
            return None;
        }
        let whole = version == MPEG_1;
        let rates: [u32; 3] = [44_100, 48_000, 32_000];
        let shift = match version {
            MPEG_1 => 0,
            2 => 1,
            _ => 2,
        };
        let rate = rates.get(usize::from(b2 >> 2 & 3))? >> shift;
        let table = if whole { &BIT_RATES } else { &LOWER_BIT_RATES };
        let kilobits = *table.get(usize::from(b2 >> 4).checked_sub(1)?)?;
        let slots = u32::from(kilobits).saturating_mul(if whole { 144_000 } else { 72_000 });
        let size = slots.checked_div(rate)?.saturating_add(u32::from(b2 >> 1 & 1));
        Some(Self {
            rate,
            channels: if b3 >> 6 == 3 { 1 } else { 2 },
            length: if whole { 1152 } else { 576 },
            size: usize::try_from(size).ok()?,
        })
    }

    /// A frame of silence in the manner of one that begins with `header`: no granule has a value.
    #[must_use]
    pub fn silence(header: [u8; 4]) -> Option<Vec<u8>> {
        let [b0, b1, b2, b3] = header;
        // No CRC, no padding, the lowest bit rate that holds the side information.
        let head = [b0, b1 | 1, 0x40 | b2 & 0x0C, b3];
        let mut frame = head.to_vec();
        frame.resize(Self::parse(&head)?.size, 0);
        Some(frame)
    }
}

const MPEG_1: u8 = 3;
/// kbit/s by `bitrate_index` from 1.
const BIT_RATES: [u16; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOWER_BIT_RATES: [u16; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers() {
        let frame = Frame::parse(&[0xFF, 0xFB, 0x90, 0x00]).unwrap();
        assert_eq!(frame, Frame { rate: 44_100, channels: 2, length: 1152, size: 417 });
        let frame = Frame::parse(&[0xFF, 0xF3, 0x42, 0xC0]).unwrap();
        assert_eq!(frame, Frame { rate: 22_050, channels: 1, length: 576, size: 105 });
        let frame = Frame::parse(&[0xFF, 0xE3, 0x18, 0xC0]).unwrap();
        assert_eq!((frame.rate, frame.size), (8_000, 72));
        for bad in [
            [0xFF, 0xEB, 0x90, 0],
            [0xFF, 0xFD, 0x90, 0],
            [0xFF, 0xFB, 0x0C, 0],
            [0xFF, 0xFB, 0xF0, 0],
        ] {
            assert_eq!(Frame::parse(&bad), None, "{bad:02x?}");
        }
    }

    #[test]
    fn silence_is_of_the_same_kind() {
        for header in [[0xFF, 0xFA, 0x92, 0x44], [0xFF, 0xF3, 0x42, 0xC0]] {
            let (like, silent) = (Frame::parse(&header).unwrap(), Frame::silence(header).unwrap());
            let frame = Frame::parse(&silent).unwrap();
            assert_eq!((frame.rate, frame.channels), (like.rate, like.channels));
            assert_eq!((frame.length, frame.size), (like.length, silent.len()));
        }
    }

    proptest! {
        #[test]
        fn any_header_has_a_size(header in any::<[u8; 4]>()) {
            if let Some(frame) = Frame::parse(&header) {
                prop_assert!(frame.size > 4 && frame.rate >= 8_000 && frame.length >= 576);
            }
        }
    }
}
