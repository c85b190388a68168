//! What [`Aside`](super::Aside) is made of, in one place: its model check puts loom's in their stead.

pub(super) use std::sync::{Mutex, atomic::AtomicBool};
