//! Hooks: HTTP servers of others that are asked whether somebody may connect, publish or play, and told when that ends.
//!
//! ```text
//! begin ──► client's lane ──► host ──► POST ──► answer ──► Started, or Denied
//!              ▲   in order    slots, health                  │
//!              └──────────────── the end ◄──── drop ──────────┘
//! ```
//!
//! - Each client has a lane: its events are sent one after the other. Lanes know nothing of each other, and a lane without
//!   events is no task and takes next to no memory.
//! - Every beginning that a hook server may have heard of, and has not refused, has exactly one end: what is begun is a
//!   [`Started`], and dropping it sends the end, wherever it is dropped: also on its way to somebody who has left.
//! - Whoever is asked about waits; no other stream does. What can wait is bounded for each client, for each address, for each
//!   hook server and in all.

mod client;
mod config;
mod deliver;
mod event;
mod host;
mod post;
mod secure;
mod sign;
mod slots;
mod stats;
mod style;
mod trust;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

use pushpull_rtmp::server::Connect;
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, timeout_at},
};
use tracing::{error, warn};

pub use client::Client;
pub use config::{Config, Fail, Style, Url};
pub use event::Event;
pub use host::HostHealth;
pub use stats::{Outcome, Stats};
pub use trust::Authorities;

use crate::{
    accept::Full,
    config::Live,
    hex::hex,
    sessions::{Purpose, Request, SessionId},
    shutdown::Shutdown,
};
use client::Place;
use deliver::{Job, Notice, Question};
use event::{Bytes, Stream, Subject};
use host::Hosts;
use style::Service;
use trust::System;

/// The hooks. Clones are the same; without a configuration ([`Hooks::default`]) nobody is asked.
#[derive(Clone, Debug, Default)]
pub struct Hooks(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    config: Live<Config>,
    hosts: Hosts,
    /// Who vouches for hook servers, unless the configuration says who does.
    system: System,
    stats: Arc<Stats>,
    service: Service,
    shutdown: Shutdown,
    /// Ends are sent from wherever something is dropped.
    runtime: Handle,
    /// The log has been told that there are too many events.
    is_full: AtomicBool,
    /// It has been told that there are too many of one address.
    is_crowded: AtomicBool,
    /// The log has been told that the shutdown has lost some.
    has_lost: AtomicBool,
}

/// Something that was begun. Dropping it tells its end.
#[derive(Debug, Default)]
#[must_use = "dropping it tells the end"]
pub struct Started(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    hooks: Arc<Inner>,
    client: Client,
    subject: Subject,
    bytes: Bytes,
}

/// Somebody must not begin what it wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Why.
    pub reason: Reason,
    /// A sentence for the peer, without a full stop.
    pub text: String,
}

/// Why somebody must not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A hook server has said no.
    Refused,
    /// Nobody has: a hook server could not be asked, or made no sense.
    Unanswered,
    /// It was not asked: too much waits for hook servers that is about the same address or connection.
    Crowded,
}

impl Reason {
    /// A word for programs, which stays the same.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused => "hook_denied",
            Self::Unanswered => "hook_failed",
            Self::Crowded => "too_many_questions",
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Denied {}

impl Hooks {
    /// Asks and tells those in `config`, whatever it says at the time. What is still to be told when the server stops is
    /// waited for by `shutdown`. Must be called in a runtime.
    #[must_use]
    pub fn new(config: Live<Config>, shutdown: Shutdown) -> Self {
        let system = System::default();
        if config.get().needs_system() {
            // Before anybody waits for it, and so that the log has it if there is nobody to trust.
            tokio::spawn(system.clone().look());
        }
        Self(Some(Arc::new(Inner {
            config,
            hosts: Hosts::default(),
            system,
            stats: Arc::default(),
            service: service(),
            shutdown,
            runtime: Handle::current(),
            is_full: AtomicBool::new(false),
            is_crowded: AtomicBool::new(false),
            has_lost: AtomicBool::new(false),
        })))
    }

