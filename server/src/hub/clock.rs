//! The timeline of a stream: from the 32-bit times of its publishers to one line that begins at 0.

use pushpull_media::timeline::Unwrapper;

use super::packet::Role;

/// Places the messages of one publisher on its stream's timeline.
///
/// Times are kept as they were sent but for one shift, the same for both tracks. Each track is unwrapped on its own, so
/// that they may be interleaved in any way.
#[derive(Debug)]
pub(super) struct Clock {
    audio: Unwrapper,
    video: Unwrapper,
    /// Of the last frame of either track, by which a track that is new is unwrapped.
    latest: Unwrapper,
    latest_raw: Option<i64>,
    has_audio: bool,
    has_video: bool,
    shift: i64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            audio: Unwrapper::new(),
            video: Unwrapper::new(),
            latest: Unwrapper::new(),
            latest_raw: None,
            has_audio: false,
            has_video: false,
            shift: 0,
        }
    }

    /// The publisher's own time of a message, without wraps; `None` for what precedes all frames: encoders stamp it 0
    /// whatever their clock says.
    pub(super) fn unwrap(&mut self, role: Role, wire: u32) -> Option<i64> {
        let (track, known) = match role {
            Role::Sound => (&mut self.audio, &mut self.has_audio),
            Role::Picture { .. } => (&mut self.video, &mut self.has_video),
            Role::Header(_) | Role::Other => return self.between_frames(wire),
        };
        if !std::mem::replace(known, true) {
            *track = self.latest;
        }
        let raw = track.unwrap(wire);
        self.latest = *track;
        self.latest_raw = Some(raw);
        Some(raw)
    }

    /// From now on the publisher's time `raw` is `time` on the stream's timeline.
    pub(super) fn place(&mut self, raw: i64, time: i64) {
        self.shift = time - raw;
    }

    /// The stream's time of a publisher's time.
    pub(super) fn time(&self, raw: i64) -> i64 {
        let time = raw + self.shift;
        // A track that turned up late with something from before the beginning.
        if (-BEFORE_BEGINNING_MAX_MS..0).contains(&time) { 0 } else { time }
    }

    fn between_frames(&self, wire: u32) -> Option<i64> {
        let latest = self.latest_raw?;
        let raw = self.latest.nearest(wire);
        let is_near = (raw - latest).abs() <= JUMP_MS;
        Some(if is_near { raw } else { latest })
    }
}

/// How far a stream's media has come, with jumps of its timestamps closed: it never falls, so that lag can be measured
/// by it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// The highest time since the last jump.
    high: Option<i64>,
    position: u64,
}

impl Progress {
    /// Takes note of a frame's time.
    pub(super) fn advance(&mut self, time: i64) {
        let step = self.high.map_or(0, |high| time.saturating_sub(high));
        if (-JUMP_MS..0).contains(&step) {
            // Older than what was sent of the other track.
            return;
        }
        if step <= JUMP_MS {
            self.position += u64::try_from(step).unwrap_or(0);
        }
        self.high = Some(time);
    }

    /// Milliseconds of media so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The highest time on the present stretch of the timeline.
    pub(super) fn high(&self) -> Option<i64> {
        self.high
    }
}

/// A step of more than this, forward or back, is a jump of the publisher's clock: no encoder pauses a track for so long
/// and goes on as if nothing had been.
const JUMP_MS: i64 = 10_000;

/// Tracks are decided within half a second; what a late one may bring from before the beginning is less than this.
const BEFORE_BEGINNING_MAX_MS: i64 = 1_000;
