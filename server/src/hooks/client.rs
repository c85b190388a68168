//! Those whom events are about, and the order of their events.

use std::{
    collections::VecDeque,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pushpull_rtmp::server::Connect;

use super::{deliver::Job, event::Bytes};
use crate::time::{millis, unix_now};

/// An RTMP connection, or a viewer over HTTP: its events reach hook servers in their order. Clones are the same.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    facts: Facts,
    lane: Mutex<Lane>,
}

/// What is known of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is called: not to be guessed, and no other's.
    pub id: String,
    /// `rtmp`, `http-flv` or `ws-flv`.
    pub protocol: &'static str,
    /// Its address.
    pub peer: SocketAddr,
    /// What it said about itself when it connected; for HTTP, what its request said.
    pub connect: Connect,
    /// Milliseconds since 1970.
    pub since_ms: u64,
}

/// Where in its lane a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before all others: it is about what was decided just now.
    Next,
    /// Behind all others.
    Last,
}

/// The events of a client that wait.
#[derive(Default)]
struct Lane {
    jobs: VecDeque<Job>,
    /// A task sees to them.
    is_running: bool,
    /// Media of everything that has ended.
    bytes: Bytes,
}

impl Client {
    /// A client that has had no event yet.
    #[must_use]
    pub fn new(id: String, protocol: &'static str, peer: SocketAddr, connect: Connect) -> Self {
        let facts = Facts { id, protocol, peer, connect, since_ms: millis(unix_now()) };
        Self(Arc::new(Inner { facts, lane: Mutex::default() }))
    }

    /// What it is called.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.facts.id
    }

    /// Where it is.
    pub(super) fn address(&self) -> IpAddr {
        self.0.facts.peer.ip()
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// Whether it may begin something: the end of everything that began finds room in any case.
    pub(super) fn has_room(&self) -> bool {
        self.lane().jobs.len() < MAX_WAITING
    }

    /// Puts a job at its place; `true` if somebody has to [see to them](Client::next) now.
    #[must_use]
    pub(super) fn push(&self, job: Job, place: Place) -> bool {
        let mut lane = self.lane();
        match place {
            Place::Next => lane.jobs.push_front(job),
            Place::Last => lane.jobs.push_back(job),
        }
        !std::mem::replace(&mut lane.is_running, true)
    }

    /// The next job. Without one, whoever asked is not needed any more.
    pub(super) fn next(&self) -> Option<Job> {
        let mut lane = self.lane();
        let job = lane.jobs.pop_front();
        lane.is_running = job.is_some();
        job
    }

    /// Adds what something that ended has moved; the sum.
    pub(super) fn add(&self, bytes: Bytes) -> Bytes {
        let sum = &mut self.lane().bytes;
        sum.received = sum.received.saturating_add(bytes.received);
        sum.sent = sum.sent.saturating_add(bytes.sent);
        *sum
    }

    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.0.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.facts.id).finish()
    }
}

/// Events of one client that wait, before it may begin nothing more: a connection has 16 message streams, and each a
/// beginning and an end.
const MAX_WAITING: usize = 64;
