//! What the user may choose; times in seconds.

use pushpull_media::remux::Tracks;

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
    /// How long nothing may come before the connection counts as lost.
    pub silence_limit: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            live: true,
            wanted: Tracks { video: true, audio: true },
            controller: live::Config::default(),
            back_buffer: 15.0,
            silence_warning: 5.0,
            silence_limit: 30.0,
        }
    }
}
