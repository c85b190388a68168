//! What the hooks count.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::Event;
use crate::{
    accept::{Full, Most, Place, Places},
    metrics::show,
};

/// What can become of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A hook server was to be asked whether somebody may.
    Asked,
    /// A hook server was told, and has taken it.
    Told,
    /// A hook server said no.
    Denied,
    /// A hook server could not be reached, or made no sense.
    Failed,
    /// Somebody was let in though nobody could be asked.
    LetIn,
    /// Telling was tried again.
    Retried,
    /// It was given up: too many tries, too many events, or the server stopped.
    Dropped,
}

impl Outcome {
    const ALL: [(Self, &str, &str); 7] = [
        (Self::Asked, "hooks_asked", "Events that a hook server was to decide, by event"),
        (Self::Told, "hooks_told", "Events that hook servers were told and have taken, by event"),
        (Self::Denied, "hooks_denied", "Events that a hook server has said no to, by event"),
        (
            Self::Failed,
            "hooks_failed",
            "Times a hook server could not be reached or made no sense, by event",
        ),
        (
            Self::LetIn,
            "hooks_let_in",
            "Peers let in though no hook server could be asked, by event",
        ),
        (Self::Retried, "hooks_retried", "Times telling a hook server was tried again, by event"),
        (Self::Dropped, "hooks_dropped", "Events that no hook server was told, by event"),
    ];
}

/// The counts.
#[derive(Debug, Default)]
pub struct Stats {
    counts: [[AtomicU64; Outcome::ALL.len()]; Event::ALL.len()],
    /// Events that wait or are under way.
    waiting: Places,
}

impl Stats {
    /// How often `outcome` has become of `event`.
    #[must_use]
    pub fn of(&self, event: Event, outcome: Outcome) -> u64 {
        self.count(event, outcome).load(Ordering::Relaxed)
    }

    /// Events that wait or are under way.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.taken()
    }

    pub(super) fn hit(&self, event: Event, outcome: Outcome) {
        self.count(event, outcome).fetch_add(1, Ordering::Relaxed);
    }

    /// A place among the `limit` events that may wait, for one of somebody at `address`, who may have half of them.
    ///
    /// # Errors
    /// [`Full`]
    pub(super) fn wait(&self, limit: usize, address: IpAddr) -> Result<Place, Full> {
        self.waiting.take(address, Most { all: limit, of_one: limit.div_ceil(2) })
    }

    fn count(&self, event: Event, outcome: Outcome) -> &AtomicU64 {
        &self.counts[event.index()][outcome as usize]
    }
}

/// The counts, as `/metrics` shows them.
#[derive(Debug)]
pub(super) struct Shown(pub(super) Arc<Stats>);

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Shown(stats) = self;
        for (outcome, name, help) in Outcome::ALL {
            let counts = Event::ALL.map(|event| (event.name(), stats.of(event, outcome)));
            show::counters(&mut encoder, name, help, "event", counts)?;
        }
        let help = "Events that wait for hook servers, or are under way to them";
        show::gauge(&mut encoder, "hooks_waiting", help, show::count(stats.waiting()))
    }
}
