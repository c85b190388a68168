//! Which tracks play, decided by what came, not by what was promised: header flags and metadata
//! are wrong in practice, and a browser that was promised a track shows nothing until it comes.

use pushpull_media::remux::{Track, Tracks};

/// What came so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// A video configuration.
    pub video_config: bool,
    /// A keyframe, decodable with the configuration.
    pub video_ready: bool,
    /// Pictures since that keyframe.
    pub pictures: u32,
    /// Seconds of video since that keyframe.
    pub video_span: f64,
    /// A usable audio configuration and a frame for it.
    pub audio_ready: bool,
    /// The header or a configuration promises audio.
    pub audio_promised: bool,
    /// Silence can take its place.
    pub can_fill: bool,
    /// Of several tracks of a kind another came than the one that is wanted.
    pub astray: bool,
    /// The browser has not said yet whether it plays one of them.
    pub unchecked: bool,
}

/// Decides once which tracks start.
#[derive(Debug)]
pub struct Selection {
    wanted: Tracks,
    since: Option<f64>,
}

impl Selection {
    /// `wanted`: what the user did not rule out.
    #[must_use]
    pub fn new(wanted: Tracks) -> Self {
        Self { wanted, since: None }
    }

    /// What the user did not rule out, and the browser can play.
    #[must_use]
    pub fn wanted(&self) -> Tracks {
        self.wanted
    }

    /// A track turned out to be unplayable.
    pub fn rule_out(&mut self, track: Track) {
        match track {
            Track::Video => self.wanted.video = false,
            Track::Audio => self.wanted.audio = false,
        }
    }

    /// A track is of another kind now, which may be playable; `wanted` is what the user did not rule
    /// out.
    pub fn admit(&mut self, track: Track, wanted: Tracks) {
        match track {
            Track::Video => self.wanted.video = wanted.video,
            Track::Audio => self.wanted.audio = wanted.audio,
        }
    }

    /// The tracks to start with; `None` while waiting may still tell more. Call it from the first
    /// input on, with the time now in seconds; `ended`: no more will come.
    pub fn decide(&mut self, now: f64, seen: &Evidence, ended: bool) -> Option<Tracks> {
        let elapsed = now - *self.since.get_or_insert(now);
        let video = seen.video_ready && self.wanted.video;
        let audio = seen.audio_ready && self.wanted.audio;
        let settled = match (video, audio) {
            _ if seen.unchecked => false,
            _ if seen.astray && !ended && elapsed.max(seen.video_span) < WAIT => false,
            (true, true) => true,
            (false, false) => false,
            _ if ended => true,
            (true, false) => {
                // Tracks are interleaved: half a second of pictures without sound tells as much
                // as half a second of waiting.
                let waited = elapsed.max(seen.video_span);
                let quiet = !seen.audio_promised && seen.pictures >= 3 && waited >= SHORT_WAIT;
                !self.wanted.audio || quiet || waited >= WAIT
            }
            (false, true) => {
                let patience = if seen.video_config { KEYFRAME_WAIT } else { WAIT };
                !self.wanted.video || elapsed >= patience
            }
        };
        let silent = video && self.wanted.audio && seen.audio_promised && seen.can_fill;
        settled.then_some(Tracks { video, audio: audio || silent })
    }

    /// The tracks to go on with when one is there now that `playing` leaves out.
    #[must_use]
    pub fn late(&self, playing: Tracks, seen: &Evidence) -> Option<Tracks> {
        let tracks = Tracks {
            video: playing.video || (self.wanted.video && seen.video_ready),
            audio: playing.audio || (self.wanted.audio && seen.audio_ready),
        };
        (tracks != playing).then_some(tracks)
    }
}

/// Seconds to wait for a track nothing promised.
const SHORT_WAIT: f64 = 0.25;

/// Seconds to wait for a track that was promised: sound that has not come by then may never.
const WAIT: f64 = 0.5;

