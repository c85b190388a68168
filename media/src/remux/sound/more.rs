//! Audio configurations beyond AAC.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::Bytes;

use super::{AudioConfig, Frame, Silence};
use crate::codec::aac::adts_config;
use crate::codec::pcm::Coding;
use crate::codec::{ac3, flac, mp3, opus, text};
use crate::flv::audio::{Codec, Head};
use crate::mp4::AudioRecord;
use crate::remux::Error;
use crate::remux::event::AudioInfo;

/// What differs between codecs beyond AAC.
#[derive(Debug)]
pub(super) struct More {
    kind: [u8; 4],
    record: Record,
    /// Types for `addSourceBuffer`, best first; not empty.
    mimes: Vec<String>,
    framing: Framing,
    /// What goes in front of each frame.
    pub(super) prefix: Bytes,
    /// The browser may take the frames bare, with the first of the types.
    bare: bool,
    /// Which of the types the host took.
    chosen: AtomicUsize,
}

impl More {
    pub(super) fn new(kind: [u8; 4], record: Record, mimes: Vec<String>, framing: Framing) -> Self {
        let (prefix, chosen) = (Bytes::new(), AtomicUsize::new(0));
        Self { kind, record, mimes, framing, prefix, bare: false, chosen }
    }
}

/// Where the configuration goes, and its bytes.
#[derive(Debug)]
pub(super) enum Record {
    Descriptor(u8, Bytes),
    Box([u8; 4], Vec<u8>),
}

/// How frames lie in a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// The tag is one of the usual length.
    Whole,
    /// The tag is one that says its length.
    Opus,
    /// The same.
    Flac,
    /// They follow one another, each with its size.
    Mp3,
    /// The same.
    Ac3,
    /// Samples, to be coded anew.
    Pcm(Coding),
}

impl AudioConfig {
    /// The configuration in a sequence header. `None`: the first frame will say it.
    pub(in crate::remux) fn from_header(
        head: &Head,
        header: &Bytes,
    ) -> Result<Option<Self>, Error> {
        match head.codec {
            Codec::Aac => Self::from_aac(header.clone()).map(Some),
            _ => Self::from_other_header(head, header),
        }
    }

    /// The configuration that a frame asks for, if it is another than `current`.
    pub(in crate::remux) fn from_frame(
        head: &Head,
        body: &Bytes,
        current: Option<&Self>,
    ) -> Option<Self> {
        let current = current.filter(|current| current.codec == head.codec);
        match head.codec {
            Codec::Aac if current.is_none() => {
                let config = adts_config(body)?;
                Self::from_aac(Bytes::copy_from_slice(&config)).ok()
            }
            _ => Self::from_other_frame(head, body, current),
        }
    }

    /// Types for `addSourceBuffer`: the best, and the others.
    pub(in crate::remux) fn types(&self) -> (String, Vec<String>) {
        let mut mimes = self.more.mimes.iter().cloned();
        (mimes.next().unwrap_or_default(), mimes.collect())
    }

    /// The type that the host took.
    pub(in crate::remux) fn mime(&self) -> Option<String> {
        self.more.mimes.get(self.more.chosen.load(Ordering::Relaxed)).cloned()
    }

    /// Which of the types the host took.
    pub(in crate::remux) fn choose_mime(&self, index: usize) {
        self.more.chosen.store(index, Ordering::Relaxed);
    }

    /// Whether frames are put out bare.
    pub(in crate::remux) fn is_raw(&self) -> bool {
        self.more.bare && self.more.chosen.load(Ordering::Relaxed) == 0
    }

    /// Takes the next frame off the front of a tag's data. `number` counts the samples before it.
    pub(in crate::remux) fn next_frame(&self, rest: &mut Bytes, number: u64) -> Option<Frame> {
        if self.codec == Codec::Aac {
            self.next_aac_frame(rest)
        } else {
            self.next_other_frame(rest, number)
        }
    }

