//! What a connection's task has to see to besides media: seldom, and so not at every picture.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    task::{Context, Poll, Wake, Waker},
};

use super::sync::{AtomicBool, Mutex};

/// Asks what seldom has an answer only when something has come of it.
///
/// A task wakes for every picture, and asking its socket, its timers and whoever may end it what they have to say costs as
/// much as finding the picture. Here they are given a waker of their own, which tells that it was one of them.
#[derive(Debug)]
pub struct Aside {
    bell: Arc<Bell>,
    /// The task that was told to the bell.
    task: Option<Waker>,
}

#[derive(Debug)]
struct Bell {
    has_rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Default for Aside {
    /// Nothing was asked yet: the first time it is.
    fn default() -> Self {
        let bell = Bell { has_rung: AtomicBool::new(true), task: Mutex::new(None) };
        Self { bell: Arc::new(bell), task: None }
    }
}

impl Aside {
    /// What `ask` says, if it was not asked yet, or if a waker it was given has been woken since; else pending.
    ///
    /// It must be asked again, as any future, while it is ready: so it is the next time, too.
    pub fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        ask: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Some(waker) = self.due(context) else { return Poll::Pending };
        let answer = ask(&mut Context::from_waker(&waker));
        if answer.is_ready() {
            self.ring();
        }
        answer
    }

    /// [`Aside::poll`] for those who cannot lend it out meanwhile: the waker to ask with, if it is to be asked. Who gets an
    /// answer then [rings](Aside::ring), or asks no more.
    pub fn due(&mut self, context: &Context<'_>) -> Option<Waker> {
        let is_told = self.task.as_ref().is_some_and(|task| task.will_wake(context.waker()));
        if is_told && !self.bell.has_rung.load(Ordering::Acquire) {
            return None;
        }
        if !is_told {
            let task = context.waker().clone();
            self.task = Some(task.clone());
            *self.bell.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        }
        // Before it is asked: what comes meanwhile rings again.
        self.bell.has_rung.swap(false, Ordering::AcqRel);
        Some(Waker::from(self.bell.clone()))
    }

    /// The next time it is asked: what was asked has changed.
    pub fn ring(&mut self) {
        self.bell.has_rung.store(true, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Not under the lock: it is the runtime's code.
        if let Some(task) = task {
            task.wake();
        }
    }
}
