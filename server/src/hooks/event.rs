//! What hook servers are asked and told.

use std::fmt;

use pushpull_rtmp::StreamName;
use serde::Serialize;

/// Something that happens to a client. Each has its own list of addresses in the configuration, under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An RTMP peer wants to connect.
    OnConnect,
    /// An RTMP peer that was let in has gone.
    OnClose,
    /// Somebody wants to publish.
    OnPublish,
    /// Somebody who was let in does not publish any more.
    OnUnpublish,
    /// Somebody wants to play.
    OnPlay,
    /// Somebody who was let in does not play any more.
    OnStop,
}

impl Event {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::OnConnect,
        Self::OnClose,
        Self::OnPublish,
        Self::OnUnpublish,
        Self::OnPlay,
        Self::OnStop,
    ];

    /// Its name, which is also the key of its addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnConnect => "on_connect",
            Self::OnClose => "on_close",
            Self::OnPublish => "on_publish",
            Self::OnUnpublish => "on_unpublish",
            Self::OnPlay => "on_play",
            Self::OnStop => "on_stop",
        }
    }

    /// Its place in [`Event::ALL`].
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What somebody begins, and what hook servers are asked about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The connection itself.
    Connection,
    /// Publishing a stream.
    Publish(Stream),
    /// Playing one.
    Play(Stream),
}

/// The stream somebody wants, and what came with its name.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) name: StreamName,
    /// Without the `?`. It may be secret: hook servers are the only ones to get it.
    pub(super) query: String,
    /// What the API calls this stay; [`super::Client::id`] is that of the connection.
    pub(super) session: String,
}

impl Subject {
    /// What is asked at its beginning.
    pub(super) fn start(&self) -> Event {
        match self {
            Self::Connection => Event::OnConnect,
            Self::Publish(_) => Event::OnPublish,
            Self::Play(_) => Event::OnPlay,
        }
    }

    /// What is told at its end.
    pub(super) fn end(&self) -> Event {
        match self {
            Self::Connection => Event::OnClose,
            Self::Publish(_) => Event::OnUnpublish,
            Self::Play(_) => Event::OnStop,
        }
    }

    pub(super) fn stream(&self) -> Option<&Stream> {
        match self {
            Self::Connection => None,
            Self::Publish(stream) | Self::Play(stream) => Some(stream),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Bytes of media, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes {
    pub(super) received: u64,
    pub(super) sent: u64,
}
