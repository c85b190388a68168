//! Why somebody is not let in, and how each protocol says it.

use std::{fmt, net::IpAddr};

use axum::http::{HeaderValue, StatusCode, header};
use pushpull_rtmp::server::PublishRefusal;

use super::sign::Failure;
use crate::{
    hooks::{Denied, Reason},
    problem::Problem,
    sessions::{Purpose, Stop},
};

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
    /// What was shown does not allow it: 403.
    Wrong,
    /// It is not allowed, whatever is shown: 403.
    Denied,
    /// It was allowed, and is not any more: 410.
    Expired,
    /// Nobody could say: 503.
    Unknown,
    /// Nobody was asked, since the same peer asks too much: 429.
    Crowded,
}

impl From<Denied> for Refusal {
    fn from(Denied { reason, text }: Denied) -> Self {
        let kind = match reason {
            Reason::Refused => Kind::Denied,
            Reason::Unanswered => Kind::Unknown,
            Reason::Crowded => Kind::Crowded,
        };
        Self { code: reason.code(), text, kind }
    }
}

impl Refusal {
    /// An address that must not.
    pub(super) fn address(purpose: Purpose, address: IpAddr) -> Self {
        let lists = match purpose {
            Purpose::Publish => "allow_publish, deny_publish",
            Purpose::Play => "allow_play, deny_play",
        };
        let text = format!("the address {address} may not {} ({lists})", purpose.as_str());
        Self { code: "address_denied", text, kind: Kind::Denied }
    }

    /// As HTTP says it.
    #[must_use]
    pub fn problem(&self, stream: &str) -> Problem {
        let (status, title) = match self.kind {
            Kind::Missing => (StatusCode::UNAUTHORIZED, "Not authorised"),
            Kind::Wrong | Kind::Denied => (StatusCode::FORBIDDEN, "Not allowed"),
            Kind::Expired => (StatusCode::GONE, "No longer allowed"),
            Kind::Unknown => (StatusCode::SERVICE_UNAVAILABLE, "Cannot be decided"),
            Kind::Crowded => (StatusCode::TOO_MANY_REQUESTS, "Too many questions"),
        };
        let problem = Problem::new(status, self.code, title, self.text.clone()).with_stream(stream);
        match self.kind {
            // RFC 9110 §11.6.1 wants a scheme; no browser asks a person for this one.
            Kind::Missing => {
                let scheme = HeaderValue::from_static("Signature");
                problem.with_header(header::WWW_AUTHENTICATE, scheme)
            }
            Kind::Crowded => {
                problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
            }
            _ => problem,
        }
    }

    /// As a publisher over RTMP is told.
    #[must_use]
    pub fn publish_refusal(&self) -> PublishRefusal {
        match self.kind {
            Kind::Missing | Kind::Wrong | Kind::Expired => PublishRefusal::BadAuth,
            Kind::Denied => PublishRefusal::Denied,
            Kind::Unknown | Kind::Crowded => PublishRefusal::Failed,
        }
    }
}

/// It was let in, and may not stay: it has waited all the while.
impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        let (code, kind) = match stop {
            Stop::Kicked => ("kicked", Kind::Denied),
            Stop::Expired => ("signature_expired", Kind::Expired),
        };
        Self { code, text: stop.to_string(), kind }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let kind = match failure {
            Failure::Missing { .. } => Kind::Missing,
            Failure::Expired { .. } | Failure::Used { .. } => Kind::Expired,
            Failure::Full => Kind::Unknown,
            _ => Kind::Wrong,
        };
        Self { code: failure.code(), text: failure.to_string(), kind }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}
