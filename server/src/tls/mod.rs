//! TLS: the certificate and its key, re-read when they change, and the handshakes of those who connect.
//!
//! What follows a handshake is [`crate::net::Socket`]'s.

mod config;
mod der;
mod error;
mod handshake;
mod pair;
mod self_signed;
mod status;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
    time::Duration,
};

use rustls::ServerConfig;
use tokio::{
    sync::{Notify, Semaphore},
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tracing::{error, info, warn};

use crate::{config::Live, time::Moment};

pub use config::{Config, Source};
pub use error::Error;
pub use handshake::Refused;

pub(crate) use pair::certificates;

use pair::Pair;
use status::Counters;

/// The certificate in force, and what handshakes need besides. Clones are the same.
#[derive(Clone)]
pub struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    config: Live<Config>,
    keys: Live<Keys>,
    /// What is wrong with the files at present, as it was said last.
    trouble: Mutex<Trouble>,
    /// Asks for a look at the files now.
    look: Notify,
    /// Handshakes that are computed at a time.
    turns: Semaphore,
    counters: Counters,
}

/// What a listener's peers speak once they have shaken hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP, of either version.
    Http,
    /// RTMP.
    Rtmp,
}

/// A certificate with its key, as it is used.
struct Keys {
    pair: Pair,
    http: Arc<ServerConfig>,
    rtmp: Arc<ServerConfig>,
}

/// What was found wrong with the files.
#[derive(Default)]
struct Trouble {
    /// At the last look.
    seen: Option<String>,
    /// What the log has.
    said: Option<String>,
}

impl Tls {
    /// Reads, or makes, what `config` says.
    ///
    /// # Errors
    /// [`Error`] names the file and what is wrong with it.
    pub fn load(config: Config) -> Result<Self, Error> {
        let pair = Pair::load(&config.source()?)?;
        pair.warn();
        let turns = match config.handshakes {
            0 => available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)),
            turns => turns,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                config: Live::new(config),
                keys: Live::new(Keys::new(pair)?),
                trouble: Mutex::default(),
                look: Notify::new(),
                turns: Semaphore::new(turns),
                counters: Counters::default(),
            }),
        })
    }

    /// Takes over what a reload says, as soon as the files are read: a pair that is of no use leaves the old one in force.
    pub fn set(&self, config: Config) {
        self.inner.config.set(config);
        self.look();
    }

    /// Has the files looked at now, whether they have changed or not.
    pub fn look(&self) {
        self.inner.look.notify_one();
    }

    /// Looks at the files from time to time, and uses what is new in them for those who connect from then on.
    pub async fn watch(self) {
        loop {
            // Either is as good.
            let _ = timeout(LOOK_AFTER, self.inner.look.notified()).await;
            let tls = self.clone();
            // The files may lie on a disk that is slow to answer.
            if let Err(error) = spawn_blocking(move || tls.refresh()).await {
                error!(%error, "cannot look at the TLS certificate");
                sleep(LOOK_AFTER).await;
            }
        }
    }

    /// When the certificate in force is no longer valid.
    pub fn expires(&self) -> Option<Moment> {
        self.inner.keys.get().pair.validity.map(|validity| validity.until)
    }

    /// The SHA-256 fingerprint of the certificate in force, as browsers show it.
    pub fn fingerprint(&self) -> String {
        self.inner.keys.get().pair.fingerprint()
    }

    /// Where a certificate that was made here is kept; `None` if it was not made here.
    pub fn made_in(&self) -> Option<String> {
        match self.inner.config.get().source() {
            Ok(Source::SelfSigned { file }) => Some(file.display().to_string()),
            _ => None,
        }
    }

    /// What was counted.
    pub(crate) fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    fn server_config(&self, speaks: Speaks) -> Arc<ServerConfig> {
        let keys = self.inner.keys.get();
        match speaks {
            Speaks::Http => keys.http.clone(),
            Speaks::Rtmp => keys.rtmp.clone(),
        }
    }

    fn refresh(&self) {
        let config = self.inner.config.get();
        let outcome = config.source().and_then(|source| Pair::load(&source)).and_then(|pair| {
            if pair.is_same(&self.inner.keys.get().pair) {
                return Ok(None);
            }
            Keys::new(pair).map(Some)
        });
        let mut trouble = self.inner.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(None) => *trouble = Trouble::default(),
            Ok(Some(keys)) => {
                *trouble = Trouble::default();
                self.inner.counters.reloaded();
                info!(
                    fingerprint = keys.pair.fingerprint(),
                    until = keys.pair.validity.map(|validity| validity.until.to_string()),
                    "a new TLS certificate is in force"
                );
                keys.pair.warn();
                self.inner.keys.set(keys);
            }
            Err(error) => trouble.note(error.to_string(), &self.inner.counters),
        }
    }
}

impl Trouble {
    /// Says what is wrong, once, and not before it is found a second time: who replaces two files is halfway through when
    /// the first is written.
    fn note(&mut self, text: String, counters: &Counters) {
        if self.seen.as_ref() == Some(&text) && self.said.as_ref() != Some(&text) {
            counters.failed();
            warn!("{text}; the certificate from before stays in force");
            self.said = Some(text.clone());
        }
        self.seen = Some(text);
    }
}

impl Keys {
    fn new(pair: Pair) -> Result<Self, Error> {
        let http = pair.server_config(&[b"h2", b"http/1.1"])?;
        let rtmp = pair.server_config(&[])?;
        Ok(Self { pair, http, rtmp })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("config", &self.inner.config.get()).finish_non_exhaustive()
    }
}

/// Between two looks at the files. A certificate is renewed weeks before it must be.
const LOOK_AFTER: Duration = Duration::from_secs(2);
