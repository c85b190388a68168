use alloc::vec;
use alloc::vec::Vec;

use super::super::bits::BitReader;
use super::{PPS, ProfileTierLevel, SPS, Sps, VPS};
use crate::codec::Error;

/// An `HEVCDecoderConfigurationRecord`: what FLV calls the sequence header and MP4 `hvcC`.
///
/// ```text
/// version(1)=1 profile tier level(12) segmentation(2) parallelism(1) chroma(1) depths(2)
/// frame rate(2) layers, length size−1(1) arrays(1) *( type(1) count(2) *( length(2) set ) )
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfigurationRecord {
    /// Profile, tier and level.
    pub profile: ProfileTierLevel,
    /// Bytes of the length in front of each NAL unit, 1 to 4.
    pub nal_length_size: u8,
    /// VPS, SPS and PPS, each with its NAL header, as the record orders them.
    pub sets: Vec<Vec<u8>>,
}

impl DecoderConfigurationRecord {
    /// Reads a record. Version 0, which early encoders wrote, is taken for 1.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::NotIt`], or [`Error::NoParameterSets`] without SPS or PPS.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let (head, mut rest) = data.split_first_chunk::<23>().ok_or(Error::Truncated)?;
        let &[version, profile, c3, c2, c1, c0, f0, f1, f2, f3, f4, f5, level, ..] = head;
        if version > 1 {
            return Err(Error::NotIt);
        }
        let &[.., sizes, arrays] = head;
        let mut sets = Vec::new();
        for _ in 0..arrays {
            let (&[kind, n1, n0], after) = rest.split_first_chunk().ok_or(Error::Truncated)?;
            rest = after;
            for _ in 0..u16::from_be_bytes([n1, n0]) {
                let (len, after) = rest.split_first_chunk().ok_or(Error::Truncated)?;
                let len = usize::from(u16::from_be_bytes(*len));
                let (set, after) = after.split_at_checked(len).ok_or(Error::Truncated)?;
                rest = after;
                if matches!(kind & 0x3F, VPS | SPS | PPS) && !set.is_empty() {
                    sets.push(set.to_vec());
                }
            }
        }
        let record = Self {
            profile: ProfileTierLevel {
                profile,
                compatibility: u32::from_be_bytes([c3, c2, c1, c0]),
                constraints: [f0, f1, f2, f3, f4, f5],
                level,
            },
            nal_length_size: (sizes & 3).saturating_add(1),
            sets,
        };
        if record.of(SPS).next().is_none() || record.of(PPS).next().is_none() {
            return Err(Error::NoParameterSets);
        }
        Ok(record)
    }

    /// Makes a record of parameter sets, each with its NAL header; other NAL units are left out.
    ///
    /// # Errors
    /// As [`Sps::parse`], or [`Error::NoParameterSets`] when a kind is missing.
    pub fn write<T: AsRef<[u8]>>(sets: &[T], nal_length_size: u8) -> Result<Vec<u8>, Error> {
        let of = |kind: u8| {
            let sets = sets.iter().map(T::as_ref);
            sets.filter(move |set| kind_of(set) == Some(kind)).take(16)
        };
        let sps = Sps::parse(of(SPS).next().ok_or(Error::NoParameterSets)?)?;
        if of(VPS).next().is_none() || of(PPS).next().is_none() {
            return Err(Error::NoParameterSets);
        }
        let ProfileTierLevel { profile, compatibility, constraints, level } = sps.profile;
        let mut record = vec![1, profile];
        record.extend_from_slice(&compatibility.to_be_bytes());
        record.extend_from_slice(&constraints);
        record.extend_from_slice(&[level, 0xF0, 0, 0xFC, 0xFC | sps.chroma_format]);
        record.push(0xF8 | sps.luma_bit_depth.saturating_sub(8));
        record.push(0xF8 | sps.chroma_bit_depth.saturating_sub(8));
        record.extend_from_slice(&[0, 0]); // frame rate not said
        let length_size = nal_length_size.clamp(1, 4).saturating_sub(1);
        record.push(sps.sub_layers << 3 | u8::from(sps.temporal_id_nested) << 2 | length_size);
        record.push(3);
        for kind in [VPS, SPS, PPS] {
            let count = u8::try_from(of(kind).count()).unwrap_or(u8::MAX);
            record.extend_from_slice(&[COMPLETE | kind, 0, count]);
            for set in of(kind) {
                let len = u16::try_from(set.len()).unwrap_or(u16::MAX);
                record.extend_from_slice(&len.to_be_bytes());
                record.extend_from_slice(set.get(..len.into()).unwrap_or_default());
            }
        }
        Ok(record)
    }

    /// The first sequence parameter set, decoded.
    ///
    /// # Errors
    /// As [`Sps::parse`].
    pub fn parse_sps(&self) -> Result<Sps, Error> {
        Sps::parse(self.of(SPS).next().ok_or(Error::NoParameterSets)?)
    }

    fn of(&self, kind: u8) -> impl Iterator<Item = &Vec<u8>> {
        self.sets.iter().filter(move |set| kind_of(set) == Some(kind))
    }
}

/// The id of a parameter set; `None` for any other NAL unit.
#[must_use]
pub fn parameter_set_id(unit: &[u8]) -> Option<u32> {
    let kind = kind_of(unit)?;
    let mut bits = BitReader::nal(unit.get(2..)?);
    match kind {
        VPS => bits.bits(4).ok(),
        SPS => Sps::parse(unit).ok().map(|sps| sps.id),
        PPS => bits.ue().ok(),
        _ => None,
    }
}

fn kind_of(unit: &[u8]) -> Option<u8> {
    unit.first().map(|header| header >> 1 & 0x3F)
}

/// `array_completeness`: no sets of the kind in the pictures.
const COMPLETE: u8 = 0x80;
