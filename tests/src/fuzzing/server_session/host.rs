//! What a server does with a connection, and what it may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pushpull_rtmp::chunk::Limits;
use pushpull_rtmp::handshake::RANDOM_LEN;
use pushpull_rtmp::server::{PlayRefusal, PublishRefusal, ServerConfig, ServerEvent};
use pushpull_rtmp::{Error, ServerConnection};

/// Part of a mind: questions are answered later.
pub(super) const LATER: u8 = 1;
/// Part of a mind: publishers are refused.
const REFUSE: u8 = 2;
/// Part of a mind: no more is read from the socket than there is room for.
const PATIENT: u8 = 4;

/// The host of one connection. Every event is checked against what went before.
pub(super) struct Host<'a> {
    connection: ServerConnection,
    config: ServerConfig,
    now: Duration,
    mind: u8,
    /// The connection said it cannot go on.
    failed: bool,
    /// Message streams that wait for an answer.
    asked: BTreeMap<u32, Question>,
    publishing: BTreeSet<u32>,
    playing: BTreeSet<u32>,
    connected: bool,
    /// What the peer sent that was not read yet.
    unread: Vec<u8>,
    received: usize,
    sent: usize,
    pings: usize,
    answers: usize,
    media: usize,
    live: &'a dyn Fn() -> usize,
    live_before: usize,
    /// All events, in short.
    pub(super) seen: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Connect,
    Publish,
    Play,
}

impl<'a> Host<'a> {
    /// `mode` says how much is allowed, what users have or little, and whether peers have to wait for the answer to
    /// `connect`.
    pub(super) fn new(mode: u8, live: &'a dyn Fn() -> usize) -> Self {
        let ask_connect = mode & 4 != 0;
        let config = if mode & 2 == 0 {
            ServerConfig { ask_connect, ..ServerConfig::default() }
        } else {
            ServerConfig {
                ask_connect,
                chunk_size: 128,
                window: 1000,
                setup_limits: Limits {
                    max_message_len: 500,
                    max_partial_len: 700,
                    max_chunk_streams: 5,
                },
                media_limits: Limits {
                    max_message_len: 3000,
                    max_partial_len: 4000,
                    max_chunk_streams: 6,
                },
                max_held_len: 1500,
                max_streams: 3,
                ..ServerConfig::default()
            }
        };
        Self::with_config(config, live)
    }

    /// Another host of the same kind, at the start of a connection.
    pub(super) fn fresh(&self) -> Self {
        Self::with_config(self.config.clone(), self.live)
    }

    fn with_config(config: ServerConfig, live: &'a dyn Fn() -> usize) -> Self {
        let now = Duration::from_secs(1000);
        let live_before = live();
        Self {
            connection: ServerConnection::new(config.clone(), [3; RANDOM_LEN], now),
            config,
            now,
            mind: 0,
            failed: false,
            asked: BTreeMap::new(),
            publishing: BTreeSet::new(),
            playing: BTreeSet::new(),
            connected: false,
            unread: Vec::new(),
            received: 0,
            sent: 0,
            pings: 0,
            answers: 0,
            media: 0,
            live,
            live_before,
            seen: Vec::new(),
        }
    }

    /// How questions are answered from now on.
    pub(super) fn set_mind(&mut self, mind: u8) {
        self.mind = mind;
    }

    pub(super) fn is_over(&self) -> bool {
        self.failed
    }

