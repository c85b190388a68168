//! Commands and their answers.

use pushpull_media::amf0::Value;

use super::streams::{deleted, named};
use super::{Connect, ServerConnection, ServerEvent};
use crate::Error;
use crate::command::{Command, object};
use crate::message::{Control, kind};
use crate::name::{self, NameError, Target};

impl ServerConnection {
    pub(super) fn command(&mut self, stream_id: u32, command: &Command) -> Result<(), Error> {
        match command.name.as_str() {
            "connect" => self.connect(command),
            "_result" | "_error" | "onStatus" => {}
            name if self.connect.is_none() => {
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

    fn connect(&mut self, command: &Command) {
        let text = |key| command.object.get(key).and_then(Value::as_str).unwrap_or_default();
        if self.connect.is_some() {
            let info = object([
                ("level", "error".into()),
                ("code", "NetConnection.Connect.Rejected".into()),
                ("description", "already connected".into()),
            ]);
            self.send_command(0, &Command::new("_error", command.transaction, vec![info]));
            return;
        }
        let window = self.config.window;
        let chunk_size = self.config.chunk_size;
        self.send_control(Control::WindowSize(window));
        self.send_control(Control::PeerBandwidth(window));
        self.writer.write(
            super::CONTROL_CHUNKS,
            0,
            kind::SET_CHUNK_SIZE,
            0,
            &chunk_size.to_be_bytes(),
            &mut self.output,
        );
        self.writer.set_chunk_size(chunk_size);
        self.send_command(0, &connect_result(command));

        let (app, tc_url) = (text("app").to_owned(), text("tcUrl").to_owned());
        let agent = printable(text("flashVer"));
        // Its parameters may be secret.
        let shown = printable(app.split_once('?').map_or(app.as_str(), |(app, _)| app));
        self.events.push_back(ServerEvent::Connected { app: shown, agent });
        self.connect = Some(Connect { app, tc_url });
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

/// The answer to `connect`. Of Enhanced RTMP's properties it has those that the client sent: this server passes on every
/// codec and every track, and knows the ModEx and nanosecond prefixes; it does not ask anybody to reconnect.
fn connect_result(connect: &Command) -> Command {
    let mut info = vec![
        ("level".into(), "status".into()),
        ("code".into(), "NetConnection.Connect.Success".into()),
        ("description".into(), "Connection succeeded.".into()),
        // AMF3 may be asked for (3); it is answered, and spoken, in AMF0.
        ("objectEncoding".into(), Value::Number(0.0)),
    ];
    let enhanced = [
        ("fourCcList", Value::StrictArray(FOUR_CCS.iter().map(|&code| code.into()).collect())),
        ("videoFourCcInfoMap", object([("*", Value::Number(CAN_FORWARD))])),
        ("audioFourCcInfoMap", object([("*", Value::Number(CAN_FORWARD))])),
        ("capsEx", Value::Number(CAPS_EX)),
    ];
    for (key, value) in enhanced {
        if connect.object.get(key).is_some() {
            info.push((key.into(), value));
        }
    }
    let properties =
        object([("fmsVer", "FMS/3,0,1,123".into()), ("capabilities", Value::Number(31.0))]);
    Command {
        name: "_result".into(),
        transaction: connect.transaction,
        object: properties,
        arguments: vec![Value::Object(info)],
    }
}

/// A peer's text, fit for a log line: short, and without characters that cannot be seen or turn the line around.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|&c| name::is_visible(c)).take(MAX_PRINTABLE).collect()
}

/// The codecs of Enhanced RTMP v2.
const FOUR_CCS: [&str; 12] = [
    "avc1", "hvc1", "vvc1", "av01", "vp08", "vp09", "mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3",
];

/// `FourCcInfoMask.CanForward`.
const CAN_FORWARD: f64 = 4.0;

/// `CapsExMask`: Multitrack (2), ModEx (4) and TimestampNanoOffset (8). Reconnect (1) is not among them.
const CAPS_EX: f64 = 14.0;

const MAX_PRINTABLE: usize = 128;
