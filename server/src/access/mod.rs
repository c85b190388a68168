//! The door for everybody who wants to publish or view: who may, and what the others are told.

use std::fmt;

use axum::http::StatusCode;

use crate::problem::Problem;
use crate::sessions::{Request, Session, Sessions};

/// Lets in who may. Clones are the same door.
#[derive(Clone, Debug, Default)]
pub struct Access {
    sessions: Sessions,
}

impl Access {
    /// Those who are let in are `sessions`.
    #[must_use]
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }

    /// Those who are in.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Lets somebody in, or says why not. Nobody is told anything, nor is a name held, before this has answered.
    ///
    /// # Errors
    /// [`Refusal`]
    pub async fn admit(&self, request: Request) -> Result<Session, Refusal> {
        Ok(self.sessions.open(request))
    }
}

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A word for programs, which stays the same.
    pub code: &'static str,
    /// A sentence for people, without a full stop.
    pub text: String,
    /// What kind of refusal it is.
    pub kind: Kind,
}

/// What kind of refusal it is: what HTTP has a status for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing was shown that allows it: 401.
    Missing,
    /// It is not allowed: 403.
    Denied,
    /// It was allowed, and is not any more: 410.
    Expired,
    /// Nobody could say: 503.
    Unknown,
}

impl Refusal {
    /// As HTTP says it.
    #[must_use]
    pub fn problem(&self, stream: &str) -> Problem {
        let (status, title) = match self.kind {
            Kind::Missing => (StatusCode::UNAUTHORIZED, "Not authorised"),
            Kind::Denied => (StatusCode::FORBIDDEN, "Not allowed"),
            Kind::Expired => (StatusCode::GONE, "No longer allowed"),
            Kind::Unknown => (StatusCode::SERVICE_UNAVAILABLE, "Cannot be decided"),
        };
        Problem::new(status, self.code, title, self.text.clone()).with_stream(stream)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}
