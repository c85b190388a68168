use alloc::string::String;

use crate::codec::bits::{BitReader, OutOfBits};
use crate::codec::text;

/// Why an AudioSpecificConfig could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration ends too early.
    #[error("AAC configuration is cut off")]
    Truncated,
    /// A reserved index of the sampling frequency table, or a frequency of 0 Hz (index 15).
    #[error("AAC sampling frequency index {index} gives no frequency")]
    SamplingFrequency {
        /// `samplingFrequencyIndex`.
        index: u8,
    },
    /// A channel configuration that is reserved.
    #[error("AAC channel configuration {configuration} is not defined")]
    Channels {
        /// `channelConfiguration`.
        configuration: u8,
    },
    /// A reserved `coreSbrFrameLengthIndex`.
    #[error("xHE-AAC frame length index {index} is not defined")]
    FrameLength {
        /// `coreSbrFrameLengthIndex`.
        index: u8,
    },
}

/// An AudioSpecificConfig: what FLV calls the AAC sequence header and MP4 puts into `esds`.
///
/// ```text
/// object type(5, 31 = 6 more) frequency index(4, 15 = 24 more) channel configuration(4)
/// [ SBR or PS: frequency, core object type ]  GASpecificConfig  [ 2B7 SBR frequency [ 548 PS ] ]
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// The object type as first written: 2 is LC; 5 is SBR and 29 SBR with PS when they are
    /// signalled in front (hierarchically).
    pub object_type: u8,
    /// The object type of the coded core: as above, with 5 and 29 looked through.
    pub core_object_type: u8,
    /// The core's sampling frequency in Hz, not 0: the clock of the frames.
    pub sampling_frequency: u32,
    /// `channelConfiguration`; 0 says that a program config element lists the channels.
    pub channel_configuration: u8,
    /// Channels the core codes.
    pub channels: u8,
    /// Samples per frame and channel of the core: 1024 or 960; 512 or 480 for low delay. Of xHE-AAC
    /// those that are heard: 768 to 4096.
    pub frame_length: u16,
    /// The sampling frequency in Hz after spectral band replication, when SBR is signalled
    /// explicitly.
    pub sbr_frequency: Option<u32>,
    /// Whether parametric stereo is signalled explicitly.
    pub ps: bool,
}

impl AudioSpecificConfig {
    /// Reads a configuration; what follows it is ignored.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let Some(program) = super::Program::parse(data) else { return Self::parse_numbered(data) };
        let config = Self::parse_numbered(&program.config)?;
        Ok(Self { channel_configuration: 0, channels: program.channels, ..config })
    }

    /// Reads a configuration whose channels are not listed.
    pub(crate) fn parse_numbered(data: &[u8]) -> Result<Self, Error> {
        let bits = &mut BitReader::new(data);
        let object_type = read_object_type(bits)?;
        let sampling_frequency = read_frequency(bits)?;
        let channel_configuration = bits.byte(4)?;
        let mut core_object_type = object_type;
        let mut sbr_frequency = None;
        if matches!(object_type, SBR | PS) {
            sbr_frequency = Some(read_frequency(bits)?);
            core_object_type = read_object_type(bits)?;
        }
        let is_known = AAC_TYPES.contains(&core_object_type);
        let mut config = Self {
            object_type,
            core_object_type,
            sampling_frequency,
            channel_configuration,
            channels: channels_of(channel_configuration)?,
            frame_length: 1024,
            sbr_frequency,
            ps: object_type == PS,
        };
        if object_type == USAC {
            config.frame_length = usac_frame_length(bits)?;
        }
        // Of the others the browser knows what they are, or does not.
        if !is_known {
            return Ok(config);
        }
        config.read_specific(bits)?;
        if let (None, 1..=4) = (sbr_frequency, core_object_type)
            && let Ok(Some((frequency, ps))) = sync_extension(bits)
        {
            config.sbr_frequency = Some(frequency);
            config.ps = ps;
        }
        Ok(config)
    }

    /// The codec string of RFC 6381: `mp4a.40.N`, N being the object type as first written.
    #[must_use]
    pub fn codec_string(&self) -> String {
        text::numbered("mp4a.40.", self.object_type)
    }

    /// The sampling frequency that is heard, in Hz.
    #[must_use]
    pub fn output_frequency(&self) -> u32 {
        self.sbr_frequency.unwrap_or(self.sampling_frequency)
    }

    /// Channels that are heard: parametric stereo makes two of one.
    #[must_use]
    pub fn output_channels(&self) -> u8 {
        if self.ps { self.channels.max(2) } else { self.channels }
    }

    /// `GASpecificConfig` (4.4.1), or as much of `ELDSpecificConfig` as says the frame length.
    fn read_specific(&mut self, bits: &mut BitReader<'_>) -> Result<(), Error> {
        let low_delay = matches!(self.core_object_type, ER_LD | ER_ELD);
        self.frame_length = match (low_delay, bits.flag()?) {
            (false, false) => 1024,
            (false, true) => 960,
            (true, false) => 512,
            (true, true) => 480,
        };
        if self.core_object_type == ER_ELD {
            return Ok(());
        }
        if bits.flag()? {
            bits.skip(14)?; // coreCoderDelay
        }
        let extension = bits.flag()?;
        if matches!(self.core_object_type, SCALABLE | ER_SCALABLE) {
            bits.skip(3)?; // layerNr
        }
        if extension {
            if matches!(self.core_object_type, ER_LC | ER_LTP | ER_SCALABLE | ER_LD) {
                bits.skip(3)?; // resilience flags
            }
            bits.flag()?; // extensionFlag3
        }
        Ok(())
    }
}

