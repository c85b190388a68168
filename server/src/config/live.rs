//! What a reload may change while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

/// A value that may be replaced by another; clones share it.
///
/// Whoever uses it asks for it at each use and keeps what it got for that use only.
#[derive(Debug, Default)]
pub struct Live<T>(Arc<RwLock<Arc<T>>>);

impl<T> Live<T> {
    /// `value`, until another is [set](Live::set).
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// The value in force.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the value for everybody who asks from now on.
    pub fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_the_new_value_and_what_was_taken_stays() {
        let live = Live::new(1);
        let (clone, taken) = (live.clone(), live.get());
        live.set(2);
        assert_eq!((*taken, *clone.get()), (1, 2));
    }
}
