use pushpull_media::flv::{TagBuffer, TagKind};

use crate::StreamName;
use crate::name::NameError;

/// What a peer wants or sends.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// The peer wants to connect, and [`super::ServerConfig::ask_connect`] is set: [`super::ServerConnection::connect`] tells
    /// who it is. Answer with [`super::ServerConnection::accept_connect`] or
    /// [`super::ServerConnection::reject_connect`], now or later; until then what it sends is held.
    Connect,
    /// `connect` was received and answered.
    Connected {
        /// The `app` without its parameters, fit for a log line.
        app: String,
        /// What the peer calls itself (`flashVer`), fit for a log line.
        agent: String,
    },
    /// The peer wants to publish. Answer with [`super::ServerConnection::accept_publish`] or
    /// [`super::ServerConnection::reject_publish`], now or later; until then what it sends for this message stream is held.
    Publish {
        /// The message stream.
        stream_id: u32,
        /// What it wants to publish.
        name: StreamName,
        /// The parameters, without `?`. They may be secret.
        query: String,
    },
    /// The peer wants to play. Answer with [`super::ServerConnection::accept_play`] or
    /// [`super::ServerConnection::reject_play`], unless [`ServerEvent::Stop`] comes first.
    Play {
        /// The message stream.
        stream_id: u32,
        /// What it wants to play.
        name: StreamName,
        /// The parameters, without `?`. They may be secret.
        query: String,
    },
    /// The peer wanted to publish something that cannot be a name. It has been told; unless it has another purpose, the
    /// connection is over.
    BadName(NameError),
    /// As [`ServerEvent::BadName`], of a peer that wanted to play.
    BadPlay(NameError),
    /// A message of an accepted publisher.
    Media(Media),
    /// The publisher said goodbye.
    Unpublish {
        /// The message stream.
        stream_id: u32,
    },
    /// The player wants nothing for the time being, or to go on.
    Pause {
        /// The message stream.
        stream_id: u32,
        /// Whether nothing shall be sent.
        paused: bool,
    },
    /// The player wants sound, or none.
    ReceiveAudio {
        /// The message stream.
        stream_id: u32,
        /// Whether it wants it.
        on: bool,
    },
    /// The player wants pictures, or none.
    ReceiveVideo {
        /// The message stream.
        stream_id: u32,
        /// Whether it wants them.
        on: bool,
    },
    /// The player has enough, whether it was accepted or not.
    Stop {
        /// The message stream.
        stream_id: u32,
    },
}

/// Audio, video or script data.
#[derive(Debug)]
pub struct Media {
    /// The message stream.
    pub stream_id: u32,
    /// What it is. Script data starts with its name (`onMetaData`): `@setDataFrame` has been taken off.
    pub kind: TagKind,
    /// Milliseconds, modulo 2^32.
    pub timestamp: u32,
    /// The data, in the buffer its FLV tag will have.
    pub buffer: TagBuffer,
}

/// Why a publish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishRefusal {
    /// The name is in use or not allowed.
    BadName,
    /// The peer may not publish.
    Denied,
    /// The peer's credentials are missing, wrong or too old.
    BadAuth,
    /// The server cannot take it now.
    Failed,
}

impl PublishRefusal {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::BadName => "NetStream.Publish.BadName",
            Self::Denied => "NetStream.Publish.Denied",
            Self::BadAuth => "NetStream.Publish.BadAuth",
            Self::Failed => "NetStream.Publish.Failed",
        }
    }
}

/// Why a play is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlayRefusal {
    /// There is no such stream, or it does not begin.
    NotFound,
    /// The server cannot serve it now.
    Failed,
}

impl PlayRefusal {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NotFound => "NetStream.Play.StreamNotFound",
            Self::Failed => "NetStream.Play.Failed",
        }
    }
}

/// What was ignored, for the log and for whoever wonders where their media went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages of a type without meaning here, and commands without a name.
    pub ignored_messages: u64,
    /// Data messages that could not be decoded.
    pub ignored_data: u64,
    /// Media on a message stream that publishes nothing.
    pub stray_media: u64,
    /// Media messages without a payload.
    pub empty_media: u64,
    /// Messages that never became complete.
    pub unfinished: u64,
    /// Message streams over [`super::ServerConfig::max_streams`].
    pub refused_streams: u64,
}
