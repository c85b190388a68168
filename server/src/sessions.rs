//! Everybody who publishes or views at present, whatever the protocol: for the API, the hooks and the access rules.

#[cfg(test)]
pub(crate) mod tests;

use std::any::Any;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::poll_fn;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::task::AtomicWaker;
use pushpull_rtmp::StreamName;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::happenings::{Happening, Happenings, Kind};
use crate::hooks::{Client, Started};
use crate::hub::Probe;
use crate::time::millis;

/// What somebody wants of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub enum Purpose {
    /// To send it.
    Publish,
    /// To watch it.
    Play,
}

/// Who asks for what.
#[derive(Clone)]
pub struct Request {
    /// To send it or to watch it.
    pub purpose: Purpose,
    /// The protocol: `rtmp`, `http-flv` or `ws-flv`.
    pub protocol: &'static str,
    /// The peer's address.
    pub peer: SocketAddr,
    /// The stream.
    pub name: StreamName,
    /// The parameters of the address, without the `?`. They may be secret: nothing prints them.
    pub query: String,
    /// The software, as it calls itself; may be empty.
    pub agent: String,
    /// The page that plays, as it says; may be empty.
    pub referer: String,
    /// The address an RTMP peer connected to, as it says; empty for others.
    pub tc_url: String,
    /// The RTMP connection, if hook servers hear of it.
    pub client: Option<Client>,
}

/// Why a session must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// An operator ended it.
    Kicked,
    /// What allowed it has run out.
    Expired,
}

/// Everybody who publishes or views at present. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: Mutex<HashMap<SessionId, Arc<Entry>>>,
    /// Bumped whenever a session begins or ends.
    changed: watch::Sender<u64>,
    happenings: Happenings,
    count: AtomicU64,
    opened: AtomicU64,
    /// Makes ids of counts that nobody guesses.
    keys: RandomState,
}

/// A session's name: not to be guessed, and no other's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct SessionId(String);

#[derive(Debug)]
struct Entry {
    id: SessionId,
    /// Counts the sessions: the order in which they came.
    number: u64,
    /// What others may know of it.
    request: Request,
    since: Instant,
    /// A [`Stop`], or [`GOES_ON`].
    stop: AtomicU8,
    host: AtomicWaker,
    probe: OnceLock<Arc<Probe>>,
}

/// Somebody's stay. Dropping it ends it.
#[derive(Debug)]
#[must_use = "dropping it ends the session"]
pub struct Session {
    sessions: Sessions,
    entry: Arc<Entry>,
    /// The one that is told of a stop.
    waker: Option<Waker>,
    /// What ends with it.
    kept: Vec<Box<dyn Any + Send + Sync>>,
    /// What hook servers are told when it ends.
    started: Started,
}

/// Tells whether what let a session in is spent, also when it has ended: it has [begun](Session::watch), or an operator has
/// ended it before it could.
#[derive(Clone, Debug)]
pub struct Spent(Arc<Entry>);

/// A session at one moment, as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = Session))]
pub struct SessionStatus {
    /// Its name.
    pub id: SessionId,
    /// To send or to watch.
    pub purpose: Purpose,
    /// `rtmp`, `http-flv` or `ws-flv`.
    pub protocol: &'static str,
    /// The stream's name.
    pub stream: String,
    /// The peer's address.
    pub peer: String,
    /// The software, as it calls itself; may be empty.
    pub agent: String,
    /// Milliseconds since it began.
    pub since_ms: u64,
    /// Bytes of media received or sent.
    pub bytes: u64,
    /// How often a viewer had fallen behind and jumped to a later keyframe.
    pub jumps: u64,
    /// Bytes that a viewer has not been sent.
    pub lag_bytes: u64,
    /// Milliseconds of media that a viewer has not been sent.
    pub lag_ms: u64,
}

impl Purpose {
    /// As the API, the metrics and the log say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Play => "play",
        }
    }
}

