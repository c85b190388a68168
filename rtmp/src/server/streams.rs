//! Message streams: what each is for, and what is held back while the host decides about one.
//!
//! A connection has several, and they do not wait for each other: what belongs to a stream that has asked is held, all
//! else is read on.

use std::collections::VecDeque;

use pushpull_media::amf0::Value;

use super::ServerConnection;
use super::play::Playing;
use crate::Error;
use crate::chunk::{Limits, Message};
use crate::command::Command;

/// A message stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) role: Role,
    /// What it plays, or has asked to.
    pub(super) playing: Option<Playing>,
}

/// What a message stream publishes at present.
#[derive(Debug, Default)]
pub(super) enum Role {
    #[default]
    None,
    /// It wants to publish, and the host has not answered.
    Asked(Asked),
    /// It publishes under this name, as the peer sent it.
    Publishing { key: String },
}

/// A publish the host has to decide about, and what came behind it.
#[derive(Debug)]
pub(super) struct Asked {
    key: String,
    held: VecDeque<Message>,
}

impl Stream {
    pub(super) fn is_publishing(&self) -> bool {
        matches!(self.role, Role::Publishing { .. })
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.role, Role::None) && self.playing.is_none()
    }

    /// The name it publishes or wants to publish, as the peer sent it.
    fn key(&self) -> Option<&str> {
        match &self.role {
            Role::Publishing { key } | Role::Asked(Asked { key, .. }) => Some(key),
            Role::None => None,
        }
    }
}

impl ServerConnection {
    /// Whether message stream `stream_id` is there, or there is room for it; counts it if not.
    pub(super) fn has_room_for(&mut self, stream_id: u32) -> bool {
        let has_room =
            self.streams.contains_key(&stream_id) || self.streams.len() < self.config.max_streams;
        if !has_room {
            let refused = &mut self.counters.refused_streams;
            *refused = refused.saturating_add(1);
        }
        has_room
    }

    /// Whether no message stream publishes, plays, or wants to.
    pub(super) fn is_without_purpose(&self) -> bool {
        self.streams.values().all(Stream::is_idle)
    }

    /// How many bytes may be received without passing [`super::ServerConfig::max_held_len`], at the least: while a publish,
    /// or a connect, waits for its answer there is a limit, and a host that lets it wait reads no more than this from the socket. The
    /// network then holds the rest.
    #[must_use]
    pub fn room(&self) -> usize {
        let has_asked = |stream: &Stream| matches!(stream.role, Role::Asked(_));
        if !self.is_asking_to_connect() && !self.streams.values().any(has_asked) {
            return usize::MAX;
        }
        let taken = self.held_len.saturating_add(self.reader.partial_len());
        // Each byte may be a message: an empty one, begun by a header that repeats the one before.
        self.config.max_held_len.saturating_sub(taken) / (HELD_OVERHEAD + 1)
    }

    /// Notes that message stream `stream_id` waits for the host's answer.
    pub(super) fn ask(&mut self, stream_id: u32, key: String) {
        let stream = self.streams.entry(stream_id).or_default();
        stream.role = Role::Asked(Asked { key, held: VecDeque::new() });
        self.adapt_limits();
    }

    /// Takes a stream's question, by the name it asked for, and what was held for it: the stream has no role any more.
    pub(super) fn answered(&mut self, stream_id: u32) -> Option<(String, VecDeque<Message>)> {
        let stream = self.streams.get_mut(&stream_id)?;
        match std::mem::take(&mut stream.role) {
            Role::Asked(Asked { key, held }) => {
                let len = held.iter().map(held_len).fold(0, usize::saturating_add);
                self.held_len = self.held_len.saturating_sub(len);
                self.clock.idle_since = self.clock.now;
                Some((key, held))
            }
            role => {
                stream.role = role;
                None
            }
        }
    }

    /// Reads what was held. A part of it may ask again: then the rest is held again; or be the end: then the rest is not
    /// read.
    pub(super) fn process_held(&mut self, held: VecDeque<Message>) -> Result<(), Error> {
        self.adapt_limits();
        for message in held {
            if self.is_over() {
                break;
            }
            self.message(message)?;
        }
        Ok(())
    }

    /// Holds `message` back if stream `about`, which it is about, waits for an answer; otherwise gives it back.
    pub(super) fn hold(
        &mut self,
        message: Message,
        about: Option<u32>,
    ) -> Result<Option<Message>, Error> {
        let Some(Stream { role: Role::Asked(asked), .. }) =
            about.and_then(|stream_id| self.streams.get_mut(&stream_id))
        else {
            return Ok(Some(message));
        };
        let limit = self.config.max_held_len;
        self.held_len = self.held_len.saturating_add(held_len(&message));
        if self.held_len > limit {
            return Err(Error::HeldTooLarge { limit });
        }
        asked.held.push_back(message);
        Ok(None)
    }

    /// The stream that is published, or is to be, under the name `key`; if there is only one, whatever its name.
    pub(super) fn find_key(&self, key: &str) -> Option<u32> {
        let mut all = self.streams.iter().filter_map(|(&id, stream)| Some((id, stream.key()?)));
        let (first, _) = all.clone().next()?;
        let named = all.clone().find(|&(_, other)| bare(other) == bare(key));
        let is_only = all.nth(1).is_none();
        named.map(|(id, _)| id).or(is_only.then_some(first))
    }

    /// The message stream a command is about, if it is about one.
    pub(super) fn subject(&self, stream_id: u32, command: &Command) -> Option<u32> {
        match command.name.as_str() {
            "deleteStream" => Some(deleted(command)),
            "FCUnpublish" => self.find_key(named(command)),
            "connect" | "createStream" | "releaseStream" | "FCPublish" | "FCSubscribe" => None,
            _ => Some(stream_id),
        }
    }

    /// Large messages are for those who publish; who has asked may send what may be held.
    pub(super) fn adapt_limits(&mut self) {
        let (mut is_publishing, mut has_asked) = (false, false);
        for stream in self.streams.values() {
            is_publishing |= stream.is_publishing();
            has_asked |= matches!(stream.role, Role::Asked(_));
        }
        let media = self.config.media_limits;
        let held = self.config.max_held_len;
        // A picture larger than what is held waits in the network for the answer, as far as the host heeds `room`.
        let asked = Limits { max_partial_len: media.max_partial_len.min(held), ..media };
        let setup = self.config.setup_limits;
        self.reader.set_limits(match (is_publishing, has_asked) {
            (true, _) => media,
            (false, true) => asked,
            _ if self.is_asking_to_connect() => Limits { max_partial_len: held, ..setup },
            (false, false) => setup,
        });
    }
}

/// The message stream that `deleteStream` deletes.
pub(super) fn deleted(command: &Command) -> u32 {
    let id = command.arguments.first().and_then(Value::as_f64).unwrap_or(0.0);
    // Saturates; an id out of range names no stream.
    id as u32
}

/// The first argument that is a string: in `FCPublish` and its like, the stream name.
pub(super) fn named(command: &Command) -> &str {
    command.arguments.iter().find_map(Value::as_str).unwrap_or_default()
}

/// A key without its query: encoders send it to `publish` and leave it out later.
fn bare(key: &str) -> &str {
    key.split_once('?').map_or(key, |(key, _)| key)
}

/// What a held message counts as, in bytes: many small ones cost more than their payload.
pub(super) fn held_len(message: &Message) -> usize {
    message.payload.len().saturating_add(HELD_OVERHEAD)
}

/// What a message takes besides its payload, in bytes.
const HELD_OVERHEAD: usize = 160;
