//! What a stream's tracks are: codec, size, rate. A configuration that cannot be read leaves gaps here and nothing else:
//! its bytes are relayed all the same.

mod details;

use std::collections::BTreeMap;

use pushpull_media::flv::{audio, video};
use serde::Serialize;

use super::headers::{Defaults, HeaderKind};
use super::multitrack::TrackIds;
use super::packet::{Head, Packet, Role};
use super::tracks::Tracks;

/// The pictures of a track.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Video {
    /// The codec's name, such as `H.264`.
    pub codec: String,
    /// The codec as browsers ask for it (RFC 6381), such as `avc1.64001f`; `None` if unknown.
    pub codec_string: Option<String>,
    /// Width in pixels; `None` if unknown.
    pub width: Option<u16>,
    /// Height in pixels; `None` if unknown.
    pub height: Option<u16>,
    /// Pictures per second, measured; `None` before two have come, and for all but the default track.
    pub fps: Option<f64>,
}

/// The sound of a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
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

/// One track of a stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub enum Track {
    /// Pictures.
    Video {
        /// What `?track=` calls it.
        id: u8,
        /// The pictures.
        #[serde(flatten)]
        video: Video,
    },
    /// Sound.
    Audio {
        /// What `?track=` calls it.
        id: u8,
        /// The sound.
        #[serde(flatten)]
        audio: Audio,
    },
}

/// What is known of the tracks so far, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Description {
    defaults: Defaults,
    video: BTreeMap<u8, Known<video::Codec, Video>>,
    audio: BTreeMap<u8, Known<audio::Codec, Audio>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Known<C, D> {
    codec: C,
    details: D,
}

/// What a message told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Learnt {
    /// Something is known that was not, or is not what it was.
    pub(super) anything: bool,
    /// Tracks whose frames are of another codec than their configuration.
    pub(super) changed: TrackIds,
}

impl Description {
    /// Learns from a message.
    pub(super) fn learn(&mut self, packet: &Packet, data: &[u8]) -> Learnt {
        let mut learnt = Learnt::default();
        match (packet.head, packet.role) {
            (Head::Video(head), Role::Header(HeaderKind::Video)) => {
                for (id, head) in pictures(head, data) {
                    let known = Known { codec: head.codec, details: details::video(&head, data) };
                    learnt.anything |= self.video.get(&id) != Some(&known);
                    self.video.insert(id, known);
                }
            }
            (Head::Audio(head), Role::Header(HeaderKind::Audio)) => {
                for (id, head) in sounds(head, data) {
                    let known = Known { codec: head.codec, details: details::audio(&head, data) };
                    learnt.anything |= self.audio.get(&id) != Some(&known);
                    self.audio.insert(id, known);
                }
            }
            // Codecs that need no configuration show with their frames.
            (Head::Video(head), Role::Picture { is_keyframe }) => {
                for (id, head) in pictures(head, data) {
                    self.picture(id, &head, is_keyframe, data, &mut learnt);
                }
            }
            (Head::Audio(head), Role::Sound) => {
                for (id, head) in sounds(head, data) {
                    let codec = self.audio.get(&id).map(|known| known.codec);
                    if codec != Some(head.codec) {
                        let details = details::audio(&head, data);
                        self.audio.insert(id, Known { codec: head.codec, details });
                        learnt.note(id, codec.is_some());
                    }
                }
            }
            _ => {}
        }
        learnt
    }

    pub(super) fn set_defaults(&mut self, defaults: Defaults) {
        self.defaults = defaults;
    }

    /// The default track's pictures.
    pub(super) fn video(&self, fps: Option<f64>) -> Option<Video> {
        let known = self.video.get(&self.defaults.video?)?;
        Some(Video { fps, ..known.details.clone() })
    }

    /// The default track's sound.
    pub(super) fn audio(&self) -> Option<Audio> {
        self.audio.get(&self.defaults.audio?).map(|known| known.details.clone())
    }

    /// All tracks of the kinds that are there.
    pub(super) fn tracks(&self, there: Tracks, fps: Option<f64>) -> Vec<Track> {
        let video = self.video.iter().filter(|_| there.video).map(|(&id, known)| {
            let fps = fps.filter(|_| Some(id) == self.defaults.video);
            Track::Video { id, video: Video { fps, ..known.details.clone() } }
        });
        let audio = self.audio.iter().filter(|_| there.audio);
        let audio = audio.map(|(&id, known)| Track::Audio { id, audio: known.details.clone() });
        video.chain(audio).collect()
    }

    fn picture(
        &mut self,
        id: u8,
        head: &video::Head,
        is_keyframe: bool,
        data: &[u8],
        learnt: &mut Learnt,
    ) {
        let known = self.video.get_mut(&id);
        let codec = known.as_ref().map(|known| known.codec);
        match known {
            Some(known) if known.codec == head.codec => {
                // Some configurations do not tell all, and some keyframes do.
                if is_keyframe && known.details.width.is_none() {
                    let shown = details::video(head, data);
                    learnt.anything |= shown.width.is_some();
                    let codec_string = known.details.codec_string.take().or(shown.codec_string);
                    known.details = Video { codec_string, ..shown };
                }
            }
            _ => {
                let details = details::video(head, data);
                self.video.insert(id, Known { codec: head.codec, details });
                learnt.note(id, codec.is_some());
            }
        }
    }
}

impl Learnt {
    fn note(&mut self, id: u8, has_changed: bool) {
        self.anything = true;
        if has_changed {
            self.changed.insert(id);
        }
    }
}

/// The tracks of a message, each with its own head.
fn pictures(first: video::Head, data: &[u8]) -> impl Iterator<Item = (u8, video::Head)> + '_ {
    let next = |head: &video::Head| head.next_track(data).ok().flatten();
    std::iter::successors(Some(first), next).map(|head| (head.track.unwrap_or(0), head))
}

fn sounds(first: audio::Head, data: &[u8]) -> impl Iterator<Item = (u8, audio::Head)> + '_ {
    let next = |head: &audio::Head| head.next_track(data).ok().flatten();
    std::iter::successors(Some(first), next).map(|head| (head.track.unwrap_or(0), head))
}
