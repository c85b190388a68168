//! Which codecs can be remuxed.

use crate::flv::{audio, video};

/// Whether pictures of `codec` can be remuxed here.
pub(super) fn of_video(codec: video::Codec) -> bool {
    match codec {
        video::Codec::Avc => true,
        #[cfg(feature = "codecs")]
        video::Codec::Hevc | video::Codec::Av1 | video::Codec::Vp9 => true,
        _ => false,
    }
}

/// Whether sound of `codec` can be remuxed here.
pub(super) fn of_audio(codec: audio::Codec) -> bool {
    match codec {
        audio::Codec::Aac => true,
        #[cfg(feature = "codecs")]
        audio::Codec::Mp3
        | audio::Codec::Opus
        | audio::Codec::Flac
        | audio::Codec::Ac3
        | audio::Codec::Eac3
        | audio::Codec::G711A
        | audio::Codec::G711U
        | audio::Codec::Pcm => true,
        _ => false,
    }
}