    /// Whether anybody is asked or told about anything at present.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| {
            let config = inner.config.get();
            Event::ALL.into_iter().any(|event| !config.urls(event).is_empty())
        })
    }

    /// Whether hook servers hear of connections at present.
    #[must_use]
    pub fn wants_connections(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| {
            let config = inner.config.get();
            let events = [Event::OnConnect, Event::OnClose];
            events.into_iter().any(|event| !config.urls(event).is_empty())
        })
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        self.0.as_ref().map(|inner| inner.stats.clone()).unwrap_or_default()
    }

    /// What `/metrics` shows of them.
    #[must_use]
    pub fn collector(&self) -> Box<dyn prometheus_client::collector::Collector> {
        Box::new(stats::Shown(self.stats()))
    }

    /// How the hook servers are doing that were spoken to so far.
    #[must_use]
    pub fn health(&self) -> Vec<HostHealth> {
        self.0.as_ref().map(|inner| inner.hosts.health()).unwrap_or_default()
    }

    /// Asks whether `client` may connect.
    ///
    /// # Errors
    /// [`Denied`]
    pub async fn connect(&self, client: Client) -> Result<Started, Denied> {
        match &self.0 {
            Some(inner) => inner.begin(client, Subject::Connection).await,
            None => Ok(Started::default()),
        }
    }

    /// Asks whether somebody may have what `request` says; `session` is what its stay will be called.
    ///
    /// # Errors
    /// [`Denied`]
    pub async fn ask(&self, request: &Request, session: &SessionId) -> Result<Started, Denied> {
        let Some(inner) = self.0.as_ref().filter(|_| self.is_active()) else {
            return Ok(Started::default());
        };
        let session = session.as_str().to_owned();
        let client = request.client.clone().unwrap_or_else(|| {
            let connect = Connect {
                tc_url: request.tc_url.clone(),
                page_url: request.referer.clone(),
                flash_ver: request.agent.clone(),
                ..Connect::default()
            };
            Client::new(session.clone(), request.protocol, request.peer, connect)
        });
        let stream = Stream { name: request.name.clone(), query: request.query.clone(), session };
        let subject = match request.purpose {
            Purpose::Publish => Subject::Publish(stream),
            Purpose::Play => Subject::Play(stream),
        };
        inner.begin(client, subject).await
    }
}

impl Inner {
    async fn begin(self: &Arc<Self>, client: Client, subject: Subject) -> Result<Started, Denied> {
        let config = self.config.get();
        let is_asked = !config.urls(subject.start()).is_empty();
        if !is_asked && config.urls(subject.end()).is_empty() {
            return Ok(Started::default());
        }
        if !client.has_room() {
            self.stats.hit(subject.start(), Outcome::Failed);
            return Err(crowded("connection"));
        }
        if !is_asked {
            return Ok(self.started(client, subject));
        }
        self.stats.hit(subject.start(), Outcome::Asked);
        let place = match self.stats.wait(config.queue, client.address()) {
            Ok(place) => place,
            Err(full) => {
                self.is_full(full, client.address());
                self.stats.hit(subject.start(), Outcome::Failed);
                return match full {
                    Full::All => self.undecided(&config, client, subject),
                    // Else who asks often enough would be let in where hooks are open.
                    Full::Address => Err(crowded("address")),
                };
            }
        };
        let deadline = Instant::now() + config.timeout;
        let (answer, mut answered) = oneshot::channel();
        let turn = Arc::new(Turn::default());
        let question = Question {
            subject: subject.clone(),
            config: config.clone(),
            deadline,
            turn: turn.clone(),
            answer,
            _place: place,
        };
        self.push(&client, Job::Ask(Box::new(question)), Place::Last);
        let answer = match timeout_at(deadline, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if turn.take() => {
                // It still waits behind other events of its client. Nobody has heard of it, and nobody will.
                self.stats.hit(subject.start(), Outcome::Failed);
                return self.undecided(&config, client, subject);
            }
            // It is being asked about, which has the same deadline.
            Err(_) => answered.await,
        };
        answer.unwrap_or_else(|_| Err(no_answer()))
    }

    /// What is done about somebody whom nobody has decided about.
    fn undecided(
        self: &Arc<Self>,
        config: &Config,
        client: Client,
        subject: Subject,
    ) -> Result<Started, Denied> {
        match config.fail {
            Fail::Open => {
                self.stats.hit(subject.start(), Outcome::LetIn);
                Ok(self.started(client, subject))
            }
            Fail::Closed => Err(no_answer()),
        }
    }

    fn started(self: &Arc<Self>, client: Client, subject: Subject) -> Started {
        let (hooks, bytes) = (self.clone(), Bytes::default());
        Started(Some(Box::new(Open { hooks, client, subject, bytes })))
    }

