//! Sessions that end with the signature that let them in.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::sessions::{SessionId, Sessions, Stop};

/// When which session ends. One task waits for the first of them; there is none while nobody is to be ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Expiries(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    queue: Mutex<Queue>,
    /// Something comes before what was the first.
    sooner: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// By time, and by a number that tells those of the same time apart.
    by_time: BTreeMap<(Instant, u64), SessionId>,
    next: u64,
    is_watched: bool,
}

/// A session's place in the queue: dropped with the session.
#[derive(Debug)]
pub(super) struct Expiry {
    expiries: Expiries,
    key: (Instant, u64),
}

impl Expiries {
    /// Ends a session at `at`, unless what is returned is dropped before. Must be called in a runtime.
    pub(super) fn end(&self, sessions: &Sessions, session: &SessionId, at: Instant) -> Expiry {
        let mut queue = self.lock();
        let key = (at, queue.next);
        queue.next += 1;
        queue.by_time.insert(key, session.clone());
        if !std::mem::replace(&mut queue.is_watched, true) {
            tokio::spawn(self.clone().watch(sessions.clone()));
        } else if queue.by_time.first_key_value().is_some_and(|(&first, _)| first == key) {
            self.0.sooner.notify_one();
        }
        Expiry { expiries: self.clone(), key }
    }

    async fn watch(self, sessions: Sessions) {
        while let Some(first) = self.end_due(&sessions) {
            tokio::select! {
                () = sleep_until(first) => {}
                () = self.0.sooner.notified() => {}
            }
        }
    }

    /// Ends those whose time has come. When to look again; `None` ends the watch.
    fn end_due(&self, sessions: &Sessions) -> Option<Instant> {
        let now = Instant::now();
        let mut queue = self.lock();
        while let Some(first) = queue.by_time.first_entry() {
            if first.key().0 > now {
                return Some(first.key().0);
            }
            let session = first.remove();
            sessions.stop(session.as_str(), Stop::Expired);
        }
        queue.is_watched = false;
        None
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Expiry {
    fn drop(&mut self) {
        self.expiries.lock().by_time.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use super::*;
    use crate::sessions::tests::player;

    #[tokio::test(start_paused = true)]
    async fn sessions_end_in_the_order_of_their_times() {
        let (sessions, expiries) = (Sessions::default(), Expiries::default());
        let start = Instant::now();
        let mut waits = Vec::new();
        for seconds in [30, 10, 20, 10] {
            let mut session = sessions.open(player("live/x"));
            let at = start + Duration::from_secs(seconds);
            session.keep(expiries.end(&sessions, session.id(), at));
            waits.push(tokio::spawn(async move {
                let stop = poll_fn(|context| session.poll_stopped(context)).await;
                (stop, start.elapsed().as_secs())
            }));
            tokio::task::yield_now().await;
        }
        let mut ends = Vec::new();
        for wait in waits {
            ends.push(wait.await.unwrap());
        }
        assert_eq!(ends, [30, 10, 20, 10].map(|seconds| (Stop::Expired, seconds)));
        tokio::task::yield_now().await;
        assert!(!expiries.lock().is_watched, "nobody waits for nothing");
        // It begins again.
        let mut session = sessions.open(player("live/x"));
        session.keep(expiries.end(&sessions, session.id(), Instant::now()));
        assert_eq!(poll_fn(|context| session.poll_stopped(context)).await, Stop::Expired);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_before_leaves_nothing_behind() {
        let (sessions, expiries) = (Sessions::default(), Expiries::default());
        for seconds in 0..1000 {
            let mut session = sessions.open(player("live/x"));
            let at = Instant::now() + Duration::from_secs(seconds);
            session.keep(expiries.end(&sessions, session.id(), at));
        }
        assert!(expiries.lock().by_time.is_empty());
        assert!(sessions.list().is_empty());
    }
}