impl Sessions {
    /// The name of a session that has not begun.
    #[must_use]
    pub fn new_id(&self) -> SessionId {
        let count = self.inner.count.fetch_add(1, Ordering::Relaxed);
        SessionId(format!("{count:x}-{:016x}", self.inner.keys.hash_one(count)))
    }

    /// Begins a session.
    pub fn open(&self, request: Request) -> Session {
        self.open_as(self.new_id(), request, Started::default())
    }

    /// Begins a session under a [new name](Sessions::new_id), of which hook servers have heard.
    pub fn open_as(&self, id: SessionId, mut request: Request, started: Started) -> Session {
        // Who decided has seen the rest: it may be secret, and as long as the head of a request, for each viewer.
        (request.query, request.referer, request.tc_url) = Default::default();
        let end = request.agent.floor_char_boundary(AGENT_MAX);
        request.agent.truncate(end);
        request.agent.shrink_to_fit();
        let entry = Arc::new(Entry {
            id: id.clone(),
            number: self.inner.opened.fetch_add(1, Ordering::Relaxed),
            request,
            since: Instant::now(),
            stop: AtomicU8::new(GOES_ON),
            host: AtomicWaker::new(),
            probe: OnceLock::new(),
        });
        self.lock().insert(id, entry.clone());
        self.changed();
        Session { sessions: self.clone(), entry, waker: None, kept: Vec::new(), started }
    }

    /// All sessions, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<SessionStatus> {
        self.page(None, None, 0, usize::MAX).0
    }

    /// At most `limit` sessions, the oldest first, after the first `offset`; of one stream and with one purpose, if these are
    /// said. And how many there are in all.
    #[must_use]
    pub fn page(
        &self,
        stream: Option<&StreamName>,
        purpose: Option<Purpose>,
        offset: usize,
        limit: usize,
    ) -> (Vec<SessionStatus>, usize) {
        let is_meant = |entry: &&Arc<Entry>| {
            stream.is_none_or(|name| entry.request.name == *name)
                && purpose.is_none_or(|purpose| entry.request.purpose == purpose)
        };
        let mut entries: Vec<_> = self.lock().values().filter(is_meant).cloned().collect();
        entries.sort_by_key(|entry| entry.number);
        let page = entries.iter().skip(offset).take(limit).map(|entry| entry.status()).collect();
        (page, entries.len())
    }

    /// One session.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<SessionStatus> {
        let entry = self.lock().get(&SessionId(id.to_owned())).cloned();
        entry.map(|entry| entry.status())
    }

    /// How many there are, by purpose and protocol.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(Purpose, &'static str), usize> {
        let mut counts = BTreeMap::new();
        for entry in self.lock().values() {
            *counts.entry((entry.request.purpose, entry.request.protocol)).or_default() += 1;
        }
        counts
    }

    /// Where it is told who comes and goes.
    #[must_use]
    pub fn happenings(&self) -> &Happenings {
        &self.inner.happenings
    }

    /// Tells a session to end, or all of an RTMP connection by the name it has for hook servers; `false` if there is none
    /// of that name.
    pub fn stop(&self, id: &str, reason: Stop) -> bool {
        let entries: Vec<_> = {
            let open = self.lock();
            match open.get(&SessionId(id.to_owned())) {
                Some(entry) => vec![entry.clone()],
                None => open.values().filter(|entry| entry.is_of(id)).cloned().collect(),
            }
        };
        for entry in &entries {
            entry.stop(reason);
            if reason == Stop::Kicked {
                self.inner.happenings.tell(|| entry.happening(Kind::Kicked));
            }
        }
        !entries.is_empty()
    }

    /// Changes whenever a session begins or ends.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    fn changed(&self) {
        self.inner.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Entry>>> {
        self.inner.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.entry.id
    }

    /// Keeps something until the session has ended, which is when it is dropped.
    pub fn keep(&mut self, something: impl Any + Send + Sync) {
        self.kept.push(Box::new(something));
    }

    /// It has begun: the media flows, and says where its figures are found. The first counts.
    pub fn watch(&self, probe: Arc<Probe>) {
        if self.entry.probe.set(probe).is_ok() {
            self.tell(Kind::Published, Kind::Playing);
        }
    }

    /// Tells whether what let it in is spent.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent(self.entry.clone())
    }

    /// Waits for something that comes before the media, unless the session must end first.
    ///
    /// # Errors
    /// [`Stop`]
    pub async fn unless_stopped<T>(&mut self, wait: impl Future<Output = T>) -> Result<T, Stop> {
        let mut wait = pin!(wait);
        poll_fn(|context| match self.poll_stopped(context) {
            Poll::Ready(stop) => Poll::Ready(Err(stop)),
            Poll::Pending => wait.as_mut().poll(context).map(Ok),
        })
        .await
    }

    fn tell(&self, of_publisher: Kind, of_viewer: Kind) {
        let kind = match self.entry.request.purpose {
            Purpose::Publish => of_publisher,
            Purpose::Play => of_viewer,
        };
        self.sessions.inner.happenings.tell(|| self.entry.happening(kind));
    }

    /// Ready when it must end. To be asked whenever the host wakes: it costs next to nothing.
    pub fn poll_stopped(&mut self, context: &Context<'_>) -> Poll<Stop> {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.entry.host.register(context.waker());
            self.waker = Some(context.waker().clone());
        }
        // After the waker is in its place: a stop is seen here or wakes.
        match self.entry.stop.load(Ordering::Acquire) {
            KICKED => Poll::Ready(Stop::Kicked),
            EXPIRED => Poll::Ready(Stop::Expired),
            _ => Poll::Pending,
        }
    }
}

