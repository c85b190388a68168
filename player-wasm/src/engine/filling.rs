//! Silence in place of sound that does not come, so that pictures go on.

use pushpull_media::remux::Track;

use super::command::Notice;
use super::track::seconds;
use super::{Engine, Stage};

/// What is known of how sound comes.
#[derive(Debug, Default)]
pub struct Filling {
    /// When a picture last came, seconds.
    picture_at: f64,
    /// The same of sound; `None` before any came.
    sound_at: Option<f64>,
    /// How far sound usually is behind the pictures before more comes, seconds.
    usual_lag: f64,
    /// Sound is missing; silence follows the pictures.
    missing: bool,
}

impl Engine {
    /// A frame of `track` is about to be taken.
    pub(super) fn note_frame(&mut self, track: Track, now: f64) {
        let filling = &mut self.filling;
        if track == Track::Video {
            filling.picture_at = now;
            return;
        }
        filling.missing = false;
        filling.sound_at = Some(now);
        let lag = self.remuxer.sound_lag_us().map_or(0.0, seconds);
        if lag < MAX_LAG {
            filling.usual_lag = (filling.usual_lag * FADING).max(lag);
        }
    }

    /// Puts silence where sound is missing.
    pub(super) fn fill_sound(&mut self, now: f64) {
        let wanted = self.settings.fill_audio
            && self.settings.live
            && self.plays(Track::Audio)
            && self.plays(Track::Video)
            && !self.parked
            // A network that stands still gives neither.
            && now - self.filling.picture_at < FLOWING;
        if !wanted {
            return;
        }
        let lag = self.remuxer.sound_lag_us().map_or(f64::INFINITY, seconds);
        let usual = self.filling.usual_lag;
        let quiet = self.filling.sound_at.map_or(f64::INFINITY, |at| now - at);
        if quiet >= MISSING.max(2.0 * usual) && !self.filling.missing {
            self.filling.missing = true;
            self.notify(Notice::SoundMissing, 0.0, now);
        }
        let position = self.playhead.position(now);
        let until = if self.filling.missing {
            f64::INFINITY
        } else if self.stage == Stage::Running
            && lag > 1.5 * usual + 0.1
            && self.buffered(Track::Audio, position) < SHORT
        {
            // Not missing for long, but there is no more to play.
            position + STEP
        } else {
            return;
        };
        let frames = self.remuxer.fill_sound((until * 1e6) as i64);
        self.counters.filled += frames;
        if frames > 0 {
            self.tracks[Track::Audio].filled();
        }
    }
}

/// Seconds without sound, while pictures come, after which it is missing.
const MISSING: f64 = 0.5;

/// A distance that is no property of how a stream is interleaved, seconds.
const MAX_LAG: f64 = 2.0;

/// By how much the usual distance shrinks with each frame.
const FADING: f64 = 0.995;

/// Pictures that came within this many seconds still flow.
const FLOWING: f64 = 0.25;

/// With less sound than this ahead of the playhead, seconds, it is about to run out.
const SHORT: f64 = 0.12;

/// How far silence goes then, seconds ahead of the playhead.
const STEP: f64 = 0.2;
