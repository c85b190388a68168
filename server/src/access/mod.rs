//! The door for everybody who wants to publish or view: who may, and what the others are told.
//!
//! Address lists are asked first, then the signature or token, then the hooks. Nobody is told anything, nor is a name held,
//! before all have agreed. The built-in stream does not come by this door.

pub mod command;
mod config;
mod expiry;
pub mod maker;
mod memory;
mod recent;
mod refusal;
pub mod sign;
mod throttle;
mod used;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use tokio::time::Instant;
use tracing::warn;

use crate::{
    config::{Live, Secret},
    happenings::{self, Happening},
    hooks::{Hooks, Started},
    sessions::{Purpose, Request, Session, SessionId, Sessions},
    time::unix_now,
};

use expiry::Expiries;
use memory::Memory;
use recent::Recent;
use throttle::Throttle;
use used::{Taken, Used};

pub use config::{Config, Gate, Maker, Once};
pub use memory::RefusalStatus;
pub use refusal::{Kind, Refusal};

/// Lets in who may. Clones are the same door.
#[derive(Clone, Default)]
pub struct Access {
    sessions: Sessions,
    config: Live<Config>,
    hooks: Hooks,
    expiries: Expiries,
    used: Used,
    refusals: Arc<Mutex<Refusals>>,
    counted: Counted,
}

/// How many were not let in, by what they wanted and why.
pub type Counted = Family<Label, Counter>;

/// What refusals are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Label {
    purpose: &'static str,
    code: &'static str,
}

/// How somebody comes in.
struct Entry {
    id: SessionId,
    /// Until when, if that ends.
    expires: Option<Instant>,
    /// By which signature, if it is good once.
    taken: Option<Taken>,
    /// What hook servers know of it.
    started: Started,
}

struct Refusals {
    memory: Memory,
    recent: Recent,
    log: Throttle,
}

impl Access {
    /// Those who are let in are `sessions`; those who are not are counted in `counted`. A new configuration is for those
    /// who come after it.
    #[must_use]
    pub fn new(sessions: Sessions, config: Live<Config>, counted: Counted) -> Self {
        Self { sessions, config, counted, ..Self::default() }
    }

    /// Hook servers are asked, too.
    #[must_use]
    pub fn with_hooks(self, hooks: Hooks) -> Self {
        Self { hooks, ..self }
    }

