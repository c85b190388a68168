use alloc::collections::VecDeque;
use alloc::string::String;
#[cfg(feature = "codecs")]
use alloc::vec::Vec;

use crate::Bytes;

use super::Track;

use crate::{codec, flv};

/// How many events wait for the host; past that the oldest is lost. A host that asks after every tag
/// sees a handful.
pub const MAX_EVENTS: usize = 256;

/// The largest script tag that is decoded, in bytes. The keyframe index of a long recording takes a
/// few hundred kilobytes.
pub const MAX_SCRIPT_LEN: usize = 1 << 20;

/// Something the host should know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A track has a configuration, or a new one. It is in force for the samples pushed after it.
    TrackConfig {
        /// Which track.
        track: Track,
        /// RFC 6381 codec string, such as `avc1.64001f`.
        codec: String,
        /// MIME type for `addSourceBuffer`, such as `video/mp4;codecs="avc1.64001f"`.
        mime: String,
        /// Types to try when the browser does not play that one, best first. A host that takes one
        /// says so with [`choose_mime`](super::Remuxer::choose_mime).
        #[cfg(feature = "codecs")]
        other_mimes: Vec<String>,
        /// It replaces another configuration.
        changed: bool,
        /// What the configuration says.
        info: TrackInfo,
    },
    /// A script tag: metadata, cue points, text.
    Script {
        /// AMF0: the handler's name, `onMetaData` above all, perhaps behind `@setDataFrame`, and its
        /// arguments.
        data: Bytes,
        /// The tag's time on the stream's line, in milliseconds.
        time_ms: i64,
    },
    /// The sender says that the sequence is complete. Frames may still follow.
    #[cfg(feature = "codecs")]
    SequenceEnd {
        /// Which track.
        track: Track,
    },
    /// The sender's times jumped; the output goes on without a hole.
    Discontinuity {
        /// Which track.
        track: Track,
        /// The last time before the jump, in milliseconds of the sender's line.
        from_ms: i64,
        /// The first time after it.
        to_ms: i64,
    },
    /// The track is of a codec that cannot be remuxed; its frames are dropped.
    #[cfg(feature = "codecs")]
    Unsupported {
        /// Which track.
        track: Track,
        /// The codec's name.
        codec: String,
    },
    /// A message of supplemental enhancement information in the pictures, if
    /// [`Config::sei`](super::Config::sei) asks for them.
    #[cfg(feature = "codecs")]
    Sei {
        /// `payloadType`.
        payload_type: u32,
        /// Its bytes.
        payload: Bytes,
        /// When its picture is shown, microseconds of the stream's line.
        time_us: i64,
    },
    /// Something was repaired or dropped.
    Warning(Warning),
}

/// What a configuration says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrackInfo {
    /// Of pictures.
    Video(VideoInfo),
    /// Of sound.
    Audio(AudioInfo),
}

/// What a video configuration says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VideoInfo {
    /// Luma samples per line.
    pub width: u16,
    /// Lines.
    pub height: u16,
    /// Width and height of one sample, `(1, 1)` if it is not said.
    pub sample_aspect_ratio: (u16, u16),
    /// Frames per second, if it is said.
    pub fps: Option<f64>,
    /// The codec's number of the profile.
    pub profile: u8,
    /// The codec's number of the level.
    pub level: u8,
    /// Bits per luma sample.
    pub bit_depth: u8,
    /// 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Pictures a decoder holds back to reorder them; `None` lets it hold as many as it likes.
    pub reorder_frames: Option<u32>,
    /// Reference pictures at most.
    pub max_ref_frames: u32,
    /// Colour primaries, transfer characteristics and matrix by their numbers of ISO/IEC 23091-2.
    pub colour: Option<(u8, u8, u8)>,
}

/// What an audio configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioInfo {
    /// Sampling frequency that is heard, in Hz.
    pub sample_rate: u32,
    /// Channels that are heard.
    pub channels: u8,
    /// MPEG-4 audio object type as first written.
    pub object_type: u8,
    /// Samples per frame at the rate the frames are timed with.
    pub frame_length: u16,
}

/// What a configuration that comes into force brings.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) codec: String,
    pub(super) mime: String,
    #[cfg(feature = "codecs")]
    pub(super) other_mimes: Vec<String>,
    pub(super) changed: bool,
    pub(super) info: TrackInfo,
}

/// Something that was repaired or dropped, counted while the host does not look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Which track; video for script tags and events.
    pub track: Track,
    /// What.
    pub kind: WarningKind,
    /// How many frames, tags or events it concerns.
    pub count: u32,
    /// Time of the last of them on the stream's line, in milliseconds.
    pub time_ms: i64,
}

