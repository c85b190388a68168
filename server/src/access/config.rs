//! What the door is told.

use std::{net::IpAddr, time::Duration};

use serde::Serialize;

use super::sign::Template;
use crate::{config::Secret, net::Networks, sessions::Purpose};

/// Who may come. Nothing here prints a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// For those who publish.
    pub publish: Gate,
    /// For those who view.
    pub play: Gate,
    /// How long an expired signature is still good. Default 10 s: clocks that are set by hand differ by as much.
    pub sign_skew: Duration,
    /// The longest life that a signature may have left; none by default: 0.
    pub sign_max_life: Duration,
    /// Whether a session ends with the signature that let it in. Not by default: links are short, streams are long.
    pub sign_ends_sessions: bool,
    /// Whose signatures are good once. Nobody's by default: a phone that loses its network comes back with the same.
    pub sign_once: Once,
    /// Signatures that were used and could be used again are remembered, so many. Default 100000, some 15 MB.
    pub max_signatures: usize,
    /// What nginx's form signs.
    pub secure_link: Template,
    /// Who may have addresses signed.
    pub maker: Maker,
    /// Refusals that are remembered, of all streams together. Default 1000.
    pub max_refusals: usize,
}

/// What is asked of those with one purpose.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Gate {
    /// Any of them may have signed; none: no signature is asked for.
    pub secrets: Vec<Secret>,
    /// Any of them will do; none: no token is asked for.
    pub tokens: Vec<Secret>,
    /// Where they may come from; anywhere, if it is empty.
    pub allow: Networks,
    /// Where they may not come from. Counts before `allow`.
    pub deny: Networks,
}

/// Whose signatures are good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Once {
    /// All may be used again until they expire.
    Nobody,
    /// Those of publishers.
    Publishers,
    /// Those of viewers.
    Viewers,
    /// Those of both.
    Everybody,
}

/// Who may have addresses signed by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[non_exhaustive]
pub enum Maker {
    /// Programs on this machine, and whoever has a token of the API.
    Local,
    /// Whoever has a token of the API.
    Token,
    /// Whoever reaches the page.
    Anybody,
    /// Nobody.
    Nobody,
}

impl Config {
    /// What is asked of those with this purpose.
    #[must_use]
    pub fn gate(&self, purpose: Purpose) -> &Gate {
        match purpose {
            Purpose::Publish => &self.publish,
            Purpose::Play => &self.play,
        }
    }
}

impl Once {
    /// Whether a signature for this purpose is good once.
    #[must_use]
    pub fn covers(self, purpose: Purpose) -> bool {
        match self {
            Self::Nobody => false,
            Self::Publishers => purpose == Purpose::Publish,
            Self::Viewers => purpose == Purpose::Play,
            Self::Everybody => true,
        }
    }
}

impl Gate {
    /// Whether whoever comes from `address` may come at all.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        !self.deny.contain(address) && (self.allow.is_empty() || self.allow.contain(address))
    }

    /// Whether nothing has to be shown.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.secrets.is_empty() && self.tokens.is_empty()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            publish: Gate::default(),
            play: Gate::default(),
            sign_skew: Duration::from_secs(10),
            sign_max_life: Duration::ZERO,
            sign_ends_sessions: false,
            sign_once: Once::Nobody,
            max_signatures: 100_000,
            secure_link: Template::default(),
            maker: Maker::Local,
            max_refusals: 1000,
        }
    }
}