    /// What goes into the initialisation segment.
    pub(super) fn entry(&self) -> ([u8; 4], AudioRecord<'_>) {
        let record = match &self.more.record {
            Record::Descriptor(kind, config) => AudioRecord::Descriptor(*kind, config),
            Record::Box(kind, record) => AudioRecord::Box(*kind, record),
        };
        (self.more.kind, record)
    }

    fn from_other_header(head: &Head, header: &Bytes) -> Result<Option<Self>, Error> {
        Ok(match head.codec {
            // An empty header leaves it to the packets.
            Codec::Opus if !header.is_empty() => {
                Some(Self::from_opus(&opus::Head::parse(header)?, header.clone()))
            }
            Codec::Flac => Some(Self::from_flac(&flac::StreamInfo::parse(header)?, header.clone())),
            _ => None,
        })
    }

    fn from_other_frame(head: &Head, body: &Bytes, current: Option<&Self>) -> Option<Self> {
        let heard = |rate: u32, channels: u8| {
            current.is_some_and(|now| (now.info.sample_rate, now.info.channels) == (rate, channels))
        };
        match head.codec {
            Codec::Opus if current.is_none() => {
                let channels = if opus::is_stereo(body) { 2 } else { 1 };
                opus::packet_length(body)?;
                Some(Self::from_opus(&opus::Head::of_channels(channels), Bytes::new()))
            }
            Codec::Mp3 => {
                let frame = mp3::Frame::parse(body)?;
                let known = heard(frame.rate, frame.channels);
                (!known).then(|| Self::from_mp3(&frame, body))
            }
            Codec::Ac3 | Codec::Eac3 => {
                let frame = ac3::Frame::parse(body)?;
                let known = current.is_some_and(|now| match &now.more.record {
                    // The enhanced record has a bit rate, which may differ from frame to frame.
                    Record::Box([b'd', b'e', b'c', b'3'], _) => {
                        heard(frame.rate, frame.channels) && frame.enhanced
                    }
                    Record::Box(_, record) => *record == frame.record(),
                    Record::Descriptor(..) => false,
                });
                (!known).then(|| Self::from_ac3(&frame, head.codec))
            }
            Codec::G711A | Codec::G711U | Codec::Pcm => {
                let (rate, channels) = (head.rate_hz?, head.channels?);
                let coding = match (head.codec, head.bits) {
                    (Codec::G711A, _) => Coding::ALaw,
                    (Codec::G711U, _) => Coding::MuLaw,
                    (_, 8) => Coding::Byte,
                    _ => Coding::Word,
                };
                let framing = Framing::Pcm(coding);
                let known = current.is_some_and(|now| now.more.framing == framing);
                (!known || !heard(rate, channels)).then(|| {
                    let stream = flac::StreamInfo::new(rate, channels);
                    let config = Self::from_flac(&stream, Bytes::new());
                    let more = More { framing, ..config.more };
                    Self { codec: head.codec, frame: block_of(rate), more, ..config }
                })
            }
            _ => None,
        }
    }

    fn next_other_frame(&self, rest: &mut Bytes, number: u64) -> Option<Frame> {
        if rest.is_empty() {
            return None;
        }
        let (size, length) = match self.more.framing {
            Framing::Whole => (rest.len(), self.frame),
            Framing::Opus => (rest.len(), opus::packet_length(rest)?),
            Framing::Flac => (rest.len(), flac::block_size(rest)?),
            Framing::Mp3 => mp3::Frame::parse(rest).map(|frame| (frame.size, frame.length))?,
            Framing::Ac3 => ac3::Frame::parse(rest).map(|frame| (frame.size, frame.length))?,
            Framing::Pcm(coding) => return self.code(coding, rest, number),
        };
        // Encoders leave the last bytes of a frame out, and decoders know.
        let data = rest.split_to(size.min(rest.len()));
        Some(Frame { data, length, repaired: None })
    }

    pub(super) fn other_silence(&self, length: u16) -> Option<Bytes> {
        let frame = match self.silence {
            Silence::Opus => opus::silence(length),
            Silence::Flac(bits) => flac::silence(self.info.channels, bits, length),
            _ => None,
        };
        frame.map(Bytes::from)
    }

