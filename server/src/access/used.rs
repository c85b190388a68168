//! Signatures that were used, while they could be used again.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::sign::{Failure, Good};
use crate::sessions::{Purpose, Spent};

/// The signatures that let somebody in, until they expire. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Used(Arc<Mutex<BTreeMap<Mark, u64>>>);

/// What tells a signature from all others, by when it expires. The same secret may sign for both purposes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    expires: u64,
    publishes: bool,
    digest: Box<[u8]>,
}

/// A signature that is taken. Dropped, it is free again, unless it [is spent](Taken::by) by then: who comes before the stream
/// does, or finds its name taken, comes again.
#[derive(Debug)]
pub(super) struct Taken {
    used: Used,
    mark: Mark,
    spent: Option<Spent>,
}

impl Used {
    /// Takes a signature, at `now` in Unix seconds; those that are good for no more than `skew` seconds after they have expired
    /// are forgotten then. No more than `max` are remembered.
    ///
    /// # Errors
    /// Somebody has it, or had it; or too many are remembered.
    pub(super) fn take(
        &self,
        purpose: Purpose,
        good: &Good,
        now: u64,
        skew: u64,
        max: usize,
    ) -> Result<Taken, Failure> {
        let mark = Mark::of(purpose, good);
        let mut used = self.lock();
        while let Some(first) = used.first_entry() {
            if first.key().expires.saturating_add(skew) >= now {
                break;
            }
            first.remove();
        }
        let is_full = used.len() >= max;
        match used.entry(mark.clone()) {
            Entry::Occupied(at) => Err(Failure::Used { ago: now.saturating_sub(*at.get()) }),
            Entry::Vacant(_) if is_full => Err(Failure::Full),
            Entry::Vacant(place) => {
                place.insert(now);
                Ok(Taken { used: self.clone(), mark, spent: None })
            }
        }
    }

    /// Whether a signature is free.
    ///
    /// # Errors
    /// Somebody has it, or had it.
    pub(super) fn look(&self, purpose: Purpose, good: &Good, now: u64) -> Result<(), Failure> {
        match self.lock().get(&Mark::of(purpose, good)) {
            Some(at) => Err(Failure::Used { ago: now.saturating_sub(*at) }),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Mark, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mark {
    fn of(purpose: Purpose, good: &Good) -> Mark {
        let publishes = purpose == Purpose::Publish;
        Mark { expires: good.expires, publishes, digest: good.digest.clone() }
    }
}

impl Taken {
    /// Whoever has it is in, and may be about to spend it.
    pub(super) fn by(mut self, spent: Spent) -> Self {
        self.spent = Some(spent);
        self
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.spent.as_ref().is_some_and(Spent::is_so) {
            self.used.lock().remove(&self.mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hub::{Config, Hub, Source},
        sessions::{Sessions, Stop, tests::player},
    };

    fn good(expires: u64, digest: &[u8]) -> Good {
        Good { expires, digest: digest.into() }
    }

    /// Whoever has it has what it was for, and goes.
    fn use_up(taken: Taken) {
        let name = player("live/x").name;
        let source = Source { protocol: "test", peer: String::new(), agent: String::new() };
        let publisher = Hub::new(Config::default()).claim(&name, source).unwrap().go_live();
        let session = Sessions::default().open(player("live/x"));
        let taken = taken.by(session.spent());
        session.watch(publisher.probe());
        drop((session, taken));
    }

    #[tokio::test]
    async fn a_signature_is_taken_once_until_it_expires() {
        let used = Used::default();
        let take = |purpose, good: &Good, now| used.take(purpose, good, now, 10, 100);
        let first = good(1000, b"first");
        use_up(take(Purpose::Publish, &first, 900).unwrap());
        assert_eq!(take(Purpose::Publish, &first, 912).unwrap_err(), Failure::Used { ago: 12 });
        assert_eq!(used.look(Purpose::Publish, &first, 912), Err(Failure::Used { ago: 12 }));
        assert_eq!(used.look(Purpose::Play, &first, 912), Ok(()));
        use_up(take(Purpose::Play, &first, 912).unwrap());
        use_up(take(Purpose::Publish, &good(1000, b"other"), 912).unwrap());
        assert_eq!(take(Purpose::Publish, &first, 1010).unwrap_err(), Failure::Used { ago: 110 });
        use_up(take(Purpose::Publish, &good(2000, b"later"), 1011).unwrap());
        assert_eq!(used.lock().len(), 1, "those that expired are forgotten");
    }

    #[tokio::test]
    async fn who_does_not_get_the_stream_gives_it_back() {
        let used = Used::default();
        let first = good(1000, b"first");
        let taken = used.take(Purpose::Play, &first, 900, 0, 100).unwrap();
        let second = used.take(Purpose::Play, &first, 900, 0, 100);
        assert_eq!(second.unwrap_err(), Failure::Used { ago: 0 }, "while a hook is asked");
        drop(taken);
        let waiting = Sessions::default().open(player("live/x"));
        let taken = used.take(Purpose::Play, &first, 901, 0, 100).unwrap().by(waiting.spent());
        assert!(used.take(Purpose::Play, &first, 901, 0, 100).is_err(), "while it waits");
        drop((waiting, taken));
        let sessions = Sessions::default();
        let waiting = sessions.open(player("live/x"));
        let other = good(1000, b"other");
        let taken = used.take(Purpose::Play, &other, 901, 0, 100).unwrap().by(waiting.spent());
        sessions.stop(waiting.id().as_str(), Stop::Kicked);
        drop((waiting, taken));
        assert!(used.take(Purpose::Play, &other, 901, 0, 100).is_err(), "it was kicked");
        use_up(used.take(Purpose::Play, &first, 902, 0, 100).unwrap());
        assert!(used.take(Purpose::Play, &first, 903, 0, 100).is_err());
    }

    #[tokio::test]
    async fn used_signatures_are_bounded() {
        let used = Used::default();
        let take = |number: u64, now| {
            used.take(Purpose::Play, &good(1000 + number, b"x"), now, 0, 3).map(use_up)
        };
        for number in 0..3 {
            take(number, 900).unwrap();
        }
        assert_eq!(
            take(3, 900).unwrap_err(),
            Failure::Full,
            "none is forgotten that could come again"
        );
        take(3, 1001).unwrap();
    }
}
