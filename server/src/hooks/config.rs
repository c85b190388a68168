//! What the hooks are told by the configuration.

use std::{fmt, time::Duration};

use axum::http::Uri;
use rustls::pki_types::ServerName;

use super::{Authorities, Event};
use crate::config::{Secret, hide_in_url};

/// Which hook servers there are and how they are spoken to. A reload changes it for the events that come then.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The addresses of each event, in the order of [`Event::ALL`].
    pub urls: [Vec<Url>; Event::ALL.len()],
    /// Whose events, fields and replies they are.
    pub style: Style,
    /// What bodies are signed with, if they are.
    pub secret: Option<Secret>,
    /// Who vouches for hook servers over https; those that the system trusts if there are none.
    pub authorities: Option<Authorities>,
    /// How long a question may take from its beginning to its answer, and each try to tell something.
    pub timeout: Duration,
    /// What is done when a question is not answered.
    pub fail: Fail,
    /// How often telling something is tried again.
    pub retries: u32,
    /// Events that wait or are under way, in all.
    pub queue: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            urls: Default::default(),
            style: Style::Srs,
            secret: None,
            authorities: None,
            timeout: Duration::from_secs(5),
            fail: Fail::Closed,
            retries: 5,
            queue: 20_000,
        }
    }
}

impl Config {
    /// Who is asked or told about `event`.
    #[must_use]
    pub fn urls(&self, event: Event) -> &[Url] {
        self.urls.get(event.index()).map_or(&[], Vec::as_slice)
    }

    /// Whether it matters whom the system trusts.
    pub(super) fn needs_system(&self) -> bool {
        self.authorities.is_none() && self.urls.iter().flatten().any(Url::is_secure)
    }

    /// Sets who is asked or told about `event`.
    pub fn set_urls(&mut self, event: Event, urls: Vec<Url>) {
        if let Some(place) = self.urls.get_mut(event.index()) {
            *place = urls;
        }
    }
}

/// Whose events, fields and replies hooks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// SRS's: JSON, answered with code 0.
    Srs,
    /// nginx-rtmp's: a form, answered with a status.
    Nginx,
    /// Node-Media-Server's: JSON, answered with status 200.
    Nms,
}

/// What is done with somebody about whom nobody could be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fail {
    /// It is refused.
    Closed,
    /// It is let in, and counted.
    Open,
}

/// The address of a hook.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    host: String,
    port: u16,
    /// The path with its query, as it is asked for.
    target: String,
}

/// How a hook server is spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    /// As it is.
    Http,
    /// Under TLS, with a certificate for this name or address.
    Https(ServerName<'static>),
}

impl Scheme {
    fn name(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https(_) => "https",
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https(_) => 443,
        }
    }
}

impl Url {
    /// Reads `http://host[:port]/path?query`, or the same with `https`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        // What is wrong with it is no reason to show what is secret in it.
        let shown = hide_in_url(text);
        let uri: Uri = text.parse().map_err(|_| format!("{shown:?} is not a URL: {EXAMPLE}"))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("{shown:?} is not an http:// or https:// URL: {EXAMPLE}")),
        };
        let authority = uri.authority().ok_or_else(|| format!("{shown:?} names no host"))?;
        if authority.as_str().contains('@') {
            return Err(format!(
                "{shown:?}: a hook's URL has no user: sign the bodies instead (hook_secret)"
            ));
        }
        let host = authority.host().to_owned();
        let scheme = if is_secure {
            let name = ServerName::try_from(bare(&host).to_owned());
            Scheme::Https(
                name.map_err(|_| format!("{shown:?}: no certificate is for such a host"))?,
            )
        } else {
            Scheme::Http
        };
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // A port that is no number, or too large, is cut off by nobody but the one who wrote it.
            None if authority.as_str() == host => scheme.port(),
            None => return Err(format!("{shown:?} has no usable port: {EXAMPLE}")),
        };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let slash = if target.starts_with('/') { "" } else { "/" };
        let target = format!("{slash}{target}");
        Ok(Self { scheme, host, port, target })
    }

    /// Whether it is spoken to under TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        matches!(self.scheme, Scheme::Https(_))
    }

    pub(super) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The host's name or address; an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host with its port.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) fn target(&self) -> &str {
        &self.target
    }
}

impl fmt::Display for Url {
    /// Without the query, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path);
        write!(f, "{}://{}:{}{path}", self.scheme.name(), self.host, self.port)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

const EXAMPLE: &str = "write it as http://127.0.0.1:8085/hooks";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_into_what_a_request_needs() {
        let read = |text| {
            let url = Url::parse(text).unwrap();
            (url.authority(), url.target().to_owned())
        };
        let is = |authority: &str, target: &str| (authority.to_owned(), target.to_owned());
        assert_eq!(read("http://hooks:8085/a/b?c=d"), is("hooks:8085", "/a/b?c=d"));
        assert_eq!(read("http://127.0.0.1"), is("127.0.0.1:80", "/"));
        assert_eq!(read("http://[::1]:9/x"), is("[::1]:9", "/x"));
        assert_eq!(read("http://h?token=1"), is("h:80", "/?token=1"));
        assert_eq!(read("https://h/x"), is("h:443", "/x"));
        assert_eq!(read("https://[::1]/x"), is("[::1]:443", "/x"));
        assert_eq!(read("https://127.0.0.1:80"), is("127.0.0.1:80", "/"));
        assert_eq!(Url::parse("https://h/x").unwrap().to_string(), "https://h:443/x");
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        for (text, expected) in [
            ("https://-/x", "no certificate"),
            ("rtmp://h/x", "not an http:// or https:// URL"),
            ("127.0.0.1:80/x", "is not a"),
            ("/hooks", "not an http:// or https:// URL"),
            ("http://u:p@h/", "has no user"),
            ("http://h:99999/", "is not a URL|no usable port"),
            ("http://h:x/", "is not a URL|no usable port"),
            ("http://h y/", "is not a URL"),
            ("", "is not a URL"),
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(expected.split('|').any(|part| error.contains(part)), "{text}: {error}");
            for text in [format!("{text}?hunter2"), text.replace("u:p@", "u:hunter2@")] {
                let shown = Url::parse(&text).err().unwrap_or_default();
                assert!(!shown.contains("hunter2"), "{text}: {shown}");
            }
        }
    }

    #[test]
    fn queries_of_urls_are_not_shown() {
        let url = Url::parse("http://h:1/p?key=hunter2").unwrap();
        assert_eq!(
            (url.to_string().as_str(), format!("{url:?}").as_str()),
            ("http://h:1/p", "http://h:1/p")
        );
    }
}
