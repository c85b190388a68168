//! Video configurations: one shape for all codecs.

#[cfg(feature = "codecs")]
mod light;
#[cfg(feature = "codecs")]
mod more;

#[cfg(feature = "codecs")]
pub(super) use light::{Hint, take_messages};

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::event::VideoInfo;
use super::ticks::SECOND;
use super::{Config, Error};
use crate::codec::avc;
use crate::codec::avc::DecoderConfigurationRecord;
use crate::codec::nal::{self, Nal};
use crate::flv::video::{Codec, Head};
use crate::mp4::{self, Init, Light, SampleEntry, VideoEntry};

/// A configuration and what it says.
#[derive(Clone, Debug)]
pub(super) struct VideoConfig {
    pub(super) codec: Codec,
    /// The sequence header it was made of, to know it when it comes again.
    source: Bytes,
    /// How pictures are put together.
    pub(super) framing: Framing,
    /// The parameter sets of `record`.
    sets: Vec<Vec<u8>>,
    /// Types of the sample entry and of the box in it that holds `record`.
    kinds: [[u8; 4]; 2],
    record: Vec<u8>,
    codec_string: String,
    info: VideoInfo,
    /// What the pictures say of their colours …
    colour: Option<avc::Colour>,
    /// … and what the container says.
    hinted: Option<avc::Colour>,
    /// High dynamic range, as the box says it.
    light: Light,
    /// Microseconds from picture to picture, if the configuration says it.
    step: Option<i64>,
}

/// How a picture is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// NAL units behind lengths of so many bytes.
    Nal(Nal, u8),
    /// Open bitstream units.
    #[cfg(feature = "codecs")]
    Obu,
    /// Nothing to look at.
    #[cfg(feature = "codecs")]
    Whole,
}

impl VideoConfig {
    /// The configuration in a sequence header. `None`: the first keyframe will say the rest.
    pub(super) fn from_header(head: &Head, header: &Bytes) -> Result<Option<Self>, Error> {
        match head.codec {
            Codec::Avc if nal::is_annex_b(header) => {
                let sets: Vec<_> = nal::AnnexB::new(header).map(<[u8]>::to_vec).collect();
                Self::from_sets(Nal::Avc, sets, 4, header.clone()).map(Some)
            }
            Codec::Avc => Self::from_avc_record(header.to_vec(), header.clone()).map(Some),
            #[cfg(feature = "codecs")]
            _ => Self::from_other_header(head, header),
            #[cfg(not(feature = "codecs"))]
            _ => Ok(None),
        }
    }

    /// The configuration that a keyframe of `codec` asks for, if it is another than `current`.
    /// `header` is the last sequence header.
    pub(super) fn from_keyframe(
        codec: Codec,
        body: &[u8],
        current: Option<&Self>,
        header: &Bytes,
    ) -> Option<Self> {
        let current = current.filter(|current| current.codec == codec);
        match codec {
            Codec::Avc => Self::from_sets_in(Nal::Avc, body, current, header),
            #[cfg(feature = "codecs")]
            _ => Self::from_other_keyframe(codec, body, current, header),
            #[cfg(not(feature = "codecs"))]
            _ => None,
        }
    }

    /// Whether `header` is what it was made of.
    pub(super) fn is_of(&self, codec: Codec, header: &[u8]) -> bool {
        self.codec == codec && self.source == header
    }

    /// RFC 6381 codec string.
    pub(super) fn codec_string(&self) -> &str {
        &self.codec_string
    }

    pub(super) fn info(&self) -> VideoInfo {
        self.info
    }

    /// Microseconds per frame by the configuration, if that is between 1 and 240 frames per second.
    pub(super) fn nominal_step(&self) -> i64 {
        self.step.filter(|step| (SECOND / 240..=SECOND).contains(step)).unwrap_or(DEFAULT_STEP)
    }

