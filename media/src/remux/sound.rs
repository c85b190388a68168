//! Audio configurations: one shape for all codecs.

#[cfg(feature = "codecs")]
mod more;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use core::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::event::AudioInfo;
use super::{Config, Error, WarningKind};
use crate::codec::aac::{self, AudioSpecificConfig};
use crate::codec::text;
use crate::flv::audio::{Codec, Head};
use crate::mp4::{self, AudioEntry, AudioRecord, Init, SampleEntry};

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
    kind: [u8; 4],
    record: Record,
    /// Types for `addSourceBuffer`, best first; not empty.
    mimes: Vec<String>,
    /// RFC 6381 codec string.
    codec_string: String,
    info: AudioInfo,
    silence: Silence,
    #[cfg(feature = "codecs")]
    framing: more::Framing,
    /// The browser may take the frames bare, with the first of the types.
    bare: bool,
    /// Which of the types the host took.
    pub(super) chosen: AtomicUsize,
}

/// Where the configuration goes, and its bytes.
#[derive(Debug)]
enum Record {
    Descriptor(u8, Bytes),
    #[cfg(feature = "codecs")]
    Box([u8; 4], Vec<u8>),
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
    /// The configuration in a sequence header. `None`: the first frame will say it.
    pub(super) fn from_header(head: &Head, header: &Bytes) -> Result<Option<Self>, Error> {
        match head.codec {
            Codec::Aac => Self::from_aac(header.clone()).map(Some),
            #[cfg(feature = "codecs")]
            _ => Self::from_other_header(head, header),
            #[cfg(not(feature = "codecs"))]
            _ => Ok(None),
        }
    }

    /// The configuration that a frame asks for, if it is another than `current`.
    pub(super) fn from_frame(head: &Head, body: &Bytes, current: Option<&Self>) -> Option<Self> {
        let current = current.filter(|current| current.codec == head.codec);
        match head.codec {
            Codec::Aac if current.is_none() => {
                let config = aac::adts_config(body)?;
                Self::from_aac(Bytes::copy_from_slice(&config)).ok()
            }
            #[cfg(feature = "codecs")]
            _ => Self::from_other_frame(head, body, current),
            #[cfg(not(feature = "codecs"))]
            _ => None,
        }
    }

    /// Whether `header` is what it was made of.
    pub(super) fn is_of(&self, codec: Codec, header: &[u8]) -> bool {
        self.codec == codec && self.source == header
    }

    pub(super) fn mimes(&self) -> Vec<String> {
        self.mimes.clone()
    }

    /// The type that the host took.
    pub(super) fn mime(&self) -> Option<String> {
        self.mimes.get(self.chosen.load(Ordering::Relaxed)).cloned()
    }

    /// Whether frames are put out bare.
    pub(super) fn is_raw(&self) -> bool {
        self.bare && self.chosen.load(Ordering::Relaxed) == 0
    }

    pub(super) fn codec_string(&self) -> &str {
        &self.codec_string
    }

    pub(super) fn info(&self) -> AudioInfo {
        self.info
    }

    /// Takes the next frame off the front of a tag's data. `number` counts the samples before it.
    pub(super) fn next_frame(&self, rest: &mut Bytes, number: u64) -> Option<Frame> {
        #[cfg(feature = "codecs")]
        if self.codec != Codec::Aac {
            return self.next_other_frame(rest, number);
        }
        #[cfg(not(feature = "codecs"))]
        let _ = number;
        let mut data = core::mem::take(rest);
        let mut repaired = None;
        if let Some(header) = aac::adts_header_len(&data) {
            data = data.slice(header..);
            repaired = Some(WarningKind::AdtsHeader);
        }
        (!data.is_empty()).then_some(Frame { data, length: self.frame, repaired })
    }

    /// Whether there is a frame of silence that lasts `length` samples.
    pub(super) fn has_silence(&self, length: i64) -> bool {
        match &self.silence {
            Silence::Frame(_) => length == i64::from(self.frame),
            #[cfg(feature = "codecs")]
            Silence::Opus => self.silent_frame(length).is_some(),
            #[cfg(feature = "codecs")]
            Silence::Flac(_) => true,
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
        let record = match &self.record {
            Record::Descriptor(kind, config) => AudioRecord::Descriptor(*kind, config),
            #[cfg(feature = "codecs")]
            Record::Box(kind, record) => AudioRecord::Box(*kind, record),
        };
        let init = Init {
            track_id,
            timescale: self.rate,
            duration_ms: limits.duration_ms,
            entry: SampleEntry::Audio(AudioEntry {
                kind: self.kind,
                channels: self.info.channels.into(),
                sample_rate: self.rate,
                record,
            }),
        };
        mp4::write_init(&init, out);
    }

    fn from_aac(source: Bytes) -> Result<Self, Error> {
        let parsed = AudioSpecificConfig::parse(&source)?;
        let codec_string = parsed.codec_string();
        let mut mimes = vec![mp4_mime(&codec_string)];
        // A decoder that does not know a profile can often play its low complexity core.
        if matches!(parsed.object_type, 1 | 5 | 29) {
            mimes.push(mp4_mime("mp4a.40.2"));
        }
        Ok(Self {
            codec: Codec::Aac,
            rate: parsed.sampling_frequency,
            frame: parsed.frame_length,
            kind: *b"mp4a",
            record: Record::Descriptor(MPEG4_AUDIO, source.clone()),
            mimes,
            codec_string,
            info: AudioInfo {
                sample_rate: parsed.output_frequency(),
                channels: parsed.output_channels(),
                object_type: parsed.object_type,
                frame_length: parsed.frame_length,
            },
            silence: match parsed.silent_frame() {
                Some(frame) => Silence::Frame(frame.into()),
                None => Silence::None,
            },
            #[cfg(feature = "codecs")]
            framing: more::Framing::Whole,
            bare: false,
            chosen: AtomicUsize::new(0),
            source,
        })
    }
}

fn mp4_mime(codec: &str) -> String {
    text::mp4_mime("audio", codec)
}

/// `objectTypeIndication` of MPEG-4 audio.
const MPEG4_AUDIO: u8 = 0x40;
