//! Playing: what a player asks for, and what it is told.

use super::{ServerConnection, ServerEvent};
use crate::command::Command;
use crate::name::Target;

impl ServerConnection {
    /// Tells the player that asked on `stream_id` that there is no such stream. The connection goes on.
    pub fn reject_play(&mut self, stream_id: u32, description: &str) {
        let stream = self.streams.get_mut(&stream_id).filter(|stream| stream.is_playing);
        if let Some(stream) = stream {
            stream.is_playing = false;
            self.clock.idle_since = self.clock.now;
            self.send_status(stream_id, "error", "NetStream.Play.StreamNotFound", description);
        }
    }

    pub(super) fn play(&mut self, stream_id: u32, command: &Command) {
        let argument = command.arguments.first();
        // play2 has an object.
        let key = argument
            .and_then(|value| value.as_str().or_else(|| value.get("streamName")?.as_str()))
            .unwrap_or_default();
        let is_busy = self.streams.get(&stream_id).is_some_and(|stream| !stream.is_idle());
        if is_busy || !self.has_room_for(stream_id) {
            let text = "this message stream cannot play";
            return self.send_status(stream_id, "error", "NetStream.Play.Failed", text);
        }
        if let Some(Target { name, query }) =
            self.resolve(stream_id, key, "NetStream.Play.StreamNotFound")
        {
            self.streams.entry(stream_id).or_default().is_playing = true;
            self.events.push_back(ServerEvent::Play { stream_id, name, query });
        }
    }
}
