//! What the user may choose; times in seconds.

use pushpull_media::remux::{self, Tracks};

use super::live;

/// The choices of one load.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Follow the newest media instead of playing everything.
    pub live: bool,
    /// Tracks not ruled out.
    pub wanted: Tracks,
    /// For the live controller.
    pub controller: live::Config,
    /// How much of what was played is kept.
    pub back_buffer: f64,
    /// How long nothing may come before a notice.
    pub silence_warning: f64,
    /// How long nothing may come before the connection counts as lost; with each attempt that helped
    /// nothing it is that much longer.
    pub silence_limit: f64,
    /// How often the source is opened again before that is given up; 0: never.
    pub max_reconnects: u32,
    /// What the jitter of these attempts is drawn from.
    pub seed: u32,
    /// How the browser is asked to pace pictures.
    pub pacing: Pacing,
    /// Silence takes the place of promised sound that does not come.
    pub fill_audio: bool,
    /// The browser is Firefox, which decodes more ahead than others and loses pictures at its edge.
    pub gecko: bool,
    /// Supplemental information of pictures is looked for.
    #[cfg(feature = "full")]
    pub sei: bool,
    /// Bytes of one track that wait for a SourceBuffer, at most.
    pub max_queue_bytes: usize,
    /// The track chosen among several; `None`: the plain one, or the first.
    #[cfg(feature = "full")]
    pub video_track: Option<u8>,
    /// The same of sound.
    #[cfg(feature = "full")]
    pub audio_track: Option<u8>,
}

/// How the browser is asked to pace pictures: a stream whose length is not known is shown by
/// Chromium as soon as a picture is decoded, another one with four pictures in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// The lowest delay until that proves too little.
    Auto,
    /// The lowest delay.
    Lowest,
    /// Evenly.
    Smooth,
}

impl Settings {
    /// What the remuxer has to know of them.
    #[must_use]
    pub fn remux(&self) -> remux::Config {
        remux::Config {
            max_queue_bytes: self.max_queue_bytes,
            exact_durations: self.gecko,
            #[cfg(feature = "full")]
            sei: self.sei,
            #[cfg(feature = "full")]
            video_track: self.video_track,
            #[cfg(feature = "full")]
            audio_track: self.audio_track,
            ..remux::Config::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            live: true,
            wanted: Tracks { video: true, audio: true },
            controller: live::Config::default(),
            back_buffer: 15.0,
            silence_warning: 3.0,
            silence_limit: 5.0,
            max_reconnects: 8,
            seed: 0,
            pacing: Pacing::Auto,
            fill_audio: true,
            gecko: false,
            #[cfg(feature = "full")]
            sei: false,
            max_queue_bytes: remux::Config::default().max_queue_bytes,
            #[cfg(feature = "full")]
            video_track: None,
            #[cfg(feature = "full")]
            audio_track: None,
        }
    }
}
