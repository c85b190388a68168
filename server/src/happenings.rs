//! Single happenings, told to whoever listens: somebody publishes, leaves, is refused, is ended.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;

use crate::{
    sessions::Request,
    time::{millis, unix_now},
};

/// Tells what happens to all who listen. Clones are the same.
///
/// It keeps a bounded number for those who are slow ([`KEPT`]): one that is further behind misses the oldest, and knows.
#[derive(Clone, Debug)]
pub struct Happenings(broadcast::Sender<Arc<Happening>>);

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Happening {
    /// What it was.
    pub kind: Kind,
    /// When: milliseconds since 1970, by the server's clock.
    pub at_ms: u64,
    /// The stream that it is about, as `app/stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The session that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The protocol of who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static str>,
    /// The address of who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// A word for programs, such as why somebody was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// More of it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = HappeningKind))]
#[non_exhaustive]
pub enum Kind {
    /// Somebody began to publish.
    Published,
    /// Who published has left.
    Unpublished,
    /// Somebody began to view.
    Playing,
    /// Who viewed has left.
    Stopped,
    /// Somebody was not let in.
    Refused,
    /// A stream or a session was ended by an operator.
    Kicked,
    /// The configuration was read again.
    Reloaded,
}

impl Happenings {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    /// Tells what happened. It is made only if somebody listens.
    pub fn tell(&self, happening: impl FnOnce() -> Happening) {
        if self.0.receiver_count() > 0 {
            // The last one may leave at this moment.
            let _ = self.0.send(Arc::new(happening()));
        }
    }

    /// What happens from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Arc<Happening>> {
        self.0.subscribe()
    }
}

impl Default for Happenings {
    fn default() -> Self {
        Self::new()
    }
}

impl Happening {
    /// Something that happens now.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            at_ms: millis(unix_now()),
            stream: None,
            session: None,
            protocol: None,
            peer: None,
            code: None,
            detail: None,
        }
    }

    /// By whoever asked with `request`.
    #[must_use]
    pub fn by(mut self, request: &Request) -> Self {
        self.stream = Some(request.name.to_string());
        self.protocol = Some(request.protocol);
        self.peer = Some(request.peer.to_string());
        self
    }

    /// About a stream.
    #[must_use]
    pub fn about(mut self, stream: impl Into<String>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// About a session.
    #[must_use]
    pub fn of(mut self, session: impl Into<String>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// For a reason: a word for programs and a sentence for people.
    #[must_use]
    pub fn because(mut self, code: &'static str, detail: impl Into<String>) -> Self {
        self.code = Some(code);
        self.detail = Some(detail.into());
        self
    }
}

/// How many are kept for those who are slow to listen: a wall of players that all begin at once.
pub const KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::*;

    #[test]
    fn nothing_is_made_for_nobody() {
        Happenings::new().tell(|| unreachable!("nobody listens"));
    }

    #[test]
    fn who_is_slow_misses_the_oldest_and_knows() {
        let happenings = Happenings::new();
        let mut listener = happenings.listen();
        for number in 0..KEPT + 3 {
            happenings.tell(|| Happening::new(Kind::Playing).about(format!("live/{number}")));
        }
        assert_eq!(listener.try_recv().unwrap_err(), TryRecvError::Lagged(3));
        assert_eq!(listener.try_recv().unwrap().stream.as_deref(), Some("live/3"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let told = Happening::new(Kind::Refused).about("live/x").because("token_wrong", "no");
        let json = serde_json::to_value(&told).unwrap();
        let expected = serde_json::json!({
            "kind": "refused", "at_ms": told.at_ms, "stream": "live/x", "code": "token_wrong", "detail": "no",
        });
        assert_eq!(json, expected);
    }
}