/// Kinds of [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WarningKind {
    /// The lengths inside a picture do not fit it, or sound is no frame of its codec.
    #[error("corrupt frame dropped")]
    CorruptFrame,
    /// A picture came with start codes instead of lengths.
    #[error("picture with start codes rewritten")]
    AnnexB,
    /// A sound frame came with an ADTS header.
    #[error("ADTS header removed")]
    AdtsHeader,
    /// Frames before the configuration that tells how to decode them.
    #[error("frame before its configuration dropped")]
    FrameBeforeConfig,
    /// A decode time not after the one before.
    #[error("decode time that does not rise moved")]
    DecodeTime,
    /// A time far from its neighbours that was not confirmed.
    #[error("time far off placed where it was due")]
    OutlierTime,
    /// A composition time of more than ten seconds.
    #[error("composition time out of range clamped")]
    CompositionTime,
    /// There are tracks other than the one that is played. Told once.
    #[error("other tracks ignored")]
    Multitrack,
    /// Frames dropped because the host did not take them in time.
    #[error("queue full: oldest frames dropped")]
    QueueFull,
    /// Silence put where sound is missing.
    #[error("silence inserted")]
    SilenceInserted,
    /// Sound dropped that came for a time already filled.
    #[error("overlapping sound dropped")]
    AudioDropped,
    /// A script tag over [`MAX_SCRIPT_LEN`].
    #[error("script tag too large, ignored")]
    ScriptTooLarge,
    /// Events the host did not fetch in time.
    #[error("events lost")]
    EventsLost,
}

/// Why a tag was not taken. It concerns this tag only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The head of the tag's data.
    #[error(transparent)]
    Flv(#[from] flv::Error),
    /// Only a build with the feature `codecs` can do something with it, and with the stream.
    #[cfg(not(feature = "codecs"))]
    #[error("beyond this build")]
    Beyond,
    /// An H.264 configuration.
    #[cfg(feature = "codecs")]
    #[error(transparent)]
    Avc(#[from] codec::avc::Error),
    /// An AAC configuration.
    #[cfg(feature = "codecs")]
    #[error(transparent)]
    Aac(#[from] codec::aac::Error),
    /// The configuration of another codec.
    #[cfg(feature = "codecs")]
    #[error(transparent)]
    Codec(#[from] codec::Error),
}

impl Error {
    /// Whether the stream cannot go on after it. No error of today is of that kind: each costs its
    /// own tag.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Flv(_) => false,
            #[cfg(not(feature = "codecs"))]
            Self::Beyond => false,
            #[cfg(feature = "codecs")]
            Self::Avc(_) | Self::Aac(_) | Self::Codec(_) => false,
        }
    }

    /// Whether a build with the feature `codecs`, which this one is not, may play the stream.
    #[must_use]
    pub fn is_beyond(&self) -> bool {
        #[cfg(feature = "codecs")]
        return false;
        #[cfg(not(feature = "codecs"))]
        matches!(self, Self::Beyond | Self::Flv(flv::Error::Extended))
    }
}

/// Configurations that are not of the usual kind are left to the other build, which knows more of them.
#[cfg(not(feature = "codecs"))]
impl From<codec::avc::Error> for Error {
    fn from(_: codec::avc::Error) -> Self {
        Self::Beyond
    }
}

/// Events waiting for the host, bounded.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    lost: u32,
}

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        if self.queue.len() >= MAX_EVENTS {
            self.queue.pop_front();
            self.lost = self.lost.wrapping_add(1);
        }
        self.queue.push_back(event);
    }

    /// Adds to a waiting warning of the same kind, or makes one.
    pub(super) fn warn(&mut self, track: Track, kind: WarningKind, count: u32, time_us: i64) {
        let time_ms = time_us.div_euclid(1000);
        for event in &mut self.queue {
            if let Event::Warning(warning) = event
                && (warning.track, warning.kind) == (track, kind)
            {
                warning.count = warning.count.wrapping_add(count);
                warning.time_ms = time_ms;
                return;
            }
        }
        self.push(Event::Warning(Warning { track, kind, count, time_ms }));
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        if self.lost > 0 {
            let count = core::mem::take(&mut self.lost);
            let kind = WarningKind::EventsLost;
            return Some(Event::Warning(Warning { track: Track::Video, kind, count, time_ms: 0 }));
        }
        self.queue.pop_front()
    }
}
