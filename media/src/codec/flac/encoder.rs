//! A small encoder: fixed predictors and Rice codes (9.2.5 and 9.2.7), which for speech is most of
//! what FLAC gains. It is for sound without loss that MP4 and browsers do not know.

use alloc::vec::Vec;

use super::super::bits::BitWriter;

/// A frame of `channels` interleaved channels of 16 bits: as many whole samples as `samples` holds,
/// 65,535 at most. `number` is that of its first sample. `None` if there is no sample.
#[must_use]
pub fn encode(samples: &[i16], channels: u8, number: u64) -> Option<Vec<u8>> {
    let count = usize::from(channels.clamp(1, 8));
    let length = samples.len().checked_div(count).unwrap_or(0).min(usize::from(u16::MAX));
    let length = u16::try_from(length).ok().filter(|length| *length > 0)?;
    let mut bits = header(channels, length, number);
    let mut channel = Vec::with_capacity(length.into());
    for first in 0..count {
        channel.clear();
        let own = samples.iter().skip(first).step_by(count).take(length.into());
        channel.extend(own.map(|&sample| i32::from(sample)));
        subframe(&mut bits, &channel);
    }
    Some(finish(bits))
}

/// A frame of silence of `length` samples in a stream of `channels` and so many `bits` a sample.
#[must_use]
pub fn silence(channels: u8, bits: u8, length: u16) -> Option<Vec<u8>> {
    if length == 0 {
        return None;
    }
    let mut frame = header_of(channels, length, 0, BITS_OF_STREAM);
    for _ in 0..channels.clamp(1, 8) {
        frame.push(u32::from(CONSTANT) << 1, 8);
        frame.push(0, bits.into());
    }
    Some(finish(frame))
}

fn header(channels: u8, length: u16, number: u64) -> BitWriter {
    header_of(channels, length, number, BITS_16)
}

/// `FRAME_HEADER` (9.1) of a stream with blocks of any size; the rate is that of STREAMINFO.
fn header_of(channels: u8, length: u16, number: u64, bits_code: u8) -> BitWriter {
    let mut bits = BitWriter::default();
    let channels = channels.clamp(1, 8).saturating_sub(1);
    for byte in [0xFF, 0xF9, 7 << 4, channels << 4 | bits_code << 1] {
        bits.push(byte.into(), 8);
    }
    push_number(&mut bits, number & 0xF_FFFF_FFFF);
    bits.push(length.saturating_sub(1).into(), 16);
    let check = crc8(bits.bytes());
    bits.push(check.into(), 8);
    bits
}

/// A number of up to 36 bits, as UTF-8 would write it.
fn push_number(bits: &mut BitWriter, number: u64) {
    let byte = |shift: u32| {
        let [.., low] = number.checked_shr(shift).unwrap_or(0).to_be_bytes();
        u32::from(low & 0x3F)
    };
    if number < 0x80 {
        bits.push(u32::try_from(number).unwrap_or(0), 8);
        return;
    }
    let mut more: u32 = 1;
    // So many bytes more hold six bits each, the first what its ones leave of it.
    while more < 6 && number >> more.saturating_mul(5).saturating_add(6) != 0 {
        more = more.saturating_add(1);
    }
    let ones = 0xFF00u32 >> more.saturating_add(1) & 0xFF;
    let [.., top] = number.checked_shr(more.saturating_mul(6)).unwrap_or(0).to_be_bytes();
    bits.push(ones | u32::from(top), 8);
    for left in (0..more).rev() {
        bits.push(0x80 | byte(left.saturating_mul(6)), 8);
    }
}

