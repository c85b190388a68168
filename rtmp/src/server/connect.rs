//! `connect`: what a peer says of itself, and the answer, which may be the host's.
//!
//! ```text
//! connect ──┬─────────────────── [answered at once] ──► Connected
//!           └─ ask_connect ──► Connect … accept ──────► Connected, and what was held is read
//!                                        reject ──────► over
//! ```

use std::collections::VecDeque;

use pushpull_media::amf0::Value;

use super::commands::printable;
use super::streams::held_len;
use super::{CONTROL_CHUNKS, ServerConnection, ServerEvent};
use crate::Error;
use crate::chunk::Message;
use crate::command::{Command, object};
use crate::message::{Control, kind};

/// What a peer said in `connect`. All of it is the peer's own word, as it was sent; queries may be secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// The app, with the parameters that came with it.
    pub app: String,
    /// The URL the peer connected to.
    pub tc_url: String,
    /// The page a player is in.
    pub page_url: String,
    /// The Flash program that plays.
    pub swf_url: String,
    /// What the peer calls itself.
    pub flash_ver: String,
}

/// A `connect` that waits for the host's answer, and what came behind it.
#[derive(Debug)]
pub(super) struct Connecting {
    command: Command,
    held: VecDeque<Message>,
}

impl ServerConnection {
    /// What the peer said in `connect`, once it has, whether it was accepted or not.
    #[must_use]
    pub fn connect(&self) -> Option<&Connect> {
        self.connect.as_ref()
    }

    /// Lets the peer connect that asked ([`ServerEvent::Connect`]): it is told, and what it sent meanwhile is read.
    ///
    /// # Errors
    /// As for [`ServerConnection::receive`].
    pub fn accept_connect(&mut self) -> Result<(), Error> {
        let Some(Connecting { command, held }) = self.connecting.take() else {
            return Ok(());
        };
        self.held_len = 0;
        self.clock.idle_since = self.clock.now;
        self.connected(&command);
        self.process_held(held)
    }

    /// Refuses the peer that asked to connect: it is told why, and the connection is over
    /// ([`ServerConnection::is_over`]).
    pub fn reject_connect(&mut self, description: &str) {
        if let Some(Connecting { command, .. }) = self.connecting.take() {
            self.send_rejected(&command, description);
            self.end();
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connect.is_some() && self.connecting.is_none()
    }

    pub(super) fn receive_connect(&mut self, command: &Command) {
        if self.connect.is_some() {
            return self.send_rejected(command, "already connected");
        }
        let text = |key| {
            let text = command.object.get(key).and_then(Value::as_str).unwrap_or_default();
            text.get(..text.floor_char_boundary(MAX_TEXT_LEN)).unwrap_or_default().to_owned()
        };
        self.connect = Some(Connect {
            app: text("app"),
            tc_url: text("tcUrl"),
            page_url: text("pageUrl"),
            swf_url: text("swfUrl"),
            flash_ver: text("flashVer"),
        });
        if self.config.ask_connect {
            let command = command.clone();
            self.connecting = Some(Connecting { command, held: VecDeque::new() });
            self.adapt_limits();
            self.events.push_back(ServerEvent::Connect);
        } else {
            self.connected(command);
        }
    }

    pub(super) fn is_asking_to_connect(&self) -> bool {
        self.connecting.is_some()
    }

    /// Holds back what `waits` for the answer to `connect`, if that is not there; otherwise gives it back.
    pub(super) fn hold_for_connect(
        &mut self,
        message: Message,
        waits: bool,
    ) -> Result<Option<Message>, Error> {
        let Some(connecting) = self.connecting.as_mut().filter(|_| waits) else {
            return Ok(Some(message));
        };
        let limit = self.config.max_held_len;
        self.held_len = self.held_len.saturating_add(held_len(&message));
        if self.held_len > limit {
            return Err(Error::HeldTooLarge { limit });
        }
        connecting.held.push_back(message);
        Ok(None)
    }

    fn connected(&mut self, command: &Command) {
        let window = self.config.window;
        let chunk_size = self.config.chunk_size;
        self.send_control(Control::WindowSize(window));
        self.send_control(Control::PeerBandwidth(window));
        self.writer.write(
            CONTROL_CHUNKS,
            0,
            kind::SET_CHUNK_SIZE,
            0,
            &chunk_size.to_be_bytes(),
            &mut self.output,
        );
        self.writer.set_chunk_size(chunk_size);
        self.send_command(0, &connect_result(command));

        let Some(Connect { app, flash_ver, .. }) = &self.connect else { return };
        let agent = printable(flash_ver);
        // Its parameters may be secret.
        let app = printable(app.split_once('?').map_or(app.as_str(), |(app, _)| app));
        self.events.push_back(ServerEvent::Connected { app, agent });
    }

    fn send_rejected(&mut self, connect: &Command, description: &str) {
        let info = object([
            ("level", "error".into()),
            ("code", "NetConnection.Connect.Rejected".into()),
            ("description", description.into()),
        ]);
        self.send_command(0, &Command::new("_error", connect.transaction, vec![info]));
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

/// Bytes of each thing a peer says of itself. It is kept for as long as the connection, and once more for each of its streams.
const MAX_TEXT_LEN: usize = 8 << 10;

/// The codecs of Enhanced RTMP v2.
const FOUR_CCS: [&str; 12] = [
    "avc1", "hvc1", "vvc1", "av01", "vp08", "vp09", "mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3",
];

/// `FourCcInfoMask.CanForward`.
const CAN_FORWARD: f64 = 4.0;

/// `CapsExMask`: Multitrack (2), ModEx (4) and TimestampNanoOffset (8). Reconnect (1) is not among them.
const CAPS_EX: f64 = 14.0;
