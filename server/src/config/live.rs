//! What a reload may change while the server runs.

use std::sync::Arc;

use tokio::sync::watch;

/// A value that may be replaced by another; clones share it.
///
/// Whoever uses it asks for it at each use and keeps what it got for that use only.
#[derive(Debug)]
pub struct Live<T>(Arc<watch::Sender<Arc<T>>>);

impl<T> Live<T> {
    /// `value`, until another is [set](Live::set).
    pub fn new(value: T) -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new(value))))
    }

    /// The value in force.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        self.0.borrow().clone()
    }

    /// Replaces the value for everybody who asks from now on.
    pub fn set(&self, value: T) {
        self.0.send_replace(Arc::new(value));
    }

    /// Tells of each time it is set, for those who have something to do then.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<T>> {
        self.0.subscribe()
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Default> Default for Live<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Live<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_the_new_value_and_what_was_taken_stays() {
        let live = Live::new(1);
        let (clone, taken, mut told) = (live.clone(), live.get(), live.subscribe());
        live.set(2);
        assert_eq!((*taken, *clone.get()), (1, 2));
        assert!(told.has_changed().unwrap());
        assert_eq!(**told.borrow_and_update(), 2);
    }
}
