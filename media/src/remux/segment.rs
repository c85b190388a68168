/// A kind of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// Which tracks are put out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tracks {
    /// Pictures.
    pub video: bool,
    /// Sound.
    pub audio: bool,
}

/// What came so far, for the host to decide which tracks play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Evidence {
    /// A usable video configuration came.
    pub video_config: bool,
    /// Pictures kept since the first keyframe, that one included; 0 until it came.
    pub video_frames: u64,
    /// Media time of those pictures in microseconds, from the first to the last.
    pub video_span_us: i64,
    /// Time of the first picture on the stream's line, in milliseconds.
    pub video_first_ms: Option<i64>,
    /// A usable audio configuration came.
    pub audio_config: bool,
    /// Sound frames kept.
    pub audio_frames: u64,
    /// Time of the first sound frame on the stream's line, in milliseconds.
    pub audio_first_ms: Option<i64>,
}

/// What one [`take`](super::Remuxer::take) appended. Times are microseconds of the output's line, on
/// which the first keyframe is decoded at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Segment {
    /// It begins with an initialisation segment.
    pub init: bool,
    /// Samples in the fragment; 0 if there is only an initialisation segment.
    pub samples: u32,
    /// Decode time of the first sample.
    pub start_us: i64,
    /// Where the next sample is due: the last decode time and the usual step. What the browser was
    /// told is later, as the last picture's duration is provisional.
    pub end_us: i64,
    /// How far the segment starts after the end the browser was told of the one before: a hole in
    /// what it has buffered. 0 when they touch or overlap.
    pub gap_us: i64,
    /// Keyframes among the samples; sound frames do not count.
    pub keyframes: u32,
    /// Presentation time of the last of them.
    pub last_keyframe_us: Option<i64>,
    /// The media is no MP4 but bare frames without times: whoever appends it sets the buffer's
    /// `timestampOffset` to [`start_us`](Self::start_us) first, unless it touches the segment before.
    pub raw: bool,
}

/// What [`skip_to_last_keyframe`](super::Remuxer::skip_to_last_keyframe) dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Pictures dropped.
    pub video_frames: u32,
    /// Sound frames dropped.
    pub audio_frames: u32,
    /// Media time dropped, in microseconds.
    pub duration_us: i64,
}
