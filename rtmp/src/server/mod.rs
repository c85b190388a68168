//! The server's end of a connection.
//!
//! ```text
//! handshake ── connect ── createStream ── publish ──► [asked] ── accept ──► media … unpublish
//!                                                        └────── reject ──► over
//! ```
//!
//! While the host decides about a `publish` or `play`, what the peer sends is held back unread, up to
//! [`ServerConfig::max_held_len`]: media that comes with the command is neither lost nor let through early.

mod commands;
mod config;
mod event;
mod media;
mod play;
mod publish;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

pub use config::ServerConfig;
pub use event::{Counters, Media, PublishRefusal, ServerEvent};

use crate::chunk::{self, Message};
use crate::command::Command;
use crate::message::{Control, kind};
use crate::{Error, handshake};

/// One connection, without its socket: bytes and the time go in, events and bytes come out.
///
/// Times are durations since any fixed start. After an error the connection is over: send what
/// [`ServerConnection::take_output`] still gives and close.
#[derive(Debug)]
pub struct ServerConnection {
    config: ServerConfig,
    phase: Phase,
    reader: chunk::Reader,
    writer: chunk::Writer,
    output: BytesMut,
    events: VecDeque<ServerEvent>,
    /// Input not read yet, while `asked` waits for an answer.
    held: Vec<u8>,
    asked: Option<Asked>,
    connect: Option<Connect>,
    streams: BTreeMap<u32, Stream>,
    last_stream_id: u32,
    counters: Counters,
    clock: Clock,
    received: u64,
    acknowledged: u64,
    /// After how many bytes the peer wants an acknowledgement.
    peer_window: u32,
}

#[derive(Debug)]
enum Phase {
    Handshake(Box<handshake::Server>),
    Chunks,
    /// Nothing more is read.
    Over,
}

/// A question the host has to answer.
#[derive(Debug)]
enum Asked {
    Publish { stream_id: u32, key: String },
    Play { stream_id: u32 },
}

/// What `connect` said.
#[derive(Debug)]
struct Connect {
    app: String,
    tc_url: String,
}

/// A message stream.
#[derive(Debug, Default)]
struct Stream {
    /// The name as the peer sent it, while it publishes.
    publishing: Option<String>,
}

#[derive(Debug)]
struct Clock {
    now: Duration,
    started: Duration,
    /// Since when the peer neither publishes nor plays.
    idle_since: Duration,
    received: Duration,
    pinged: Duration,
}

impl ServerConnection {
    /// A connection that was opened at `now`. `random` fills the handshake; it should be.
    #[must_use]
    pub fn new(config: ServerConfig, random: [u8; handshake::RANDOM_LEN], now: Duration) -> Self {
        Self {
            phase: Phase::Handshake(Box::new(handshake::Server::new(random))),
            reader: chunk::Reader::new(config.setup_limits),
            writer: chunk::Writer::new(),
            output: BytesMut::new(),
            events: VecDeque::new(),
            held: Vec::new(),
            asked: None,
            connect: None,
            streams: BTreeMap::new(),
            last_stream_id: 0,
            counters: Counters::default(),
            clock: Clock { now, started: now, idle_since: now, received: now, pinged: now },
            received: 0,
            acknowledged: 0,
            peer_window: config.window,
            config,
        }
    }

