//! Commands and their answers.

use pushpull_media::amf0::Value;

use super::streams::{deleted, named};
use super::{ServerConnection, ServerEvent};
use crate::Error;
use crate::command::{Command, object};
use crate::name::{self, NameError, Target};

impl ServerConnection {
    pub(super) fn command(&mut self, stream_id: u32, command: &Command) -> Result<(), Error> {
        match command.name.as_str() {
            "connect" => self.receive_connect(command),
            "_result" | "_error" | "onStatus" => {}
            name if !self.is_connected() => {
                return Err(Error::NotConnected { name: printable(name) });
            }
            "createStream" => self.create_stream(command),
            "publish" => self.publish(stream_id, command),
            "play" | "play2" => self.play(stream_id, command),
            "pause" | "pauseRaw" => self.pause(stream_id, command),
            "receiveAudio" => self.receive_audio(stream_id, command),
            "receiveVideo" => self.receive_video(stream_id, command),
            "seek" => self.seek(stream_id, command),
            "closeStream" => {
                self.unpublish(stream_id, true);
                self.stop_playing(stream_id, true);
            }
            "deleteStream" => {
                let id = deleted(command);
                self.unpublish(id, false);
                self.stop_playing(id, false);
                self.streams.remove(&id);
            }
            "FCPublish" => {
                self.send_result(command, Value::Undefined);
                self.notify(command, "onFCPublish", "NetStream.Publish.Start");
            }
            "FCUnpublish" => {
                if let Some(stream_id) = self.find_key(named(command)) {
                    self.unpublish(stream_id, true);
                }
                self.send_result(command, Value::Undefined);
                self.notify(command, "onFCUnpublish", "NetStream.Unpublish.Success");
            }
            "FCSubscribe" => {
                self.send_result(command, Value::Undefined);
                self.notify(command, "onFCSubscribe", "NetStream.Play.Start");
            }
            "getStreamLength" => self.send_result(command, Value::Number(0.0)),
            // releaseStream, _checkbw and whatever else an encoder thinks of.
            _ => self.send_result(command, Value::Undefined),
        }
        Ok(())
    }

    pub(super) fn send_status(&mut self, stream_id: u32, level: &str, code: &str, text: &str) {
        let status =
            object([("level", level.into()), ("code", code.into()), ("description", text.into())]);
        self.send_command(stream_id, &Command::new("onStatus", 0.0, vec![status]));
    }

    fn create_stream(&mut self, command: &Command) {
        let id = self.last_stream_id.saturating_add(1);
        if !self.has_room_for(id) {
            let info = object([
                ("level", "error".into()),
                ("code", "NetConnection.Call.Failed".into()),
                ("description", "too many message streams".into()),
            ]);
            self.send_command(0, &Command::new("_error", command.transaction, vec![info]));
            return;
        }
        self.last_stream_id = id;
        self.streams.entry(id).or_default();
        self.send_result(command, Value::Number(f64::from(id)));
    }

    /// The stream a command is about; a bad name gets the status `code`, is the event `bad`, and ends a connection without
    /// another purpose.
    pub(super) fn resolve(
        &mut self,
        stream_id: u32,
        key: &str,
        code: &str,
        bad: fn(NameError) -> ServerEvent,
    ) -> Option<Target> {
        let connect = self.connect.as_ref()?;
        match name::resolve(&connect.tc_url, &connect.app, key) {
            Ok(target) => Some(target),
            Err(error) => {
                self.send_status(stream_id, "error", code, &error.to_string());
                self.events.push_back(bad(error));
                self.end_if_useless();
                None
            }
        }
    }

    /// Answers a call, if it asks for an answer.
    pub(super) fn send_result(&mut self, call: &Command, value: Value) {
        if call.transaction != 0.0 {
            self.send_command(0, &Command::new("_result", call.transaction, vec![value]));
        }
    }

    /// Sends one of Flash Media Server's `onFC…` notices; Livestream Studio wants the call's transaction id in it.
    fn notify(&mut self, call: &Command, name: &str, code: &str) {
        let description = printable(named(call)).into();
        let info = object([("code", Value::from(code)), ("description", description)]);
        self.send_command(0, &Command::new(name, call.transaction, vec![info]));
    }
}

/// A peer's text, fit for a log line: short, and without characters that cannot be seen or turn the line around.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|&c| name::is_visible(c)).take(MAX_PRINTABLE).collect()
}

const MAX_PRINTABLE: usize = 128;
