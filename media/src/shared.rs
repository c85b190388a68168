use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Bound, Deref, RangeBounds};

/// Bytes that several hold: cloned and cut without a copy.
#[derive(Clone, Default)]
pub struct Bytes {
    /// `None`: there are none.
    all: Option<Arc<[u8]>>,
    start: usize,
    end: usize,
}

impl Bytes {
    /// No bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { all: None, start: 0, end: 0 }
    }

    /// A copy of `bytes`.
    #[must_use]
    pub fn copy_from_slice(bytes: &[u8]) -> Self {
        Self { all: Some(bytes.into()), start: 0, end: bytes.len() }
    }

    /// A copy of `bytes`.
    #[must_use]
    pub fn from_static(bytes: &'static [u8]) -> Self {
        Self::copy_from_slice(bytes)
    }

    /// Those within `range`, or as many of them as there are.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            _ => 0,
        };
        let to = match range.end_bound() {
            Bound::Excluded(to) => *to,
            _ => self.len(),
        };
        let end = self.start.wrapping_add(to.min(self.len()));
        Self { all: self.all.clone(), start: self.start.wrapping_add(from).min(end), end }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::copy_from_slice(&bytes)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.all.as_ref().and_then(|all| all.get(self.start..self.end)).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Bytes {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_share_their_bytes() {
        let all = Bytes::from(vec![1, 2, 3, 4, 5]);
        let middle = all.slice(1..4);
        assert_eq!(middle, [2, 3, 4]);
        assert_eq!(middle.slice(1..), [3, 4]);
        assert_eq!(middle.slice(..2).as_ptr(), all.slice(1..).as_ptr());
        drop(all);
        assert_eq!(middle, [2, 3, 4]);
        assert_eq!(Bytes::new(), []);
    }

    proptest! {
        #[test]
        fn any_cut_is_within(bytes in prop::collection::vec(any::<u8>(), 0..9), cuts in prop::collection::vec((0_usize..12, 0_usize..12), 0..4)) {
            let mut expected = &bytes[..];
            let mut shared = Bytes::from(bytes.clone());
            for (from, to) in cuts {
                let to = to.min(expected.len());
                expected = &expected[from.min(to)..to];
                shared = shared.slice(from..to);
                prop_assert_eq!(&shared, expected);
            }
        }
    }
}