    /// The peer sends `bytes`.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        while !self.failed && !self.unread.is_empty() {
            let room = if self.mind & PATIENT == 0 { usize::MAX } else { self.connection.room() };
            if room == 0 {
                return;
            }
            let rest = self.unread.split_off(room.min(self.unread.len()));
            let bytes = std::mem::replace(&mut self.unread, rest);
            self.received += bytes.len();
            let was_over = self.connection.is_over();
            let result = self.connection.receive(&bytes, self.now);
            if room != usize::MAX {
                let had_none = |error: &Error| {
                    matches!(error, Error::HeldTooLarge { .. } | Error::PartialTooLarge { .. })
                };
                assert!(!result.as_ref().is_err_and(had_none), "there was no room");
            }
            assert!(!was_over || result.is_ok(), "what is over is not read");
            self.after(result);
        }
    }

    /// Time passes, and the timer goes off if it is due.
    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        if self.connection.timeout().is_some_and(|at| at <= self.now) {
            self.due();
        }
    }

    /// Time passes up to the moment the connection asked for.
    pub(super) fn timeout(&mut self) {
        if let Some(at) = self.connection.timeout() {
            self.now = self.now.max(at);
            self.due();
        }
    }

    fn due(&mut self) {
        if self.failed {
            return;
        }
        self.pings += 1;
        let result = self.connection.on_timeout(self.now);
        if result.is_ok() {
            let next = self.connection.timeout();
            assert!(next.is_none_or(|next| next > self.now), "the timer would go off for ever");
        }
        self.after(result);
    }

    /// Answers one of those who wait for an answer, or somebody who does not.
    pub(super) fn answer(&mut self, choice: u8) {
        if self.failed {
            return;
        }
        let asked = self.asked.keys().nth(usize::from(choice >> 2) % self.asked.len().max(1));
        let stream_id = asked.copied().unwrap_or(u32::from(choice >> 2));
        let result = self.answer_stream(stream_id, choice);
        self.after(result);
        self.receive(&[]);
    }

    fn answer_stream(&mut self, stream_id: u32, mind: u8) -> Result<(), Error> {
        self.answers += 1;
        match self.asked.remove(&stream_id) {
            Some(Question::Connect) if mind & REFUSE != 0 => {
                self.connection.reject_connect("not now");
                Ok(())
            }
            Some(Question::Connect) => self.connection.accept_connect(),
            Some(Question::Play) => {
                if mind & REFUSE == 0 {
                    self.playing.insert(stream_id);
                    self.connection.accept_play(stream_id);
                } else {
                    let refusal = PlayRefusal::NotFound;
                    self.connection.reject_play(stream_id, refusal, "nothing here");
                }
                Ok(())
            }
            Some(Question::Publish) if mind & REFUSE != 0 => {
                self.connection.reject_publish(stream_id, refusal(mind), "not now")
            }
            // What nobody asked is answered with nothing.
            question => {
                if question.is_some() && !self.connection.is_over() {
                    self.publishing.insert(stream_id);
                }
                self.connection.accept_publish(stream_id)
            }
        }
    }

    /// Stops one of the publishers, or somebody who is none.
    pub(super) fn stop(&mut self, choice: u8) {
        if self.failed {
            return;
        }
        let count = self.publishing.len().max(1);
        let publisher = self.publishing.iter().nth(usize::from(choice) % count).copied();
        let stream_id = publisher.unwrap_or(choice.into());
        self.publishing.remove(&stream_id);
        self.answers += 1;
        self.connection.stop_publish(stream_id, refusal(choice), "replaced");
        if let Some(stream_id) = self.playing.pop_first() {
            self.answers += 1;
            self.connection.end_play(stream_id, "over");
        }
        self.after(Ok(()));
    }

    /// The end: all that was asked is answered, all that was sent is read, and nothing is left over.
    pub(super) fn finish(&mut self) {
        self.mind &= !LATER;
        self.after(Ok(()));
        self.receive(&[]);
        assert!(self.failed || self.unread.is_empty(), "what is answered is read on");
        assert!(self.connection.next_event().is_none());
        assert!(self.connection.take_output().is_none());
    }

    /// Takes events and output, as a host does after every call.
    fn after(&mut self, mut result: Result<(), Error>) {
        if self.failed {
            return;
        }
        loop {
            let before = self.seen.len();
            while let Some(event) = self.connection.next_event() {
                self.event(event);
            }
            // Only a bad name makes the peer's own words the end, and they are the last.
            if let Some(last) = self.seen[before..].last().filter(|_| self.connection.is_over()) {
                assert!(last.starts_with("bad name"), "{last:?} after the end");
            }
            let next = self.asked.keys().next().copied();
            let Some(stream_id) = next.filter(|_| result.is_ok() && self.mind & LATER == 0) else {
                break;
            };
            result = self.answer_stream(stream_id, self.mind);
        }
        if let Err(error) = result {
            assert!(error.to_string().len() < 1000);
            self.seen.push(error.to_string());
            self.failed = true;
        }
        while let Some(bytes) = self.connection.take_output() {
            self.sent += bytes.len();
        }
        self.look_at_amounts();
    }

    fn event(&mut self, event: ServerEvent) {
        let short = match event {
            ServerEvent::Connect => {
                assert!(self.config.ask_connect && !self.connected && self.asked.is_empty());
                assert!(self.connection.connect().is_some());
                self.asked.insert(0, Question::Connect);
                "connect".into()
            }
            ServerEvent::Connected { app, agent } => {
                assert!(!self.connected && self.asked.is_empty(), "connected once");
                self.connected = true;
                assert!(!agent.chars().chain(app.chars()).any(char::is_control));
                format!("connected {app} {agent}")
            }
            ServerEvent::Publish { stream_id, name, query, .. } => {
                assert!(self.connected);
                assert!(!self.publishing.contains(&stream_id), "{stream_id} publishes already");
                let before = self.asked.insert(stream_id, Question::Publish);
                assert_ne!(before, Some(Question::Publish), "{stream_id} has asked already");
                format!("publish {stream_id} {name} {query}")
            }
            ServerEvent::Play { stream_id, name, query, .. } => {
                assert!(self.connected);
                assert!(!self.publishing.contains(&stream_id), "{stream_id} publishes");
                let before = self.asked.insert(stream_id, Question::Play);
                assert_ne!(before, Some(Question::Publish), "{stream_id} has asked already");
                format!("play {stream_id} {name} {query}")
            }
            ServerEvent::BadName(error) | ServerEvent::BadPlay(error) => {
                format!("bad name: {error}")
            }
            ServerEvent::Media(media) => {
                assert!(self.publishing.contains(&media.stream_id), "media of nobody");
                assert!(!media.buffer.is_empty());
                self.media += media.buffer.len();
                let tag = media.buffer.finish(media.kind, media.timestamp.into());
                format!("media {} {tag:?}", media.stream_id)
            }
            ServerEvent::Unpublish { stream_id } => {
                assert!(self.publishing.remove(&stream_id), "{stream_id} did not publish");
                format!("unpublish {stream_id}")
            }
            ServerEvent::Pause { stream_id, paused } => {
                assert!(self.plays(stream_id), "{stream_id} does not play");
                format!("pause {stream_id} {paused}")
            }
            ServerEvent::ReceiveAudio { stream_id, on } => {
                assert!(self.plays(stream_id), "{stream_id} does not play");
                format!("audio {stream_id} {on}")
            }
            ServerEvent::ReceiveVideo { stream_id, on } => {
                assert!(self.plays(stream_id), "{stream_id} does not play");
                format!("video {stream_id} {on}")
            }
            ServerEvent::Stop { stream_id } => {
                assert!(self.plays(stream_id), "{stream_id} does not play");
                self.playing.remove(&stream_id);
                self.asked.remove(&stream_id);
                format!("stop {stream_id}")
            }
            event => panic!("{event:?} is unknown here"),
        };
        self.seen.push(short);
    }

    fn plays(&self, stream_id: u32) -> bool {
        self.playing.contains(&stream_id) || self.asked.get(&stream_id) == Some(&Question::Play)
    }

    fn look_at_amounts(&self) {
        let Self { received, sent, pings, answers, media, .. } = *self;
        assert!(media <= received, "{media} bytes of media in {received} bytes");
        assert!(
            sent <= 4096 + received * MAX_ANSWER + pings * MAX_PING + answers * MAX_STATUS,
            "{sent} bytes are sent for {received}"
        );
        // `seen` is this test's own, and grows with what was received as well.
        let held = (self.live)().saturating_sub(self.live_before);
        assert!(held <= BASE + received * MAX_HELD, "{held} bytes are held of {received}");
    }
}

fn refusal(choice: u8) -> PublishRefusal {
    match choice >> 4 & 3 {
        0 => PublishRefusal::BadName,
        1 => PublishRefusal::Denied,
        2 => PublishRefusal::BadAuth,
        _ => PublishRefusal::Failed,
    }
}

/// The most bytes sent for a byte received: a peer that wants every byte acknowledged and sends them one by one.
const MAX_ANSWER: usize = 32;

/// A ping with its header.
const MAX_PING: usize = 18;

/// A status with its header.
const MAX_STATUS: usize = 400;

/// What a connection may hold however little was received.
const BASE: usize = 64 << 10;

/// What may be held of each byte received: its buffer doubles as it grows, and a tag is a few dozen bytes more than its
/// data.
const MAX_HELD: usize = 64;
