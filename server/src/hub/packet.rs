//! What a published message is to the hub.

use pushpull_media::flv::{TagKind, audio, video};

use super::block::HeaderKind;

/// A message that has been looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) head: Head,
    pub(super) role: Role,
}

/// The head of a message's data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Head {
    Audio(audio::Head),
    Video(video::Head),
    Script,
}

/// What the hub does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Kept for joiners, besides being sent.
    Header(HeaderKind),
    /// Sound of the main track.
    Sound,
    /// A picture of the main track.
    Picture { is_keyframe: bool },
    /// Sent along in order.
    Other,
}

impl Packet {
    /// Looks at a message; `None` if there is nothing in it that anyone could use: an empty message, a cut head, a
    /// configuration or a frame without payload. Encoders do send these, and the stream goes on.
    pub(super) fn read(kind: TagKind, data: &[u8]) -> Option<Self> {
        match kind {
            TagKind::Audio => {
                let head = audio::Head::parse(data).ok()?;
                let role = match head.packet {
                    audio::Packet::SequenceStart => Role::Header(HeaderKind::Audio),
                    audio::Packet::Frames => Role::Sound,
                    _ => Role::Other,
                };
                Self::with_payload(Head::Audio(head), role, head.track, data.len() > head.body)
            }
            TagKind::Video => {
                let head = video::Head::parse(data).ok()?;
                let role = match head.packet {
                    video::Packet::SequenceStart | video::Packet::Mpeg2TsSequenceStart => {
                        Role::Header(HeaderKind::Video)
                    }
                    video::Packet::Metadata => Role::Header(HeaderKind::VideoMetadata),
                    video::Packet::Frames => Role::Picture { is_keyframe: head.is_keyframe() },
                    _ => Role::Other,
                };
                Self::with_payload(Head::Video(head), role, head.track, data.len() > head.body)
            }
            TagKind::Script if data.is_empty() => None,
            TagKind::Script => {
                let is_metadata = data.starts_with(ON_METADATA);
                let role =
                    if is_metadata { Role::Header(HeaderKind::Metadata) } else { Role::Other };
                Some(Self { head: Head::Script, role })
            }
        }
    }

    fn with_payload(head: Head, role: Role, track: Option<u8>, has_payload: bool) -> Option<Self> {
        match role {
            Role::Other => Some(Self { head, role }),
            _ if !has_payload => None,
            // The further tracks of Enhanced RTMP v2 travel along; what viewers join is the main one.
            _ if track.is_some_and(|track| track != 0) => Some(Self { head, role: Role::Other }),
            _ => Some(Self { head, role }),
        }
    }
}

/// An AMF0 string, the name every metadata message begins with.
const ON_METADATA: &[u8] = b"\x02\x00\x0AonMetaData";
