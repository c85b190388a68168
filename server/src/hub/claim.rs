//! Before publishing: a name is claimed, and the claimant may be authorised.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use pushpull_rtmp::StreamName;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::config::Takeover;
use super::publisher::Publisher;
use super::status::Source;
use super::stream::{Incumbent, Stream};
use super::{ClaimError, Hub, Name, Names};
use crate::limits::Limit;

/// A name that is spoken for: the publisher may now be authorised, and nobody sees anything of it yet.
///
/// Dropping it frees the name.
#[derive(Debug)]
#[must_use = "dropping a claim frees the name"]
pub struct Claim {
    hub: Hub,
    name: StreamName,
    claimant: Claimant,
    is_used: bool,
}

/// Who wants to publish.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// As people are told.
    pub source: Source,
    /// What tells whether two claimants are the same; `None` for one that is like nobody else.
    pub identity: Option<Identity>,
}

/// What an encoder that comes back has in common with the one that was lost.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The peer's address, without the port.
    pub address: IpAddr,
    /// The parameters it published with. They may be secret: nothing prints them.
    pub query: String,
}

/// A claim that may have to wait: [`Hub::claim_in_turn`].
#[must_use = "dropping it gives the place in the queue away"]
pub struct PendingClaim(Pin<Box<dyn Future<Output = Result<Claim, ClaimError>> + Send>>);

/// Who waits for a name that somebody has. There is one at a time: the newest.
#[derive(Debug)]
pub(super) struct Waiting {
    number: u64,
    /// Whether it is the one that has the name, by its [`Identity`].
    is_same: bool,
    /// Dropped when somebody else waits instead, or the wait has no point any more.
    _pushed_aside: oneshot::Sender<()>,
}

/// What a claimant is told at one moment.
enum Verdict {
    Granted,
    Refused(ClaimError),
    /// Nothing is clear before then, unless something changes.
    Open(Instant),
}

impl Hub {
    /// Claims a name for a publisher, now or not at all. Nothing changes for others until [`Claim::go_live`].
    ///
    /// # Errors
    /// [`ClaimError`]; whether a name that is published already is `Busy` is a matter of [`super::Config::takeover`].
    pub fn claim(&self, name: &StreamName, source: Source) -> Result<Claim, ClaimError> {
        let claimant = Claimant { source, identity: None };
        let now = Instant::now();
        match self.judge(&mut self.names(), name, &claimant, now, None) {
            Verdict::Granted => Ok(self.grant(name, claimant)),
            Verdict::Refused(error) => Err(error),
            Verdict::Open(_) => Err(ClaimError::Busy),
        }
    }

    /// Claims a name for a publisher as [`Hub::claim`] does, but under [`Takeover::ReplaceIfIdle`] waits, for at most
    /// [`super::Config::idle_after`], while it is not clear whether the one who has the name is still there:
    ///
    /// - It leaves, is lost, or has sent nothing for `idle_after`: the newcomer gets the name.
    /// - It sends media once a third of `idle_after` has passed since the newcomer asked: it is alive, and the newcomer
    ///   is refused. Media that comes sooner proves nothing: what a dead connection had on its way arrives when the
    ///   network is back, at the same time as its successor.
    /// - The newcomer has its address and its parameters: a third of `idle_after` without media is enough.
    /// - A second newcomer comes: it waits instead, and the first is refused. An encoder that tries again has left its
    ///   earlier attempt. (One that is the same as the publisher is not pushed aside by one that is not.)
    ///
    /// The place is taken at once, before the future is first polled.
    pub fn claim_in_turn(&self, name: &StreamName, claimant: Claimant) -> PendingClaim {
        let asked = Instant::now();
        // Before the first look: no change is missed.
        let mut changed = self.subscribe();
        let (verdict, place) = {
            let mut names = self.names();
            let verdict = self.judge(&mut names, name, &claimant, asked, None);
            let place = matches!(verdict, Verdict::Open(_))
                .then(|| self.take_place(&mut names, name, &claimant));
            (verdict, place)
        };
        let verdict = match verdict {
            // Taken under the lock of the judgement in `judge`.
            Verdict::Granted => Ok(Some(self.grant(name, claimant.clone()))),
            Verdict::Refused(error) => Err(error),
            Verdict::Open(_) => Ok(None),
        };
        let (hub, name) = (self.clone(), name.clone());
        PendingClaim(Box::pin(async move {
            if let Some(claim) = verdict? {
                return Ok(claim);
            }
            let Some(mut place) = place else { return Err(ClaimError::Busy) };
            loop {
                let number = Some(place.number);
                let verdict = hub.judge(&mut hub.names(), &name, &claimant, asked, number);
                let until = match verdict {
                    Verdict::Granted => return Ok(hub.grant(&name, claimant)),
                    Verdict::Refused(error) => return Err(error),
                    Verdict::Open(until) => until,
                };
                tokio::select! {
                    _ = &mut place.pushed_aside => return Err(hub.why_pushed_aside(&name)),
                    _ = changed.changed() => {}
                    () = sleep_until(until) => {}
                }
            }
        }))
    }