/// `SUBFRAME` (9.2): constant, or the fixed predictor that leaves least, or as it is.
fn subframe(bits: &mut BitWriter, samples: &[i32]) {
    let Some(&first) = samples.first() else { return };
    if samples.iter().all(|&sample| sample == first) {
        bits.push(u32::from(CONSTANT) << 1, 8);
        bits.push_signed(first, 16);
        return;
    }
    let order = best_order(samples);
    let parameter = parameter_for(samples, order);
    let cost: u64 = residuals(samples, order)
        .map(|residual| u64::from(fold(residual) >> parameter).saturating_add(1))
        .sum::<u64>();
    let coded = samples.len().saturating_sub(order);
    let coded = u64::try_from(coded).unwrap_or(u64::MAX).saturating_mul(parameter.into());
    let plain = u64::try_from(samples.len()).unwrap_or(0).saturating_mul(16);
    let warm_up = u64::try_from(order).unwrap_or(0).saturating_mul(16);
    if cost.saturating_add(coded).saturating_add(warm_up).saturating_add(10) >= plain {
        bits.push(u32::from(VERBATIM) << 1, 8);
        samples.iter().for_each(|&sample| bits.push_signed(sample, 16));
        return;
    }
    let kind = FIXED.saturating_add(u8::try_from(order).unwrap_or(0));
    bits.push(u32::from(kind) << 1, 8);
    samples.iter().take(order).for_each(|&sample| bits.push_signed(sample, 16));
    bits.push(0, 2 + 4); // Rice codes with four bits of parameter, one partition
    bits.push(parameter, 4);
    for residual in residuals(samples, order) {
        let folded = fold(residual);
        for _ in 0..folded >> parameter {
            bits.push(0, 1);
        }
        bits.push(1, 1);
        bits.push(folded, parameter);
    }
}

/// The order of the fixed predictor whose residuals are smallest.
fn best_order(samples: &[i32]) -> usize {
    let highest = samples.len().saturating_sub(1).min(4);
    let size = |order: usize| {
        let rest = residuals(samples, order).skip(4usize.saturating_sub(order));
        rest.map(|residual| u64::from(residual.unsigned_abs())).sum::<u64>()
    };
    (0..=highest).min_by_key(|&order| size(order)).unwrap_or(0)
}

/// The Rice parameter: about the binary logarithm of the mean. 15 would be an escape.
fn parameter_for(samples: &[i32], order: usize) -> u32 {
    let sum: u64 = residuals(samples, order).map(|residual| u64::from(fold(residual))).sum();
    let count = u64::try_from(samples.len().saturating_sub(order)).unwrap_or(1).max(1);
    let mean = sum.checked_div(count).unwrap_or(0);
    mean.checked_ilog2().unwrap_or(0).min(14)
}

/// What the fixed predictor of `order` (0 to 4) leaves: the differences, so many times.
fn residuals(samples: &[i32], order: usize) -> impl Iterator<Item = i32> + '_ {
    samples.windows(order.saturating_add(1)).map(move |window| {
        let coefficients: &[i32] = match order {
            0 => &[1],
            1 => &[-1, 1],
            2 => &[1, -2, 1],
            3 => &[-1, 3, -3, 1],
            _ => &[1, -4, 6, -4, 1],
        };
        let terms = window.iter().zip(coefficients);
        terms.fold(0i32, |sum, (&sample, &by)| sum.saturating_add(sample.saturating_mul(by)))
    })
}

/// Positive and negative numbers by turns: 0, −1, 1, −2 …
fn fold(residual: i32) -> u32 {
    (residual << 1 ^ residual >> 31).cast_unsigned()
}

fn finish(bits: BitWriter) -> Vec<u8> {
    let mut frame = bits.finish();
    let check = crc16(&frame);
    frame.extend_from_slice(&check.to_be_bytes());
    frame
}

/// x⁸ + x² + x + 1.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| crc << 1 ^ if crc & 0x80 == 0 { 0 } else { 0x07 })
    })
}

/// x¹⁶ + x¹⁵ + x² + 1.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        let crc = crc ^ u16::from(byte) << 8;
        (0..8).fold(crc, |crc: u16, _| crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 })
    })
}

