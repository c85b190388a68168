//! Publishing: what a publisher asks for, and what it is told.

use pushpull_media::amf0::Value;

use super::commands::printable;
use super::streams::Role;
use super::{PublishRefusal, ServerConnection, ServerEvent};
use crate::Error;
use crate::command::Command;
use crate::message::Control;
use crate::name::Target;

impl ServerConnection {
    /// Lets the publisher that asked on `stream_id` publish: it is told, and what it sent meanwhile is read.
    ///
    /// # Errors
    /// As for [`ServerConnection::receive`].
    pub fn accept_publish(&mut self, stream_id: u32) -> Result<(), Error> {
        let Some((key, held)) = self.answered(stream_id) else {
            return Ok(());
        };
        self.send_control(Control::StreamBegin(stream_id));
        let description = format!("{} is now published", printable(&key));
        self.send_status(stream_id, "status", "NetStream.Publish.Start", &description);
        self.streams.entry(stream_id).or_default().role = Role::Publishing { key };
        self.process_held(held)
    }

    /// Refuses the publisher that asked on `stream_id`: it is told why, and none of its media gets through.
    ///
    /// If the connection publishes and plays nothing else, it is over ([`ServerConnection::is_over`]).
    ///
    /// # Errors
    /// As for [`ServerConnection::receive`].
    pub fn reject_publish(
        &mut self,
        stream_id: u32,
        refusal: PublishRefusal,
        description: &str,
    ) -> Result<(), Error> {
        let Some((_, held)) = self.answered(stream_id) else {
            return Ok(());
        };
        self.send_status(stream_id, "error", refusal.code(), description);
        self.end_if_useless();
        if self.is_over() { Ok(()) } else { self.process_held(held) }
    }

    /// Tells an accepted publisher that it has to stop: replaced, kicked, idle, or the server closes. No more of its media
    /// gets through.
    ///
    /// If the connection publishes and plays nothing else, it is over ([`ServerConnection::is_over`]).
    pub fn stop_publish(&mut self, stream_id: u32, reason: PublishRefusal, description: &str) {
        let Some(stream) = self.streams.get_mut(&stream_id) else {
            return;
        };
        if stream.is_publishing() {
            stream.role = Role::None;
            self.send_status(stream_id, "error", reason.code(), description);
            self.adapt_limits();
            self.end_if_useless();
        }
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
        if self.streams.get(&stream_id).is_some_and(|stream| !stream.is_idle()) {
            let text = "this message stream is in use already";
            return self.send_status(stream_id, "error", "NetStream.Publish.BadName", text);
        }
        if !self.has_room_for(stream_id) {
            let text = "too many message streams";
            return self.send_status(stream_id, "error", "NetStream.Publish.Failed", text);
        }
        if let Some(Target { name, query }) =
            self.resolve(stream_id, key, "NetStream.Publish.BadName", ServerEvent::BadName)
        {
            self.ask(stream_id, key.to_owned());
            self.events.push_back(ServerEvent::Publish { stream_id, name, query });
        }
    }

    /// Ends the publishing of a message stream, if it publishes.
    pub(super) fn unpublish(&mut self, stream_id: u32, tell: bool) {
        let Some(stream) = self.streams.get_mut(&stream_id) else {
            return;
        };
        let Role::Publishing { key } = &stream.role else {
            return;
        };
        let text = format!("{} is no longer published", printable(key));
        stream.role = Role::None;
        self.clock.idle_since = self.clock.now;
        self.adapt_limits();
        if tell {
            self.send_status(stream_id, "status", "NetStream.Unpublish.Success", &text);
        }
        self.events.push_back(ServerEvent::Unpublish { stream_id });
    }
}
