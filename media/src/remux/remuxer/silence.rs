//! Silence in place of sound that does not come, and a picture that stands still.

use super::Remuxer;
use crate::flv::{Tag, TagKind};
use crate::remux::Tracks;

impl Remuxer {
    /// Sound was promised, and nothing says of which kind: until it does, it is AAC.
    pub fn assume_sound(&mut self) {
        if !self.evidence.audio_config
            && let Ok(tag) = Tag::new(TagKind::Audio, 0, &USUAL_SOUND)
        {
            // What is built in here is understood here.
            let _ = self.push(&tag);
        }
    }

    /// Whether silence can take the place of sound: it can of sound of which nothing is known.
    #[must_use]
    pub fn can_fill_sound(&self) -> bool {
        !self.evidence.audio_config || self.audio.can_fill()
    }

    /// How far the sound that came is behind the pictures, in microseconds; `None` if none came.
    #[must_use]
    pub fn sound_lag_us(&self) -> Option<i64> {
        Some(self.video.due()?.time.saturating_sub(self.audio.due()?.time))
    }

    /// No pictures come while sound does: the last one stands still until `until_us` on the output's
    /// line. False if there is none to be held.
    pub fn hold_picture(&mut self, until_us: i64) -> bool {
        let playing = self.tracks.is_some_and(|tracks| tracks.video);
        self.base.is_some_and(|base| playing && self.video.hold(until_us.saturating_add(base)))
    }

    /// The usual distance of two pictures, in microseconds.
    #[must_use]
    pub fn picture_step_us(&self) -> i64 {
        self.video.step()
    }

    /// Queues silence where sound is missing: until `until_us` on the output's line, or up to where the
    /// pictures end. Returns the number of frames.
    pub fn fill_sound(&mut self, until_us: Option<i64>) -> u32 {
        let Some(tracks @ Tracks { video: true, audio: true }) = self.tracks else { return 0 };
        self.settle(tracks);
        let (Some(base), Some(due)) = (self.base, self.video.due()) else { return 0 };
        let until = until_us.map_or(due.time, |until| until.wrapping_add(base));
        self.audio.fill(base, until)
    }
}

/// An AAC sequence header: low complexity, 48 kHz, stereo.
const USUAL_SOUND: [u8; 4] = [0xAF, 0, 0x11, 0x90];
