//! Playing: what a player asks for, and what it is told.

use super::{Asked, ServerConnection, ServerEvent};
use crate::Error;
use crate::command::Command;
use crate::name::Target;

impl ServerConnection {
    /// Tells the asking player that there is no such stream. The connection goes on.
    ///
    /// # Errors
    /// As for [`ServerConnection::receive`].
    pub fn reject_play(&mut self, description: &str) -> Result<(), Error> {
        let Some(Asked::Play { stream_id }) = self.asked.take() else {
            return Ok(());
        };
        self.send_status(stream_id, "error", "NetStream.Play.StreamNotFound", description);
        self.process_held()
    }

    pub(super) fn play(&mut self, stream_id: u32, command: &Command) {
        let argument = command.arguments.first();
        // play2 has an object.
        let key = argument
            .and_then(|value| value.as_str().or_else(|| value.get("streamName")?.as_str()))
            .unwrap_or_default();
        if let Some(Target { name, query }) =
            self.resolve(stream_id, key, "NetStream.Play.StreamNotFound")
        {
            self.asked = Some(Asked::Play { stream_id });
            self.events.push_back(ServerEvent::Play { stream_id, name, query });
        }
    }
}
