//! What is counted and measured for the statistics.

use pushpull_media::remux::Track;

use super::{Engine, REACH};
use crate::numbered::numbered;

numbered! {
    /// One number of the statistics.
    pub enum Stat {
        /// From the newest media received to the playhead, seconds.
        Latency,
        /// What the live controller aims at, seconds.
        TargetLatency,
        /// What 95 % of arrivals stay within, seconds.
        Jitter,
        /// Playable ahead of the playhead, seconds.
        Buffered,
        /// The playhead, seconds.
        Position,
        /// The element's playback rate.
        PlaybackRate,
        /// Received, bytes per second.
        Speed,
        /// Received video, bytes per second.
        VideoRate,
        /// Received audio, bytes per second.
        AudioRate,
        /// Pictures shown per second.
        Fps,
        /// Pictures decoded.
        Decoded,
        /// Pictures decoded too late.
        Dropped,
        /// Appends to SourceBuffers.
        Appends,
        /// Times the element ran out of data.
        Stalls,
        /// Times the playhead was moved: to catch up, over a hole, past a damaged place.
        Jumps,
        /// Times a playhead that stood still was nudged.
        Nudges,
        /// Times the MediaSource was made anew.
        Rebuilds,
        /// Pictures dropped before they were appended, to catch up.
        Skipped,
        /// Times the input's tag boundaries were lost and found again.
        Resyncs,
        /// Tags, or what they held, that could not be used.
        BadTags,
        /// Jumps of the publisher's clock.
        Discontinuities,
        /// Sound frames replaced by silence, as none came.
        SilenceInserted,
        /// Sound frames dropped, as another was in their place.
        SoundDropped,
        /// From the publisher's wall clock to the picture shown, seconds; NaN without one.
        CaptureLatency,
        /// Pictures ahead of the playhead, seconds.
        VideoBuffered,
        /// Sound ahead of the playhead, seconds.
        AudioBuffered,
        /// From one keyframe to the next, seconds; NaN before there were two.
        GopLength,
        /// Times media came again after the connection was lost.
        Reconnects,
        /// Bytes received.
        BytesReceived,
        /// Keyframes received.
        KeyframesSeen,
        /// Silent frames played in place of sound that was promised and did not come.
        AudioFilled,
    }
}

impl Engine {
    /// A number of the statistics, as of `now`.
    pub fn stat(&mut self, stat: Stat, now: f64) -> f64 {
        let position = self.playhead.position(now);
        let counters = self.counters;
        match stat {
            Stat::Latency => self.newest().map_or(0.0, |newest| (newest - position).max(0.0)),
            Stat::TargetLatency => self.live.target(),
            Stat::Jitter => self.arrival.jitter(),
            Stat::Buffered => self.ahead(position),
            Stat::Position => position,
            Stat::PlaybackRate => self.playhead.rate(),
            Stat::Speed => self.meters.bytes.rate(now),
            Stat::VideoRate => self.meters.media[Track::Video].rate(now),
            Stat::AudioRate => self.meters.media[Track::Audio].rate(now),
            Stat::Fps => self.meters.shown.rate(now),
            Stat::Decoded => self.playhead.decoded,
            Stat::Dropped => self.playhead.dropped,
            Stat::Appends => f64::from(counters.appends),
            Stat::Stalls => f64::from(self.live.stalls()),
            Stat::Jumps => f64::from(counters.jumps),
            Stat::Nudges => f64::from(counters.nudges),
            Stat::Rebuilds => f64::from(counters.rebuilds),
            Stat::Skipped => f64::from(counters.skipped),
            Stat::Resyncs => f64::from(counters.resyncs),
            Stat::BadTags => f64::from(counters.bad_tags),
            Stat::Discontinuities => f64::from(counters.discontinuities),
            Stat::SilenceInserted => f64::from(counters.silence),
            Stat::SoundDropped => f64::from(counters.sound_dropped),
            Stat::CaptureLatency => self.capture_latency(now).unwrap_or(f64::NAN),
            Stat::VideoBuffered => self.buffered(Track::Video, position),
            Stat::AudioBuffered => self.buffered(Track::Audio, position),
            Stat::GopLength => self.gop_length.map_or(f64::NAN, |ms| ms as f64 / 1000.0),
            Stat::Reconnects => f64::from(self.source.reconnects),
            Stat::BytesReceived => counters.bytes,
            Stat::KeyframesSeen => f64::from(counters.keyframes),
            Stat::AudioFilled => f64::from(counters.filled),
        }
    }
}

impl Engine {
    fn capture_latency(&self, now: f64) -> Option<f64> {
        let shown = self.wall_clock.at(self.remuxer.base_us()?, self.playhead.position(now))?;
        Some(now + self.wall_clock_offset - shown)
    }

    /// How much of `track` is ahead of `position`, seconds.
    pub(super) fn buffered(&self, track: Track, position: f64) -> f64 {
        let range = self.tracks[track].buffered.around(position, REACH);
        range.map_or(0.0, |range| range.end - position)
    }
}

/// A rate per second, over windows of about a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    total: f64,
    at_turn: f64,
    turned_at: Option<f64>,
    rate: f64,
}

impl Meter {
    /// Adds `amount`.
    pub fn add(&mut self, amount: f64) {
        self.total += amount;
    }

    /// Sets the total of a counter kept elsewhere; a counter that begins anew is noticed.
    pub fn set(&mut self, total: f64) {
        if total < self.total {
            self.at_turn = total;
        }
        self.total = total;
    }

    /// The rate per second over the last whole window, as of `now` in seconds.
    pub fn rate(&mut self, now: f64) -> f64 {
        let turned_at = *self.turned_at.get_or_insert(now);
        let elapsed = now - turned_at;
        if elapsed >= WINDOW {
            self.rate = (self.total - self.at_turn) / elapsed;
            self.at_turn = self.total;
            self.turned_at = Some(now);
        }
        self.rate
    }
}

/// Seconds of one window.
const WINDOW: f64 = 1.0;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Appends to SourceBuffers.
    pub appends: u32,
    /// Times the playhead was moved over a hole or a damaged place.
    pub jumps: u32,
    /// Times a playhead that stood still was nudged.
    pub nudges: u32,
    /// Times the MediaSource was made anew.
    pub rebuilds: u32,
    /// Pictures dropped before they were appended, to catch up.
    pub skipped: u32,
    /// Times the input's tag boundaries were lost and found again.
    pub resyncs: u32,
    /// Tags that could not be used.
    pub bad_tags: u32,
    /// Jumps of the publisher's clock.
    pub discontinuities: u32,
    /// Sound frames replaced by silence.
    pub silence: u32,
    /// Sound frames dropped.
    pub sound_dropped: u32,
    /// Bytes received.
    pub bytes: f64,
    /// Keyframes received.
    pub keyframes: u32,
    /// Silent frames in place of sound that did not come.
    pub filled: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_tells_the_last_second() {
        let mut meter = Meter::default();
        assert_eq!(meter.rate(10.0), 0.0);
        meter.add(500.0);
        assert_eq!(meter.rate(10.5), 0.0, "no whole window yet");
        meter.add(500.0);
        assert_eq!(meter.rate(11.0), 1000.0);
        assert_eq!(meter.rate(12.0), 0.0);
    }

    #[test]
    fn a_counter_that_begins_anew_gives_no_negative_rate() {
        let mut meter = Meter::default();
        meter.set(100.0);
        meter.rate(10.0);
        meter.set(5.0);
        meter.set(15.0);
        assert_eq!(meter.rate(11.0), 10.0);
    }
}