impl Spent {
    /// Whether it is.
    #[must_use]
    pub fn is_so(&self) -> bool {
        self.0.probe.get().is_some() || self.0.stop.load(Ordering::Acquire) == KICKED
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let bytes = self.entry.probe.get().map_or(0, |probe| probe.bytes());
        match self.entry.request.purpose {
            Purpose::Publish => self.started.moved(bytes, 0),
            Purpose::Play => self.started.moved(0, bytes),
        }
        self.sessions.lock().remove(&self.entry.id);
        self.sessions.changed();
        if self.entry.probe.get().is_some() {
            self.tell(Kind::Unpublished, Kind::Stopped);
        }
    }
}

impl Entry {
    /// Whether it is of the connection that hook servers know as `id`.
    fn is_of(&self, id: &str) -> bool {
        self.request.client.as_ref().is_some_and(|client| client.id() == id)
    }

    fn stop(&self, reason: Stop) {
        let reason = match reason {
            Stop::Kicked => KICKED,
            Stop::Expired => EXPIRED,
        };
        self.stop.store(reason, Ordering::Release);
        self.host.wake();
    }

    fn happening(&self, kind: Kind) -> Happening {
        Happening::new(kind).by(&self.request).of(self.id.to_string())
    }

    fn status(&self) -> SessionStatus {
        let Request { purpose, protocol, ref name, peer, ref agent, .. } = self.request;
        let probe = self.probe.get();
        let lag = probe.map(|probe| probe.lag()).unwrap_or_default();
        SessionStatus {
            id: self.id.clone(),
            purpose,
            protocol,
            stream: name.to_string(),
            peer: peer.to_string(),
            agent: agent.clone(),
            since_ms: millis(self.since.elapsed()),
            bytes: probe.map_or(0, |probe| probe.bytes()),
            jumps: probe.map_or(0, |probe| probe.jumps()),
            lag_bytes: lag.bytes,
            lag_ms: lag.ms,
        }
    }
}

impl SessionId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("purpose", &self.purpose)
            .field("protocol", &self.protocol)
            .field("peer", &self.peer)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kicked => "the server's operator ended this session",
            Self::Expired => "what allowed this session has run out",
        })
    }
}

/// Bytes of what a software calls itself that are kept: browsers say 150.
const AGENT_MAX: usize = 256;

const GOES_ON: u8 = 0;
const KICKED: u8 = 1;
const EXPIRED: u8 = 2;
