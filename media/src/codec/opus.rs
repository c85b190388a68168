//! Opus: the identification header, the length of a packet, silence.
//!
//! Sources: RFC 6716 (3, packets), RFC 7845 (5.1, the header) and "Encapsulation of Opus in ISO Base
//! Media File Format" (4.3.2, the box `dOps`).

use alloc::vec;
use alloc::vec::Vec;

use super::Error;

/// Opus counts time at this rate, whatever was recorded.
pub const RATE: u32 = 48_000;

/// An identification header, `OpusHead`: what FLV calls the sequence header.
///
/// ```text
/// "OpusHead" version(1) channels(1) pre-skip(2) input rate(4) gain(2) mapping(1) [ table ]
/// ```
/// All numbers are little-endian; `dOps` has the same fields big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Channels.
    pub channels: u8,
    /// Samples at the beginning of the sequence that are not heard.
    pub pre_skip: u16,
    /// What was recorded, in Hz.
    pub input_rate: u32,
    /// Gain in 1/256 dB.
    pub gain: u16,
    /// `channel mapping family`; 0 is mono or stereo in one stream.
    pub family: u8,
    /// The mapping table; empty for family 0.
    pub table: Vec<u8>,
}

impl Head {
    /// The header of a sequence that has none.
    #[must_use]
    pub fn of_channels(channels: u8) -> Self {
        Self { channels, pre_skip: 0, input_rate: RATE, gain: 0, family: 0, table: Vec::new() }
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`Error::NotIt`], [`Error::Truncated`] or [`Error::OutOfRange`].
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let fields = data.strip_prefix(b"OpusHead").ok_or(Error::NotIt)?;
        let (&[version, channels, p0, p1, r0, r1, r2, r3, g0, g1, family], rest) =
            fields.split_first_chunk().ok_or(Error::Truncated)?;
        // The upper half of the version breaks compatibility.
        if version >= 16 || channels == 0 || (family == 0 && channels > 2) {
            return Err(Error::OutOfRange);
        }
        let mut table = Vec::new();
        if family > 0 {
            let len = usize::from(channels).saturating_add(2);
            table.extend_from_slice(rest.get(..len).ok_or(Error::Truncated)?);
        }
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([p0, p1]),
            input_rate: u32::from_le_bytes([r0, r1, r2, r3]),
            gain: u16::from_le_bytes([g0, g1]),
            family,
            table,
        })
    }

    /// What is in the box `dOps`.
    #[must_use]
    pub fn record(&self) -> Vec<u8> {
        let mut record = vec![0, self.channels];
        record.extend_from_slice(&self.pre_skip.to_be_bytes());
        record.extend_from_slice(&self.input_rate.to_be_bytes());
        record.extend_from_slice(&self.gain.to_be_bytes());
        record.push(self.family);
        record.extend_from_slice(&self.table);
        record
    }
}

/// Samples at 48 kHz that a packet lasts (RFC 6716, 3.1 and 3.2); `None` if it is malformed.
#[must_use]
pub fn packet_length(packet: &[u8]) -> Option<u16> {
    let &toc = packet.first()?;
    let frame: u16 = match (toc >> 3, toc >> 3 & 3) {
        (0..=11, 0) => 480,
        (0..=11, 1) => 960,
        (0..=11, 2) => 1920,
        (0..=11, _) => 2880,
        (12..=15, size) => {
            if size & 1 == 0 {
                480
            } else {
                960
            }
        }
        (_, 0) => 120,
        (_, 1) => 240,
        (_, 2) => 480,
        (_, _) => 960,
    };
    let count: u16 = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => (packet.get(1)? & 0x3F).into(),
    };
    frame.checked_mul(count).filter(|length| (1..=MAX_LENGTH).contains(length))
}

/// Whether a packet says that it is stereo.
#[must_use]
pub fn is_stereo(packet: &[u8]) -> bool {
    packet.first().is_some_and(|toc| toc & 4 != 0)
}

/// A packet of silence that lasts `length` samples: frames of the CELT coder that say they are
/// silent. `None` for a length that cannot be.
#[must_use]
pub fn silence(length: u16) -> Option<Vec<u8>> {
    const FULL_BAND: u8 = 28 << 3;
    let (size, frame) = match length {
        120 | 240 | 480 => (length / 240, length),
        _ => (3, 960),
    };
    let count = length.checked_div(frame).filter(|count| frame.saturating_mul(*count) == length)?;
    let [_, size] = size.to_be_bytes();
    let [_, count] = count.to_be_bytes();
    match count {
        0 => None,
        1 => Some([&[FULL_BAND | size << 3][..], &SILENT].concat()),
        _ if length <= MAX_LENGTH => {
            let mut packet = vec![FULL_BAND | size << 3 | 3, count];
            for _ in 0..count {
                packet.extend_from_slice(&SILENT);
            }
            Some(packet)
        }
        _ => None,
    }
}

/// A CELT frame with its silence flag set.
const SILENT: [u8; 2] = [0xFF, 0xFE];
/// 120 ms.
const MAX_LENGTH: u16 = 5760;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_table_2() {
        assert_eq!(packet_length(&[0]), Some(480), "SILK 10 ms");
        assert_eq!(packet_length(&[3 << 3]), Some(2880), "SILK 60 ms");
        assert_eq!(packet_length(&[13 << 3 | 1]), Some(1920), "two hybrid frames of 20 ms");
        assert_eq!(packet_length(&[28 << 3]), Some(120), "CELT 2.5 ms");
        assert_eq!(packet_length(&[31 << 3 | 3, 6]), Some(5760));
        assert_eq!(packet_length(&[31 << 3 | 3, 7]), None, "over 120 ms");
        assert_eq!(packet_length(&[31 << 3 | 3]), None);
        assert_eq!(packet_length(&[]), None);
    }

    #[test]
    fn silence_lasts_as_long_as_it_is_asked_to() {
        for length in [120, 240, 480, 960, 1920, 2880, 5760] {
            assert_eq!(packet_length(&silence(length).unwrap()), Some(length));
        }
        assert_eq!(silence(960).unwrap(), [0xF8, 0xFF, 0xFE]);
        assert!(silence(0).is_none() && silence(100).is_none() && silence(6720).is_none());
    }

    #[test]
    fn the_header_turns_around() {
        let head = Head::parse(b"OpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0").unwrap();
        assert_eq!((head.channels, head.pre_skip, head.input_rate), (2, 312, 48_000));
        assert_eq!(head.record(), [0, 2, 1, 0x38, 0, 0, 0xBB, 0x80, 0, 0, 0]);
        let surround = b"OpusHead\x01\x03\0\0\x80\xBB\0\0\0\0\x01\x02\x01\0\x02\x01";
        assert_eq!(Head::parse(surround).unwrap().record().len(), 16);
        assert_eq!(Head::parse(&surround[..20]), Err(Error::Truncated));
        assert_eq!(Head::parse(b"OpusTags"), Err(Error::NotIt));
    }

    proptest! {
        #[test]
        fn any_bytes_any_length(data in prop::collection::vec(any::<u8>(), 0..40), length in any::<u16>()) {
            let _ = packet_length(&data);
            let _ = Head::parse(&[b"OpusHead", data.as_slice()].concat());
            if let Some(packet) = silence(length) {
                prop_assert_eq!(packet_length(&packet), Some(length));
            }
        }
    }
}