    /// Takes what the socket gave.
    ///
    /// # Errors
    /// When the peer breaks the protocol in a way that cannot be read on from, or passes a limit.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) -> Result<(), Error> {
        self.clock.now = now;
        self.clock.received = now;
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.received = self.received.saturating_add(len);
        self.process(bytes)?;
        self.acknowledge();
        Ok(())
    }

    /// How many bytes [`ServerConnection::receive`] takes without an error for holding too much: while a publish or play
    /// waits for its answer there is a limit, and a host that lets it wait reads no more than this from the socket. The
    /// network then holds the rest.
    #[must_use]
    pub fn room(&self) -> usize {
        match self.asked {
            Some(_) => self.config.max_held_len.saturating_sub(self.held.len()),
            None => usize::MAX,
        }
    }

    /// The next event. Call until there is none, then send [`ServerConnection::take_output`].
    pub fn next_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// What to send, if anything.
    pub fn take_output(&mut self) -> Option<Bytes> {
        (!self.output.is_empty()).then(|| self.output.split().freeze())
    }

    /// When to call [`ServerConnection::on_timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        match self.phase {
            Phase::Handshake(_) => Some(self.handshake_deadline()),
            Phase::Chunks => {
                let next = self.idle_deadline().min(self.next_ping());
                Some(self.setup_deadline().map_or(next, |setup| setup.min(next)))
            }
            Phase::Over => None,
        }
    }

    /// Pings a silent peer; gives up on one that is silent, or without a purpose, for too long.
    ///
    /// # Errors
    /// [`Error::HandshakeTimeout`], [`Error::SetupTimeout`] or [`Error::IdleTimeout`]: close the socket.
    pub fn on_timeout(&mut self, now: Duration) -> Result<(), Error> {
        self.clock.now = now;
        match self.phase {
            Phase::Handshake(_) if now >= self.handshake_deadline() => {
                Err(Error::HandshakeTimeout { limit: self.config.handshake_timeout })
            }
            Phase::Chunks if now >= self.idle_deadline() => {
                Err(Error::IdleTimeout { limit: self.config.idle_timeout })
            }
            Phase::Chunks if self.setup_deadline().is_some_and(|deadline| now >= deadline) => {
                Err(Error::SetupTimeout { limit: self.config.setup_timeout })
            }
            Phase::Chunks if now >= self.next_ping() => {
                self.clock.pinged = now;
                let millis = now.saturating_sub(self.clock.started).as_millis();
                // The time of a ping is modulo 2^32, too.
                self.send_control(Control::PingRequest((millis & 0xFFFF_FFFF) as u32));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What was ignored so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let drops = self.reader.drops();
        Counters { unfinished: drops.superseded.saturating_add(drops.aborted), ..self.counters }
    }

    fn end(&mut self) {
        self.phase = Phase::Over;
        self.asked = None;
        self.held = Vec::new();
    }

    fn process_held(&mut self) -> Result<(), Error> {
        let held = std::mem::take(&mut self.held);
        self.process(&held)
    }

    fn process(&mut self, mut input: &[u8]) -> Result<(), Error> {
        while self.asked.is_none() {
            match &mut self.phase {
                Phase::Handshake(handshake) => {
                    if !handshake.receive(&mut input, &mut self.output)? {
                        return Ok(());
                    }
                    self.phase = Phase::Chunks;
                    self.clock.idle_since = self.clock.now;
                }
                Phase::Chunks => match self.reader.read(&mut input)? {
                    Some(message) => self.message(message)?,
                    None => return Ok(()),
                },
                Phase::Over => return Ok(()),
            }
        }
        let limit = self.config.max_held_len;
        if self.held.len().saturating_add(input.len()) > limit {
            return Err(Error::HeldTooLarge { limit });
        }
        self.held.extend_from_slice(input);
        Ok(())
    }

    fn message(&mut self, message: Message) -> Result<(), Error> {
        match message.kind {
            kind::COMMAND_AMF0 | kind::COMMAND_AMF3 => {
                match Command::decode(message.kind, message.payload.data()) {
                    Some(command) => self.command(message.stream_id, &command)?,
                    None => self.ignore(),
                }
            }
            kind::AUDIO | kind::VIDEO | kind::DATA_AMF0 | kind::DATA_AMF3 => {
                self.media(message.stream_id, message.kind, message.timestamp, message.payload);
            }
            kind::AGGREGATE => self.aggregate(&message),
            kind::ACKNOWLEDGEMENT
            | kind::USER_CONTROL
            | kind::WINDOW_SIZE
            | kind::PEER_BANDWIDTH => {
                self.control(Control::decode(message.kind, message.payload.data()));
            }
            _ => self.ignore(),
        }
        Ok(())
    }

    fn control(&mut self, control: Option<Control>) {
        match control {
            // A window of 0 cannot be meant: it stays the default.
            Some(Control::WindowSize(0)) => self.peer_window = self.config.window,
            Some(Control::WindowSize(window)) => self.peer_window = window,
            Some(Control::PingRequest(time)) => self.send_control(Control::PingResponse(time)),
            // Acknowledgements differ between clients (cumulative, incremental, wrapped) and decide nothing here.
            _ => {}
        }
    }

    fn ignore(&mut self) {
        self.counters.ignored_messages = self.counters.ignored_messages.saturating_add(1);
    }

    /// Acknowledges twice per window, the peer's or the one we gave it, whichever is smaller: some phones stop at a
    /// window's end until they hear of it.
    fn acknowledge(&mut self) {
        let every = self.peer_window.min(self.config.window).max(2) >> 1;
        let due = self.received.saturating_sub(self.acknowledged) >= u64::from(every);
        if matches!(self.phase, Phase::Chunks) && self.connect.is_some() && due {
            self.acknowledged = self.received;
            // "Bytes received so far", which is modulo 2^32.
            self.send_control(Control::Acknowledgement((self.received & 0xFFFF_FFFF) as u32));
        }
    }

    fn send_control(&mut self, control: Control) {
        let (kind, payload) = control.encode();
        self.writer.write(CONTROL_CHUNKS, 0, kind, 0, &payload, &mut self.output);
    }

    fn send_command(&mut self, stream_id: u32, command: &Command) {
        let payload = command.encode();
        let kind = kind::COMMAND_AMF0;
        self.writer.write(COMMAND_CHUNKS, 0, kind, stream_id, &payload, &mut self.output);
    }

    fn handshake_deadline(&self) -> Duration {
        self.clock.started.saturating_add(self.config.handshake_timeout)
    }

    fn setup_deadline(&self) -> Option<Duration> {
        let publishing = self.streams.values().any(|stream| stream.publishing.is_some());
        (!publishing && self.asked.is_none())
            .then(|| self.clock.idle_since.saturating_add(self.config.setup_timeout))
    }

    fn idle_deadline(&self) -> Duration {
        self.clock.received.saturating_add(self.config.idle_timeout)
    }

    fn next_ping(&self) -> Duration {
        self.clock.received.max(self.clock.pinged).saturating_add(self.config.ping_after)
    }
}

/// The chunk stream of control messages (section 5.4).
const CONTROL_CHUNKS: u32 = 2;

/// The chunk stream of commands, by custom.
const COMMAND_CHUNKS: u32 = 3;

#[cfg(test)]
mod tests;
