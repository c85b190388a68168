//! Every limit of the hub, with its default and the reason for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ring;
use crate::time::millis;

/// How the hub treats publishers and viewers.
#[derive(Clone, Debug)]
pub struct Config {
    /// What happens when a second publisher asks for a name. Default: [`Takeover::ReplaceIfIdle`].
    pub takeover: Takeover,
    /// A publisher without media for so long can be replaced under [`Takeover::ReplaceIfIdle`]. Default 3 s: an encoder
    /// that reconnects after a network change gives up after a few quick tries, and one that is alive sends sound or
    /// pictures many times a second.
    pub idle_after: Duration,
    /// How long a publisher may take for its first media. Default 20 s: an encoder that warms up its camera has begun by
    /// then, and whoever has not keeps a name that others want.
    pub first_media: Duration,
    /// How long a publisher that answers pings may go without media before it counts as lost. Default 5 min: a camera that
    /// is muted, a phone whose app is in the background, come back within it. Under [`Takeover::ReplaceIfIdle`] another may
    /// have the name much sooner.
    pub media_idle: Duration,
    /// How long viewers are held when a publisher is lost without goodbye. Default 10 s: longer than an encoder's first
    /// reconnects take, short enough for people to wait.
    pub grace: Duration,
    /// How long a viewer waits for a stream that nobody publishes. Default 3 s: the page may be opened a moment before
    /// the push; someone who mistyped a name should not stare at nothing for longer. After the end of a stream it is 1 s.
    pub missing_wait: Duration,
    /// How long a viewer waits for the first picture of a stream that is live. Default 10 s: longer than the GOPs that
    /// encoders make by default (8.3 s: 250 pictures at 30 per second).
    pub start_wait: Duration,
    /// How long after its first frame a publisher's tracks are decided if only one was seen. Default 500 ms: viewers wait
    /// for it, and encoders that have both interleave them well within it.
    pub tracks_wait: Duration,
    /// The longest that audio waits for the next picture, to leave in one write with it. Default 40 ms: one picture at
    /// 25 per second.
    pub held_audio_max: Duration,
    /// The longest that pictures wait for more of them, to leave in one write. Default zero: every picture leaves when it
    /// comes. Writes are what viewers cost: 100 ms more latency make a third of the cost.
    pub batch: Duration,
    /// Names in use at once. Default 100.
    pub max_streams: usize,
    /// Names that are refused at once: see [`super::Hub::kick`]. Default 1000: more are not kept by hand.
    pub max_bans: usize,
    /// Viewers of one stream. Default 10 000: above what one core serves.
    pub max_viewers: usize,
    /// Viewers of all streams together. Default 20000: as many as there may be connections.
    pub max_viewers_total: usize,
    /// Media of all streams together, in bytes. Default 1 GiB: when there is more, the largest rings give first.
    pub media_bytes: usize,
    /// Media that a viewer may be behind before it jumps to the newest keyframe. Default 5 s: more is not live any more.
    pub lag: Duration,
    /// Bytes that a viewer may be behind before it jumps to the newest keyframe. Default 8 MiB: 5 s at 13 Mbit/s.
    pub lag_bytes: usize,
    /// The longest GOP that is kept whole for joiners; those of a longer one wait for the next keyframe. Default 20 s:
    /// encoders default to 8.3 s or less.
    pub gop: Duration,
    /// The largest GOP that is kept whole for joiners, and the most a stream's ring holds. Default 32 MiB: 8.3 s at
    /// 30 Mbit/s.
    pub gop_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            takeover: Takeover::default(),
            idle_after: Duration::from_secs(3),
            first_media: Duration::from_secs(20),
            media_idle: Duration::from_secs(300),
            grace: Duration::from_secs(10),
            missing_wait: Duration::from_secs(3),
            start_wait: Duration::from_secs(10),
            tracks_wait: Duration::from_millis(500),
            held_audio_max: Duration::from_millis(40),
            batch: Duration::ZERO,
            max_streams: 100,
            max_bans: 1000,
            max_viewers: 10_000,
            max_viewers_total: 20_000,
            media_bytes: 1 << 30,
            lag: Duration::from_secs(5),
            lag_bytes: 8 << 20,
            gop: Duration::from_secs(20),
            gop_bytes: 32 << 20,
        }
    }
}

impl Config {
    pub(super) fn ring(&self) -> ring::Limits {
        ring::Limits {
            lag_ms: millis(self.lag),
            lag_bytes: self.lag_bytes,
            gop_ms: millis(self.gop),
            gop_bytes: self.gop_bytes,
        }
    }
}

/// What happens when a second publisher asks for a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takeover {
    /// The first keeps the name until it leaves or is found dead.
    Reject,
    /// The second gets the name; the first is stopped.
    Replace,
    /// The second gets the name if the first has been idle for [`Config::idle_after`].
    #[default]
    ReplaceIfIdle,
}
