//! FLV tags in, fragmented MP4 out: what a player appends to Media Source Extensions, or a server
//! writes as HLS.
//!
//! ```text
//! Tag ─► unwrapped time ─► Epochs ─┬─► video: NAL check, cadence ──► queue ─┐
//!                                  └─► audio: Clock (samples, silence) ─► queue ─┴─► take()
//! ```
//!
//! * Times become one line without wraps or jumps, shared by both tracks (`epochs`). Output starts
//!   with the first keyframe at 0.
//! * A picture can be taken the moment it came: the last one of a segment gets a provisional
//!   duration, as the next is not known yet (`video`).
//! * Sound is timed by counting samples; the timestamps only correct the count (`clock`).
//! * Times and counts wrap: a line of microseconds is 290,000 years long, and a sender that makes it run over
//!   gets what it asked for.
//! * Nothing a stream holds is fatal: what cannot be played is dropped and reported.
//! * Queues and events are bounded ([`Config`], [`MAX_EVENTS`]).

mod audio;
#[cfg(feature = "codecs")]
mod choice;
mod clock;
mod config;
mod epochs;
mod event;
mod payload;
mod picture;
mod remuxer;
mod segment;
#[cfg(feature = "codecs")]
mod sei;
mod sound;
mod support;
mod ticks;
mod video;

pub use config::Config;
pub use event::{
    AudioInfo, Error, Event, MAX_EVENTS, MAX_SCRIPT_LEN, TrackInfo, VideoInfo, Warning, WarningKind,
};
pub use remuxer::Remuxer;
pub use segment::{Evidence, Segment, Skipped, Track, Tracks};

#[cfg(test)]
mod tests;
