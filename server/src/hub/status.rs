//! What people are told about a stream.

use serde::Serialize;

use super::describe::{Audio, Track, Video};

/// A stream at one moment, as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = Stream))]
pub struct StreamStatus {
    /// `app/stream`.
    pub name: String,
    /// The application: the part up to the last `/`.
    pub app: String,
    /// The stream within the application.
    pub stream: String,
    /// Whether its publisher is there.
    pub state: State,
    /// Milliseconds since it went live.
    pub uptime_ms: u64,
    /// Viewers at present.
    pub viewers: usize,
    /// Bytes that the viewer who is furthest behind has not been sent.
    pub lag_bytes: u64,
    /// Milliseconds of media that the viewer who is furthest behind has not been sent.
    pub lag_ms: u64,
    /// Times one of its viewers had fallen behind and jumped to a later keyframe.
    pub jumps: u64,
    /// Bytes of media held for its viewers.
    pub buffered_bytes: usize,
    /// Who publishes it.
    pub source: Source,
    /// The pictures of the default track; `None` without a video track.
    pub video: Option<Video>,
    /// The sound of the default track; `None` without an audio track.
    pub audio: Option<Audio>,
    /// All tracks.
    pub tracks: Vec<Track>,
    /// Kilobits per second of media, over the last seconds.
    pub bitrate_kbps: u64,
    /// Kilobits per second of pictures, of all tracks together.
    pub video_bitrate_kbps: u64,
    /// Kilobits per second of sound, of all tracks together.
    pub audio_bitrate_kbps: u64,
    /// Bytes of media that came in since it went live.
    pub received_bytes: u64,
    /// Milliseconds between the last two keyframes; `None` before the second.
    pub gop_ms: Option<u64>,
    /// Milliseconds by which the intervals between frames' arrivals differ from those between their times, on average
    /// (RFC 3550's interarrival jitter); `None` before two frames.
    pub jitter_ms: Option<f64>,
    /// Milliseconds by which sound arrives later than the pictures of the same time, on average; `None` without both.
    pub av_offset_ms: Option<f64>,
    /// What went wrong last with who publishes it; `None` if nothing did.
    pub last_error: Option<StreamError>,
}

/// Something that went wrong with a stream's publisher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct StreamError {
    /// Milliseconds since then.
    pub ago_ms: u64,
    /// What it was.
    pub code: Trouble,
    /// The same in words.
    pub detail: &'static str,
}

/// What can go wrong with a publisher whose stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub enum Trouble {
    /// It was lost without goodbye.
    PublisherLost,
    /// Another took the name over.
    PublisherReplaced,
    /// Its clock jumped, which viewers do not see.
    ClockJumped,
}

impl Trouble {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Trouble::PublisherLost => "the publisher was lost without a goodbye",
            Trouble::PublisherReplaced => "another publisher took the name over",
            Trouble::ClockJumped => "the publisher's clock jumped",
        }
    }
}

/// Whether a stream's publisher is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = StreamState))]
pub enum State {
    /// It publishes.
    Live,
    /// It was lost; the viewers are held for the grace period.
    Waiting,
}

/// Who publishes a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Source {
    /// The protocol, such as `rtmp`.
    pub protocol: &'static str,
    /// The peer's address.
    pub peer: String,
    /// The software, as it calls itself; may be empty.
    pub agent: String,
}
