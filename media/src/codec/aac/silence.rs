use alloc::vec::Vec;

use super::AudioSpecificConfig;
use super::config::LC;
use crate::codec::bits::BitWriter;

impl AudioSpecificConfig {
    /// One frame of silence for a decoder with this configuration, or `None` when the core is not
    /// AAC-LC or its channels have no standard order.
    ///
    /// It is a `raw_data_block` (ISO/IEC 14496-3, 4.4.2) whose channel streams carry no scale factor
    /// bands, so there are no spectral values: 4 bytes for mono, 6 for stereo.
    #[must_use]
    pub fn silent_frame(&self) -> Option<Vec<u8>> {
        if self.core_object_type != LC {
            return None;
        }
        // Table 1.19: the elements of each channel configuration, in order.
        let elements: &[Element] = match self.channel_configuration {
            1 => &[Element::Single],
            2 => &[Element::Pair],
            3 => &[Element::Single, Element::Pair],
            4 => &[Element::Single, Element::Pair, Element::Single],
            5 => &[Element::Single, Element::Pair, Element::Pair],
            6 => &[Element::Single, Element::Pair, Element::Pair, Element::LowFrequency],
            7 => &[
                Element::Single,
                Element::Pair,
                Element::Pair,
                Element::Pair,
                Element::LowFrequency,
            ],
            _ => return None,
        };
        let mut frame = BitWriter::default();
        let (mut singles, mut pairs) = (0u32, 0u32);
        for element in elements {
            match element {
                Element::Single => {
                    frame.push(0, 3);
                    frame.push(singles, 4);
                    frame.push(0, SINGLE_STREAM);
                    singles = singles.saturating_add(1);
                }
                Element::Pair => {
                    frame.push(1, 3);
                    frame.push(pairs, 4);
                    frame.push(1, 1); // common_window
                    frame.push(0, PAIR_STREAMS);
                    pairs = pairs.saturating_add(1);
                }
                Element::LowFrequency => {
                    frame.push(3, 3);
                    frame.push(0, 4);
                    frame.push(0, SINGLE_STREAM);
                }
            }
        }
        frame.push(7, 3); // ID_END
        Some(frame.finish())
    }
}

enum Element {
    Single,
    Pair,
    LowFrequency,
}

/// `ics_info`: reserved, long window, sine shape, `max_sfb` 0, no prediction.
const ICS_INFO: u32 = 1 + 2 + 1 + 6 + 1;
/// `global_gain`, and the flags of pulses, noise shaping and gain control.
const GAIN_AND_FLAGS: u32 = 8 + 3;
const SINGLE_STREAM: u32 = GAIN_AND_FLAGS + ICS_INFO;
/// The shared window, `ms_mask_present`, two streams.
const PAIR_STREAMS: u32 = ICS_INFO + 2 + 2 * GAIN_AND_FLAGS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_and_stereo() {
        let mono = AudioSpecificConfig::parse(&[0x12, 0x08]).unwrap();
        assert_eq!(mono.silent_frame().unwrap(), [0, 0, 0, 7]);
        let stereo = AudioSpecificConfig::parse(&[0x11, 0x90]).unwrap();
        assert_eq!(stereo.silent_frame().unwrap(), [0x21, 0, 0, 0, 0, 0x1C]);
    }

    #[test]
    fn only_low_complexity_with_a_standard_order() {
        let main = AudioSpecificConfig::parse(&[0x09, 0x90]).unwrap();
        assert_eq!(main.silent_frame(), None);
        let mut stereo = AudioSpecificConfig::parse(&[0x11, 0x90]).unwrap();
        stereo.channel_configuration = 0;
        assert_eq!(stereo.silent_frame(), None);
    }
}
