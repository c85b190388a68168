//! The hub: live streams by name, one publisher each, any number of viewers. It knows no protocol.
//!
//! A stream is a ring of blocks (`ring.rs`); a viewer is a cursor on it. What a publisher sends becomes an FLV tag once
//! and goes to all viewers as the same bytes.

mod arrivals;
mod ban;
mod batch;
pub mod block;
mod budget;
mod claim;
mod clock;
mod config;
mod defaults;
mod describe;
mod epoch;
pub mod framed;
mod headers;
mod metadata;
mod meter;
mod multitrack;
mod packet;
mod preroll;
mod probe;
mod publisher;
mod query;
mod ring;
mod selection;
mod stats;
mod status;
mod stream;
mod sync;
mod tracks;
mod viewer;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pushpull_rtmp::StreamName;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

pub use block::Block;
pub use claim::{Claim, Claimant, Identity, PendingClaim};
pub use config::{Config, Takeover};
pub use describe::{Audio, Track, Video};
#[cfg(test)]
pub(crate) use headers::Headers;
pub use probe::Probe;
pub use publisher::{Publisher, StopReason};
pub use query::{BadParameter, Query};
pub use ring::{EndReason, Lag, Release};
pub use selection::Selection;
pub use stats::Stats;
pub use status::{Source, State, StreamError, StreamStatus, Trouble};
pub use viewer::{Next, Start, Viewer, ViewerInfo};

use crate::config::Live;
use crate::limits::Limit;
use ban::Bans;
use budget::Budget;
use claim::Waiting;
use stream::{Session, Stream};
use viewer::ViewerPlace;

/// All live streams. Clones are the same hub.
#[derive(Clone, Debug)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Live<Config>,
    stats: Stats,
    budget: Arc<Budget>,
    viewers: Arc<AtomicUsize>,
    is_closing: AtomicBool,
    /// Bumped whenever a stream starts, stops or is described anew.
    changed: watch::Sender<u64>,
    /// Locked before a stream's own lock, never after.
    names: Mutex<Names>,
    /// Streams that ended within [`AFTERWARDS`], and when. Locked after the names.
    ended: Mutex<HashMap<StreamName, Instant>>,
    /// Locked after the names.
    bans: Mutex<Bans>,
    /// Tells those apart who wait for a name.
    last_number: AtomicU64,
}

type Names = HashMap<StreamName, Name>;

/// A name in use. It is removed as soon as it is neither claimed nor waited for nor has a stream.
#[derive(Debug, Default)]
struct Name {
    is_claimed: bool,
    /// The claim is from before a kick: it must not go live.
    is_kicked: bool,
    stream: Option<Arc<Stream>>,
    waiting: Option<Waiting>,
}

impl Name {
    fn is_unused(&self) -> bool {
        !self.is_claimed && self.stream.is_none() && self.waiting.is_none()
    }
}

/// Why a name cannot be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Somebody publishes it, or is about to.
    #[error("somebody else publishes this stream")]
    Busy,
    /// [`Config::max_streams`] names are in use.
    #[error("there are as many streams as this server takes ({limit})")]
    TooManyStreams {
        /// The limit.
        limit: usize,
    },
    /// An operator stopped the stream and banned its name.
    #[error("this stream was stopped by the server's operator and is refused for another {}", in_words(*left))]
    Banned {
        /// How long it still is.
        left: Duration,
    },
    /// The server stops.
    #[error("the server is stopping")]
    Closing,
}

/// Why a stream cannot be kicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KickError {
    /// Nobody publishes it, and it was not to be banned.
    #[error("nobody publishes this stream")]
    NotFound,
    /// [`Config::max_bans`] names are banned; nothing was done.
    #[error("there are as many banned names as this server keeps ({limit})")]
    TooManyBans {
        /// The limit.
        limit: usize,
    },
}

