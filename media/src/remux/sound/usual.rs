//! AAC as senders usually make it: low complexity, mono or stereo, with nothing said beyond that.

use alloc::string::String;

use crate::Bytes;

use super::{AudioConfig, Frame, Silence};
use crate::flv::audio::{Codec, Head};
use crate::remux::Error;
use crate::remux::event::AudioInfo;

impl AudioConfig {
    /// The configuration in a sequence header.
    ///
    /// An AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1):
    ///
    /// ```text
    /// object type(5)=2 frequency index(4) channels(4) 000 [ 2B7(11) object type(5)=5 SBR(1)=0 ]
    /// ```
    ///
    /// # Errors
    /// [`Error::Beyond`] for any other.
    pub(in crate::remux) fn from_header(_: &Head, header: &Bytes) -> Result<Option<Self>, Error> {
        let mut bits: u64 = 0;
        for at in 0..8 {
            bits = bits << 8 | u64::from(header.get(at).copied().unwrap_or(0));
        }
        let (usual, frequency, channels) = (bits >> 59, bits >> 55 & 15, bits >> 51 & 15);
        let extension = bits >> 32 & 0xFFFF == 0x2B7 << 5 | 5 && bits >> 31 & 1 == 1;
        let silence: &[u8] = match channels {
            1 => &[0, 0, 0, 7],
            2 => &[0x21, 0, 0, 0, 0, 0x1C],
            _ => &[],
        };
        let rate = FREQUENCIES.get(frequency as usize).copied().unwrap_or(0);
        if usual != 2 || silence.is_empty() || rate == 0 || bits >> 48 & 7 != 0 || extension {
            return Err(Error::Beyond);
        }
        Ok(Some(Self {
            codec: Codec::Aac,
            source: header.clone(),
            rate,
            frame: FRAME,
            codec_string: String::from("mp4a.40.2"),
            info: AudioInfo {
                sample_rate: rate,
                channels: channels as u8,
                object_type: 2,
                frame_length: FRAME,
            },
            silence: Silence::Frame(Bytes::from_static(silence)),
        }))
    }

    /// Takes the frame that a tag's data is.
    pub(in crate::remux) fn next_frame(&self, rest: &mut Bytes, _: u64) -> Option<Frame> {
        let data = core::mem::take(rest);
        (!data.is_empty()).then_some(Frame { data, length: self.frame, repaired: None })
    }
}

/// Samples of a frame.
const FRAME: u16 = 1024;

/// Table 1.18.
const FREQUENCIES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::aac::AudioSpecificConfig;
    use crate::flv::audio;

    fn read(header: &[u8]) -> Result<Option<AudioConfig>, Error> {
        let head = audio::Head::parse(&[0xAF, 0]).unwrap();
        AudioConfig::from_header(&head, &Bytes::copy_from_slice(header))
    }

    #[test]
    fn what_encoders_send() {
        // ffmpeg says behind it that there is no SBR.
        for header in [&[0x11, 0x90][..], &[0x12, 0x10], &[0x11, 0x90, 0x56, 0xE5, 0]] {
            assert!(read(header).is_ok());
        }
        // 5.1, SBR in front and behind, 960 samples, a program config element, nothing.
        for header in [
            &[0x11, 0xB0][..],
            &[0x2B, 0x11, 0x88, 0],
            &[0x13, 0x10, 0x56, 0xE5, 0x98],
            &[0x11, 0x94],
            &[0x11, 0x80, 0x04, 0xC4, 0x04, 0, 0x20, 0],
            &[],
        ] {
            assert!(matches!(read(header), Err(Error::Beyond)), "{header:02x?}");
        }
    }

    proptest! {
        #[test]
        fn it_means_what_the_whole_parser_reads(header in prop::collection::vec(any::<u8>(), 0..10), usual in any::<bool>()) {
            let mut header = header;
            if let (true, Some(first)) = (usual, header.first_mut()) {
                *first = *first & 7 | 0x10;
            }
            if let Ok(Some(config)) = read(&header) && let Ok(whole) = AudioSpecificConfig::parse(&header) {
                prop_assert_eq!(config.rate, whole.sampling_frequency);
                prop_assert_eq!(config.frame, whole.frame_length);
                prop_assert_eq!(config.info.channels, whole.output_channels());
                prop_assert_eq!(config.info.sample_rate, whole.output_frequency());
                prop_assert_eq!(&config.codec_string, &whole.codec_string());
                let silence = config.silent_frame(1024).map(|frame| frame.to_vec());
                prop_assert_eq!(silence, whole.silent_frame());
            }
        }
    }
}
