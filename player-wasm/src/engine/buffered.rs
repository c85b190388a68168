//! What one SourceBuffer holds, from what was appended and removed: the browser's own ranges lie,
//! because the last picture of each append gets a longer duration than it has.

use alloc::vec::Vec;

/// The times appended to one SourceBuffer, in seconds of the output timeline.
#[derive(Debug, Default)]
pub struct Buffered {
    ranges: Vec<Range>,
    /// Times decoding can start at, as stretches without length, oldest first; empty for sound, where
    /// every frame is one.
    keyframes: Vec<Range>,
}

/// A stretch without holes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Its first time, seconds.
    pub start: f64,
    /// Its end, seconds.
    pub end: f64,
}

impl Buffered {
    /// Media from `start` to `end` was appended; `hole`: it does not touch what was before it.
    pub fn append(&mut self, start: f64, end: f64, hole: bool) {
        match self.ranges.last_mut() {
            Some(last) if !hole => last.end = last.end.max(end),
            _ => remember(&mut self.ranges, Range { start, end }, MAX_RANGES),
        }
    }

    /// A keyframe was appended, presented at `time`.
    pub fn keyframe(&mut self, time: f64) {
        remember(&mut self.keyframes, Range { start: time, end: time }, MAX_KEYFRAMES);
    }

    /// The stretch that holds `time`; one that begins within `tolerance` seconds after it counts.
    #[must_use]
    pub fn around(&self, time: f64, tolerance: f64) -> Option<Range> {
        let here = |range: &&Range| time >= range.start - tolerance && time < range.end;
        self.ranges.iter().rev().find(here).copied()
    }

    /// The first stretch that begins after `time`.
    #[must_use]
    pub fn after(&self, time: f64) -> Option<Range> {
        let later = self.ranges.iter().filter(|range| range.start > time);
        later.copied().min_by(|a, b| a.start.total_cmp(&b.start))
    }

    /// The earliest time held.
    #[must_use]
    pub fn start(&self) -> Option<f64> {
        self.ranges.first().map(|range| range.start)
    }

    /// Up to where everything may go, if `time` is being played and `keep` seconds before it stay.
    ///
    /// `None` while less than `step` seconds would go. A picture needs those before it up to its
    /// keyframe, and the browser removes up to the next keyframe: the result is one.
    #[must_use]
    pub fn evictable(&self, time: f64, keep: f64, step: f64) -> Option<f64> {
        let limit = time - keep;
        let to = if self.keyframes.is_empty() {
            limit
        } else {
            self.keyframes.iter().rev().find(|keyframe| keyframe.start <= limit)?.start
        };
        let gain = to - self.start()?;
        (gain > 0.0 && gain >= step).then_some(to)
    }

    /// Everything before `to` was removed.
    pub fn removed(&mut self, to: f64) {
        keep(&mut self.ranges, &|range| range.end > to);
        if let Some(first) = self.ranges.first_mut() {
            first.start = first.start.max(to);
        }
        keep(&mut self.keyframes, &|keyframe| keyframe.start >= to);
    }

    /// Forgets everything: there is a new SourceBuffer.
    pub fn clear(&mut self) {
        self.ranges.clear();
        self.keyframes.clear();
    }
}

/// Stretches remembered: a stream that leaves more holes than this within the back buffer has no
/// use for the oldest.
const MAX_RANGES: usize = 32;

/// Keyframes remembered: 15 s of back buffer at all-intra 60 fps would need more; then the oldest
/// are evicted later, with the next that is remembered.
const MAX_KEYFRAMES: usize = 512;

/// Adds a stretch; of `most` the oldest is forgotten.
fn remember(list: &mut Vec<Range>, range: Range, most: usize) {
    if list.len() == most {
        list.remove(0);
    }
    list.push(range);
}

/// Drops what is not `wanted`.
fn keep(list: &mut Vec<Range>, wanted: &dyn Fn(&Range) -> bool) {
    list.retain(wanted);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_join_and_holes_split() {
        let mut buffered = Buffered::default();
        buffered.append(0.0, 1.0, false);
        buffered.append(1.0, 2.0, false);
        buffered.append(2.04, 3.0, false);
        buffered.append(5.0, 6.0, true);
        assert_eq!(buffered.around(2.5, 0.0), Some(Range { start: 0.0, end: 3.0 }));
        assert_eq!(buffered.around(3.5, 0.0), None);
        assert_eq!(buffered.around(4.95, 0.1), Some(Range { start: 5.0, end: 6.0 }));
        assert_eq!(buffered.after(3.0), Some(Range { start: 5.0, end: 6.0 }));
        assert_eq!(buffered.after(5.0), None);
    }

    #[test]
    fn eviction_keeps_whole_groups_of_pictures() {
        let mut buffered = Buffered::default();
        for group in 0..10 {
            let start = f64::from(group) * 2.0;
            buffered.append(start, start + 2.0, false);
            buffered.keyframe(start);
        }
        assert_eq!(buffered.evictable(19.0, 10.0, 5.0), Some(8.0));
        assert_eq!(buffered.evictable(12.0, 10.0, 5.0), None, "less than a step");
        buffered.removed(8.0);
        assert_eq!(buffered.start(), Some(8.0));
        assert_eq!(buffered.evictable(19.0, 10.0, 5.0), None);
    }

    #[test]
    fn a_group_longer_than_the_back_buffer_stays() {
        let mut buffered = Buffered::default();
        buffered.append(0.0, 60.0, false);
        buffered.keyframe(0.0);
        assert_eq!(buffered.evictable(59.0, 10.0, 5.0), None);
    }

    #[test]
    fn sound_is_cut_anywhere() {
        let mut buffered = Buffered::default();
        buffered.append(0.0, 20.0, false);
        assert_eq!(buffered.evictable(19.5, 10.0, 5.0), Some(9.5));
    }

    #[test]
    fn memory_is_bounded() {
        let mut buffered = Buffered::default();
        for i in 0..10_000 {
            buffered.append(f64::from(i), f64::from(i) + 0.5, true);
            buffered.keyframe(f64::from(i));
        }
        assert_eq!(buffered.ranges.len(), MAX_RANGES);
        assert_eq!(buffered.keyframes.len(), MAX_KEYFRAMES);
    }
}
