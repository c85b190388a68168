//! How everything stops: first asked to, then, past a limit, dropped.

use std::{future::Future, time::Duration};

use tokio::time::timeout;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// Handed to everything that runs. Clones share one state.
///
/// Tasks started with [`Shutdown::spawn`] should end soon after [`Shutdown::requested`]; those that do not are dropped by
/// [`Shutdown::finish`].
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    requested: CancellationToken,
    forced: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Nothing runs yet and nothing was asked to stop.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// Runs `task` until it ends or the shutdown is forced, whichever comes first.
    pub fn spawn<T: Future<Output = ()> + Send + 'static>(&self, task: T) {
        let forced = self.forced.clone();
        self.tasks.spawn(async move {
            forced.run_until_cancelled(task).await;
        });
    }

    /// Runs `task` until it ends: for tasks that ask [`Shutdown::forced`] themselves, when it concerns them. To be asked
    /// every time it is woken costs a task that is woken often.
    pub fn track<T: Future<Output = ()> + Send + 'static>(&self, task: T) {
        self.tasks.spawn(task);
    }

    /// Counts as a task that runs, until it is dropped: for what goes on in a task that somebody else started.
    pub fn hold(&self) -> TaskTrackerToken {
        self.tasks.token()
    }

    /// Cancelled when everything shall come to an end of its own.
    pub fn requested(&self) -> &CancellationToken {
        &self.requested
    }

    /// Cancelled when everything must end at once.
    pub fn forced(&self) -> &CancellationToken {
        &self.forced
    }

    /// Tasks that have not ended yet.
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Asks every task to end.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Drops every task that has not ended.
    pub fn force(&self) {
        self.requested.cancel();
        self.forced.cancel();
    }

    /// Asks every task to end, waits at most `limit`, then drops the rest. Returns how many had to be dropped.
    pub async fn finish(&self, limit: Duration) -> usize {
        self.request();
        self.tasks.close();
        if timeout(limit, self.tasks.wait()).await.is_ok() {
            return 0;
        }
        let dropped = self.running();
        self.force();
        // What is only held cannot be dropped from here; it ends with the runtime.
        let _ = timeout(DROP_TIME, self.tasks.wait()).await;
        dropped
    }
}

/// Long enough for every task to be dropped; no more than the time a stop is promised in leaves.
const DROP_TIME: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_that_listen_end_by_themselves() {
        let shutdown = Shutdown::new();
        let requested = shutdown.requested().clone();
        shutdown.spawn(async move { requested.cancelled().await });
        assert_eq!(shutdown.finish(Duration::from_secs(60)).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_that_do_not_are_dropped() {
        let shutdown = Shutdown::new();
        shutdown.spawn(std::future::pending());
        assert_eq!(shutdown.finish(Duration::from_secs(3)).await, 1);
        assert_eq!(shutdown.running(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_waited_for_but_not_for_ever() {
        let shutdown = Shutdown::new();
        let hold = shutdown.hold();
        assert_eq!(shutdown.finish(Duration::from_secs(3)).await, 1);
        drop(hold);
        assert_eq!(shutdown.finish(Duration::from_secs(3)).await, 0);
    }
}
