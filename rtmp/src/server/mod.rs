//! The server's end of a connection.
//!
//! ```text
//! handshake ── connect ── createStream ── publish ──► [asked] ── accept ──► media … unpublish
//!                                                        └────── reject ──► over
//! ```
//!
//! While the host decides about a `publish`, which may take a while, what the peer sends for that message stream is held
//! back, up to [`ServerConfig::max_held_len`]: media that comes with the command is neither lost nor let through early.
//! Other message streams, pings and timers go on. For `play` see `play.rs`, for a `connect` that is asked about `connect.rs`.

mod commands;
mod config;
mod connect;
mod event;
mod media;
mod play;
mod publish;
mod streams;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

pub use config::ServerConfig;
pub use connect::Connect;
pub use event::{Counters, Media, PlayRefusal, PublishRefusal, ServerEvent};

use crate::chunk::{self, Message};
use crate::command::Command;
use crate::message::{Control, kind};
use crate::{Error, handshake};
use connect::Connecting;
use streams::Stream;

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
    /// What the peer said in `connect`, accepted or not.
    connect: Option<Connect>,
    /// The `connect` that the host has not answered.
    connecting: Option<Connecting>,
    streams: BTreeMap<u32, Stream>,
    /// What all messages held back count as, in bytes.
    held_len: usize,
    /// How often the peer was refused something or stopped.
    refusals: usize,
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
            connect: None,
            connecting: None,
            streams: BTreeMap::new(),
            held_len: 0,
            refusals: 0,
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

    /// The next event. Call until there is none, then send [`ServerConnection::take_output`].
    pub fn next_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// What to send, if anything.
    ///
    /// The connection keeps no buffer for the next: once it is set up, it has little to say.
    pub fn take_output(&mut self) -> Option<Bytes> {
        (!self.output.is_empty()).then(|| std::mem::take(&mut self.output).freeze())
    }

    /// When to call [`ServerConnection::on_timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        match self.phase {
            Phase::Handshake(_) => Some(self.handshake_deadline()),
            Phase::Chunks => [self.idle_deadline(), self.setup_deadline(), self.next_ping()]
                .into_iter()
                .flatten()
                .min(),
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
            Phase::Chunks if self.idle_deadline().is_some_and(|deadline| now >= deadline) => {
                Err(Error::IdleTimeout { limit: self.config.idle_timeout })
            }
            Phase::Chunks if self.setup_deadline().is_some_and(|deadline| now >= deadline) => {
                Err(Error::SetupTimeout { limit: self.config.setup_timeout })
            }
            Phase::Chunks if self.next_ping().is_some_and(|deadline| now >= deadline) => {
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

    /// Whether nothing more is read: send the output and close the socket.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    fn end(&mut self) {
        self.phase = Phase::Over;
        self.streams.clear();
        self.connecting = None;
        self.held_len = 0;
    }

    /// Ends a connection that was refused what it came for, unless it has another purpose. One that is refused again and
    /// again has none.
    fn end_if_useless(&mut self) {
        self.refusals = self.refusals.saturating_add(1);
        if self.is_without_purpose() || self.refusals > self.config.max_streams {
            self.end();
        }
    }

    fn process(&mut self, mut input: &[u8]) -> Result<(), Error> {
        loop {
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
    }

    fn message(&mut self, message: Message) -> Result<(), Error> {
        let (command, about) = match message.kind {
            kind::COMMAND_AMF0 | kind::COMMAND_AMF3 => {
                let Some(command) = Command::decode(message.kind, message.payload.data()) else {
                    self.ignore();
                    return Ok(());
                };
                let about = self.subject(message.stream_id, &command);
                (Some(command), about)
            }
            kind::AUDIO | kind::VIDEO | kind::DATA_AMF0 | kind::DATA_AMF3 | kind::AGGREGATE => {
                (None, Some(message.stream_id))
            }
            _ => (None, None),
        };
        let waits = command.is_some() || about.is_some();
        let Some(message) = self.hold_for_connect(message, waits)? else {
            return Ok(());
        };
        let Some(message) = self.hold(message, about)? else {
            return Ok(());
        };
        if let Some(command) = command {
            return self.command(message.stream_id, &command);
        }
        match message.kind {
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
        if matches!(self.phase, Phase::Chunks) && self.is_connected() && due {
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
        (self.is_without_purpose() && self.connecting.is_none())
            .then(|| self.clock.idle_since.saturating_add(self.config.setup_timeout))
    }

    /// A player owes nothing but what TCP does: it may be silent for as long as it likes. After the end of its stream it
    /// has time to ask for another.
    fn idle_deadline(&self) -> Option<Duration> {
        let since = self.clock.received.max(self.clock.idle_since);
        (!self.only_plays()).then(|| since.saturating_add(self.config.idle_timeout))
    }

    /// Nobody is pinged who waits for the answer to its `connect`: that is to be the first thing it is told.
    fn next_ping(&self) -> Option<Duration> {
        let config = self.config.ping_after;
        let after = if self.only_plays() { config.max(play::PING_AFTER) } else { config };
        let at = self.clock.received.max(self.clock.pinged).saturating_add(after);
        self.connecting.is_none().then_some(at)
    }
}

/// The chunk stream of control messages (section 5.4).
const CONTROL_CHUNKS: u32 = 2;

/// The chunk stream of commands, by custom.
const COMMAND_CHUNKS: u32 = 3;

#[cfg(test)]
mod tests;
