//! Codec, size and rate, out of a configuration or out of a frame that needs none.

use pushpull_media::codec::aac::AudioSpecificConfig;
use pushpull_media::codec::{ac3, av1, avc, flac, hevc, mp3, opus, vp9};
use pushpull_media::flv::{audio, video};

use super::{Audio, Video};

/// What a video message tells of its track.
pub(super) fn video(head: &video::Head, data: &[u8]) -> Video {
    let payload = data.get(head.body..head.end).unwrap_or_default();
    let (codec_string, size) =
        if head.is_sequence_header() { configured(head, payload) } else { shown(head, payload) };
    Video {
        codec: head.codec.name().into_owned(),
        codec_string,
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        fps: None,
    }
}

/// What an audio message tells of its track.
pub(super) fn audio(head: &audio::Head, data: &[u8]) -> Audio {
    let payload = data.get(head.body..head.end).unwrap_or_default();
    let codec = head.codec.name().into_owned();
    let of = |codec_string: Option<&str>, rate, channels| Audio {
        codec: codec.clone(),
        codec_string: codec_string.map(str::to_owned),
        sample_rate: rate,
        channels,
    };
    match head.codec {
        // AAC's legacy head says 44.1 kHz stereo whatever the truth.
        audio::Codec::Aac => {
            let config = Some(payload).filter(|_| head.is_sequence_header());
            let config = config.and_then(|payload| AudioSpecificConfig::parse(payload).ok());
            let codec_string = config.as_ref().map(AudioSpecificConfig::codec_string);
            of(
                codec_string.as_deref(),
                config.as_ref().map(AudioSpecificConfig::output_frequency),
                config.as_ref().map(AudioSpecificConfig::output_channels),
            )
        }
        audio::Codec::Opus => {
            let opus = opus::Head::parse(payload).ok();
            of(Some("opus"), Some(opus::RATE), opus.map(|opus| opus.channels))
        }
        audio::Codec::Flac => {
            let info = flac::StreamInfo::parse(payload).ok();
            of(Some("flac"), info.as_ref().map(|info| info.rate), info.map(|info| info.channels))
        }
        audio::Codec::Ac3 | audio::Codec::Eac3 => {
            let frame = ac3::Frame::parse(payload);
            let codec_string = if head.codec == audio::Codec::Ac3 { "ac-3" } else { "ec-3" };
            of(Some(codec_string), frame.map(|frame| frame.rate), frame.map(|frame| frame.channels))
        }
        audio::Codec::Mp3 => {
            let frame = mp3::Frame::parse(payload);
            of(
                Some("mp3"),
                frame.map(|frame| frame.rate).or(head.rate_hz),
                frame.map(|frame| frame.channels).or(head.channels),
            )
        }
        _ => of(None, head.rate_hz, head.channels),
    }
}

type Told = (Option<String>, Option<(u16, u16)>);

/// What a configuration tells.
fn configured(head: &video::Head, payload: &[u8]) -> Told {
    match head.codec {
        video::Codec::Avc => {
            let record = avc::DecoderConfigurationRecord::parse(payload);
            let Ok(sps) = record.and_then(|record| record.parse_sps()) else { return (None, None) };
            (Some(sps.codec_string()), Some((sps.width, sps.height)))
        }
        video::Codec::Hevc => {
            let record = hevc::DecoderConfigurationRecord::parse(payload);
            let Ok(record) = record else { return (None, None) };
            let size = record.parse_sps().ok().map(|sps| (sps.width, sps.height));
            (Some(record.profile.codec_string()), size)
        }
        video::Codec::Av1 if head.packet == video::Packet::SequenceStart => {
            let units = av1::units_in(payload).unwrap_or_default();
            let Some((sequence, _)) = av1::sequence_of(units) else { return (None, None) };
            (Some(sequence.codec_string()), Some((sequence.width, sequence.height)))
        }
        video::Codec::Vp9 => {
            (vp9::Record::parse(payload).ok().map(|record| record.codec_string()), None)
        }
        _ => (None, None),
    }
}

/// What a keyframe tells.
fn shown(head: &video::Head, payload: &[u8]) -> Told {
    let told = match head.codec {
        _ if !head.is_keyframe() => None,
        video::Codec::Vp9 => vp9::Keyframe::parse(payload)
            .map(|key| (key.record().codec_string(), (key.width, key.height))),
        video::Codec::Av1 => av1::sequence_of(payload)
            .map(|(sequence, _)| (sequence.codec_string(), (sequence.width, sequence.height))),
        _ => None,
    };
    told.unzip()
}
