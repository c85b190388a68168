//! Pictures that were put out and are kept, holes between pictures, and pictures that were lost.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{VideoSample, VideoTrack, saturate};
use crate::remux::ticks::SECOND;

/// The group of pictures that was put out last, for an output that begins anew.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pictures: VecDeque<VideoSample>,
    bytes: usize,
}

impl Kept {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a picture; what can be decoded without those before begins anew with it.
    fn push(&mut self, picture: VideoSample) {
        if picture.sync {
            self.clear();
        } else if self.pictures.is_empty() {
            return;
        }
        self.bytes = self.bytes.wrapping_add(picture.data.len());
        self.pictures.push_back(picture);
        if self.bytes > MAX_KEPT {
            self.clear();
        }
    }
}

impl VideoTrack {
    /// Another place in a file follows.
    pub(in super::super) fn seek(&mut self) {
        self.clear();
        self.last_dts = None;
        self.last_sent = None;
        self.end = None;
        self.told_end = None;
    }

    /// What was kept comes before what is queued, again.
    pub(super) fn bring_back(&mut self) {
        self.queued_bytes = self.queued_bytes.wrapping_add(self.kept.bytes);
        for picture in core::mem::take(&mut self.kept).pictures.into_iter().rev() {
            self.queue.push_front(picture);
        }
    }

    /// The pictures put out last are not put out again: they may be what broke the decoder.
    pub(in super::super) fn forget_kept(&mut self) {
        self.kept.clear();
    }

    /// No pictures come: the last one put out stands still until `until`. It is decoded once more, with
    /// all it builds on, within some milliseconds: that leaves a decoder as it was.
    pub(in super::super) fn hold(&mut self, until: i64) -> bool {
        let Some(start) = self.told_end.filter(|_| self.queue.is_empty()) else { return false };
        let pictures = &self.kept.pictures;
        let earlier = |than: i64| pictures.iter().filter(|p| p.pts() < than).count() as i64;
        let places: Vec<i64> = pictures.iter().map(|picture| earlier(picture.pts())).collect();
        let late = (0_i64..).zip(&places).map(|(n, place)| n.wrapping_sub(*place)).max();
        let length = (places.len() as i64).wrapping_mul(MOMENT);
        if places.is_empty() || until <= start.wrapping_add(length) {
            return false;
        }
        for ((n, place), picture) in (0_i64..).zip(places).zip(pictures) {
            let offset = place.wrapping_sub(n).wrapping_add(late.unwrap_or(0));
            let picture = VideoSample {
                dts: start.wrapping_add(n.wrapping_mul(MOMENT)),
                composition_offset: saturate(offset.wrapping_mul(MOMENT)),
                sync: picture.sync,
                data: picture.data.clone(),
                config: picture.config.clone(),
            };
            self.queued_bytes = self.queued_bytes.wrapping_add(picture.data.len());
            self.queue.push_back(picture);
        }
        self.hold = Some(until);
        true
    }

    /// Takes the first `count` pictures off the queue and keeps those that others may build on.
    /// Returns how many there were.
    pub(super) fn keep_front(&mut self, count: usize) -> u32 {
        let mut taken: u32 = 0;
        while (taken as usize) < count
            && let Some(picture) = self.queue.pop_front()
        {
            self.queued_bytes = self.queued_bytes.saturating_sub(picture.data.len());
            self.kept.push(picture);
            taken = taken.wrapping_add(1);
        }
        taken
    }

    /// A picture that comes after a hole is shown from where the one before ends, early: nothing is
    /// there to be shown, a browser would stop at the hole, and Chromium shows no picture behind one
    /// even while its sound goes on. Returns the length of the hole.
    pub(super) fn close_hole(&mut self) -> i64 {
        let (Some(told), Some(first)) = (self.told_end, self.queue.front_mut()) else { return 0 };
        let hole = first.dts.wrapping_sub(told);
        if !(1..=MAX_HOLE).contains(&hole) {
            return 0;
        }
        first.dts = told;
        hole
    }

    /// Bytes were lost.
    pub(in super::super) fn doubt(&mut self) {
        self.doubtful = true;
    }

    /// Decides about pictures that may have been lost before the one stamped `sent`: the usual step
    /// says that none was, a keyframe that it does not matter.
    pub(in super::super) fn check_loss(&mut self, sent: i64, key: bool) {
        if !core::mem::take(&mut self.doubtful) || key {
            return;
        }
        let step = self.last_sent.map_or(i64::MAX, |last| sent.wrapping_sub(last));
        if !(0..=self.step().wrapping_mul(3) / 2).contains(&step) {
            self.needs_keyframe = true;
        }
    }
}

/// Microseconds from one picture to the next that nobody is meant to see.
const MOMENT: i64 = 1000;

/// Bytes of pictures kept; a larger group is not.
const MAX_KEPT: usize = 4 << 20;

/// A hole longer than this stays one.
const MAX_HOLE: i64 = 30 * SECOND;
