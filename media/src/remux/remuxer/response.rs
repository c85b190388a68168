//! A stream that goes on in another response or at another place, and where its times are.

use super::Remuxer;
use crate::remux::Track;
use crate::timeline::low_32_bits;

impl Remuxer {
    /// Another response begins, with a header and a keyframe: the output goes on where it ended,
    /// whatever its times are.
    pub fn begin_response(&mut self) {
        self.video.await_keyframe();
    }

    /// What comes next is of another place in a file, and keeps its time on the output's line.
    pub fn seek(&mut self) {
        self.video.clear();
        self.audio.clear();
        self.epochs.forget(Track::Video);
        self.epochs.forget(Track::Audio);
    }

    /// Microseconds on the stream's line of a tag stamped `time_ms`.
    #[must_use]
    pub fn line_us(&self, time_ms: i64) -> i64 {
        let sent = self.unwrapper.nearest(low_32_bits(time_ms)).saturating_mul(1000);
        self.epochs.newest(sent)
    }

    /// The same on the output's line; `None` until that has begun.
    #[must_use]
    pub fn output_us(&self, time_ms: i64) -> Option<i64> {
        Some(self.line_us(time_ms).saturating_sub(self.base?))
    }

    /// What is 0 on the output's line, in microseconds of the stream's; `None` until it has begun.
    #[must_use]
    pub fn base_us(&self) -> Option<i64> {
        self.base
    }
}
