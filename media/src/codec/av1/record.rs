use alloc::vec;
use alloc::vec::Vec;

use super::{Obus, SEQUENCE_HEADER, Sequence};
use crate::codec::Error;

/// The sequence header in a record (`av1C`) or a temporal unit, and its unit's bytes.
#[must_use]
pub fn sequence_of(units: &[u8]) -> Option<(Sequence, &[u8])> {
    let unit = Obus::new(units).find(|obu| obu.kind == SEQUENCE_HEADER)?;
    Some((Sequence::parse(unit.payload).ok()?, unit.bytes))
}

/// Makes an `AV1CodecConfigurationRecord` of a sequence header and its unit.
///
/// ```text
/// marker, version(1)=81 profile(3 bits) level(5) tier(1) depth(2) mono(1) x(1) y(1) position(2)
/// 000 [ delay ](5) units
/// ```
#[must_use]
pub fn record(sequence: &Sequence, unit: &[u8]) -> Vec<u8> {
    let flags = [
        (sequence.high_tier, 7),
        (sequence.bit_depth > 8, 6),
        (sequence.bit_depth > 10, 5),
        (sequence.monochrome, 4),
        (sequence.subsampling_x, 3),
        (sequence.subsampling_y, 2),
    ];
    let flags = flags.iter().fold(sequence.chroma_position & 3, |byte, &(set, shift)| {
        byte | u8::from(set).checked_shl(shift).unwrap_or(0)
    });
    let mut record = vec![MARKER, sequence.profile << 5 | sequence.level & 31, flags, 0];
    record.extend_from_slice(unit);
    record
}

/// The units in an `AV1CodecConfigurationRecord`.
///
/// # Errors
/// [`Error::Truncated`] or [`Error::NotIt`].
pub fn units_in(record: &[u8]) -> Result<&[u8], Error> {
    match record {
        [MARKER, _, _, _, units @ ..] => Ok(units),
        [] | [_] | [_, _] | [_, _, _] => Err(Error::Truncated),
        _ => Err(Error::NotIt),
    }
}

/// The record in an `AV1_video_descriptor`, which has no units: the first keyframe has them.
///
/// ```text
/// tag(1)=80 length(1)=4 marker, version(1)=81 profile, level(1) tier … position(1) hdr(2 bits) 0 delay(5)
/// ```
///
/// # Errors
/// [`Error::Truncated`] or [`Error::NotIt`].
pub fn from_ts_descriptor(descriptor: &[u8]) -> Result<[u8; 4], Error> {
    match *descriptor {
        [DESCRIPTOR, len, MARKER, profile, flags, delay, ..] if len >= 4 => {
            Ok([MARKER, profile, flags, delay & 0x1F])
        }
        [_, _, _, _, _, _, ..] => Err(Error::NotIt),
        _ => Err(Error::Truncated),
    }
}

/// `marker` and `version` 1.
const MARKER: u8 = 0x81;
/// `descriptor_tag`.
const DESCRIPTOR: u8 = 0x80;
