//! Which codecs can be remuxed.

use crate::flv::{audio, video};

/// Where a codec can be remuxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Support {
    /// Here.
    Here,
    /// In a build with the feature `codecs`, which this one is not.
    Full,
    /// Nowhere: no browser plays it.
    Nowhere,
}

/// Where pictures of `codec` can be remuxed.
pub(super) fn of_video(codec: video::Codec) -> Support {
    match codec {
        video::Codec::Avc => Support::Here,
        video::Codec::Hevc | video::Codec::Av1 | video::Codec::Vp9 => FULL,
        _ => Support::Nowhere,
    }
}

/// Where sound of `codec` can be remuxed.
pub(super) fn of_audio(codec: audio::Codec) -> Support {
    match codec {
        audio::Codec::Aac => Support::Here,
        audio::Codec::Mp3
        | audio::Codec::Opus
        | audio::Codec::Flac
        | audio::Codec::Ac3
        | audio::Codec::Eac3
        | audio::Codec::G711A
        | audio::Codec::G711U
        | audio::Codec::Pcm => FULL,
        _ => Support::Nowhere,
    }
}

/// Several tracks in one message can be told apart.
pub(super) const MULTITRACK: Support = FULL;

const FULL: Support = if cfg!(feature = "codecs") { Support::Here } else { Support::Full };
