//! What waits to be appended to one SourceBuffer.
//!
//! Everything that arrives while the SourceBuffer is busy goes out as one append, straight from
//! this buffer: the browser copies the bytes within `appendBuffer`.

use alloc::vec::Vec;

/// The append queue of one track.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    /// Bytes in front that the SourceBuffer has.
    done: usize,
    busy: Busy,
    /// Set when the SourceBuffer is full: nothing more until something is removed.
    full: bool,
    /// Where the media begins, seconds, if it has no times of its own.
    start: Option<f64>,
    removal: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Busy {
    #[default]
    No,
    /// Appending this many bytes.
    Appending(usize),
    Removing,
}

/// What the SourceBuffer should do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// Append [`Output::slice`].
    Append,
    /// Remove from the first to the second time, seconds.
    Remove(f64, f64),
}

impl Output {
    /// Whether new media may be written: the SourceBuffer is idle and has everything so far.
    #[must_use]
    pub fn wants_media(&self) -> bool {
        self.busy == Busy::No && self.bytes.is_empty() && !self.full
    }

    /// Where to write the next media. Only while [`Output::wants_media`].
    pub fn room(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Says where the media in the room begins, if it has no times of its own.
    pub fn place(&mut self, start: Option<f64>) {
        self.start = start;
    }

    /// Where the append under way begins, seconds, if its bytes do not say it.
    #[must_use]
    pub fn placed_at(&self) -> Option<f64> {
        self.start.filter(|_| self.done == 0)
    }

    /// Asks for a removal, from the first to the second time in seconds; it goes before the next append.
    pub fn remove(&mut self, from: f64, to: f64) {
        self.removal = Some((from, to));
    }

    /// Whether a removal is asked for or under way.
    #[must_use]
    pub fn is_removing(&self) -> bool {
        self.removal.is_some() || self.busy == Busy::Removing
    }

    /// What the idle SourceBuffer should do now; it is busy from then on.
    pub fn next_work(&mut self) -> Option<Work> {
        if self.busy != Busy::No {
            return None;
        }
        if let Some((from, to)) = self.removal.take() {
            self.busy = Busy::Removing;
            return Some(Work::Remove(from, to));
        }
        let len = self.bytes.len().saturating_sub(self.done).min(MAX_APPEND);
        if len == 0 || self.full {
            return None;
        }
        self.busy = Busy::Appending(len);
        Some(Work::Append)
    }

    /// The bytes of the append under way.
    #[must_use]
    pub fn slice(&self) -> &[u8] {
        let len = if let Busy::Appending(len) = self.busy { len } else { 0 };
        self.bytes.get(self.done..self.done.saturating_add(len)).unwrap_or_default()
    }

    /// The SourceBuffer has finished what it was doing. True when it now has all the media given.
    pub fn finished(&mut self) -> bool {
        match core::mem::take(&mut self.busy) {
            Busy::No => return false,
            Busy::Removing => {
                self.full = false;
                return false;
            }
            Busy::Appending(len) => self.done = self.done.saturating_add(len),
        }
        if self.done < self.bytes.len() {
            return false;
        }
        self.done = 0;
        self.bytes.clear();
        if self.bytes.capacity() > KEEP_CAPACITY {
            self.bytes = Vec::with_capacity(KEEP_CAPACITY);
        }
        true
    }

    /// The SourceBuffer had no room for the append under way: the same bytes go again after a removal.
    pub fn refused(&mut self) {
        self.busy = Busy::No;
        self.full = true;
    }

    /// Whether the SourceBuffer is full and waits for a removal.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Whether nothing waits and nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.busy == Busy::No && self.bytes.is_empty() && self.removal.is_none()
    }

    /// Empties the SourceBuffer, and forgets what waits for it; what it already has a part of is
    /// appended to its end.
    pub fn empty(&mut self) {
        if self.done == 0 && self.busy == Busy::No {
            self.bytes.clear();
        }
        self.removal = Some((0.0, f64::INFINITY));
    }

    /// Forgets everything: there is a new SourceBuffer.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Most bytes of one append: a bigger one blocks the thread noticeably and is likelier refused.
const MAX_APPEND: usize = 1 << 20;

/// Room kept between appends: a large keyframe and what came with it.
const KEEP_CAPACITY: usize = 512 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(len: usize) -> Output {
        let mut output = Output::default();
        assert!(output.wants_media());
        output.room().extend((0..len).map(|i| i as u8));
        output
    }

    #[test]
    fn one_append_for_all_that_waits() {
        let mut output = filled(10);
        output.room().extend_from_slice(&[42]);
        assert_eq!(output.next_work(), Some(Work::Append));
        assert_eq!(output.slice().len(), 11);
        assert_eq!(output.next_work(), None, "busy");
        assert!(!output.wants_media());
        assert!(output.finished());
        assert!(output.wants_media() && output.is_idle());
        assert_eq!(output.next_work(), None, "nothing left");
        assert!(!output.finished(), "an updateend too many is harmless");
    }

    #[test]
    fn large_media_goes_in_pieces() {
        let mut output = filled(MAX_APPEND * 2 + 5);
        let mut seen = Vec::new();
        for last in [false, false, true] {
            assert_eq!(output.next_work(), Some(Work::Append));
            seen.extend_from_slice(output.slice());
            assert_eq!(output.finished(), last);
        }
        assert_eq!(seen, (0..MAX_APPEND * 2 + 5).map(|i| i as u8).collect::<Vec<_>>());
        assert!(output.bytes.capacity() <= KEEP_CAPACITY);
    }

    #[test]
    fn a_refused_append_goes_again_after_a_removal() {
        let mut output = filled(100);
        output.next_work();
        output.refused();
        assert!(output.is_full());
        assert_eq!(output.next_work(), None);
        output.remove(0.0, 5.0);
        assert!(output.is_removing());
        assert_eq!(output.next_work(), Some(Work::Remove(0.0, 5.0)));
        assert!(output.slice().is_empty());
        assert!(!output.finished());
        assert_eq!(output.next_work(), Some(Work::Append));
        assert_eq!(output.slice().len(), 100);
        assert!(output.finished());
    }

    #[test]
    fn a_removal_waits_for_the_append_under_way() {
        let mut output = filled(1);
        output.next_work();
        output.remove(0.0, 1.0);
        assert_eq!(output.next_work(), None);
        output.finished();
        assert_eq!(output.next_work(), Some(Work::Remove(0.0, 1.0)));
    }
}
