//! A stream: the ring its viewers read, and what outlives a change of publisher.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pushpull_rtmp::StreamName;
use tokio::sync::watch;
use tokio::time::Instant;

use super::arrivals::Arrivals;
use super::budget::Budget;
use super::claim::{Claimant, Identity};
use super::clock::Progress;
use super::describe::Description;
use super::meter::Meter;
use super::publisher::StopReason;
use super::ring::{Limits, Ring};
use super::stats::Counter;
use super::status::{Source, State, StreamError, StreamStatus, Trouble};
use super::tracks::Tracks;
use crate::time::millis;

/// A stream that is live, or whose publisher may come back.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: StreamName,
    pub(super) ring: Ring,
    pub(super) jumps: Counter,
    budget: Arc<Budget>,
    /// Memory of the ring that the budget knows of, in bytes.
    accounted: AtomicUsize,
    since: Instant,
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: State,
    /// Counts the publishers; only the newest is heard.
    session: u64,
    stop: watch::Sender<Option<StopReason>>,
    source: Source,
    identity: Option<Identity>,
    trouble: Option<(Instant, Trouble)>,
    live: Live,
}

/// What the publisher keeps up to date.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) last_media: Instant,
    /// Whether this publisher has sent anything yet; until then `last_media` is when it began.
    pub(super) has_media: bool,
    pub(super) tracks: Tracks,
    pub(super) description: Description,
    pub(super) meter: Meter,
    pub(super) arrivals: Arrivals,
    /// Bytes of all its publishers.
    pub(super) received: u64,
    pub(super) resume: Resume,
}

/// Where the next publisher goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resume {
    pub(super) progress: Progress,
    /// The highest version of the headers so far.
    pub(super) headers_version: u64,
}

/// The one who holds a stream, to whoever wants its name.
#[derive(Debug)]
pub(super) struct Incumbent {
    pub(super) last_media: Instant,
    identity: Option<Identity>,
}

impl Incumbent {
    /// Whether `claimant` is the same peer, as far as can be told.
    pub(super) fn is(&self, claimant: &Claimant) -> bool {
        self.identity.is_some() && self.identity == claimant.identity
    }
}

/// A publisher's hold on a stream.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) stop: watch::Receiver<Option<StopReason>>,
    pub(super) resume: Resume,
}

impl Stream {
    pub(super) fn new(
        name: StreamName,
        limits: Limits,
        budget: Arc<Budget>,
        source: Source,
    ) -> Self {
        let now = Instant::now();
        Self {
            name,
            ring: Ring::new(limits),
            jumps: Counter::default(),
            budget,
            accounted: AtomicUsize::new(0),
            since: now,
            shared: Mutex::new(Shared {
                state: State::Waiting,
                session: 0,
                stop: watch::Sender::new(None),
                source,
                identity: None,
                trouble: None,
                live: Live {
                    last_media: now,
                    has_media: false,
                    tracks: Tracks::default(),
                    description: Description::default(),
                    meter: Meter::new(now),
                    arrivals: Arrivals::default(),
                    received: 0,
                    resume: Resume::default(),
                },
            }),
        }
    }

    /// Makes `claimant` the publisher; the one before is stopped and not heard any more.
    pub(super) fn begin(&self, claimant: Claimant) -> Session {
        let now = Instant::now();
        let mut shared = self.lock();
        if shared.state == State::Live {
            shared.trouble = Some((now, Trouble::PublisherReplaced));
        }
        shared.stop.send_replace(Some(StopReason::Replaced));
        shared.stop = watch::Sender::new(None);
        shared.session += 1;
        shared.state = State::Live;
        shared.source = claimant.source;
        shared.identity = claimant.identity;
        shared.live.last_media = now;
        shared.live.has_media = false;
        shared.live.description = Description::default();
        shared.live.meter = Meter::new(now);
        shared.live.arrivals = Arrivals::default();
        Session {
            number: shared.session,
            stop: shared.stop.subscribe(),
            resume: shared.live.resume,
        }
    }

    /// Lets the publisher of `session` change the stream; `None` if it is not the publisher any more.
    pub(super) fn with<R>(&self, session: u64, change: impl FnOnce(&mut Live) -> R) -> Option<R> {
        let mut shared = self.lock();
        shared.is_held_by(session).then(|| change(&mut shared.live))
    }

    /// The publisher of `session` is gone without goodbye; `false` if it was not the publisher any more.
    pub(super) fn lose(&self, session: u64) -> bool {
        let mut shared = self.lock();
        let is_held = shared.is_held_by(session);
        if is_held {
            shared.state = State::Waiting;
            shared.trouble = Some((Instant::now(), Trouble::PublisherLost));
        }
        is_held
    }

    /// Whether the publisher of `session` was lost and none came after it.
    pub(super) fn is_lost(&self, session: u64) -> bool {
        let shared = self.lock();
        shared.state == State::Waiting && shared.session == session
    }

    /// Tells the budget how much memory the ring takes, and returns it.
    pub(super) fn account(&self) -> usize {
        let now = self.ring.memory();
        self.budget.change(self.accounted.swap(now, Ordering::Relaxed), now);
        now
    }

    /// Remembers what went wrong.
    pub(super) fn trouble(&self, trouble: Trouble) {
        self.lock().trouble = Some((Instant::now(), trouble));
    }

    /// Tells the publisher to stop.
    pub(super) fn stop(&self, reason: StopReason) {
        self.lock().stop.send_replace(Some(reason));
    }

    /// Who holds the stream; `None` while nobody does.
    pub(super) fn incumbent(&self) -> Option<Incumbent> {
        let shared = self.lock();
        (shared.state == State::Live).then(|| Incumbent {
            last_media: shared.live.last_media,
            identity: shared.identity.clone(),
        })
    }

    pub(super) fn tracks(&self) -> Tracks {
        self.lock().live.tracks
    }

    pub(super) fn status(&self) -> StreamStatus {
        let now = Instant::now();
        let load = self.ring.load();
        let mut shared = self.lock();
        let live = &mut shared.live;
        let rates = live.meter.bitrates_kbps(now);
        let video = live.tracks.video.then(|| live.description.video(live.meter.fps())).flatten();
        let audio = live.tracks.audio.then(|| live.description.audio()).flatten();
        let tracks = live.description.tracks(live.tracks, live.meter.fps());
        let gop_ms = live.meter.gop_ms();
        let (jitter_ms, av_offset_ms) = (live.arrivals.jitter_ms(), live.arrivals.av_offset_ms());
        let received_bytes = live.received;
        let last_error = shared.trouble.map(|(at, code)| StreamError {
            ago_ms: millis(now - at),
            code,
            detail: code.words(),
        });
        StreamStatus {
            name: self.name.to_string(),
            app: self.name.app().to_owned(),
            stream: self.name.stream().to_owned(),
            state: shared.state,
            uptime_ms: millis(now - self.since),
            viewers: load.viewers,
            lag_bytes: load.lag.bytes,
            lag_ms: load.lag.ms,
            buffered_bytes: load.bytes,
            jumps: self.jumps.get(),
            source: shared.source.clone(),
            video,
            audio,
            tracks,
            bitrate_kbps: rates.total,
            video_bitrate_kbps: rates.video,
            audio_bitrate_kbps: rates.audio,
            received_bytes,
            gop_ms,
            jitter_ms,
            av_offset_ms,
            last_error,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.budget.change(*self.accounted.get_mut(), 0);
    }
}

impl Shared {
    fn is_held_by(&self, session: u64) -> bool {
        self.state == State::Live && self.session == session
    }
}