    /// The hook servers.
    #[must_use]
    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// Those who are in.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Who may come, at present.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.get()
    }

    /// Lets somebody in, or says why not. Nobody is told anything, nor is a name held, before this has answered.
    ///
    /// # Errors
    /// [`Refusal`]: it has been counted, logged and remembered.
    pub async fn admit(&self, request: Request) -> Result<Session, Refusal> {
        let config = self.config.get();
        match self.decide(&config, &request).await {
            Ok(entry) => Ok(self.open(&config, request, entry)),
            Err(refusal) => {
                self.refuse(&config, &request, &refusal);
                Err(refusal)
            }
        }
    }

    /// Whether somebody would be let in, as far as that is known: nobody asks hook servers, and nothing begins. One whom they
    /// have refused a moment ago for the same request is told the same.
    ///
    /// # Errors
    /// [`Refusal`]: it has been counted, logged and remembered, here or then.
    pub fn look(&self, request: &Request) -> Result<(), Refusal> {
        let config = self.config.get();
        let now = unix_now().as_secs();
        let is_free = |good: Option<sign::Good>| match once(&config, request.purpose, &good) {
            Some(good) => Ok(self.used.look(request.purpose, good, now)?),
            None => Ok(()),
        };
        if let Err(refusal) = judge(&config, request, now).and_then(is_free) {
            self.refuse(&config, request, &refusal);
            return Err(refusal);
        }
        self.lock().recent.find(request, Instant::now()).map_or(Ok(()), Err)
    }

    /// Who was not let in of late, the newest first.
    #[must_use]
    pub fn refusals(&self) -> Vec<RefusalStatus> {
        self.lock().memory.list()
    }

    /// Whether somebody may come, and as what.
    async fn decide(&self, config: &Config, request: &Request) -> Result<Entry, Refusal> {
        // However long hook servers take.
        let (now, unix) = (Instant::now(), unix_now().as_secs());
        let good = judge(config, request, unix)?;
        let skew = config.sign_skew.as_secs();
        // Whoever does not get the stream after all gives it back.
        let take = |good| self.used.take(request.purpose, good, unix, skew, config.max_signatures);
        let taken = once(config, request.purpose, &good).map(take).transpose()?;
        // One that has expired is good for as long as clocks may differ: sessions have as much.
        let left = |good: sign::Good| {
            Duration::from_secs(good.expires.saturating_add(skew).saturating_sub(unix))
        };
        let expires = good.and_then(|good| now.checked_add(left(good)));
        let id = self.sessions.new_id();
        let started = self.hooks.ask(request, &id).await?;
        Ok(Entry { id, expires, taken, started })
    }

    fn open(&self, config: &Config, request: Request, entry: Entry) -> Session {
        let Entry { id, expires, taken, started } = entry;
        let mut session = self.sessions.open_as(id, request, started);
        if let Some(at) = expires.filter(|_| config.sign_ends_sessions) {
            session.keep(self.expiries.end(&self.sessions, session.id(), at));
        }
        if let Some(taken) = taken {
            session.keep(taken.by(session.spent()));
        }
        session
    }

    fn refuse(&self, config: &Config, request: &Request, refusal: &Refusal) {
        let purpose = request.purpose.as_str();
        self.counted.get_or_create(&Label { purpose, code: refusal.code }).inc();
        let now = Instant::now();
        let mut refusals = self.lock();
        refusals.memory.add(request, refusal, now, config.max_refusals);
        refusals.recent.add(request, refusal, now);
        let logged = refusals.log.allow(now);
        drop(refusals);
        // Once it is remembered: whoever hears of it looks there.
        self.sessions.happenings().tell(|| {
            Happening::new(happenings::Kind::Refused)
                .by(request)
                .because(refusal.code, refusal.text.clone())
        });
        let Some(withheld) = logged else { return };
        if withheld > 0 {
            warn!(withheld, "refusals came too fast to be logged one by one");
        }
        warn!(
            purpose,
            protocol = request.protocol,
            peer = %request.peer,
            stream = %request.name,
            code = refusal.code,
            reason = %refusal.text,
            "refused"
        );
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The signature that somebody came by, if it is one that is good once.
fn once<'a>(
    config: &Config,
    purpose: Purpose,
    good: &'a Option<sign::Good>,
) -> Option<&'a sign::Good> {
    good.as_ref().filter(|_| config.sign_once.covers(purpose))
}

/// Whether somebody may come at `now`, in Unix seconds; by which signature, if by one.
fn judge(config: &Config, request: &Request, now: u64) -> Result<Option<sign::Good>, Refusal> {
    let gate = config.gate(request.purpose);
    let address = request.peer.ip().to_canonical();
    if !gate.admits(address) {
        return Err(Refusal::address(request.purpose, address));
    }
    let (secrets, tokens) = (reveal(&gate.secrets), reveal(&gate.tokens));
    let uri = uri(request.protocol, request.name.as_str());
    let subject = sign::Subject { name: &request.name, uri: &uri, address };
    let rules = sign::Rules {
        secrets: &secrets,
        tokens: &tokens,
        secure_link: &config.secure_link,
        skew: config.sign_skew.as_secs(),
        max_life: config.sign_max_life.as_secs(),
    };
    Ok(sign::check(&subject, &request.query, &rules, now)?)
}

fn reveal(secrets: &[Secret]) -> Vec<&str> {
    secrets.iter().map(Secret::reveal).collect()
}

/// The path of a stream as nginx would know it.
fn uri(protocol: &str, name: &str) -> String {
    if protocol.starts_with("rtmp") { format!("/{name}") } else { format!("/{name}.flv") }
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            memory: Memory::default(),
            recent: Recent::default(),
            log: Throttle::new(Instant::now()),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}
