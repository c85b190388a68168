//! Before publishing: a name is claimed, and the claimant may be authorised.

use pushpull_rtmp::StreamName;

use super::Hub;
use super::publisher::Publisher;
use super::status::Source;

/// A name that is spoken for: the publisher may now be authorised, and nobody sees anything of it yet.
///
/// Dropping it frees the name.
#[derive(Debug)]
#[must_use = "dropping a claim frees the name"]
pub struct Claim {
    pub(super) hub: Hub,
    pub(super) name: StreamName,
    pub(super) source: Source,
    pub(super) is_used: bool,
}

impl Claim {
    /// Makes the claimant the publisher. Whoever published the name before is stopped with [`super::StopReason::Replaced`], and
    /// the stream goes on: its viewers stay, its timeline is continued.
    pub fn go_live(mut self) -> Publisher {
        self.is_used = true;
        let (stream, session) = self.hub.go_live(&self.name, self.source.clone());
        Publisher::new(self.hub.clone(), stream, session)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_used {
            self.hub.unclaim(&self.name);
        }
    }
}