    pub(super) fn write_init(&self, track_id: u32, limits: &Config, out: &mut Vec<u8>) {
        let [kind, record_kind] = self.kinds;
        let init = Init {
            track_id,
            timescale: 1_000_000,
            duration_ms: limits.duration_ms,
            entry: SampleEntry::Video(VideoEntry {
                kind,
                record_kind,
                record: &self.record,
                width: self.info.width,
                height: self.info.height,
                sample_aspect_ratio: Some(self.info.sample_aspect_ratio),
                colour: self.hinted.or(self.colour),
                light: self.light,
            }),
        };
        mp4::write_init(&init, out);
    }

    /// Looks for parameter sets in a picture; those of the current configuration stay in force
    /// unless they are replaced.
    fn from_sets_in(nal: Nal, body: &[u8], current: Option<&Self>, header: &Bytes) -> Option<Self> {
        let length_size = match current {
            Some(Self { framing: Framing::Nal(_, size), .. }) => *size,
            _ => 4,
        };
        let mut sets: Option<Vec<Vec<u8>>> = None;
        let mut look_at = |unit: &[u8]| {
            let Some(key) = nal.parameter_set(unit) else { return };
            let before = current.map(|config| config.sets.as_slice()).unwrap_or_default();
            if sets.as_deref().unwrap_or(before).iter().any(|set| set == unit) {
                return;
            }
            let sets = sets.get_or_insert_with(|| before.to_vec());
            // A few of each kind are in use; a stream of ever new ids is not worth memory.
            sets.retain(|set| nal.parameter_set(set) != Some(key));
            if sets.len() < MAX_SETS {
                sets.push(unit.to_vec());
            }
        };
        nal::each_unit(body, length_size, &mut look_at);
        // Sets nobody can read change nothing: the decoder will say what it makes of them.
        Self::from_sets(nal, sets?, length_size, header.clone()).ok()
    }

    fn from_sets(
        nal: Nal,
        sets: Vec<Vec<u8>>,
        length_size: u8,
        source: Bytes,
    ) -> Result<Self, Error> {
        match nal {
            Nal::Avc => {
                let record = DecoderConfigurationRecord::write(&sets, length_size)?;
                Self::from_avc_record(record, source)
            }
            #[cfg(feature = "codecs")]
            Nal::Hevc => Self::from_hevc_sets(&sets, length_size, source),
        }
    }

    fn from_avc_record(record: Vec<u8>, source: Bytes) -> Result<Self, Error> {
        let parsed = DecoderConfigurationRecord::parse(&record)?;
        let sps = parsed.parse_sps()?;
        let vui = &sps.vui;
        let info = VideoInfo {
            width: sps.width,
            height: sps.height,
            sample_aspect_ratio: vui.sample_aspect_ratio.unwrap_or((1, 1)),
            fps: vui.timing.map(|timing| timing.frame_rate()),
            profile: sps.profile,
            level: sps.level,
            bit_depth: sps.luma_bit_depth,
            chroma_format: sps.chroma_format,
            reorder_frames: vui.bitstream_restriction.map(|b| b.max_num_reorder_frames),
            max_ref_frames: sps.max_ref_frames,
            colour: vui.colour.map(|colour| (colour.primaries, colour.transfer, colour.matrix)),
        };
        let colour = vui.colour;
        let step = vui.timing.and_then(|avc::Timing { num_units_in_tick, time_scale, .. }| {
            step(num_units_in_tick.saturating_mul(2), time_scale)
        });
        let mut sets = parsed.sps;
        sets.extend(parsed.pps);
        Ok(Self {
            codec: Codec::Avc,
            source,
            framing: Framing::Nal(Nal::Avc, parsed.nal_length_size),
            sets,
            kinds: [*b"avc1", *b"avcC"],
            record,
            codec_string: sps.codec_string(),
            info,
            colour,
            hinted: None,
            light: Light::default(),
            step,
        })
    }
}

/// Microseconds of `units` ticks of `scale` a second.
fn step(units: u32, scale: u32) -> Option<i64> {
    i64::from(units).saturating_mul(SECOND).checked_div(scale.into())
}

/// Parameter sets kept of one configuration.
const MAX_SETS: usize = 64;
/// A step at 30 frames per second, for a stream that does not say.
pub(super) const DEFAULT_STEP: i64 = SECOND / 30;
