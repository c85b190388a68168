//! Playing: what a player asks for, and what it is told.
//!
//! ```text
//! play ──► [asked] ── accept ──► StreamBegin, Play.Reset, Play.Start, |RtmpSampleAccess … media … end
//!             └────── reject ──► Play.StreamNotFound, Play.Failed
//! ```
//!
//! Media does not pass through here: the host sends [images](crate::chunk::image) of it, in front of or behind what
//! [`ServerConnection::take_output`] gives, and never within. Nothing is held back while the host looks for the stream: a
//! player that asks has nothing to send that could be lost, and a publisher on the same connection goes on.

use std::time::Duration;

use pushpull_media::amf0::{self, Value};

use super::streams::Stream;
use super::{COMMAND_CHUNKS, PlayRefusal, ServerConnection, ServerEvent};
use crate::StreamName;
use crate::command::Command;
use crate::message::{Control, kind};
use crate::name::Target;

/// A message stream that plays, or has asked to.
#[derive(Debug)]
pub(super) struct Playing {
    name: StreamName,
    /// Whether the player asked to begin anew instead of adding to a list.
    reset: bool,
    is_accepted: bool,
    is_paused: bool,
    has_audio: bool,
    has_video: bool,
}

impl ServerConnection {
    /// Lets the asking player play: it is told, and media may follow what [`ServerConnection::take_output`] gives now.
    pub fn accept_play(&mut self, stream_id: u32) {
        let Some(playing) = self.asking(stream_id) else { return };
        playing.is_accepted = true;
        let (name, reset) = (playing.name.clone(), playing.reset);
        self.send_control(Control::StreamBegin(stream_id));
        if reset {
            let text = format!("playing and resetting {name}");
            self.send_status(stream_id, "status", "NetStream.Play.Reset", &text);
        }
        let text = format!("started playing {name}");
        self.send_status(stream_id, "status", "NetStream.Play.Start", &text);
        self.send_sample_access(stream_id);
    }

    /// Tells the asking player that it cannot have the stream. The connection goes on.
    pub fn reject_play(&mut self, stream_id: u32, refusal: PlayRefusal, description: &str) {
        if self.asking(stream_id).is_some() {
            self.forget_playing(stream_id);
            self.send_status(stream_id, "error", refusal.code(), description);
        }
    }

    /// Tells a player that the stream is over. The connection goes on.
    pub fn end_play(&mut self, stream_id: u32, description: &str) {
        if self.forget_playing(stream_id).is_some() {
            let code = "NetStream.Play.UnpublishNotify";
            self.send_status(stream_id, "status", code, description);
            self.send_control(Control::StreamEof(stream_id));
        }
    }

    /// `play(name, start, duration, reset)` and `play2(parameters)`. There is nothing but live streams: `start` and
    /// `duration` have no meaning.
    pub(super) fn play(&mut self, stream_id: u32, command: &Command) {
        let code = "NetStream.Play.Failed";
        if self.streams.get(&stream_id).is_some_and(Stream::is_publishing) {
            let text = "this message stream is publishing";
            return self.send_status(stream_id, "error", code, text);
        }
        if !self.has_room_for(stream_id) {
            return self.send_status(stream_id, "error", code, "too many message streams");
        }
        let argument = command.arguments.first();
        let key = argument
            .and_then(|value| value.as_str().or_else(|| value.get("streamName")?.as_str()))
            .unwrap_or_default();
        let target =
            self.resolve(stream_id, key, PlayRefusal::NotFound.code(), ServerEvent::BadPlay);
        let Some(Target { name, query }) = target else { return };
        // What it played before ends here.
        self.stop_playing(stream_id, false);
        let reset = command.arguments.get(3).is_some_and(|reset| match reset {
            Value::Number(number) => *number != 0.0,
            other => other.as_bool() == Some(true),
        });
        self.streams.entry(stream_id).or_default().playing = Some(Playing {
            name: name.clone(),
            reset,
            is_accepted: false,
            is_paused: false,
            has_audio: true,
            has_video: true,
        });
        self.events.push_back(ServerEvent::Play { stream_id, name, query });
    }

