/// Limits and kind of a remuxer.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Bytes of samples one track queues before its oldest group of pictures is dropped.
    ///
    /// 16 MiB by default: ten seconds at 12 Mbit/s, for a host that does not take for a while
    /// (a hidden page, a full buffer).
    pub max_queue_bytes: usize,
    /// Samples one track queues before its oldest group of pictures is dropped.
    ///
    /// 8,192 by default: two minutes at 60 pictures a second, so that tiny samples are bounded too.
    pub max_queue_samples: usize,
    /// Length in milliseconds if the whole is known; `None`, the default, for a live stream.
    pub duration_ms: Option<u64>,
    /// The last picture of a segment is told to last the usual step, not twice that; off by
    /// default. Firefox looks for the next picture where the last one was told to end, and what
    /// begins before that it never decodes.
    pub exact_durations: bool,
    /// Supplemental information of pictures is looked for; off by default. This and what follows needs
    /// the feature `codecs`.
    pub sei: bool,
    /// The video track taken from a stream of several; `None`, the default: the plain one, or the
    /// first.
    pub video_track: Option<u8>,
    /// The same of sound.
    pub audio_track: Option<u8>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_queue_bytes: 16 << 20,
            max_queue_samples: 8192,
            duration_ms: None,
            exact_durations: false,
            sei: false,
            video_track: None,
            audio_track: None,
        }
    }
}