/// As much of `UsacConfig` (ISO/IEC 23003-3, 5.2) as says how long a frame is, at the frequency that is
/// heard.
fn usac_frame_length(bits: &mut BitReader<'_>) -> Result<u16, Error> {
    if bits.byte(5)? == 31 {
        bits.skip(24)?; // usacSamplingFrequency
    }
    let index = bits.byte(3)?;
    match [768, 1024, 2048, 2048, 4096].get(usize::from(index)) {
        Some(length) => Ok(*length),
        None => Err(Error::FrameLength { index }),
    }
}

/// Backward compatible signalling (1.6.6.1): SBR and PS behind a word that older decoders do not
/// read. Gives the frequency after SBR, and whether there is PS.
fn sync_extension(bits: &mut BitReader<'_>) -> Result<Option<(u32, bool)>, Error> {
    if bits.bits(11)? != 0x2B7 || read_object_type(bits)? != SBR || !bits.flag()? {
        return Ok(None);
    }
    let frequency = read_frequency(bits)?;
    let ps = bits.bits(11) == Ok(0x548) && bits.flag() == Ok(true);
    Ok(Some((frequency, ps)))
}

/// `GetAudioObjectType` (1.6.2.1).
fn read_object_type(bits: &mut BitReader<'_>) -> Result<u8, Error> {
    Ok(match bits.byte(5)? {
        31 => bits.byte(6)?.saturating_add(32),
        object_type => object_type,
    })
}

fn read_frequency(bits: &mut BitReader<'_>) -> Result<u32, Error> {
    let index = bits.byte(4)?;
    let frequency = match index {
        15 => bits.bits(24)?,
        _ => FREQUENCIES.get(usize::from(index)).copied().unwrap_or(0),
    };
    if frequency == 0 {
        return Err(Error::SamplingFrequency { index });
    }
    Ok(frequency)
}

/// Table 1.19. A program config element, read later, overrides 0.
fn channels_of(configuration: u8) -> Result<u8, Error> {
    match configuration {
        0..=6 => Ok(configuration),
        7 | 12 | 14 => Ok(8),
        11 => Ok(7),
        13 => Ok(24),
        _ => Err(Error::Channels { configuration }),
    }
}

impl From<OutOfBits> for Error {
    fn from(OutOfBits: OutOfBits) -> Self {
        Self::Truncated
    }
}

