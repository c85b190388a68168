//! AAC: the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), ADTS headers, silence.

mod config;
mod program;
mod silence;

pub use config::{AudioSpecificConfig, Error};
pub use program::{ID_PCE, Program};

/// Length of the ADTS header if `frame` is one whole ADTS frame, else `None`.
///
/// FLV carries raw frames, but some senders leave the header on. A raw frame cannot look like that:
/// the first three bits would be its end.
#[must_use]
pub fn adts_header_len(frame: &[u8]) -> Option<usize> {
    let &[b0, b1, _, b3, b4, b5, _, ..] = frame else { return None };
    let sync = b0 == 0xFF && b1 & 0xF6 == 0xF0;
    let length = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
    let header = if b1 & 1 == 1 { 7 } else { 9 };
    (sync && length == frame.len() && length > header).then_some(header)
}

/// The AudioSpecificConfig that the ADTS header of `frame` stands for, if it is one whole ADTS frame
/// and says its channels.
#[must_use]
pub fn adts_config(frame: &[u8]) -> Option<[u8; 2]> {
    adts_header_len(frame)?;
    let &[_, _, b2, b3, ..] = frame else { return None };
    let object_type = (b2 >> 6).saturating_add(1);
    let frequency = b2 >> 2 & 15;
    let channels = (b2 & 1) << 2 | b3 >> 6;
    (channels > 0)
        .then_some([object_type << 3 | frequency >> 1, (frequency & 1) << 7 | channels << 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adts_is_told_by_its_sync_word_and_length() {
        let adts = |length: u8, no_crc: u8| {
            let mut frame = vec![0xFF, 0xF0 | no_crc, 0x50, 0x80, 0, length << 5 | 0x1F, 0xFC];
            frame.extend([0x21; 2]);
            frame
        };
        assert_eq!(adts_header_len(&[]), None);
        let mut nine = adts(0, 1);
        nine[4] = 1;
        nine[5] = 1 << 5 | 0x1F;
        assert_eq!(adts_header_len(&nine), Some(7));
        assert_eq!(adts_header_len(&nine[..8]), None);
        assert_eq!(adts_config(&nine), Some([0x12, 0x10]), "LC, 44.1 kHz, stereo");
        let mut with_crc = nine.clone();
        with_crc[1] = 0xF0;
        assert_eq!(adts_header_len(&with_crc), None, "no payload behind a header of nine");
        with_crc.push(0x21);
        with_crc[5] = 2 << 5 | 0x1F;
        assert_eq!(adts_header_len(&with_crc), Some(9));
    }
}
