//! NAL units, of which H.264 and H.265 are made: behind lengths or start codes.

use alloc::vec::Vec;

use super::avc;
use super::bits::BitReader;

/// The NAL units of an FLV or MP4 sample: each behind its length (ISO/IEC 14496-15, 5.3.4.2.1).
///
/// Zero-length units are given as empty slices. Fewer bytes than a length at the end are ignored if
/// they are zero; anything else that does not fit is an [`Overrun`], after which nothing follows.
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    rest: &'a [u8],
    length_size: u8,
}

/// A length says more bytes than there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun;

impl<'a> NalUnits<'a> {
    /// The units of `sample`, with lengths of `length_size` bytes (1 to 4).
    #[must_use]
    pub fn new(sample: &'a [u8], length_size: u8) -> Self {
        Self { rest: sample, length_size: length_size.clamp(1, 4) }
    }
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = Result<&'a [u8], Overrun>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = core::mem::take(&mut self.rest);
        let Some((length, after)) = rest.split_at_checked(self.length_size.into()) else {
            return rest.iter().any(|&byte| byte != 0).then_some(Err(Overrun));
        };
        let length = length.iter().fold(0u32, |value, &byte| value << 8 | u32::from(byte));
        match after.split_at_checked(usize::try_from(length).unwrap_or(usize::MAX)) {
            Some((unit, after)) => {
                self.rest = after;
                Some(Ok(unit))
            }
            None => Some(Err(Overrun)),
        }
    }
}

/// The NAL units of a byte stream with start codes (H.264, annex B), without trailing zeros.
#[derive(Clone, Debug)]
pub struct AnnexB<'a> {
    rest: &'a [u8],
}

impl<'a> AnnexB<'a> {
    /// The units after the first start code of `stream`.
    #[must_use]
    pub fn new(stream: &'a [u8]) -> Self {
        Self { rest: split_at_start_code(stream).1 }
    }
}

impl<'a> Iterator for AnnexB<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (unit, rest) = split_at_start_code(self.rest);
            self.rest = rest;
            let end = unit.iter().rposition(|&byte| byte != 0).map_or(0, |at| at.wrapping_add(1));
            match unit.get(..end) {
                Some(unit) if !unit.is_empty() => return Some(unit),
                _ => {}
            }
        }
        None
    }
}

/// Whether data begins with a start code of three or four bytes.
#[must_use]
pub fn is_annex_b(data: &[u8]) -> bool {
    data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])
}

/// Shows `look` the NAL units of a sample, whether they are behind lengths or start codes; none if
/// neither fits.
pub fn each_unit<'a>(sample: &'a [u8], length_size: u8, look: &mut dyn FnMut(&'a [u8])) {
    if NalUnits::new(sample, length_size).all(|unit| unit.is_ok()) {
        NalUnits::new(sample, length_size).flatten().for_each(look);
    } else if is_annex_b(sample) {
        AnnexB::new(sample).for_each(look);
    }
}

/// The codecs made of NAL units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nal {
    /// H.264: a header of one byte.
    Avc,
    /// H.265: a header of two.
    #[cfg(feature = "codecs")]
    Hevc,
}

impl Nal {
    /// `nal_unit_type`.
    #[must_use]
    pub fn unit_type(self, unit: &[u8]) -> Option<u8> {
        let &header = unit.first()?;
        Some(match self {
            Self::Avc => header & 0x1F,
            #[cfg(feature = "codecs")]
            Self::Hevc => header >> 1 & 0x3F,
        })
    }

