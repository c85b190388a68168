//! What a stream's tracks are: codec, size, rate. A configuration that cannot be read leaves gaps here and nothing else:
//! its bytes are relayed all the same.

use pushpull_media::codec::{aac::AudioSpecificConfig, avc::DecoderConfigurationRecord};
use pushpull_media::flv::{audio, video};
use serde::Serialize;

use super::block::HeaderKind;
use super::packet::{Head, Packet, Role};

/// The pictures of a stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Video {
    /// The codec's name, such as `H.264`.
    pub codec: String,
    /// The codec as browsers ask for it (RFC 6381), such as `avc1.64001f`; `None` if unknown.
    pub codec_string: Option<String>,
    /// Width in pixels; `None` if unknown.
    pub width: Option<u16>,
    /// Height in pixels; `None` if unknown.
    pub height: Option<u16>,
    /// Pictures per second, measured; `None` before two have come.
    pub fps: Option<f64>,
}

/// The sound of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audio {
    /// The codec's name, such as `AAC`.
    pub codec: String,
    /// The codec as browsers ask for it (RFC 6381), such as `mp4a.40.2`; `None` if unknown.
    pub codec_string: Option<String>,
    /// Samples per second; `None` if unknown.
    pub sample_rate: Option<u32>,
    /// Channels; `None` if unknown.
    pub channels: Option<u8>,
}

/// What is known of the tracks so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Description {
    video: Option<Video>,
    audio: Option<Audio>,
}

impl Description {
    /// Learns from a message; `true` if it told something new.
    pub(super) fn learn(&mut self, packet: &Packet, data: &[u8]) -> bool {
        match (&packet.head, packet.role) {
            (Head::Video(head), Role::Header(HeaderKind::Video)) => {
                replace(&mut self.video, video_of(head, data))
            }
            (Head::Audio(head), Role::Header(HeaderKind::Audio)) => {
                replace(&mut self.audio, audio_of(head, data))
            }
            // Codecs that need no configuration show with their first frame.
            (Head::Video(head), Role::Picture { .. }) if self.video.is_none() => {
                replace(&mut self.video, video_of(head, &[]))
            }
            (Head::Audio(head), Role::Sound) if self.audio.is_none() => {
                replace(&mut self.audio, audio_of(head, &[]))
            }
            _ => false,
        }
    }

    pub(super) fn video(&self, fps: Option<f64>) -> Option<Video> {
        self.video.clone().map(|video| Video { fps, ..video })
    }

    pub(super) fn audio(&self) -> Option<Audio> {
        self.audio.clone()
    }
}

fn replace<T: PartialEq>(known: &mut Option<T>, learnt: T) -> bool {
    let is_new = known.as_ref() != Some(&learnt);
    *known = Some(learnt);
    is_new
}

fn video_of(head: &video::Head, data: &[u8]) -> Video {
    let payload = data.get(head.body..).unwrap_or_default();
    let sps = match head.codec {
        video::Codec::Avc => {
            DecoderConfigurationRecord::parse(payload).and_then(|record| record.parse_sps()).ok()
        }
        _ => None,
    };
    Video {
        codec: head.codec.name().into_owned(),
        codec_string: sps.as_ref().map(|sps| sps.codec_string()),
        width: sps.as_ref().map(|sps| sps.width),
        height: sps.as_ref().map(|sps| sps.height),
        fps: None,
    }
}

fn audio_of(head: &audio::Head, data: &[u8]) -> Audio {
    let payload = data.get(head.body..).unwrap_or_default();
    let codec = head.codec.name().into_owned();
    if head.codec == audio::Codec::Aac {
        // AAC's legacy head says 44.1 kHz stereo whatever the truth.
        let config = AudioSpecificConfig::parse(payload).ok();
        return Audio {
            codec,
            codec_string: config.as_ref().map(|config| config.codec_string()),
            sample_rate: config.as_ref().map(|config| config.output_frequency()),
            channels: config.as_ref().map(|config| config.output_channels()),
        };
    }
    let codec_string = match head.codec {
        audio::Codec::Mp3 => Some("mp3".to_owned()),
        audio::Codec::Opus => Some("opus".to_owned()),
        audio::Codec::Flac => Some("flac".to_owned()),
        audio::Codec::Ac3 => Some("ac-3".to_owned()),
        audio::Codec::Eac3 => Some("ec-3".to_owned()),
        _ => None,
    };
    Audio { codec, codec_string, sample_rate: head.rate_hz, channels: head.channels }
}