    /// Tells that there are too many events, once in all and once of an address.
    fn is_full(&self, full: Full, address: IpAddr) {
        let limit = self.config.get().queue;
        match full {
            Full::All if !self.is_full.swap(true, Ordering::Relaxed) => warn!(
                limit,
                "more events wait for hook servers than may (hook_queue): some are dropped and counted"
            ),
            Full::Address if !self.is_crowded.swap(true, Ordering::Relaxed) => warn!(
                limit,
                %address,
                "more events of one address wait for hook servers than half of hook_queue: some are dropped and counted"
            ),
            Full::All | Full::Address => {}
        }
    }

    /// Tells that the server stops before all was told, once.
    fn lost(&self) {
        if !self.has_lost.swap(true, Ordering::Relaxed) {
            warn!(
                waiting = self.stats.waiting(),
                "hook servers were not told of all that has ended: the server stops"
            );
        }
    }
}

impl Started {
    /// Notes how many bytes of media were received and sent so far.
    pub fn moved(&mut self, received: u64, sent: u64) {
        if let Some(open) = &mut self.0 {
            open.bytes = Bytes { received, sent };
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.end(Place::Last);
    }
}

impl Started {
    /// Ends what was begun by a question that nobody waits for any more: before anything that came behind it, such as the
    /// end of its connection.
    fn end_next(mut self) {
        self.end(Place::Next);
    }

    fn end(&mut self, place_in_lane: Place) {
        let Some(open) = self.0.take() else { return };
        let Open { hooks, client, subject, bytes } = *open;
        let event = subject.end();
        let sum = client.add(bytes);
        let bytes = if subject == Subject::Connection { sum } else { bytes };
        let config = hooks.config.get();
        if config.urls(event).is_empty() {
            return;
        }
        match hooks.stats.wait(config.queue, client.address()) {
            Ok(place) => {
                let notice = Notice::new(subject, config, bytes, hooks.stats.clone(), place);
                hooks.push(&client, Job::Tell(Box::new(notice)), place_in_lane);
            }
            Err(full) => {
                hooks.is_full(full, client.address());
                hooks.stats.hit(event, Outcome::Dropped);
            }
        }
    }
}

/// Who decides about a question: the one who asks it, or the one who has not waited for that.
#[derive(Debug, Default)]
struct Turn(AtomicU8);

impl Turn {
    /// It is asked now, unless it was [taken](Turn::take).
    fn begin(&self) -> bool {
        self.set(BEGUN)
    }

    /// It must not be asked any more, unless it has [begun](Turn::begin).
    fn take(&self) -> bool {
        self.set(TAKEN)
    }

    fn set(&self, turn: u8) -> bool {
        self.0.compare_exchange(WAITING, turn, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const TAKEN: u8 = 2;

/// What a peer is told when nobody could be asked; why is nothing for peers.
fn no_answer() -> Denied {
    let text = "the server that decides about this could not be asked".to_owned();
    Denied { reason: Reason::Unanswered, text }
}

/// What a peer is told who has begun so much that nobody is asked about more of it.
fn crowded(whose: &str) -> Denied {
    let text =
        format!("too many events of your {whose} wait for the server that decides about this");
    Denied { reason: Reason::Crowded, text }
}

/// Random text: not to be guessed, and no other's.
pub(crate) fn random_id() -> String {
    let mut random = [0; 8];
    if let Err(error) = getrandom::fill(&mut random) {
        error!(%error, "no random bytes for the hooks");
    }
    hex(&random)
}

/// Names this machine as long as it has the same identity, and this run of the server.
fn service() -> Service {
    use sha2::{Digest, Sha256};
    let service_id = random_id();
    let machine = ["/etc/machine-id", "/etc/hostname"]
        .into_iter()
        .find_map(|file| std::fs::read(file).ok().filter(|text| !text.trim_ascii().is_empty()));
    let digest = match machine {
        // Its own name is nobody's business.
        Some(machine) => Sha256::new().chain_update("pushpull ").chain_update(machine),
        None => Sha256::new().chain_update(&service_id),
    };
    let server_id = format!("vid-{}", hex(digest.finalize().get(..4).unwrap_or_default()));
    Service { server_id, service_id }
}