/// Seconds to wait for the first keyframe of a video whose configuration came: a group of pictures.
/// It is added when it comes later.
const KEYFRAME_WAIT: f64 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Tracks = Tracks { video: true, audio: true };

    fn video() -> Evidence {
        Evidence { video_config: true, video_ready: true, pictures: 10, ..Evidence::default() }
    }

    #[test]
    fn both_at_once_when_both_are_there() {
        let mut selection = Selection::new(ALL);
        assert_eq!(selection.decide(10.0, &Evidence::default(), false), None);
        let seen = Evidence { audio_ready: true, ..video() };
        assert_eq!(selection.decide(10.0, &seen, false), Some(ALL));
    }

    #[test]
    fn promised_sound_is_waited_for_but_not_for_ever() {
        let mut selection = Selection::new(ALL);
        let seen = Evidence { audio_promised: true, ..video() };
        assert_eq!(selection.decide(10.0, &seen, false), None);
        assert_eq!(selection.decide(10.4, &seen, false), None);
        assert_eq!(
            selection.decide(10.5, &seen, false),
            Some(Tracks { video: true, audio: false })
        );
    }

    #[test]
    fn silence_takes_the_place_of_promised_sound() {
        let seen = Evidence { audio_promised: true, can_fill: true, ..video() };
        let mut selection = Selection::new(ALL);
        assert_eq!(selection.decide(10.0, &seen, false), None);
        assert_eq!(selection.decide(10.5, &seen, false), Some(ALL));
        let seen = Evidence { audio_promised: false, ..seen };
        let mut selection = Selection::new(ALL);
        selection.decide(10.0, &seen, false);
        let alone = Tracks { video: true, audio: false };
        assert_eq!(selection.decide(10.5, &seen, false), Some(alone));
    }

    #[test]
    fn unpromised_sound_gets_less_time() {
        let mut selection = Selection::new(ALL);
        assert_eq!(selection.decide(10.0, &video(), false), None);
        assert_eq!(
            selection.decide(10.26, &video(), false),
            Some(Tracks { video: true, audio: false })
        );
    }

    #[test]
    fn a_stored_second_of_pictures_alone_is_evidence() {
        let mut selection = Selection::new(ALL);
        let seen = Evidence { audio_promised: true, video_span: 1.0, ..video() };
        assert_eq!(
            selection.decide(10.0, &seen, false),
            Some(Tracks { video: true, audio: false })
        );
    }

    #[test]
    fn sound_alone_waits_for_the_keyframe_of_a_configured_video() {
        let sound = Evidence { audio_ready: true, ..Evidence::default() };
        let mut selection = Selection::new(ALL);
        assert_eq!(selection.decide(10.0, &sound, false), None);
        assert_eq!(
            selection.decide(10.6, &sound, false),
            Some(Tracks { video: false, audio: true })
        );
        let sound = Evidence { video_config: true, ..sound };
        let mut selection = Selection::new(ALL);
        selection.decide(10.0, &sound, false);
        assert_eq!(selection.decide(12.9, &sound, false), None);
        assert_eq!(
            selection.decide(13.0, &sound, false),
            Some(Tracks { video: false, audio: true })
        );
    }

    #[test]
    fn what_the_user_rules_out_is_neither_awaited_nor_played() {
        let mut selection = Selection::new(Tracks { video: true, audio: false });
        let seen = Evidence { audio_ready: true, ..video() };
        let playing = selection.decide(10.0, &seen, false).unwrap();
        assert_eq!(playing, Tracks { video: true, audio: false });
        assert_eq!(selection.late(playing, &seen), None);
    }

    #[test]
    fn the_browsers_answer_is_waited_for() {
        let mut selection = Selection::new(ALL);
        let seen = Evidence { video_span: 2.0, unchecked: true, ..video() };
        assert_eq!(selection.decide(10.0, &seen, false), None);
    }

    #[test]
    fn the_wanted_one_of_several_tracks_is_waited_for_but_not_for_ever() {
        let mut selection = Selection::new(ALL);
        let seen = Evidence { audio_ready: true, astray: true, ..video() };
        assert_eq!(selection.decide(10.0, &seen, false), None);
        assert_eq!(selection.decide(10.4, &Evidence { astray: false, ..seen }, false), Some(ALL));
        assert_eq!(selection.decide(10.5, &seen, false), Some(ALL));
    }

    #[test]
    fn at_the_end_there_is_nothing_to_wait_for() {
        let mut selection = Selection::new(ALL);
        let seen = Evidence { audio_promised: true, ..video() };
        assert_eq!(selection.decide(10.0, &seen, true), Some(Tracks { video: true, audio: false }));
        assert_eq!(selection.decide(10.0, &Evidence::default(), true), None);
    }

    #[test]
    fn a_late_track_is_noticed() {
        let selection = Selection::new(ALL);
        let playing = Tracks { video: true, audio: false };
        assert_eq!(selection.late(playing, &video()), None);
        assert_eq!(selection.late(playing, &Evidence { audio_ready: true, ..video() }), Some(ALL));
    }
}
