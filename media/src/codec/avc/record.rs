use alloc::vec;
use alloc::vec::Vec;

use super::{Error, PPS, SPS, Sps};

/// An `AVCDecoderConfigurationRecord`: what FLV calls the AVC sequence header and MP4 `avcC`.
///
/// ```text
/// version(1)=1 profile(1) compatibility(1) level(1) 111111 length size−1(2 bits)
/// 111 SPS count(5 bits) *( length(2) SPS ) PPS count(1) *( length(2) PPS ) [ extensions ]
/// ```
///
/// Extensions (chroma format, bit depth, SPS extension) repeat what the SPS says and are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfigurationRecord {
    /// `AVCProfileIndication`.
    pub profile: u8,
    /// The constraint flags as one byte, `constraint_set0_flag` first.
    pub compatibility: u8,
    /// `AVCLevelIndication`: ten times the level.
    pub level: u8,
    /// Bytes of the length in front of each NAL unit, 1 to 4. (3 is not allowed, but can be read.)
    pub nal_length_size: u8,
    /// The sequence parameter sets, each with its NAL header; not empty.
    pub sps: Vec<Vec<u8>>,
    /// The picture parameter sets, each with its NAL header; not empty.
    pub pps: Vec<Vec<u8>>,
}

impl DecoderConfigurationRecord {
    /// Reads a record; what follows the parameter sets is ignored.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::UnsupportedVersion`], or [`Error::NoParameterSets`] when one of
    /// the lists is empty, parameter sets of length 0 not counted.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let (&[version, profile, compatibility, level, length_size, sps_count], mut rest) =
            data.split_first_chunk().ok_or(Error::Truncated { what: "configuration record" })?;
        if version != 1 {
            return Err(Error::UnsupportedVersion { version });
        }
        let sps = parameter_sets(sps_count & 0x1F, &mut rest)?;
        let pps_count = match rest.split_first() {
            Some((&count, after)) => {
                rest = after;
                count
            }
            None => 0,
        };
        let pps = parameter_sets(pps_count, &mut rest)?;
        if sps.is_empty() || pps.is_empty() {
            return Err(Error::NoParameterSets);
        }
        let nal_length_size = (length_size & 3).saturating_add(1);
        Ok(Self { profile, compatibility, level, nal_length_size, sps, pps })
    }

    /// Writes a record of parameter sets, each with its NAL header; other NAL units are left out.
    ///
    /// # Errors
    /// [`Error::NoParameterSets`] when there is no SPS or no PPS, [`Error::Truncated`] when an SPS
    /// does not hold its profile.
    pub fn write<T: AsRef<[u8]>>(sets: &[T], nal_length_size: u8) -> Result<Vec<u8>, Error> {
        let of = |kind: u8, limit: usize| {
            let sets = sets.iter().map(T::as_ref);
            sets.filter(move |set| set.first().is_some_and(|head| head & 0x1F == kind)).take(limit)
        };
        let (Some(first), Some(_)) = (of(SPS, 1).next(), of(PPS, 1).next()) else {
            return Err(Error::NoParameterSets);
        };
        let &[_, profile, compatibility, level, ..] = first else {
            return Err(Error::Truncated { what: "parameter set" });
        };
        let length_size = nal_length_size.clamp(1, 4).saturating_sub(1);
        let mut record = vec![1, profile, compatibility, level, 0xFC | length_size];
        for (kind, limit, marker) in [(SPS, 31, 0xE0), (PPS, 255, 0)] {
            let count = u8::try_from(of(kind, limit).count()).unwrap_or(u8::MAX);
            record.push(marker | count);
            for set in of(kind, limit) {
                // A set past 64 KiB cannot be: its numbers take a few hundred bytes.
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
        self.sps.first().map_or(Err(Error::NoParameterSets), |sps| Sps::parse(sps))
    }
}

/// The first SPS of a record, with its NAL header, and the bytes of the length in front of each NAL unit.
///
/// # Errors
/// As [`DecoderConfigurationRecord::parse`].
pub fn first_sps(record: &[u8]) -> Result<(&[u8], u8), Error> {
    const CUT_OFF: Error = Error::Truncated { what: "configuration record" };
    let &[version, _, _, _, length_size, sps_count, ref rest @ ..] = record else {
        return Err(CUT_OFF);
    };
    if version != 1 {
        return Err(Error::UnsupportedVersion { version });
    }
    let sps_count = sps_count & 0x1F;
    let (sps, rest) = match rest.split_first_chunk() {
        _ if sps_count == 0 => return Err(Error::NoParameterSets),
        Some((len, rest)) => rest.split_at_checked(u16::from_be_bytes(*len).into()),
        None => None,
    }
    .ok_or(CUT_OFF)?;
    match rest.first() {
        None | Some(0) if sps_count == 1 => Err(Error::NoParameterSets),
        _ => Ok((sps, (length_size & 3).saturating_add(1))),
    }
}

fn parameter_sets(count: u8, rest: &mut &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let (set, after) = rest
            .split_first_chunk()
            .and_then(|(len, after)| after.split_at_checked(u16::from_be_bytes(*len).into()))
            .ok_or(Error::Truncated { what: "parameter set" })?;
        *rest = after;
        if !set.is_empty() {
            sets.push(set.to_vec());
        }
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPS: &[u8] = &[0x67, 0x42, 0xC0, 0x1E];
    const PPS: &[u8] = &[0x68, 0xCE];

    fn record(length_size: u8, sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
        let mut data = vec![1, 0x42, 0xC0, 0x1E, 0xFC | (length_size - 1), 0xE0 | sps.len() as u8];
        let append = |data: &mut Vec<u8>, sets: &[&[u8]]| {
            for set in sets {
                data.extend_from_slice(&(set.len() as u16).to_be_bytes());
                data.extend_from_slice(set);
            }
        };
        append(&mut data, sps);
        data.push(pps.len() as u8);
        append(&mut data, pps);
        data
    }

    #[test]
    fn parameter_sets_and_length_sizes() {
        for length_size in 1..=4 {
            let record =
                DecoderConfigurationRecord::parse(&record(length_size, &[SPS], &[PPS, PPS]))
                    .unwrap();
            assert_eq!(record.nal_length_size, length_size);
            assert_eq!(record.sps, [SPS]);
            assert_eq!(record.pps, [PPS, PPS]);
            assert_eq!((record.profile, record.compatibility, record.level), (0x42, 0xC0, 0x1E));
        }
    }

    #[test]
    fn an_empty_record_is_named() {
        for data in [record(4, &[], &[]), record(4, &[&[]], &[PPS]), record(4, &[SPS], &[])] {
            assert_eq!(DecoderConfigurationRecord::parse(&data), Err(Error::NoParameterSets));
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let sets = [SPS, b"\x06sei", PPS, &[0x68, 0xEE]];
        for length_size in 1..=4 {
            let written = DecoderConfigurationRecord::write(&sets, length_size).unwrap();
            assert_eq!(written, record(length_size, &[SPS], &[PPS, &[0x68, 0xEE]]));
        }
        let none = DecoderConfigurationRecord::write(&[SPS], 4);
        assert_eq!(none, Err(Error::NoParameterSets));
        let short = DecoderConfigurationRecord::write(&[&[0x67, 1][..], PPS], 4);
        assert!(matches!(short, Err(Error::Truncated { .. })));
    }

    #[test]
    fn start_codes_are_not_a_record() {
        assert_eq!(
            DecoderConfigurationRecord::parse(&[0, 0, 0, 1, 0x67, 0x42]),
            Err(Error::UnsupportedVersion { version: 0 })
        );
    }

    proptest! {
        #[test]
        fn any_bytes_any_cut(noise in prop::collection::vec(any::<u8>(), 0..64), cut in 0usize..20) {
            let _ = DecoderConfigurationRecord::parse(&noise);
            let whole = record(4, &[SPS], &[PPS]);
            if cut < whole.len() {
                prop_assert!(DecoderConfigurationRecord::parse(&whole[..cut]).is_err());
            }
        }
    }
}
