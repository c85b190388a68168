//! What the engine wants its host to do, and what it has to say.

use alloc::string::String;

use pushpull_media::Bytes;
use pushpull_media::remux::Track;

use crate::numbered::numbered;

/// One thing for the host to do. Times in seconds of the element's timeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Find out whether the browser plays this type, and tell it with
    /// [`Engine::type_checked`](super::Engine::type_checked).
    CheckType {
        /// Of which track.
        track: Track,
        /// With its codec, such as `video/mp4;codecs="avc1.64001f"`.
        mime: String,
    },
    /// Add a SourceBuffer.
    AddTrack {
        /// For which track.
        track: Track,
        /// Its type.
        mime: String,
    },
    /// The SourceBuffer is going to get another type.
    ChangeType {
        /// Of which track.
        track: Track,
        /// The new type.
        mime: String,
    },
    /// Append [`Engine::media`](super::Engine::media) of the track, before anything else.
    Append {
        /// To which track's SourceBuffer.
        track: Track,
    },
    /// Remove a stretch.
    Remove {
        /// From which track's SourceBuffer.
        track: Track,
        /// First time.
        from: f64,
        /// End.
        to: f64,
    },
    /// Move the playhead.
    Seek(f64),
    /// Play at this rate.
    Rate(f64),
    /// What is known of the tracks has changed.
    MediaInfo,
    /// A track needs what only the full build has; the engine is of no more use.
    Upgrade(Track),
    /// Open the source again.
    Connect {
        /// Seconds to wait first.
        delay: f64,
        /// Number of this attempt since media last came.
        attempt: u32,
    },
    /// Supplemental information of a picture came.
    #[cfg(feature = "full")]
    Sei {
        /// `payloadType`.
        kind: u32,
        /// When the picture is shown; NaN if that is not known yet.
        time: f64,
        /// The message without emulation prevention.
        payload: Bytes,
    },
    /// A script tag came.
    Script {
        /// When its time is; NaN if that is not known yet.
        time: f64,
        /// Its AMF0.
        data: Bytes,
        /// Its time as the sender counts, milliseconds.
        time_ms: i64,
    },
    /// Something went wrong and was mended, or may mend itself.
    Notice {
        /// What.
        notice: Notice,
        /// A number that belongs to it.
        value: f64,
        /// A name that belongs to it.
        text: String,
    },
    /// It cannot go on.
    Fault {
        /// Why.
        fault: Fault,
        /// A number that belongs to it.
        value: f64,
        /// A name that belongs to it.
        text: String,
    },
    /// The source has ended properly and everything is appended.
    Complete,
    /// Start with a new MediaSource.
    Rebuild,
}

numbered! {
    /// Why playback cannot go on; the words for it are the host's.
    pub enum Fault {
        /// The input does not begin as FLV does.
        NotFlv,
        /// The FLV header is of another version or makes no sense.
        BadHeader,
        /// Too much of the input was no FLV tag. Value: byte offset.
        BadTags,
        /// The pictures, or the only track, are of an unsupported codec. Text: its name.
        CodecUnsupported,
        /// The source ended before anything could be played.
        NoMedia,
        /// The source failed; the host knows how.
        Source,
        /// Nothing came for too long. Value: seconds.
        Silence,
        /// The playhead stands still and nothing helped.
        Stalled,
        /// The browser could not decode, again and again; the host knows what it said.
        Output,
    }
}

numbered! {
    /// What was mended, or may mend itself; the words for it are the host's.
    pub enum Notice {
        /// The tag boundaries were lost. Value: byte offset.
        Resync,
        /// A tag, or what it held, could not be used. Value: its time in ms.
        BadTag,
        /// The sound is of an unsupported codec: pictures only. Text: its name. Value 1: the pictures
        /// are, sound only.
        CodecUnsupported,
        /// The publisher's clock jumped. Value: by how many ms.
        Discontinuity,
        /// Nothing comes. Value: for how many seconds.
        Silence,
        /// The playhead was moved over a hole or a damaged place. Value: where to.
        Jump,
        /// The playhead stood still. Value: where.
        Nudge,
        /// Everything starts anew with another MediaSource: the playhead stood still for good.
        Rebuild,
        /// Everything starts anew with another MediaSource: a track came late.
        LateTrack,
        /// Everything starts anew with another MediaSource: the browser could not decode; the host
        /// knows what it said.
        Output,
        /// Promised sound does not come, or it stopped: silence is played in its place.
        SoundMissing,
        /// Pictures stopped while sound goes on: the last one stays. Value: for how many seconds.
        PictureMissing,
        /// No picture has come out for long although it should play. Value: for how many seconds.
        NoPicture,
        /// The SourceBuffer was full: room was made.
        BufferFull,
        /// Nobody took the media in time: the oldest was dropped.
        QueueFull,
        /// Everything starts anew with another MediaSource, which plays more smoothly.
        Pacing,
        /// The playhead stood still: the buffers are emptied and filled again. Value: where.
        Flush,
        /// The stream has more tracks than one of a kind; the others are left out.
        OtherTracks,
        /// The track that was asked for is not there: another is played until it comes. Value: which.
        TrackMissing,
    }
}

impl Notice {
    /// How many kinds there are.
    pub const COUNT: usize = Self::TrackMissing as usize + 1;
}
