//! Sound that says more than one configuration in front.

use alloc::string::String;

use crate::Bytes;

use super::{AudioConfig, AudioTrack};
use crate::flv::audio::Head;
use crate::remux::event::Announced;

impl AudioTrack {
    /// Looks for a new configuration in the first frame of a tag. Gives what comes into force.
    pub(in super::super) fn adopt(&mut self, head: &Head, body: &Bytes) -> Option<Announced> {
        let config = AudioConfig::from_frame(head, body, self.config.as_deref())?;
        Some(self.install(config))
    }

    /// The host has taken another than the first of the types.
    pub(in super::super) fn choose_mime(&mut self, index: usize) {
        if let Some(config) = &self.config {
            config.choose_mime(index);
        }
    }

    /// The type of what was put out last.
    pub(in super::super) fn mime(&self) -> Option<String> {
        self.written.as_ref()?.mime()
    }
}