// Audio object types (table 1.17).
pub(super) const LC: u8 = 2;
pub(super) const SBR: u8 = 5;
const SCALABLE: u8 = 6;
const ER_LC: u8 = 17;
const ER_LTP: u8 = 19;
const ER_SCALABLE: u8 = 20;
const ER_LD: u8 = 23;
pub(super) const PS: u8 = 29;
const ER_ELD: u8 = 39;
const USAC: u8 = 42;

/// Main, LC, SSR, LTP, scalable and their error resilient forms.
const AAC_TYPES: [u8; 10] = [1, LC, 3, 4, SCALABLE, ER_LC, ER_LTP, ER_SCALABLE, ER_LD, ER_ELD];

/// Table 1.18.
const FREQUENCIES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

#[cfg(test)]
mod tests {
    use mp4_atom::Decode;
    use proptest::prelude::*;

    use super::*;

    fn parse(data: &[u8]) -> AudioSpecificConfig {
        AudioSpecificConfig::parse(data).unwrap()
    }

    #[test]
    fn lc_as_every_encoder_writes_it() {
        let config = parse(&[0x11, 0x90]);
        assert_eq!((config.object_type, config.sampling_frequency), (2, 48000));
        assert_eq!((config.channels, config.frame_length), (2, 1024));
        assert_eq!((config.sbr_frequency, config.ps), (None, false));
        assert_eq!(config.codec_string(), "mp4a.40.2");
        let mono = parse(&[0x12, 0x08]);
        assert_eq!((mono.sampling_frequency, mono.channels), (44100, 1));
        assert_eq!(parse(&[0x11, 0x94]).frame_length, 960);
    }

    /// ffmpeg's encoder closes its configuration with the sync word and "no SBR".
    #[test]
    fn lc_that_says_it_has_no_sbr() {
        let config = parse(&[0x11, 0x90, 0x56, 0xE5, 0x00]);
        assert_eq!((config.object_type, config.sbr_frequency), (2, None));
    }

    #[test]
    fn sbr_in_front_and_behind() {
        // 00101 0110 0010 0011 00010 000: SBR, 24 kHz, stereo, 48 kHz, LC.
        let hierarchical = parse(&[0x2B, 0x11, 0x88, 0x00]);
        assert_eq!(hierarchical.codec_string(), "mp4a.40.5");
        assert_eq!(hierarchical.core_object_type, 2);
        assert_eq!(hierarchical.sampling_frequency, 24000);
        assert_eq!(hierarchical.output_frequency(), 48000);

        // 00010 0110 0010 000, 2B7, 00101 1 0011
        let behind = parse(&[0x13, 0x10, 0x56, 0xE5, 0x98]);
        assert_eq!(behind.codec_string(), "mp4a.40.2");
        assert_eq!(behind.sbr_frequency, Some(48000));
        assert!(!behind.ps);
    }

    #[test]
    fn parametric_stereo_in_front_and_behind() {
        // 11101 0110 0001 0011 00010 000: PS, 24 kHz, mono, 48 kHz, LC.
        let hierarchical = parse(&[0xEB, 0x09, 0x88, 0x00]);
        assert_eq!(hierarchical.codec_string(), "mp4a.40.29");
        assert_eq!((hierarchical.channels, hierarchical.output_channels()), (1, 2));

        // 00010 0110 0001 000, 2B7, 00101 1 0011, 548 1
        let behind = parse(&[0x13, 0x08, 0x56, 0xE5, 0x9D, 0x48, 0x80]);
        assert_eq!((behind.sbr_frequency, behind.ps), (Some(48000), true));
        assert_eq!(behind.output_channels(), 2);
    }

    #[test]
    fn escapes_for_type_and_frequency() {
        // 11111 000111 0011 0010 1 0: type 39 (ELD), 48 kHz, stereo, 480 samples.
        let eld = parse(&[0xF8, 0xE6, 0x50, 0x00]);
        assert_eq!((eld.object_type, eld.frame_length), (39, 480));
        // 00010 1111 (24 bits: 37800) 0001 000
        let odd = parse(&[0x17, 0x80, 0x49, 0xD4, 0x08]);
        assert_eq!((odd.sampling_frequency, odd.channels), (37800, 1));
        assert_eq!(
            AudioSpecificConfig::parse(&[0x17, 0x80, 0, 0, 0x08]),
            Err(Error::SamplingFrequency { index: 15 })
        );
    }

