//! The locks under the ring, in one place: the model check of the ring puts loom's in their stead.

pub(super) use std::sync::{Mutex, MutexGuard};
