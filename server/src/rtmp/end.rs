//! The ways a connection ends.

use std::fmt;
use std::io;

use pushpull_rtmp::name::NameError;

use super::publish::{self, Refused};
use crate::access::Refusal;
use crate::hooks::Denied;
use crate::hub::{ClaimError, StopReason};
use crate::limits::Limit;

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The peer closed it.
    Closed,
    /// The network failed, or the peer took nothing.
    Network(io::Error),
    /// The peer broke the protocol or a limit.
    Protocol(pushpull_rtmp::Error),
    /// The hook servers have not let it connect.
    Denied(Denied),
    /// The publisher was not let in, or the hub did not take it.
    Refused(Refused),
    /// Not a name to publish under.
    BadName(NameError),
    /// Not a name to play.
    BadPlay(NameError),
    /// The hub stopped the publisher.
    Stopped(StopReason),
    /// The server stops.
    Shutdown,
}

impl End {
    /// Why a publisher was refused, in a word for the metrics; `None` if it was not.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Refused(Refused::Access(refusal)) => Some(refusal.code),
            Self::Refused(Refused::Stopped(stop)) => Some(Refusal::from(*stop).code),
            Self::Refused(Refused::Claim(error)) => Some(match error {
                ClaimError::Busy => "busy",
                ClaimError::TooManyStreams { .. } => "too_many_streams",
                ClaimError::Banned { .. } => "banned",
                ClaimError::Closing => "server_stopping",
            }),
            Self::Denied(denied) => Some(denied.reason.code()),
            Self::BadName(_) => Some("bad_name"),
            _ => None,
        }
    }

    /// Whether the log has it already: the door speaks of those it does not let in, as often as is good for the log.
    pub(super) fn is_told(&self) -> bool {
        matches!(self, Self::Refused(Refused::Access(_)))
    }

    /// The limit that ended it, if it was one.
    pub(super) fn limit(&self) -> Option<Limit> {
        match self {
            Self::Protocol(error) => Limit::of_rtmp(error),
            Self::Network(error) if error.kind() == io::ErrorKind::TimedOut => {
                Some(Limit::RtmpWrite)
            }
            _ => None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer closed the connection without a goodbye"),
            Self::Network(error) => write!(f, "network: {error}"),
            Self::Protocol(error) => fmt::Display::fmt(error, f),
            Self::Denied(denied) => fmt::Display::fmt(denied, f),
            Self::Refused(error) => fmt::Display::fmt(error, f),
            Self::BadName(error) | Self::BadPlay(error) => fmt::Display::fmt(error, f),
            Self::Stopped(reason) => f.write_str(publish::stop(*reason).1),
            Self::Shutdown => f.write_str("the server is stopping"),
        }
    }
}
