//! Video configurations beyond the sequence header of H.264.

use alloc::vec::Vec;

use crate::Bytes;

use super::{Framing, Hint, VideoConfig, step};
use crate::codec::avc::{self, Colour};
use crate::codec::nal::{self, Nal};
use crate::codec::{av1, hevc, vp9};
use crate::flv::video::{Codec, Head, Packet};
use crate::mp4::Light;
use crate::remux::Error;
use crate::remux::event::VideoInfo;

impl VideoConfig {
    pub(super) fn from_other_header(head: &Head, header: &Bytes) -> Result<Option<Self>, Error> {
        match head.codec {
            Codec::Avc => Self::from_start_codes(Nal::Avc, header).map(Some),
            Codec::Hevc if nal::is_annex_b(header) => {
                Self::from_start_codes(Nal::Hevc, header).map(Some)
            }
            Codec::Hevc => Self::from_hevc_record(header.clone(), header.clone()).map(Some),
            Codec::Av1 if head.packet == Packet::Mpeg2TsSequenceStart => {
                av1::from_ts_descriptor(header)?;
                Ok(None)
            }
            Codec::Av1 => Ok(Self::from_av1_units(av1::units_in(header)?, Some(header), header)),
            Codec::Vp9 => {
                vp9::Record::parse(header)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The configuration that a keyframe of `codec` asks for, if it is another than `current`.
    /// `header` is the last sequence header.
    pub(in crate::remux) fn from_keyframe(
        codec: Codec,
        body: &[u8],
        current: Option<&Self>,
        header: &Bytes,
    ) -> Option<Self> {
        let current = current.filter(|current| current.codec == codec);
        match codec {
            Codec::Avc => Self::from_sets_in(Nal::Avc, body, current, header),
            Codec::Hevc => Self::from_sets_in(Nal::Hevc, body, current, header),
            Codec::Av1 => {
                let (_, unit) = av1::sequence_of(body)?;
                let known = current.is_some_and(|current| {
                    av1::sequence_of(current.record.get(4..).unwrap_or_default())
                        .is_some_and(|(_, known)| known == unit)
                });
                if known { None } else { Self::from_av1_units(unit, None, header) }
            }
            Codec::Vp9 => {
                let keyframe = vp9::Keyframe::parse(body)?;
                let new = Self::from_vp9(&keyframe, header);
                let known = current.is_some_and(|current| {
                    let size = (current.info.width, current.info.height);
                    current.record == new.record && size == (new.info.width, new.info.height)
                });
                (!known).then_some(new)
            }
            _ => None,
        }
    }

    /// The same with what the container says of colours and light; `None` if nothing changes.
    pub(in crate::remux) fn with_hint(&self, hint: &Hint) -> Option<Self> {
        let colour = hint.over(self.colour);
        if (self.info.colour, self.light) == (colour.map(numbers), hint.light) {
            return None;
        }
        let info = VideoInfo { colour: colour.map(numbers), ..self.info };
        Some(Self { info, light: hint.light, hinted: colour, ..self.clone() })
    }

    /// Of a sequence header that is no record but parameter sets.
    fn from_start_codes(nal: Nal, header: &Bytes) -> Result<Self, Error> {
        let sets = nal::AnnexB::new(header).map(<[u8]>::to_vec).collect();
        Self::from_sets(nal, sets, 4, header.clone())
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
                let record = avc::DecoderConfigurationRecord::write(&sets, length_size)?;
                Self::from_avc_record(record.into(), source)
            }
            Nal::Hevc => {
                let record = hevc::DecoderConfigurationRecord::write(&sets, length_size)?;
                Self::from_hevc_record(record.into(), source)
            }
        }
    }

    fn from_hevc_record(record: Bytes, source: Bytes) -> Result<Self, Error> {
        let parsed = hevc::DecoderConfigurationRecord::parse(&record)?;
        let sps = parsed.parse_sps()?;
        let timing = sps.timing.map(|timing| (timing.num_units_in_tick, timing.time_scale));
        Ok(Self {
            codec: Codec::Hevc,
            source,
            framing: Framing::Nal(Nal::Hevc, parsed.nal_length_size),
            sets: parsed.sets,
            kinds: [*b"hvc1", *b"hvcC"],
            record,
            codec_string: sps.profile.codec_string(),
            info: VideoInfo {
                width: sps.width,
                height: sps.height,
                sample_aspect_ratio: sps.sample_aspect_ratio.unwrap_or((1, 1)),
                fps: rate(timing),
                profile: sps.profile.profile & 0x1F,
                level: sps.profile.level,
                bit_depth: sps.luma_bit_depth,
                chroma_format: sps.chroma_format,
                reorder_frames: Some(sps.max_num_reorder),
                max_ref_frames: sps.max_dec_pic_buffering,
                colour: sps.colour.map(numbers),
            },
            colour: sps.colour,
            hinted: None,
            light: Light::default(),
            step: timing.and_then(|(units, scale)| step(units, scale)),
        })
    }

    /// Of the sequence header in `units`, if there is one; `record` is written if it is whole.
    fn from_av1_units(units: &[u8], record: Option<&[u8]>, source: &Bytes) -> Option<Self> {
        let (sequence, unit) = av1::sequence_of(units)?;
        Some(Self {
            codec: Codec::Av1,
            source: source.clone(),
            framing: Framing::Obu,
            sets: Vec::new(),
            kinds: [*b"av01", *b"av1C"],
            record: record
                .map_or_else(|| av1::record(&sequence, unit).into(), Bytes::copy_from_slice),
            codec_string: sequence.codec_string(),
            info: VideoInfo {
                width: sequence.width,
                height: sequence.height,
                sample_aspect_ratio: (1, 1),
                fps: rate(sequence.timing),
                profile: sequence.profile,
                level: sequence.level,
                bit_depth: sequence.bit_depth,
                chroma_format: sequence.chroma_format(),
                reorder_frames: Some(0),
                max_ref_frames: REFERENCES,
                colour: Some(numbers(sequence.colour)),
            },
            colour: Some(sequence.colour),
            hinted: None,
            light: Light::default(),
            step: sequence.timing.and_then(|(units, scale)| step(units, scale)),
        })
    }

    fn from_vp9(keyframe: &vp9::Keyframe, header: &Bytes) -> Self {
        // The header knows level and colours better, as long as it is of this sequence.
        let record = match vp9::Record::parse(header) {
            Ok(record)
                if (record.profile, record.bit_depth) == (keyframe.profile, keyframe.bit_depth) =>
            {
                record
            }
            _ => keyframe.record(),
        };
        Self {
            codec: Codec::Vp9,
            source: header.clone(),
            framing: Framing::Whole,
            sets: Vec::new(),
            kinds: [*b"vp09", *b"vpcC"],
            record: Bytes::copy_from_slice(&record.to_bytes()),
            codec_string: record.codec_string(),
            info: VideoInfo {
                width: keyframe.width,
                height: keyframe.height,
                sample_aspect_ratio: (1, 1),
                fps: None,
                profile: record.profile,
                level: record.level,
                bit_depth: record.bit_depth,
                chroma_format: record.chroma_format(),
                reorder_frames: Some(0),
                max_ref_frames: REFERENCES,
                colour: Some(numbers(record.colour)),
            },
            colour: Some(record.colour),
            hinted: None,
            light: Light::default(),
            step: None,
        }
    }
}

/// The parameter sets of a record.
pub(super) fn avc_sets(record: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let record = avc::DecoderConfigurationRecord::parse(record)?;
    let mut sets = record.sps;
    sets.extend(record.pps);
    Ok(sets)
}

fn numbers(colour: Colour) -> (u8, u8, u8) {
    (colour.primaries, colour.transfer, colour.matrix)
}

fn rate(timing: Option<(u32, u32)>) -> Option<f64> {
    timing.map(|(units, scale)| f64::from(scale) / f64::from(units))
}

/// AV1 and VP9 keep eight pictures to refer to.
const REFERENCES: u32 = 8;

/// Parameter sets kept of one configuration.
const MAX_SETS: usize = 64;
