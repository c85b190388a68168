//! Publishing: what a publisher asks for, and what it is told.

use pushpull_media::amf0::Value;

use super::commands::printable;
use super::{Asked, PublishRefusal, ServerConnection, ServerEvent};
use crate::Error;
use crate::command::Command;
use crate::message::Control;
use crate::name::Target;

impl ServerConnection {
    /// Lets the asking publisher publish: it is told, and what it sent meanwhile is read.
    ///
    /// # Errors
    /// As for [`ServerConnection::receive`].
    pub fn accept_publish(&mut self) -> Result<(), Error> {
        let Some(Asked::Publish { stream_id, key }) = self.asked.take() else {
            return Ok(());
        };
        self.send_control(Control::StreamBegin(stream_id));
        let description = format!("{} is now published", printable(&key));
        self.send_status(stream_id, "status", "NetStream.Publish.Start", &description);
        self.streams.entry(stream_id).or_default().publishing = Some(key);
        self.reader.set_limits(self.config.media_limits);
        self.process_held()
    }

    /// Refuses the asking publisher: it is told why, and nothing it sent or sends is read any more. Send the output and
    /// close the socket.
    pub fn reject_publish(&mut self, refusal: PublishRefusal, description: &str) {
        if let Some(Asked::Publish { stream_id, .. }) = self.asked {
            self.send_status(stream_id, "error", refusal.code(), description);
            self.end();
        }
    }

    /// Tells an accepted publisher that it has to stop: replaced, kicked, or the server closes. Nothing more is read.
    /// Send the output and close the socket.
    pub fn stop_publish(&mut self, stream_id: u32, reason: PublishRefusal, description: &str) {
        self.send_status(stream_id, "error", reason.code(), description);
        self.end();
    }

    pub(super) fn publish(&mut self, stream_id: u32, command: &Command) {
        let key = match command.arguments.first() {
            // Wirecast's way to stop.
            Some(Value::Boolean(false)) => return self.unpublish(stream_id, true),
            // GoPro's key can be empty.
            None | Some(Value::Null | Value::Undefined) => "",
            Some(Value::String(key)) => key,
            Some(_) => {
                let text = "the stream name has to be a string";
                return self.send_status(stream_id, "error", "NetStream.Publish.BadName", text);
            }
        };
        let known = self.streams.get(&stream_id);
        if known.is_some_and(|stream| stream.publishing.is_some()) {
            let text = "this message stream is already publishing";
            return self.send_status(stream_id, "error", "NetStream.Publish.BadName", text);
        }
        if known.is_none() && self.streams.len() >= self.config.max_streams {
            let text = "too many message streams";
            return self.send_status(stream_id, "error", "NetStream.Publish.Failed", text);
        }
        if let Some(Target { name, query }) =
            self.resolve(stream_id, key, "NetStream.Publish.BadName")
        {
            self.asked = Some(Asked::Publish { stream_id, key: key.to_owned() });
            self.events.push_back(ServerEvent::Publish { stream_id, name, query });
        }
    }

    pub(super) fn unpublish(&mut self, stream_id: u32, tell: bool) {
        let publishing =
            self.streams.get_mut(&stream_id).and_then(|stream| stream.publishing.take());
        let Some(key) = publishing else {
            return;
        };
        self.clock.idle_since = self.clock.now;
        if tell {
            let text = format!("{} is no longer published", printable(&key));
            self.send_status(stream_id, "status", "NetStream.Unpublish.Success", &text);
        }
        self.events.push_back(ServerEvent::Unpublish { stream_id });
    }

    /// Ends the publish that was begun with `key`; if there is only one, whatever its key.
    pub(super) fn unpublish_key(&mut self, key: &str) {
        let publishing = || {
            self.streams
                .iter()
                .filter_map(|(&id, stream)| Some((id, stream.publishing.as_deref()?)))
        };
        let named = publishing().find(|&(_, other)| other == key);
        let only = || publishing().next().filter(|_| publishing().nth(1).is_none());
        if let Some((stream_id, _)) = named.or_else(only) {
            self.unpublish(stream_id, true);
        }
    }
}
