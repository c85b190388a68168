//! The client's end of a connection: publishes one stream, or plays one.

mod config;
mod event;
mod play;
mod publish;
mod url;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use pushpull_media::amf0::Value;

pub use config::{ClientConfig, Purpose};
pub use event::ClientEvent;
pub use url::PublishUrl;

use crate::chunk::{self, Message};
use crate::command::{Command, object};
use crate::message::{Control, kind};
use crate::{Error, handshake};

/// One connection, without its socket: bytes go in, events and bytes come out.
#[derive(Debug)]
pub struct ClientConnection {
    config: ClientConfig,
    handshake: Option<Box<handshake::Client>>,
    reader: chunk::Reader,
    writer: chunk::Writer,
    output: BytesMut,
    events: VecDeque<ClientEvent>,
    /// The message stream, once the server made it and `publish` or `play` was sent.
    stream_id: Option<u32>,
    received: u64,
    acknowledged: u64,
    /// After how many bytes the server wants an acknowledgement; 0 until it says.
    window: u32,
}

impl ClientConnection {
    /// Starts a connection: the first output is there at once. `random` fills the handshake.
    #[must_use]
    pub fn new(config: ClientConfig, random: [u8; handshake::RANDOM_LEN]) -> Self {
        let mut output = BytesMut::new();
        let handshake = if config.signed {
            handshake::Client::signed(random, &mut output)
        } else {
            handshake::Client::simple(random, &mut output)
        };
        Self {
            config,
            handshake: Some(Box::new(handshake)),
            reader: chunk::Reader::new(chunk::Limits::SETUP),
            writer: chunk::Writer::new(),
            output,
            events: VecDeque::new(),
            stream_id: None,
            received: 0,
            acknowledged: 0,
            window: 0,
        }
    }

    /// Takes what the socket gave.
    ///
    /// # Errors
    /// When the server breaks the protocol in a way that cannot be read on from, or passes a limit.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.received =
            self.received.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if let Some(handshake) = &mut self.handshake {
            if !handshake.receive(&mut bytes, &mut self.output)? {
                return Ok(());
            }
            self.handshake = None;
            self.connect();
        }
        while let Some(message) = self.reader.read(&mut bytes)? {
            self.message(message);
        }
        let unacknowledged = self.received.saturating_sub(self.acknowledged);
        if self.window > 0 && unacknowledged >= u64::from(self.window) {
            self.acknowledged = self.received;
            self.send_control(Control::Acknowledgement((self.received & 0xFFFF_FFFF) as u32));
        }
        Ok(())
    }

    /// The next event.
    pub fn next_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// What to send, if anything.
    pub fn take_output(&mut self) -> Option<Bytes> {
        (!self.output.is_empty()).then(|| self.output.split().freeze())
    }

    fn connect(&mut self) {
        let url = &self.config.url;
        let connect = Command {
            name: "connect".into(),
            transaction: CONNECT,
            object: object([
                ("app", url.app.as_str().into()),
                ("type", "nonprivate".into()),
                ("flashVer", self.config.agent.as_str().into()),
                ("tcUrl", url.tc_url().into()),
                ("fourCcList", Value::StrictArray(vec!["*".into()])),
            ]),
            arguments: vec![],
        };
        self.send_command(0, &connect);
    }

    fn message(&mut self, message: Message) {
        let payload = message.payload.data();
        match message.kind {
            kind::COMMAND_AMF0 | kind::COMMAND_AMF3 => {
                if let Some(command) = Command::decode(message.kind, payload) {
                    self.command(&command);
                }
            }
            kind::AUDIO | kind::VIDEO | kind::DATA_AMF0 | kind::DATA_AMF3 | kind::AGGREGATE => {
                self.media(message);
            }
            _ => match Control::decode(message.kind, payload) {
                Some(Control::WindowSize(window)) => self.window = window,
                Some(Control::PingRequest(time)) => self.send_control(Control::PingResponse(time)),
                Some(Control::StreamBegin(id)) if self.stream_id == Some(id) => {
                    self.events.push_back(ClientEvent::Begin);
                }
                Some(Control::StreamEof(id)) if self.stream_id == Some(id) => {
                    self.events.push_back(ClientEvent::Eof);
                }
                _ => {}
            },
        }
    }

    fn command(&mut self, command: &Command) {
        let info = command.arguments.first();
        let text = |key: &str| {
            info.and_then(|info| info.get(key)?.as_str()).unwrap_or_default().to_owned()
        };
        let (code, description) = (text("code"), text("description"));
        match command.name.as_str() {
            "_result" if command.transaction == CONNECT => {
                let info = info.cloned().unwrap_or(Value::Null);
                self.events.push_back(ClientEvent::Connected { info });
                self.create_stream();
            }
            "_result" if command.transaction == CREATE_STREAM => {
                // A stream id is a number a double holds exactly; anything else saturates to 0 or the maximum.
                let id = info.and_then(Value::as_f64).unwrap_or(0.0) as u32;
                self.stream_id = Some(id);
                match self.config.purpose {
                    Purpose::Publish => self.publish(id),
                    Purpose::Play => self.play(id),
                }
            }
            "_error" if [CONNECT, CREATE_STREAM].contains(&command.transaction) => {
                self.events.push_back(ClientEvent::Refused { code, description });
            }
            "onStatus" if code == "NetStream.Publish.Start" => {
                self.events.push_back(ClientEvent::Published);
            }
            "onStatus" if code == "NetStream.Play.Start" => {
                self.events.push_back(ClientEvent::Playing);
            }
            "onStatus" if text("level") == "error" => {
                self.events.push_back(ClientEvent::Refused { code, description });
            }
            "onStatus" => self.events.push_back(ClientEvent::Status { code }),
            _ => {}
        }
    }

    fn create_stream(&mut self) {
        let size = self.config.chunk_size;
        self.write(CONTROL_CHUNKS, 0, kind::SET_CHUNK_SIZE, 0, &size.to_be_bytes());
        self.writer.set_chunk_size(size);
        if self.config.purpose == Purpose::Publish {
            self.announce();
        }
        self.send_command(0, &Command::new("createStream", CREATE_STREAM, vec![]));
    }

    /// The message stream that is published on.
    fn publishes(&self) -> Option<u32> {
        self.stream_id.filter(|_| self.config.purpose == Purpose::Publish)
    }

    /// The message stream that is played.
    fn plays(&self) -> Option<u32> {
        self.stream_id.filter(|_| self.config.purpose == Purpose::Play)
    }

    fn send_control(&mut self, control: Control) {
        let (kind, payload) = control.encode();
        self.write(CONTROL_CHUNKS, 0, kind, 0, &payload);
    }

    fn send_command(&mut self, stream_id: u32, command: &Command) {
        self.write(COMMAND_CHUNKS, 0, kind::COMMAND_AMF0, stream_id, &command.encode());
    }

    fn write(&mut self, chunks: u32, timestamp: u32, kind: u8, stream_id: u32, payload: &[u8]) {
        self.writer.write(chunks, timestamp, kind, stream_id, payload, &mut self.output);
    }
}

const CONTROL_CHUNKS: u32 = 2;
const COMMAND_CHUNKS: u32 = 3;

/// Transaction ids of the calls whose answers matter.
const CONNECT: f64 = 1.0;
const CREATE_STREAM: f64 = 4.0;
const PURPOSE: f64 = 5.0;

#[cfg(test)]
mod tests;
