//! What pictures and their container say beside the sequence header.

use alloc::string::String;

use crate::Bytes;

use super::VideoTrack;
use crate::codec::text;
use crate::flv::video::Codec;
use crate::remux::event::Announced;
use crate::remux::picture::{Framing, Hint, VideoConfig, take_messages};

impl VideoTrack {
    /// Looks for a new configuration in a keyframe. Gives what comes into force.
    pub(in super::super) fn adopt(&mut self, codec: Codec, keyframe: &Bytes) -> Option<Announced> {
        let current = self.config.as_deref();
        let config = VideoConfig::from_keyframe(codec, keyframe, current, &self.header);
        if let Some(framing) = config.as_ref().or(current).map(|config| config.framing) {
            take_messages(&mut self.light, framing, keyframe);
        }
        let config = config.or_else(|| current?.with_hint(&self.hint.or(self.light)));
        Some(self.install(config?))
    }

    /// Takes a metadata message: it is in force from the next keyframe on.
    pub(in super::super) fn take_metadata(&mut self, body: &[u8]) {
        if let Some(hint) = Hint::parse(body) {
            self.hint = hint;
        }
    }

    /// How the pictures are put together.
    pub(in super::super) fn framing(&self) -> Option<Framing> {
        self.config.as_ref().map(|config| config.framing)
    }

    /// The type of what was put out last.
    pub(in super::super) fn mime(&self) -> Option<String> {
        Some(text::mp4_mime("video", self.written.as_ref()?.codec_string()))
    }
}
