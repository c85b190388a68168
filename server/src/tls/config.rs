//! What is configured about TLS.

use std::{env, path::PathBuf, time::Duration};

use super::Error;

/// Where the certificate comes from, and what handshakes are held to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The file with the certificate and those that vouch for it.
    pub cert: Option<PathBuf>,
    /// The file with the key; the certificate's if there is none.
    pub key: Option<PathBuf>,
    /// Makes a certificate that nobody vouches for.
    pub self_signed: bool,
    /// Where that is kept; in the user's state directory if nothing is said.
    pub self_signed_file: Option<PathBuf>,
    /// How long a handshake may take. Default 10 s: several round trips by satellite.
    pub handshake_timeout: Duration,
    /// Handshakes that are computed at a time; 0 for half of the cores. A handshake takes a hundred times as long as a
    /// picture's way to a viewer, and a crowd that comes at once must not stop those who watch.
    pub handshakes: usize,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From elsewhere, in two files or in one.
    Files {
        /// The certificate and those that vouch for it.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// From here.
    SelfSigned {
        /// Where it is kept, key and all.
        file: PathBuf,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cert: None,
            key: None,
            self_signed: false,
            self_signed_file: None,
            handshake_timeout: Duration::from_secs(10),
            handshakes: 0,
        }
    }
}

impl Config {
    /// Whether there is to be TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.cert.is_some() || self.key.is_some() || self.self_signed
    }

    /// Where the certificate comes from.
    ///
    /// # Errors
    /// It is not said, or two things are.
    pub fn source(&self) -> Result<Source, Error> {
        match (&self.cert, self.self_signed) {
            (Some(_), true) => Err(Error::TwoSources),
            (Some(cert), false) => {
                let key = self.key.as_ref().unwrap_or(cert).clone();
                Ok(Source::Files { cert: cert.clone(), key })
            }
            (None, true) => {
                let file = self.self_signed_file.clone().unwrap_or_else(usual_file);
                Ok(Source::SelfSigned { file })
            }
            (None, false) => Err(Error::NoSource),
        }
    }
}

/// Where a program keeps what it must not lose and nobody edits: what systemd gives a service, or the user's own.
fn usual_file() -> PathBuf {
    let directory = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(directories) = directory("STATE_DIRECTORY")
        && let Some(first) = env::split_paths(&directories).next()
    {
        return first.join(FILE);
    }
    let state = directory("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| directory("HOME").map(|home| PathBuf::from(home).join(".local/state")))
        .or_else(|| directory("LOCALAPPDATA").map(PathBuf::from));
    state.unwrap_or_default().join("pushpull").join(FILE)
}

const FILE: &str = "self-signed.pem";