// Types of subframes (table 19).
const CONSTANT: u8 = 0;
const VERBATIM: u8 = 1;
const FIXED: u8 = 8;
// Codes of bits per sample (table 17).
const BITS_OF_STREAM: u8 = 0;
const BITS_16: u8 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::bits::BitReader;
    use crate::codec::flac::block_size;

    /// A decoder of what the encoder writes, by the words of RFC 9639.
    fn decode(frame: &[u8]) -> Vec<Vec<i32>> {
        let (body, check) = frame.split_at(frame.len() - 2);
        assert_eq!(crc16(body).to_be_bytes(), check);
        let mut bits = BitReader::new(body);
        assert_eq!(bits.bits(24).unwrap(), 0xFF_F970);
        let channels = bits.bits(4).unwrap() + 1;
        bits.skip(4).unwrap();
        let lead = bits.byte(8).unwrap();
        bits.skip(8 * lead.leading_ones().saturating_sub(1)).unwrap();
        let length = bits.bits(16).unwrap() as usize + 1;
        bits.skip(8).unwrap();
        let signed = |bits: &mut BitReader<'_>| i32::from(bits.bits(16).unwrap() as u16 as i16);
        let mut out = Vec::new();
        for _ in 0..channels {
            let kind = bits.byte(8).unwrap() >> 1;
            let mut samples: Vec<i32> = Vec::new();
            match kind {
                CONSTANT => samples = vec![signed(&mut bits); length],
                VERBATIM => (0..length).for_each(|_| samples.push(signed(&mut bits))),
                _ => {
                    let order = usize::from(kind - FIXED);
                    (0..order).for_each(|_| samples.push(signed(&mut bits)));
                    bits.skip(6).unwrap();
                    let parameter = bits.bits(4).unwrap();
                    while samples.len() < length {
                        let mut folded = 0;
                        while !bits.flag().unwrap() {
                            folded += 1;
                        }
                        folded = folded << parameter | bits.bits(parameter).unwrap();
                        let residual = (folded >> 1) as i32 ^ -((folded & 1) as i32);
                        let s = |back: usize| samples[samples.len() - back];
                        samples.push(
                            residual
                                + match order {
                                    0 => 0,
                                    1 => s(1),
                                    2 => 2 * s(1) - s(2),
                                    3 => 3 * s(1) - 3 * s(2) + s(3),
                                    _ => 4 * s(1) - 6 * s(2) + 4 * s(3) - s(4),
                                },
                        );
                    }
                }
            }
            out.push(samples);
        }
        out
    }

    fn check(samples: &[i16], channels: u8, number: u64) -> usize {
        let frame = encode(samples, channels, number).unwrap();
        let count = usize::from(channels);
        assert_eq!(usize::from(block_size(&frame).unwrap()), samples.len() / count);
        for (first, found) in decode(&frame).into_iter().enumerate() {
            let own = samples.iter().skip(first).step_by(count).map(|&sample| i32::from(sample));
            assert!(own.take(samples.len() / count).eq(found));
        }
        frame.len()
    }

    #[test]
    fn checksums_of_known_bytes() {
        assert_eq!((crc8(b"123456789"), crc16(b"123456789")), (0xF4, 0xFEE8));
    }

    #[test]
    fn numbers_are_written_as_utf_8_writes_them() {
        for number in [0u32, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x1_0000, 0x10_FFFF] {
            let Some(character) = char::from_u32(number) else { continue };
            let mut bits = BitWriter::default();
            push_number(&mut bits, number.into());
            assert_eq!(bits.finish(), character.to_string().as_bytes());
        }
        let mut bits = BitWriter::default();
        push_number(&mut bits, 0xF_FFFF_FFFF);
        assert_eq!(bits.finish(), [0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]);
    }

    #[test]
    fn a_tone_becomes_smaller_and_comes_back() {
        let tone: Vec<i16> =
            (0..960).map(|n| ((f64::from(n) * 0.05).sin() * 9000.0) as i16).collect();
        assert!(check(&tone, 1, 0) < 960);
        assert!(check(&tone, 2, 1 << 20) < 1200);
        assert_eq!(check(&[7; 160], 1, 5), 8 + 1 + 2 + 2);
        assert!(encode(&[], 1, 0).is_none() && encode(&[1], 2, 0).is_none());
    }

    #[test]
    fn silence_is_a_frame_of_its_length() {
        let frame = silence(2, 24, 4096).unwrap();
        assert_eq!(block_size(&frame), Some(4096));
        let (body, check) = frame.split_at(frame.len() - 2);
        assert_eq!(crc16(body).to_be_bytes(), check);
    }

    proptest! {
        #[test]
        fn any_samples_come_back(
            samples in prop::collection::vec(prop_oneof![3 => -300i16..300, 1 => any::<i16>()], 2..600),
            channels in 1u8..3,
            number in 0u64..1 << 36,
        ) {
            check(&samples, channels, number);
        }
    }
}
