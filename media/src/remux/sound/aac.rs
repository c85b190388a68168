//! AAC in all its kinds.

use alloc::vec;
use alloc::vec::Vec;

use crate::Bytes;

use super::more::{Framing, More, Record, mp4_mime};
use super::{AudioConfig, Frame, MPEG4_AUDIO, Silence};
use crate::codec::aac::{self, AudioSpecificConfig};
use crate::flv::audio::Codec;
use crate::remux::event::AudioInfo;
use crate::remux::{Error, WarningKind};

impl AudioConfig {
    pub(super) fn from_aac(source: Bytes) -> Result<Self, Error> {
        let (config, listed, prefix) = match aac::Program::parse(&source) {
            Some(program) => (program.config.into(), Some(program.channels), program.prefix),
            None => (source.clone(), None, Vec::new()),
        };
        let parsed = AudioSpecificConfig::parse_numbered(&config)?;
        let codec_string = parsed.codec_string();
        let mut mimes = vec![mp4_mime(&codec_string)];
        // A decoder that does not know a profile can often play its low complexity core.
        if matches!(parsed.object_type, 1 | 5 | 29) {
            mimes.push(mp4_mime("mp4a.40.2"));
        }
        // There is no number for more than eight: a browser takes the list, or refuses it.
        let config = if listed > Some(8) { source.clone() } else { config };
        let record = Record::Descriptor(MPEG4_AUDIO, config);
        let mut more = More::new(*b"mp4a", record, mimes, Framing::Whole);
        more.prefix = prefix.into();
        Ok(Self {
            codec: Codec::Aac,
            rate: parsed.sampling_frequency,
            frame: parsed.frame_length,
            codec_string,
            info: AudioInfo {
                sample_rate: parsed.output_frequency(),
                channels: listed.unwrap_or(parsed.output_channels()),
                object_type: parsed.object_type,
                frame_length: parsed.frame_length,
            },
            silence: match parsed.silent_frame() {
                // It is of the elements that the number stands for.
                Some(frame) if more.prefix.is_empty() => Silence::Frame(frame.into()),
                _ => Silence::None,
            },
            more,
            source,
        })
    }

    pub(super) fn next_aac_frame(&self, rest: &mut Bytes) -> Option<Frame> {
        let mut data = core::mem::take(rest);
        let mut repaired = None;
        if let Some(header) = aac::adts_header_len(&data) {
            data = data.slice(header..);
            repaired = Some(WarningKind::AdtsHeader);
        }
        let prefix = &self.more.prefix;
        // It may list its channels itself.
        if !prefix.is_empty() && data.first()? >> 5 != aac::ID_PCE {
            data = [prefix, &data[..]].concat().into();
        }
        (!data.is_empty()).then_some(Frame { data, length: self.frame, repaired })
    }
}