    /// xHE-AAC: of a browser that plays it, or of none.
    #[test]
    fn unified_speech_and_audio_coding() {
        // 11111 001010 0011 0010, 00011 011 00010 …: type 42, 48 kHz, stereo, 2048 samples.
        let config = parse(&[0xF9, 0x46, 0x43, 0x62]);
        assert_eq!(config.codec_string(), "mp4a.40.42");
        assert_eq!((config.sampling_frequency, config.channels), (48000, 2));
        assert_eq!((config.frame_length, config.silent_frame()), (2048, None));
        assert_eq!(
            AudioSpecificConfig::parse(&[0xF9, 0x46, 0x43, 0xE2]),
            Err(Error::FrameLength { index: 7 })
        );
    }

    #[test]
    fn channels_listed_by_a_program_config_element() {
        // LC 48 kHz configuration 0; one front pair, one front single, one back pair, one LFE.
        let bits = concat!(
            "00010",
            "0011",
            "0000",
            "000", // object type … GASpecificConfig flags
            "0000",
            "01",
            "0011",
            "0010",
            "0000",
            "0001",
            "01",
            "000",
            "0000",
            "000",
            "1",
            "0000",
            "0",
            "0000",
            "1",
            "0001",
            "0000",
            "0000000000", // to the byte boundary
        );
        let mut data: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|byte| byte.iter().fold(0, |v, bit| v << 1 | (bit - b'0')) << (8 - byte.len()))
            .collect();
        data.truncate(9);
        data.push(0); // no comment
        let config = parse(&data);
        assert_eq!((config.channel_configuration, config.channels), (0, 6));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(AudioSpecificConfig::parse(&[]), Err(Error::Truncated));
        assert_eq!(AudioSpecificConfig::parse(&[0x11]), Err(Error::Truncated));
        assert_eq!(
            AudioSpecificConfig::parse(&[0x16, 0x90]),
            Err(Error::SamplingFrequency { index: 13 })
        );
        assert_eq!(
            AudioSpecificConfig::parse(&[0x11, 0xC0]),
            Err(Error::Channels { configuration: 8 })
        );
    }

    /// Type 34 is layer 3: the browser knows whether it plays that here.
    #[test]
    fn other_types_are_named() {
        assert_eq!(parse(&[0xF8, 0x46, 0x40]).codec_string(), "mp4a.40.34");
    }

    #[test]
    fn mp4_atom_reads_the_same() {
        for config in
            [&[0x11, 0x90][..], &[0x12, 0x08], &[0x11, 0x90, 0x56, 0xE5, 0x00], &[0x14, 0x28]]
        {
            let theirs = mp4_atom::esds::DecoderSpecific::decode(&mut &*config).unwrap();
            let ours = parse(config);
            assert_eq!(ours.object_type, theirs.profile);
            assert_eq!(ours.sampling_frequency, FREQUENCIES[usize::from(theirs.freq_index)]);
            assert_eq!(ours.channel_configuration, theirs.chan_conf);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_configuration_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(config) = AudioSpecificConfig::parse(&bytes) {
                prop_assert!(config.sampling_frequency > 0 && config.frame_length >= 480);
            }
        }

        #[test]
        fn the_basic_fields_come_back(object_type in 1u8..5, index in 0u8..13, channels in 1u8..8) {
            let word = u16::from(object_type) << 11 | u16::from(index) << 7 | u16::from(channels) << 3;
            let config = parse(&word.to_be_bytes());
            prop_assert_eq!(config.object_type, object_type);
            prop_assert_eq!(config.sampling_frequency, FREQUENCIES[usize::from(index)]);
            prop_assert_eq!(config.channels, if channels == 7 { 8 } else { channels });
        }
    }
}
