//! Which of several tracks of a kind decides where viewers begin.

use pushpull_media::flv::TagKind;

use super::headers::Defaults;
use super::multitrack::TrackIds;

/// Finds the default tracks by their frames: the lowest of each kind, unless it sends nothing any more.
#[derive(Debug, Default)]
pub(super) struct DefaultTracks {
    audio: Newest,
    video: Newest,
}

/// The default track of a kind, and the time of its newest frame.
#[derive(Debug, Default)]
struct Newest {
    track: Option<u8>,
    time: i64,
}

impl DefaultTracks {
    /// Takes note of a frame of `tracks`; returns whether it is one of the default track.
    pub(super) fn see(&mut self, kind: TagKind, tracks: TrackIds, time: i64) -> bool {
        let known = match kind {
            TagKind::Audio => &mut self.audio,
            TagKind::Video => &mut self.video,
            TagKind::Script => return false,
        };
        let Some(lowest) = tracks.lowest() else { return false };
        let goes_on = known.track.is_some_and(|track| tracks.contains(track));
        let is_gone = !goes_on && time.saturating_sub(known.time) > GONE_MS;
        if is_gone || known.track.is_none_or(|track| lowest < track) {
            known.track = Some(lowest);
        }
        let is_default = known.track.is_some_and(|track| tracks.contains(track));
        if is_default {
            known.time = time;
        }
        is_default
    }

    pub(super) fn get(&self) -> Defaults {
        Defaults { audio: self.audio.track, video: self.video.track }
    }
}

/// A default track that is so far behind another has ended, or the publisher pauses it: viewers begin with the other.
const GONE_MS: i64 = 10_000;
