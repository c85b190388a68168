//! How events are written, and what the answers mean: in the ways of three servers whose users have hook servers already.

mod nginx;
mod nms;
mod srs;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use pushpull_rtmp::name::is_visible;

use super::{
    Event, Style,
    client::Facts,
    event::{Bytes, Stream, Subject},
};

/// An event, and all that is told about it.
#[derive(Clone, Copy)]
pub(super) struct Letter<'a> {
    pub(super) event: Event,
    pub(super) client: &'a Facts,
    pub(super) subject: &'a Subject,
    pub(super) bytes: Bytes,
    pub(super) service: &'a Service,
}

/// This server and this run of it, by name.
#[derive(Clone, Debug)]
pub(super) struct Service {
    /// The same at every start.
    pub(super) server_id: String,
    /// Another at every start.
    pub(super) service_id: String,
}

/// What is sent for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) content_type: &'static str,
    pub(super) text: String,
}

/// What a hook server's answer to a question means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It lets the peer do what it wants.
    Allowed,
    /// It does not; words for the peer.
    Denied(String),
    /// The answer makes no sense; words for the log.
    Senseless(String),
}

impl Style {
    /// What is sent for an event, one after the other.
    pub(super) fn write(self, letter: &Letter<'_>) -> Vec<Body> {
        match self {
            Self::Srs => vec![srs::write(letter)],
            Self::Nginx => vec![nginx::write(letter)],
            Self::Nms => nms::write(letter),
        }
    }

    /// What the answer to a question means.
    pub(super) fn read(self, status: StatusCode, body: &[u8]) -> Verdict {
        match self {
            Self::Srs => srs::read(status, body),
            Self::Nginx => nginx::read(status),
            Self::Nms => nms::read(status),
        }
    }
}

impl<'a> Letter<'a> {
    /// The app and, unless it is about the connection, the stream.
    fn app_and_stream(&self) -> (&'a str, &'a str) {
        match self.subject.stream() {
            Some(Stream { name, .. }) => (name.app(), name.stream()),
            None => (without_query(&self.client.connect.app), ""),
        }
    }

    /// The parameters, without the `?`.
    fn query(&self) -> &'a str {
        let connect = &self.client.connect;
        match self.subject.stream() {
            Some(Stream { query, .. }) => query,
            None => [&connect.app, &connect.tc_url]
                .into_iter()
                .find_map(|text| Some(text.split_once('?')?.1))
                .unwrap_or_default(),
        }
    }

    fn is_end(&self) -> bool {
        matches!(self.event, Event::OnClose | Event::OnUnpublish | Event::OnStop)
    }
}

/// An answer whose status alone says that it is none of those that let somebody in.
fn refused(status: StatusCode) -> Verdict {
    if status.is_client_error() {
        Verdict::Denied(String::new())
    } else if status.is_redirection() {
        Verdict::Senseless(format!("it answers {status}, and hooks are not redirected"))
    } else {
        Verdict::Senseless(format!("it answers {status}"))
    }
}

fn without_query(text: &str) -> &str {
    text.split_once('?').map_or(text, |(text, _)| text)
}

/// A hook server's words, fit for a peer and for the log.
fn words(text: &str) -> String {
    text.chars().filter(|&c| is_visible(c)).take(MAX_WORDS).collect()
}

/// Characters of a hook server's words that are passed on.
const MAX_WORDS: usize = 200;
