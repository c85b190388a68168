//! Video configurations: one shape for all codecs.

#[cfg(feature = "codecs")]
mod light;
#[cfg(feature = "codecs")]
mod more;

#[cfg(feature = "codecs")]
pub(super) use light::{Hint, take_messages};

use alloc::string::String;
use alloc::vec::Vec;

use crate::Bytes;

use super::event::VideoInfo;
use super::ticks::SECOND;
use super::{Config, Error};
use crate::codec::avc;
use crate::codec::nal::{self, Nal};
use crate::flv::video::{Codec, Head};
#[cfg(feature = "codecs")]
use crate::mp4::Light;
use crate::mp4::{self, Init, SampleEntry, VideoEntry};

/// A configuration and what it says.
#[derive(Clone, Debug)]
pub(super) struct VideoConfig {
    pub(super) codec: Codec,
    /// The sequence header it was made of, to know it when it comes again.
    source: Bytes,
    /// How pictures are put together.
    pub(super) framing: Framing,
    /// The parameter sets of `record`.
    #[cfg(feature = "codecs")]
    sets: Vec<Vec<u8>>,
    /// Types of the sample entry and of the box in it that holds `record`.
    kinds: [[u8; 4]; 2],
    record: Bytes,
    codec_string: String,
    info: VideoInfo,
    /// What the pictures say of their colours …
    colour: Option<avc::Colour>,
    /// … and what the container says.
    #[cfg(feature = "codecs")]
    hinted: Option<avc::Colour>,
    /// High dynamic range, as the box says it.
    #[cfg(feature = "codecs")]
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
        #[cfg(feature = "codecs")]
        if head.codec != Codec::Avc || nal::is_annex_b(header) {
            return Self::from_other_header(head, header);
        }
        #[cfg(not(feature = "codecs"))]
        let _ = head;
        Self::from_avc_record(header.clone(), header.clone()).map(Some)
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
                #[cfg(feature = "codecs")]
                colour: self.hinted.or(self.colour),
                #[cfg(not(feature = "codecs"))]
                colour: self.colour,
                #[cfg(feature = "codecs")]
                light: self.light,
            }),
        };
        mp4::write_init(&init, out);
    }

    /// Whether the keyframe `body` needs a build with the feature `codecs`: it has start codes instead of
    /// lengths, or parameter sets other than those of the sequence header.
    #[cfg(not(feature = "codecs"))]
    pub(super) fn is_beyond(current: Option<&Self>, body: &[u8]) -> bool {
        let (known, length_size) = match current {
            Some(Self { record, framing: Framing::Nal(_, size), .. }) => (record.as_ref(), *size),
            None => (&[][..], 4),
        };
        nal::NalUnits::new(body, length_size).any(|unit| match unit {
            Ok(unit) => {
                matches!(Nal::Avc.unit_type(unit), Some(avc::SPS | avc::PPS))
                    && !known.windows(unit.len()).any(|set| set == unit)
            }
            Err(nal::Overrun) => nal::is_annex_b(body),
        })
    }

    fn from_avc_record(record: Bytes, source: Bytes) -> Result<Self, Error> {
        let (sps, length_size) = avc::first_sps(&record)?;
        let sps = avc::Sps::parse(sps)?;
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
        Ok(Self {
            codec: Codec::Avc,
            source,
            framing: Framing::Nal(Nal::Avc, length_size),
            #[cfg(feature = "codecs")]
            sets: more::avc_sets(&record)?,
            kinds: [*b"avc1", *b"avcC"],
            record,
            codec_string: sps.codec_string(),
            info,
            colour,
            #[cfg(feature = "codecs")]
            hinted: None,
            #[cfg(feature = "codecs")]
            light: Light::default(),
            step,
        })
    }
}

/// Microseconds of `units` ticks of `scale` a second.
fn step(units: u32, scale: u32) -> Option<i64> {
    i64::from(units).saturating_mul(SECOND).checked_div(scale.into())
}

/// A step at 30 frames per second, for a stream that does not say.
pub(super) const DEFAULT_STEP: i64 = SECOND / 30;