    /// What `unit` holds behind its header, without the 03 that keeps start codes out (7.4.1).
    #[must_use]
    pub fn payload(self, unit: &[u8]) -> Vec<u8> {
        let header = match self {
            Self::Avc => 1,
            #[cfg(feature = "codecs")]
            Self::Hevc => 2,
        };
        let mut plain = Vec::with_capacity(unit.len());
        let mut zeros: u8 = 0;
        for &byte in unit.get(header..).unwrap_or_default() {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros.saturating_add(1) } else { 0 };
            plain.push(byte);
        }
        plain
    }

    /// Whether `unit` is a slice of a picture at which decoding can start.
    #[must_use]
    pub fn is_idr(self, unit: &[u8]) -> bool {
        match self {
            Self::Avc => self.unit_type(unit) == Some(5),
            // IDR and CRA; broken links do not come out of encoders.
            #[cfg(feature = "codecs")]
            Self::Hevc => matches!(self.unit_type(unit), Some(19..=21)),
        }
    }

    /// What a parameter set is, and its id: a later one of the same replaces it. `None` for any
    /// other NAL unit.
    #[must_use]
    pub fn parameter_set(self, unit: &[u8]) -> Option<(u8, u32)> {
        let kind = self.unit_type(unit)?;
        match self {
            Self::Avc => {
                let mut bits = BitReader::nal(unit.get(1..)?);
                match kind {
                    avc::SPS => bits.skip(24).ok()?, // profile, constraints, level
                    avc::PPS => {}
                    _ => return None,
                }
                Some((kind, bits.ue().ok()?))
            }
            #[cfg(feature = "codecs")]
            Self::Hevc => super::hevc::parameter_set_id(unit).map(|id| (kind, id)),
        }
    }
}

/// What is before the first 00 00 01, and what is after it.
fn split_at_start_code(data: &[u8]) -> (&[u8], &[u8]) {
    let code = data.windows(3).position(|window| window == [0, 0, 1]);
    let Some((before, after)) = code.and_then(|at| data.split_at_checked(at)) else {
        return (data, &[]);
    };
    (before, after.get(3..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_each_size() {
        for size in 1..=4u8 {
            let mut sample = Vec::new();
            for unit in [&b"\x65abc"[..], b"", b"\x41"] {
                let length = (unit.len() as u32).to_be_bytes();
                sample.extend_from_slice(&length[4 - usize::from(size)..]);
                sample.extend_from_slice(unit);
            }
            let units: Vec<_> = NalUnits::new(&sample, size).map(Result::unwrap).collect();
            assert_eq!(units, [&b"\x65abc"[..], b"", b"\x41"]);
        }
    }

    #[test]
    fn a_length_past_the_end_ends_the_sample() {
        let units: Vec<_> = NalUnits::new(&[0, 0, 0, 1, 9, 0, 0, 0, 9, 1], 4).collect();
        assert_eq!(units, [Ok(&[9u8][..]), Err(Overrun)]);
        let units: Vec<_> = NalUnits::new(&[0, 0, 0, 1, 9, 7], 4).collect();
        assert_eq!(units, [Ok(&[9u8][..]), Err(Overrun)]);
    }

    #[test]
    fn zeros_behind_the_last_unit_are_padding() {
        let units: Vec<_> = NalUnits::new(&[0, 0, 0, 1, 9, 0, 0], 4).collect();
        assert_eq!(units, [Ok(&[9u8][..])]);
    }

    #[test]
    fn start_codes_of_both_kinds() {
        let stream = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 2, 0, 0, 0, 1, 0, 0, 1, 0x41];
        assert!(is_annex_b(&stream));
        let units: Vec<_> = AnnexB::new(&stream).collect();
        assert_eq!(units, [&[0x67u8, 1][..], &[0x65, 2], &[0x41]]);
        let is_idr = |unit| Nal::Avc.is_idr(unit);
        assert!(is_idr(units[1]) && !is_idr(units[2]) && !is_idr(&[]));
    }

    proptest! {
        #[test]
        fn any_bytes_end(data in prop::collection::vec(prop_oneof![2 => 0u8..3, 1 => any::<u8>()], 0..200), size in 0u8..6) {
            prop_assert!(NalUnits::new(&data, size).count() <= data.len());
            prop_assert!(AnnexB::new(&data).map(<[u8]>::len).sum::<usize>() <= data.len());
        }
    }
}