    /// `pause(pause, time)`. There is no time to go back to: what is live goes on where it is by then.
    pub(super) fn pause(&mut self, stream_id: u32, command: &Command) {
        self.send_result(command, Value::Undefined);
        let Some(playing) = self.playing(stream_id) else { return };
        let paused = switch(command);
        if playing.is_paused == paused {
            return;
        }
        playing.is_paused = paused;
        let name = playing.name.clone();
        if paused {
            let text = format!("pausing {name}");
            self.send_status(stream_id, "status", "NetStream.Pause.Notify", &text);
            self.send_control(Control::StreamEof(stream_id));
        } else {
            self.send_control(Control::StreamBegin(stream_id));
            let text = format!("unpausing {name}");
            self.send_status(stream_id, "status", "NetStream.Unpause.Notify", &text);
        }
        self.events.push_back(ServerEvent::Pause { stream_id, paused });
    }

    /// `receiveAudio(receive)`. Switching it on is answered with two statuses (RTMP 1.0, section 7.2.2.4).
    pub(super) fn receive_audio(&mut self, stream_id: u32, command: &Command) {
        self.send_result(command, Value::Undefined);
        let Some(playing) = self.playing(stream_id) else { return };
        let on = switch(command);
        if std::mem::replace(&mut playing.has_audio, on) != on {
            self.events.push_back(ServerEvent::ReceiveAudio { stream_id, on });
            self.confirm_receive(stream_id, on);
        }
    }

    /// `receiveVideo(receive)`, see above.
    pub(super) fn receive_video(&mut self, stream_id: u32, command: &Command) {
        self.send_result(command, Value::Undefined);
        let Some(playing) = self.playing(stream_id) else { return };
        let on = switch(command);
        if std::mem::replace(&mut playing.has_video, on) != on {
            self.events.push_back(ServerEvent::ReceiveVideo { stream_id, on });
            self.confirm_receive(stream_id, on);
        }
    }

    /// `seek(time)`: there is no time but now.
    pub(super) fn seek(&mut self, stream_id: u32, command: &Command) {
        if self.playing(stream_id).is_some() {
            let text = "a live stream cannot be searched";
            self.send_status(stream_id, "error", "NetStream.Seek.Failed", text);
        } else {
            self.send_result(command, Value::Undefined);
        }
    }

    /// Ends what the message stream plays or has asked to.
    pub(super) fn stop_playing(&mut self, stream_id: u32, tell: bool) {
        let Some(playing) = self.forget_playing(stream_id) else { return };
        if tell {
            let text = format!("stopped playing {}", playing.name);
            self.send_status(stream_id, "status", "NetStream.Play.Stop", &text);
            self.send_control(Control::StreamEof(stream_id));
        }
        self.events.push_back(ServerEvent::Stop { stream_id });
    }

    /// Whether there is a player on this connection, and no publisher.
    pub(super) fn only_plays(&self) -> bool {
        self.streams.values().any(|stream| stream.playing.is_some())
            && !self.streams.values().any(Stream::is_publishing)
    }

    fn playing(&mut self, stream_id: u32) -> Option<&mut Playing> {
        self.streams.get_mut(&stream_id)?.playing.as_mut()
    }

    fn asking(&mut self, stream_id: u32) -> Option<&mut Playing> {
        self.playing(stream_id).filter(|playing| !playing.is_accepted)
    }

    fn forget_playing(&mut self, stream_id: u32) -> Option<Playing> {
        let playing = self.streams.get_mut(&stream_id)?.playing.take()?;
        self.clock.idle_since = self.clock.now;
        Some(playing)
    }

    fn confirm_receive(&mut self, stream_id: u32, on: bool) {
        if on {
            let text = "going on where the stream is";
            self.send_status(stream_id, "status", "NetStream.Seek.Notify", text);
            self.send_status(stream_id, "status", "NetStream.Play.Start", text);
        }
    }

    /// Says that scripts in the player may look at pictures and sound; Flash players wait for it.
    fn send_sample_access(&mut self, stream_id: u32) {
        let mut payload = Vec::new();
        for value in ["|RtmpSampleAccess".into(), true.into(), true.into()] {
            amf0::encode(&value, &mut payload);
        }
        let kind = kind::DATA_AMF0;
        self.writer.write(COMMAND_CHUNKS, 0, kind, stream_id, &payload, &mut self.output);
    }
}

/// The first argument as a switch; off unless it says on.
fn switch(command: &Command) -> bool {
    match command.arguments.first() {
        Some(Value::Number(number)) => *number != 0.0,
        other => other.and_then(Value::as_bool).unwrap_or(false),
    }
}

/// After what silence a player is pinged: media keeps the connection open through proxies, and when there is none for a
/// while (a pause, a publisher that was lost), this does. Many cut after 30 s or more.
pub(super) const PING_AFTER: Duration = Duration::from_secs(20);
