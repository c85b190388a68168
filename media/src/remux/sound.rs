//! Audio configurations: one shape for all codecs.

#[cfg(feature = "codecs")]
mod aac;
#[cfg(feature = "codecs")]
mod more;
#[cfg(not(feature = "codecs"))]
mod usual;

use alloc::string::String;
use alloc::vec::Vec;

use crate::Bytes;

use super::event::AudioInfo;
use super::{Config, WarningKind};
use crate::flv::audio::Codec;
#[cfg(not(feature = "codecs"))]
use crate::mp4::AudioRecord;
use crate::mp4::{self, AudioEntry, Init, SampleEntry};

/// A configuration and what it says.
#[derive(Debug)]
pub(super) struct AudioConfig {
    pub(super) codec: Codec,
    /// The sequence header it was made of, to know it when it comes again.
    source: Bytes,
    /// Samples per second of the frames: the timescale.
    pub(super) rate: u32,
    /// Samples of a usual frame.
    pub(super) frame: u16,
    /// RFC 6381 codec string.
    codec_string: String,
    info: AudioInfo,
    silence: Silence,
    #[cfg(feature = "codecs")]
    more: more::More,
}

/// What silence is made of.
#[derive(Debug)]
enum Silence {
    /// This frame, of the usual length.
    Frame(Bytes),
    /// What Opus says when it has nothing to say.
    #[cfg(feature = "codecs")]
    Opus,
    /// A block of zeros in a FLAC stream of so many bits a sample.
    #[cfg(feature = "codecs")]
    Flac(u8),
    #[cfg(feature = "codecs")]
    None,
}

/// A frame out of a tag.
pub(super) struct Frame {
    pub(super) data: Bytes,
    /// Samples it lasts.
    pub(super) length: u16,
    /// It had to be repaired.
    pub(super) repaired: Option<WarningKind>,
}

impl AudioConfig {
    /// Whether `header` is what it was made of.
    pub(super) fn is_of(&self, codec: Codec, header: &[u8]) -> bool {
        self.codec == codec && self.source == header
    }

    pub(super) fn codec_string(&self) -> &str {
        &self.codec_string
    }

    pub(super) fn info(&self) -> AudioInfo {
        self.info
    }

    /// Whether there is a frame of silence that lasts `length` samples.
    pub(super) fn has_silence(&self, length: i64) -> bool {
        match &self.silence {
            Silence::Frame(_) => length == i64::from(self.frame),
            #[cfg(feature = "codecs")]
            Silence::Opus => self.silent_frame(length).is_some(),
            #[cfg(feature = "codecs")]
            Silence::Flac(_) => true,
            #[cfg(feature = "codecs")]
            Silence::None => false,
        }
    }

    /// A frame of silence that lasts `length` samples.
    pub(super) fn silent_frame(&self, length: i64) -> Option<Bytes> {
        match &self.silence {
            Silence::Frame(frame) if length == i64::from(self.frame) => Some(frame.clone()),
            #[cfg(feature = "codecs")]
            Silence::Opus | Silence::Flac(_) => self.other_silence(u16::try_from(length).ok()?),
            _ => None,
        }
    }

    pub(super) fn write_init(&self, track_id: u32, limits: &Config, out: &mut Vec<u8>) {
        #[cfg(feature = "codecs")]
        let (kind, record) = self.entry();
        #[cfg(not(feature = "codecs"))]
        let (kind, record) = (*b"mp4a", AudioRecord::Descriptor(MPEG4_AUDIO, &self.source));
        let init = Init {
            track_id,
            timescale: self.rate,
            duration_ms: limits.duration_ms,
            entry: SampleEntry::Audio(AudioEntry {
                kind,
                channels: self.info.channels.into(),
                sample_rate: self.rate,
                record,
            }),
        };
        mp4::write_init(&init, out);
    }
}

/// `objectTypeIndication` of MPEG-4 audio.
const MPEG4_AUDIO: u8 = 0x40;
