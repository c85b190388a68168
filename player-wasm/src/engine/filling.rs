//! Silence in place of sound that does not come, so that pictures go on; and the last picture in place
//! of those that do not, so that sound does.

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
    /// When the first picture came after the last sound, seconds.
    pictures_since: Option<f64>,
    /// When the first sound came after the last picture, seconds.
    sound_since: Option<f64>,
    /// How far sound usually is behind the pictures before more comes, seconds.
    usual_lag: f64,
    /// Sound is missing; silence follows the pictures.
    missing: bool,
    /// Silence was played since sound last came.
    filled: bool,
    /// Pictures are missing; the last one stands still.
    still: bool,
    /// Pictures are missing, and it was said.
    no_pictures: bool,
}

impl Filling {
    /// Whether silence, or a picture that stands, was put where `track` is missing: where it ends does
    /// not tell what came.
    #[must_use]
    pub fn makes_up(&self, track: Track) -> bool {
        if track == Track::Video { self.still } else { self.filled }
    }
}

impl Engine {
    /// A frame of `track` is about to be taken.
    pub(super) fn note_frame(&mut self, track: Track, now: f64) {
        let filling = &mut self.filling;
        if track == Track::Video {
            if now - filling.picture_at > OUTAGE {
                filling.pictures_since = None;
            }
            filling.picture_at = now;
            filling.pictures_since.get_or_insert(now);
            filling.sound_since = None;
            filling.still = false;
            filling.no_pictures = false;
            return;
        }
        filling.missing = false;
        filling.filled = false;
        if filling.sound_at.is_some_and(|at| now - at > OUTAGE) {
            filling.sound_since = None;
        }
        filling.sound_at = Some(now);
        filling.sound_since.get_or_insert(now);
        filling.pictures_since = None;
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
            && !self.parked;
        if !wanted {
            return;
        }
        // A network that stands still gives neither.
        let flows = now - self.filling.picture_at < FLOWING;
        let lag = self.remuxer.sound_lag_us().map_or(f64::INFINITY, seconds);
        let usual = self.filling.usual_lag;
        // What came before a network stood still does not count: only pictures without sound do.
        let quiet = match (self.filling.sound_at, self.filling.pictures_since) {
            (None, _) => f64::INFINITY,
            (_, since) => since.map_or(0.0, |since| now - since),
        };
        // After a network that stood still one of them comes first: it is not ahead of the other.
        let behind = lag >= usual + AHEAD || self.filling.filled;
        if flows && quiet >= MISSING.max(2.0 * usual) && behind && !self.filling.missing {
            self.filling.missing = true;
            self.notify(Notice::SoundMissing, 0.0, now);
        }
        let position = self.playhead.position(now);
        // Not missing for long, but there is no more to play.
        let late = flows && lag > 1.5 * usual + 0.1 && quiet >= 0.1;
        let until = if flows && self.filling.missing {
            None
        } else if self.stage == Stage::Running
            && self.buffered(Track::Audio, position) < SHORT
            // Or nothing comes: so the pictures that are left can be shown to the last.
            && (late || self.is_late(now))
        {
            Some(((position + if late { STEP } else { SHORT }) * 1e6) as i64)
        } else {
            return;
        };
        let frames = self.remuxer.fill_sound(until);
        self.counters.filled += frames;
        self.filling.filled |= frames > 0;
    }

    /// Lets the last picture stand still where pictures are missing while sound comes.
    pub(super) fn hold_picture(&mut self, now: f64) {
        let quiet = self.filling.sound_since.map_or(0.0, |since| now - since);
        let usual = seconds(self.remuxer.picture_step_us());
        let lag = self.remuxer.sound_lag_us().map_or(0.0, seconds);
        let wanted = self.settings.live
            && self.stage == Stage::Running
            && self.plays(Track::Audio)
            && self.plays(Track::Video)
            && !self.parked
            && quiet >= STILL.max(3.0 * usual)
            && (self.filling.still || lag <= -AHEAD)
            && self.filling.sound_at.is_some_and(|at| now - at < FLOWING);
        let position = self.playhead.position(now);
        if !wanted || self.buffered(Track::Video, position) > SHORT_PICTURES {
            return;
        }
        self.filling.still = true;
        if quiet >= MISSING_PICTURES && !self.filling.no_pictures {
            self.filling.no_pictures = true;
            self.notify(Notice::PictureMissing, quiet, now);
        }
        self.remuxer.hold_picture(((position + HOLD) * 1e6) as i64);
    }
}

/// Seconds without sound, while pictures come, after which it is missing.
const MISSING: f64 = 0.5;

/// Seconds of media that one track is ahead when the other is missing.
const AHEAD: f64 = 0.3;

/// A distance that is no property of how a stream is interleaved, seconds.
const MAX_LAG: f64 = 2.0;

/// By how much the usual distance shrinks with each frame.
const FADING: f64 = 0.995;

/// Seconds without either, in which nothing was to be expected of the other.
const OUTAGE: f64 = 1.2;

/// Pictures that came within this many seconds still flow.
const FLOWING: f64 = 0.25;

/// With less sound than this ahead of the playhead, seconds, it is about to run out: Chromium stops with
/// a tenth of a second left.
const SHORT: f64 = 0.2;

/// How far silence goes then, seconds ahead of the playhead.
const STEP: f64 = 0.3;

/// Seconds without a picture, while sound comes, after which the last one is made to stand.
const STILL: f64 = 0.5;

/// Seconds of the same after which it is said.
const MISSING_PICTURES: f64 = 1.5;

/// With fewer seconds of pictures than this ahead of the playhead they are about to run out.
const SHORT_PICTURES: f64 = 0.15;

/// For how long a picture is made to stand at a time, seconds: it is decoded again each time.
const HOLD: f64 = 2.0;