    /// Whether `claimant`, who asked at `asked` and waits as `number`, gets the name. Whoever is granted it has it from
    /// then on, and must be given the [`Claim`].
    fn judge(
        &self,
        names: &mut Names,
        name: &StreamName,
        claimant: &Claimant,
        asked: Instant,
        number: Option<u64>,
    ) -> Verdict {
        if self.is_closing() {
            return Verdict::Refused(ClaimError::Closing);
        }
        if let Some(left) = self.bans().left(name) {
            return Verdict::Refused(ClaimError::Banned { left });
        }
        let limit = self.config().max_streams;
        let is_full = names.len() >= limit;
        let Some(entry) = names.get_mut(name) else {
            if number.is_some() {
                // A name that is waited for is in use: a kick has ended that.
                return Verdict::Refused(ClaimError::Busy);
            }
            if is_full {
                self.stats().hits().hit(Limit::Streams);
                return Verdict::Refused(ClaimError::TooManyStreams { limit });
            }
            names.insert(name.clone(), Name { is_claimed: true, ..Name::default() });
            return Verdict::Granted;
        };
        let waits = entry.waiting.as_ref();
        if number.is_some() && waits.map(|waiting| waiting.number) != number {
            return Verdict::Refused(ClaimError::Busy);
        }
        let incumbent = entry.stream.as_deref().and_then(Stream::incumbent);
        let is_same = |incumbent: &Incumbent| incumbent.is(claimant);
        if number.is_none()
            && waits.is_some_and(|waiting| waiting.is_same)
            && !incumbent.as_ref().is_some_and(is_same)
        {
            return Verdict::Refused(ClaimError::Busy);
        }
        let verdict = if entry.is_claimed {
            self.judge_claimed(asked)
        } else {
            incumbent.map_or(Verdict::Granted, |incumbent| {
                self.judge_busy(&incumbent, incumbent.is(claimant), asked)
            })
        };
        if matches!(verdict, Verdict::Granted) {
            entry.is_claimed = true;
            entry.waiting = None;
        }
        verdict
    }

    /// Somebody is about to publish: it will soon be clear whether it does.
    fn judge_claimed(&self, asked: Instant) -> Verdict {
        let deadline = asked + self.config().idle_after;
        let waits = self.config().takeover == Takeover::ReplaceIfIdle && Instant::now() < deadline;
        if waits { Verdict::Open(deadline) } else { Verdict::Refused(ClaimError::Busy) }
    }

    fn judge_busy(&self, incumbent: &Incumbent, is_same: bool, asked: Instant) -> Verdict {
        let idle_after = self.config().idle_after;
        match self.config().takeover {
            Takeover::Reject => return Verdict::Refused(ClaimError::Busy),
            Takeover::Replace => return Verdict::Granted,
            Takeover::ReplaceIfIdle => {}
        }
        let now = Instant::now();
        let proves_life = asked + idle_after / 3;
        let needed = if is_same { idle_after / 3 } else { idle_after };
        let idle_at = (incumbent.last_media + needed).min(asked + idle_after);
        if incumbent.last_media >= proves_life && !idle_after.is_zero() {
            Verdict::Refused(ClaimError::Busy)
        } else if now >= idle_at {
            Verdict::Granted
        } else {
            // Media is no change that is told: it is looked for now and then.
            Verdict::Open(idle_at.min(proves_life.max(now + idle_after / LOOKS)))
        }
    }

    fn take_place(&self, names: &mut Names, name: &StreamName, claimant: &Claimant) -> Place {
        let (pushed_aside, told) = oneshot::channel();
        let entry = names.entry(name.clone()).or_default();
        let incumbent = entry.stream.as_deref().and_then(Stream::incumbent);
        let number = self.next_number();
        let is_same = incumbent.is_some_and(|incumbent| incumbent.is(claimant));
        entry.waiting = Some(Waiting { number, is_same, _pushed_aside: pushed_aside });
        Place { hub: self.clone(), name: name.clone(), number, pushed_aside: told }
    }

    fn why_pushed_aside(&self, name: &StreamName) -> ClaimError {
        match self.bans().left(name) {
            _ if self.is_closing() => ClaimError::Closing,
            Some(left) => ClaimError::Banned { left },
            None => ClaimError::Busy,
        }
    }

    fn grant(&self, name: &StreamName, claimant: Claimant) -> Claim {
        Claim { hub: self.clone(), name: name.clone(), claimant, is_used: false }
    }
}

impl Claim {
    /// Makes the claimant the publisher. Whoever published the name before is stopped with [`super::StopReason::Replaced`], and
    /// the stream goes on: its viewers stay, its timeline is continued.
    pub fn go_live(mut self) -> Publisher {
        self.is_used = true;
        let (stream, session) = self.hub.go_live(&self.name, self.claimant.clone());
        Publisher::new(self.hub.clone(), stream, session)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_used {
            self.hub.unclaim(&self.name);
        }
    }
}

impl Future for PendingClaim {
    type Output = Result<Claim, ClaimError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for PendingClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingClaim")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A place in the queue for a name; dropping it leaves the queue.
struct Place {
    hub: Hub,
    name: StreamName,
    number: u64,
    pushed_aside: oneshot::Receiver<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut names = self.hub.names();
        if let Some(entry) = names.get_mut(&self.name) {
            entry.waiting.take_if(|waiting| waiting.number == self.number);
            if entry.is_unused() {
                names.remove(&self.name);
            }
        }
    }
}

/// How often a publisher is looked at within [`super::Config::idle_after`] while somebody waits for its name.
const LOOKS: u32 = 12;