    /// A block of uncompressed sound as FLAC.
    fn code(&self, coding: Coding, rest: &mut Bytes, number: u64) -> Option<Frame> {
        let channels = self.info.channels;
        let size = coding.size().saturating_mul(channels.into());
        // What remains goes with the last block if it would make a short one.
        let whole = usize::from(self.frame).saturating_mul(size);
        let take = if rest.len() < whole.saturating_mul(2) { rest.len() } else { whole };
        let data = rest.split_to(take);
        let length = data.len().checked_div(size)?;
        let samples: Vec<i16> = coding.decode(&data).collect();
        let data = flac::encode(&samples, channels, number)?.into();
        Some(Frame { data, length: u16::try_from(length).ok()?, repaired: None })
    }

    fn from_opus(head: &opus::Head, source: Bytes) -> Self {
        Self {
            codec: Codec::Opus,
            source,
            rate: opus::RATE,
            frame: 960,
            more: More::new(
                *b"Opus",
                Record::Box(*b"dOps", head.record()),
                vec![mp4_mime("opus")],
                Framing::Opus,
            ),
            codec_string: String::from("opus"),
            info: info(opus::RATE, head.channels, 960),
            // Several streams in a packet have a framing of their own.
            silence: if head.family == 0 { Silence::Opus } else { Silence::None },
        }
    }

    fn from_flac(stream: &flac::StreamInfo, source: Bytes) -> Self {
        Self {
            codec: Codec::Flac,
            source,
            rate: stream.rate,
            frame: stream.min_block,
            more: More::new(
                *b"fLaC",
                Record::Box(*b"dfLa", stream.record()),
                // The specification's name, and the one browsers knew first.
                vec![mp4_mime("flac"), mp4_mime("fLaC")],
                Framing::Flac,
            ),
            codec_string: String::from("flac"),
            info: info(stream.rate, stream.channels, stream.max_block),
            silence: Silence::Flac(stream.bits),
        }
    }

    fn from_mp3(frame: &mp3::Frame, body: &[u8]) -> Self {
        let silence = body.first_chunk().and_then(|header| mp3::Frame::silence(*header));
        Self {
            codec: Codec::Mp3,
            source: Bytes::new(),
            rate: frame.rate,
            frame: frame.length,
            more: More {
                bare: true,
                ..More::new(
                    *b"mp4a",
                    Record::Descriptor(MPEG1_AUDIO, Bytes::new()),
                    vec![String::from("audio/mpeg"), mp4_mime("mp3"), mp4_mime("mp4a.6B")],
                    Framing::Mp3,
                )
            },
            codec_string: String::from("mp3"),
            info: info(frame.rate, frame.channels, frame.length),
            silence: silence.map_or(Silence::None, |frame| Silence::Frame(frame.into())),
        }
    }

    fn from_ac3(frame: &ac3::Frame, codec: Codec) -> Self {
        let (kind, record, name) = if frame.enhanced {
            (*b"ec-3", *b"dec3", "ec-3")
        } else {
            (*b"ac-3", *b"dac3", "ac-3")
        };
        Self {
            codec,
            source: Bytes::new(),
            rate: frame.rate,
            frame: frame.length,
            more: More::new(
                kind,
                Record::Box(record, frame.record()),
                vec![mp4_mime(name)],
                Framing::Ac3,
            ),
            codec_string: String::from(name),
            info: info(frame.rate, frame.channels, frame.length),
            silence: Silence::None,
        }
    }
}

fn info(sample_rate: u32, channels: u8, frame_length: u16) -> AudioInfo {
    AudioInfo { sample_rate, channels, object_type: 0, frame_length }
}

/// Samples of a block of uncompressed sound: 40 ms, within what every decoder takes.
fn block_of(rate: u32) -> u16 {
    u16::try_from(rate / 25).unwrap_or(u16::MAX).clamp(128, 2304)
}

pub(super) fn mp4_mime(codec: &str) -> String {
    text::mp4_mime("audio", codec)
}

/// `objectTypeIndication` of MPEG-1 audio.
const MPEG1_AUDIO: u8 = 0x6B;