/// Why a stream cannot be viewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Nobody publishes it, nor did anybody within [`Config::missing_wait`].
    #[error("nobody publishes this stream")]
    NotFound,
    /// Its publisher sent nothing to begin with, no keyframe above all, within [`Config::start_wait`].
    #[error("the stream has not sent a keyframe yet")]
    NotReady,
    /// It has [`Config::max_viewers`] viewers, or all streams together have [`Config::max_viewers_total`].
    #[error("there are as many viewers as this server takes ({limit})")]
    TooManyViewers {
        /// The limit.
        limit: usize,
    },
    /// The server stops.
    #[error("the server is stopping")]
    Closing,
}

impl Hub {
    /// A hub without streams.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            inner: Arc::new(Inner {
                budget: Arc::new(Budget::new(config.media_bytes)),
                viewers: Arc::default(),
                config: Live::new(config),
                stats: Stats::default(),
                is_closing: AtomicBool::new(false),
                changed: watch::Sender::new(0),
                names: Mutex::default(),
                ended: Mutex::default(),
                bans: Mutex::default(),
                last_number: AtomicU64::new(0),
            }),
        }
    }

    /// `config` counts from now on: for the media that streams keep at once, else for publishers and viewers that come, or
    /// that are lost.
    pub fn configure(&self, config: Config) {
        let ring = config.ring();
        self.budget().set_limit(config.media_bytes);
        self.inner.config.set(config);
        for stream in self.names().values().filter_map(|name| name.stream.as_ref()) {
            stream.ring.limit(ring);
        }
        // Some may wait for a name, and for less long now.
        self.changed();
    }

    /// Stops a stream: its publisher is told and let go, its viewers end at once. For `ban`, if it is not zero, nobody
    /// gets the name; a ban in force is replaced by the new one, and lifted by a ban of zero.
    ///
    /// # Errors
    /// [`KickError`]
    pub fn kick(&self, name: &StreamName, ban: Duration) -> Result<(), KickError> {
        let mut names = self.names();
        let limit = self.config().max_bans;
        let was_banned = self.bans().left(name).is_some();
        if !self.bans().add(name, ban, limit) {
            self.stats().hits().hit(Limit::Bans);
            return Err(KickError::TooManyBans { limit });
        }
        let Some(entry) = names.get_mut(name) else {
            let is_something = was_banned || !ban.is_zero();
            return is_something.then_some(()).ok_or(KickError::NotFound);
        };
        entry.waiting = None;
        entry.is_kicked = entry.is_claimed;
        if let Some(stream) = entry.stream.clone() {
            stream.stop(StopReason::Kicked);
            self.remove(&mut names, &stream, EndReason::Kicked);
        }
        Ok(())
    }

    /// Joins a stream as a viewer. Waits for a stream that is missing, and for its first keyframe.
    ///
    /// # Errors
    /// [`ViewError`]
    pub async fn view(
        &self,
        name: &StreamName,
        start: Start,
        info: ViewerInfo,
    ) -> Result<Viewer, ViewError> {
        let Config { missing_wait, start_wait, .. } = *self.config();
        self.view_within(missing_wait, start_wait, name, start, info).await
    }

    /// Whether [`Hub::view`] would succeed at once. Nobody counts as a viewer by asking.
    ///
    /// # Errors
    /// [`ViewError`]
    pub fn look(&self, name: &StreamName) -> Result<(), ViewError> {
        if self.is_closing() {
            return Err(ViewError::Closing);
        }
        let stream = self.names().get(name).and_then(|name| name.stream.clone());
        let stream = stream.ok_or(ViewError::NotFound)?;
        let Config { max_viewers, max_viewers_total, .. } = *self.config();
        if self.inner.viewers.load(Ordering::Relaxed) >= max_viewers_total {
            return Err(ViewError::TooManyViewers { limit: max_viewers_total });
        }
        if stream.ring.load().viewers >= max_viewers {
            return Err(ViewError::TooManyViewers { limit: max_viewers });
        }
        if stream.ring.has_start() { Ok(()) } else { Err(ViewError::NotReady) }
    }

    async fn view_within(
        &self,
        missing_wait: Duration,
        start_wait: Duration,
        name: &StreamName,
        start: Start,
        info: ViewerInfo,
    ) -> Result<Viewer, ViewError> {
        let stream = self.find(name, missing_wait).await?;
        let too_many = |reached, limit| {
            self.stats().hits().hit(reached);
            ViewError::TooManyViewers { limit }
        };
        let limit = self.config().max_viewers_total;
        let place = ViewerPlace::take(&self.inner.viewers, limit)
            .ok_or_else(|| too_many(Limit::AllViewers, limit))?;
        let limit = self.config().max_viewers;
        let mut viewer = Viewer::join(self.clone(), stream, start, info, place)
            .ok_or_else(|| too_many(Limit::Viewers, limit))?;
        match timeout(start_wait, viewer.begin()).await {
            Ok(Ok(())) => Ok(viewer),
            Ok(Err(EndReason::ServerStopping)) => Err(ViewError::Closing),
            Ok(Err(_)) => Err(ViewError::NotFound),
            Err(_) => Err(ViewError::NotReady),
        }
    }

    /// All streams, by name.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamStatus> {
        let streams: Vec<_> =
            self.names().values().filter_map(|name| name.stream.clone()).collect();
        let mut streams: Vec<_> = streams.iter().map(|stream| stream.status()).collect();
        streams.sort_by(|a, b| a.name.cmp(&b.name));
        streams
    }

    /// The stream of that name.
    #[must_use]
    pub fn stream(&self, name: &StreamName) -> Option<StreamStatus> {
        let stream = self.names().get(name)?.stream.clone()?;
        Some(stream.status())
    }

    /// Names that nobody may publish, and for how long, by name.
    #[must_use]
    pub fn banned(&self) -> Vec<(String, Duration)> {
        self.bans().list()
    }

    /// Lets a name be published again; `false` if it was not banned.
    pub fn lift_ban(&self, name: &StreamName) -> bool {
        self.bans().lift(name)
    }

    /// Whether there are any streams.
    #[must_use]
    pub fn has_streams(&self) -> bool {
        self.names().values().any(|name| name.stream.is_some())
    }

    /// Changes whenever a stream starts, stops, or what is known of it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.inner.stats
    }

    /// The memory that the media held for viewers takes, that of streams included that ended and still have some.
    #[must_use]
    pub fn media_bytes(&self) -> usize {
        self.budget().used()
    }

    /// Stops everything: publishers are told, viewers end at the tag they are at, nobody new is let in.
    pub fn close(&self) {
        let streams: Vec<_> = {
            let mut names = self.names();
            self.inner.is_closing.store(true, Ordering::SeqCst);
            names.drain().filter_map(|(_, name)| name.stream).collect()
        };
        // Those that ended before may have viewers who are still to take the last of them.
        for stream in self.budget().still_read().into_iter().chain(streams) {
            stream.stop(StopReason::ServerStopping);
            stream.ring.close(EndReason::ServerStopping);
        }
        self.changed();
    }

    /// Whether it was [closed](Hub::close).
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.inner.is_closing.load(Ordering::SeqCst)
    }

    /// What is in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.inner.config.get()
    }

    fn changed(&self) {
        self.inner.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    fn names(&self) -> MutexGuard<'_, HashMap<StreamName, Name>> {
        self.inner.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<StreamName, Instant>> {
        self.inner.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn budget(&self) -> &Budget {
        &self.inner.budget
    }

    fn bans(&self) -> MutexGuard<'_, Bans> {
        self.inner.bans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_number(&self) -> u64 {
        self.inner.last_number.fetch_add(1, Ordering::Relaxed)
    }

    /// The stream of that name, once somebody publishes it.
    async fn find(&self, name: &StreamName, wait: Duration) -> Result<Arc<Stream>, ViewError> {
        // Who comes right after the end was there before it, and wants to know whether it was the end.
        let known = self.ended().get(name).map(|ended| *ended + AFTERWARDS);
        let now = Instant::now();
        let deadline =
            known.filter(|until| *until > now).map_or(now + wait, |until| until.min(now + wait));
        let mut changed = self.subscribe();
        loop {
            if self.is_closing() {
                return Err(ViewError::Closing);
            }
            if let Some(stream) = self.names().get(name).and_then(|name| name.stream.clone()) {
                return Ok(stream);
            }
            if timeout_at(deadline, changed.changed()).await.is_err() {
                return Err(ViewError::NotFound);
            }
        }
    }

    fn go_live(&self, name: &StreamName, claimant: Claimant) -> (Arc<Stream>, Session) {
        let source = || claimant.source.clone();
        let (stream, session) = {
            let mut names = self.names();
            let new = || {
                let (ring, budget) = (self.config().ring(), self.inner.budget.clone());
                Arc::new(Stream::new(name.clone(), ring, budget, source()))
            };
            // The claim may be from before the end: it gets a stream that nobody finds, and is told to stop.
            let in_vain = |reason| {
                let stream = new();
                let session = stream.begin(claimant.clone());
                stream.stop(reason);
                (stream, session)
            };
            if self.is_closing() {
                return in_vain(StopReason::ServerStopping);
            }
            let entry = names.entry(name.clone()).or_default();
            entry.is_claimed = false;
            if std::mem::take(&mut entry.is_kicked) {
                if entry.is_unused() {
                    names.remove(name);
                }
                return in_vain(StopReason::Kicked);
            }
            let stream = entry.stream.get_or_insert_with(new).clone();
            let session = stream.begin(claimant.clone());
            (stream, session)
        };
        self.stats().published();
        self.changed();
        (stream, session)
    }

    fn unclaim(&self, name: &StreamName) {
        let mut names = self.names();
        if let Some(entry) = names.get_mut(name) {
            entry.is_claimed = false;
            entry.is_kicked = false;
            if entry.is_unused() {
                names.remove(name);
            }
        }
        drop(names);
        // Somebody may wait for it.
        self.changed();
    }

    /// Ends a stream, if `session` is still its publisher.
    fn end(&self, stream: &Arc<Stream>, session: u64, reason: EndReason) {
        let mut names = self.names();
        if stream.lose(session) {
            self.remove(&mut names, stream, reason);
        }
    }

    /// Ends a stream whose publisher of `session` was lost, if none came after it.
    fn end_if_lost(&self, stream: &Arc<Stream>, session: u64) {
        let mut names = self.names();
        if stream.is_lost(session) {
            self.remove(&mut names, stream, EndReason::PublisherLost);
        }
    }

    fn remove(&self, names: &mut Names, stream: &Arc<Stream>, reason: EndReason) {
        if let Some(entry) = names.get_mut(&stream.name)
            && entry.stream.as_ref().is_some_and(|held| Arc::ptr_eq(held, stream))
        {
            entry.stream = None;
            if entry.is_unused() {
                names.remove(&stream.name);
            }
            let mut ended = self.ended();
            ended.retain(|_, at| at.elapsed() < AFTERWARDS);
            ended.insert(stream.name.clone(), Instant::now());
            self.budget().ended(stream);
        }
        stream.ring.close(reason);
        self.changed();
    }
}

/// A time for people: whole seconds, rounded up.
fn in_words(time: Duration) -> String {
    format!("{} s", time.as_millis().div_ceil(1000))
}

/// How long a viewer waits for a stream that has just ended: an encoder that is started again is there by then, and
/// everybody else wants to know soon that it is over.
const AFTERWARDS: Duration = Duration::from_secs(1);
