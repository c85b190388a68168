//! A stream that goes on in another response or at another place, and where its times are.

use super::Remuxer;
use crate::remux::Track;
use crate::timeline::low_32_bits;

/// What is known at the beginning of a response about how it follows the one before.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// Sound frames that are still dropped while its first keyframe has not come.
    pub(super) waiting: u32,
    /// It begins with pictures that came already: from the sender's line to the stream's for
    /// pictures and for sound, until what is new comes.
    pub(super) repeats: [Option<i64>; 2],
    /// The newest keyframes: what is in them, roughly, and their time on the stream's line.
    keyframes: [Option<(u32, i64)>; REMEMBERED],
}

impl Remuxer {
    /// Another response begins, with a header and a keyframe: the output goes on where it ended,
    /// whatever the times are. What came already, because the server sends its stored pictures to
    /// everybody who joins, is left out.
    pub fn begin_response(&mut self) {
        if self.video.due().is_none() && self.audio.due().is_none() {
            return;
        }
        if self.is_repeating() {
            // Nothing of the response before was new: what looks alike is new all the same.
            self.response.keyframes = [None; REMEMBERED];
        }
        self.epochs.begin_response();
        self.response.waiting = if self.plays_video() { MAX_WAITING } else { 0 };
        self.response.repeats = [None; 2];
    }

    /// Whether what comes is left out, as pictures that look like it came already.
    #[must_use]
    pub fn is_repeating(&self) -> bool {
        matches!(self.response.repeats, [Some(_), _])
    }

    /// What comes from the next keyframe on is new, whatever it looks like: a publisher may send the
    /// same pictures again.
    pub fn take_repeated(&mut self) {
        if self.is_repeating() {
            self.begin_response();
        }
    }

    /// What comes next is of another place in a file, and keeps its time on the output's line.
    pub fn seek(&mut self) {
        self.video.seek();
        self.audio.seek();
        self.epochs.seek();
    }

    /// The pictures put out last are not put out again after the next
    /// [`reset_output`](Self::reset_output): they may be what broke the decoder.
    pub fn forget_played(&mut self) {
        self.video.forget_kept();
    }

    /// The host has emptied its buffers: initialisation segments and the pictures put out last come
    /// again, in their places.
    pub fn repeat_output(&mut self) {
        self.video.restart();
        self.audio.restart();
    }

    /// From the next initialisation segment on the output says that it is `length` milliseconds long,
    /// or that nobody knows.
    pub fn declare_length(&mut self, length: Option<u64>) {
        self.config.duration_ms = length;
    }

    /// Bytes were lost: pictures may be missing.
    pub fn lost(&mut self) {
        self.video.doubt();
    }

    /// Microseconds on the stream's line of a tag stamped `time_ms`.
    #[must_use]
    pub fn line_us(&self, time_ms: i64) -> i64 {
        let sent = self.unwrapper.nearest(low_32_bits(time_ms)).wrapping_mul(1000);
        self.epochs.newest(sent)
    }

    /// The same on the output's line; `None` until that has begun.
    #[must_use]
    pub fn output_us(&self, time_ms: i64) -> Option<i64> {
        Some(self.line_us(time_ms).wrapping_sub(self.base?))
    }

    /// What is 0 on the output's line, in microseconds of the stream's; `None` until it has begun.
    #[must_use]
    pub fn base_us(&self) -> Option<i64> {
        self.base
    }

    /// Whether a picture is left out: it cannot be decoded, or came already.
    pub(super) fn leaves_out_picture(&mut self, sent: i64, key: bool, body: &[u8]) -> bool {
        if self.response.waiting > 0 {
            if !key {
                return true;
            }
            self.response.waiting = 0;
            if let Some(time) = self.response.known(fingerprint(body)) {
                let offset = time.wrapping_sub(sent);
                self.epochs.resume(offset);
                self.response.repeats = [Some(offset); 2];
            }
        }
        self.repeats(Track::Video, sent)
    }

    /// Whether a sound frame is left out: it goes with pictures that are, or came already.
    pub(super) fn leaves_out_sound(&mut self, sent: i64) -> bool {
        if self.response.waiting > 0 {
            self.response.waiting = self.response.waiting.wrapping_sub(1);
            return true;
        }
        self.repeats(Track::Audio, sent)
    }

    /// A keyframe was placed at `time`.
    pub(super) fn remember(&mut self, body: &[u8], time: i64) {
        let [last, before, _] = self.response.keyframes;
        self.response.keyframes = [Some((fingerprint(body), time)), last, before];
    }

    /// The stream's line is cut by `length`: what is before it is not where it was.
    pub(super) fn cut(&mut self, length: i64) {
        self.epochs.cut(length);
        self.video.cut(length);
        self.audio.cut(length);
        self.response.keyframes = [None; REMEMBERED];
    }

    fn repeats(&mut self, track: Track, sent: i64) -> bool {
        let (at, due) = match track {
            Track::Video => (0, self.video.due()),
            Track::Audio => (1, self.audio.due()),
        };
        let Some(repeats) = self.response.repeats.get_mut(at) else { return false };
        let (Some(offset), Some(due)) = (*repeats, due) else { return false };
        let came = sent.wrapping_add(offset) < due.time.wrapping_sub(ROUNDING);
        if !came {
            *repeats = None;
        }
        came
    }
}

impl Response {
    /// The time of the one keyframe that looked like this.
    fn known(&self, print: u32) -> Option<i64> {
        let mut alike = self.keyframes.iter().flatten().filter(|(known, _)| *known == print);
        let (_, time) = alike.next()?;
        // Of pictures that do not change one keyframe is like the other.
        alike.next().is_none().then_some(*time)
    }
}

/// A number that differs between keyframes: FNV-1a over some of the bytes.
fn fingerprint(body: &[u8]) -> u32 {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    body.iter()
        .step_by((body.len() / 1024).max(1))
        .fold(length, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Keyframes remembered: a server stores a group of pictures or two.
const REMEMBERED: usize = 3;

/// Sound frames dropped before the first keyframe of a response, at most: about a second. Then there
/// are no pictures.
const MAX_WAITING: u32 = 50;

/// A time may be this far off and still be the same, microseconds: the wire's are whole
/// milliseconds, and sound is counted.
const ROUNDING: i64 = 10_000;
