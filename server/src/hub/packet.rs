//! What a published message is to the hub.

use pushpull_media::flv::{TagKind, audio, video};

use super::clock::TrackId;
use super::headers::HeaderKind;
use super::multitrack::{self, TrackIds};

/// A message that has been looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) head: Head,
    pub(super) role: Role,
    /// The tracks it is of.
    pub(super) tracks: TrackIds,
}

/// The head of a message's data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Head {
    Audio(audio::Head),
    Video(video::Head),
    Script,
    /// An extended head that does not end as this version of Enhanced RTMP says.
    Unreadable,
}

/// What the hub does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Kept for joiners, besides being sent.
    Header(HeaderKind),
    /// Sound.
    Sound,
    /// A picture.
    Picture { is_keyframe: bool },
    /// Sent along in order.
    Other,
}

impl Packet {
    /// Looks at a message; `None` if there is nothing in it that anyone could use: an empty message, a cut head, a
    /// configuration or a frame without payload. Encoders do send these, and the stream goes on.
    ///
    /// What is unknown may be of use to viewers that know more: it is sent along.
    pub(super) fn read(kind: TagKind, data: &[u8]) -> Option<Self> {
        let first = *data.first()?;
        let (head, role, is_enhanced, body) = match kind {
            TagKind::Script => {
                let is_metadata = data.starts_with(ON_METADATA);
                let role =
                    if is_metadata { Role::Header(HeaderKind::Metadata) } else { Role::Other };
                return Some(Self { head: Head::Script, role, tracks: TrackIds::default() });
            }
            TagKind::Audio => match audio::Head::parse(data) {
                Ok(head) => (Head::Audio(head), sound_role(&head), head.enhanced, head.body),
                Err(_) if first >> 4 == AUDIO_EXTENDED => (Head::Unreadable, Role::Other, true, 0),
                Err(_) => return None,
            },
            TagKind::Video => match video::Head::parse(data) {
                Ok(head) => (Head::Video(head), picture_role(&head), head.enhanced, head.body),
                Err(_) if first & VIDEO_EXTENDED != 0 => (Head::Unreadable, Role::Other, true, 0),
                Err(_) => return None,
            },
        };
        let role = match role {
            Role::Other => role,
            _ if data.len() > body => role,
            // Codecs that need no configuration may still announce a sequence.
            Role::Header(_) if is_enhanced => Role::Other,
            _ => return None,
        };
        Some(Self { head, role, tracks: multitrack::tracks(kind, data) })
    }

    /// The track whose frame it is; the first of them if it is a frame of many.
    pub(super) fn track(&self) -> Option<TrackId> {
        let is_video = match self.role {
            Role::Sound => false,
            Role::Picture { .. } => true,
            Role::Header(_) | Role::Other => return None,
        };
        Some(TrackId { is_video, number: self.tracks.lowest().unwrap_or(0) })
    }

    /// Whether it is something that this version knows no name for.
    pub(super) fn is_unknown(&self) -> bool {
        match &self.head {
            Head::Audio(head) => {
                matches!(head.packet, audio::Packet::Unknown(_))
                    || matches!(head.codec, audio::Codec::Legacy(_) | audio::Codec::FourCc(_))
            }
            Head::Video(head) => {
                matches!(head.packet, video::Packet::Unknown(_))
                    || head.packet != video::Packet::Command && is_unknown(head.codec)
            }
            Head::Script => false,
            Head::Unreadable => true,
        }
    }
}

fn is_unknown(codec: video::Codec) -> bool {
    match codec {
        // Those of the FLV specification: Sorenson H.263, screen video, VP6, screen video 2.
        video::Codec::Legacy(id) => !(2..=6).contains(&id),
        codec => matches!(codec, video::Codec::FourCc(_)),
    }
}

fn sound_role(head: &audio::Head) -> Role {
    match head.packet {
        audio::Packet::SequenceStart => Role::Header(HeaderKind::Audio),
        audio::Packet::MultichannelConfig => Role::Header(HeaderKind::AudioChannels),
        audio::Packet::Frames => Role::Sound,
        _ => Role::Other,
    }
}

fn picture_role(head: &video::Head) -> Role {
    match head.packet {
        video::Packet::SequenceStart | video::Packet::Mpeg2TsSequenceStart => {
            Role::Header(HeaderKind::Video)
        }
        video::Packet::Metadata => Role::Header(HeaderKind::VideoMetadata),
        video::Packet::Frames => Role::Picture { is_keyframe: head.is_keyframe() },
        _ => Role::Other,
    }
}

/// An AMF0 string, the name every metadata message begins with.
const ON_METADATA: &[u8] = b"\x02\x00\x0AonMetaData";

/// The upper half of an extended audio head's first byte.
const AUDIO_EXTENDED: u8 = 9;

/// The bit that makes a video head an extended one.
const VIDEO_EXTENDED: u8 = 0x80;
