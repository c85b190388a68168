//! Players: message streams that take what the hub has.
//!
//! Almost all players are on message stream 1 and want everything. They are sent one image of each block, which is built
//! for the first of them and shared by the rest; others get images of their own.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use pushpull_media::flv::{Tag, TagKind, audio, video};
use pushpull_rtmp::server::PlayRefusal;
use pushpull_rtmp::{StreamName, chunk};
use tracing::{info, warn};

use super::PlayerPlace;
use super::rota::Rota;
use super::session::Session;
use crate::access;
use crate::hub::{Block, EndReason, Next, Query, Release, ViewError, Viewer, ViewerInfo};
use crate::limits::Limit;
use crate::metrics::OpenPlayer;
use crate::sessions::{self, Purpose, Stop};

/// The message streams of a connection that play, by their ids.
pub(super) struct Playings {
    all: Rota<Playing>,
    chunk_size: u32,
}

/// A message stream that plays, or waits for its stream.
struct Playing {
    stage: Stage,
    is_paused: bool,
    audio: Track,
    video: Track,
    _place: PlayerPlace,
    _open: OpenPlayer,
}

enum Stage {
    Joining(Pin<Box<dyn Future<Output = Result<Watching, Refused>> + Send>>),
    /// Not in a box: nearly all that play are there, and at each picture it would be one more place in memory.
    Watching(Watching),
}

/// A viewer that was let in.
struct Watching {
    viewer: Viewer,
    session: sessions::Session,
}

/// Why somebody must not play.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// It is not let in.
    #[error(transparent)]
    Access(#[from] access::Refusal),
    /// It does not get the stream.
    #[error(transparent)]
    View(#[from] ViewError),
    /// It was let in, and had to leave while it waited for the stream.
    #[error("{}", stopped(*.0))]
    Stopped(Stop),
}

/// Whether a player gets a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Track {
    On,
    Off,
    /// From its next start on, with its headers in front.
    Resuming,
}

/// What comes next for one of the players.
pub(super) enum Turn {
    /// The hub has found its stream, or not.
    Joined { stream_id: u32, outcome: Result<(), Refused> },
    /// Messages to send.
    Media(Bytes),
    /// Messages to send, and the task is woken when there are more.
    LastMedia(Bytes),
    /// The stream is over for it.
    Ended { stream_id: u32, text: &'static str },
}

impl Playings {
    /// Nobody plays yet. `chunk_size` is that of everything the connection sends.
    pub(super) fn new(chunk_size: u32) -> Self {
        Self { all: Rota::default(), chunk_size }
    }

    /// Whether any of them is a viewer of the hub, which ends it when the server stops.
    pub(super) fn is_watching(&self) -> bool {
        self.all.iter().any(|(_, playing)| matches!(playing.stage, Stage::Watching(_)))
    }

    /// Nobody plays any more.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    /// What comes next for any of them, each in its turn; pending for ever if there is none. To be asked only while there
    /// is room for it: a player that is not asked for falls behind in the hub's ring.
    pub(super) fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        let turn = self
            .all
            .poll_turn(|stream_id, playing| playing.poll_turn(stream_id, self.chunk_size, context));
        turn.map(|turn| match turn {
            // Another may have more all the same.
            Turn::LastMedia(image) if self.all.len() > 1 => Turn::Media(image),
            Turn::Joined { stream_id, outcome: Err(_) } | Turn::Ended { stream_id, .. } => {
                self.all.remove(stream_id);
                turn
            }
            turn => turn,
        })
    }

    /// While the peer takes nothing, with `unsent` bytes on their way to it: ready when there is no point in waiting for it
    /// any longer.
    pub(super) fn poll_hold(&mut self, context: &mut Context<'_>, unsent: usize) -> Poll<Release> {
        for (_, playing) in self.all.iter_mut() {
            let Stage::Watching(watching) = &mut playing.stage else { continue };
            let release = watching.viewer.poll_hold(context, unsent);
            if release.is_ready() {
                return release;
            }
        }
        Poll::Pending
    }

    /// Whether one of them must end, though its stream goes on; pending for ever if there is none.
    pub(super) fn poll_stopped(&mut self, context: &Context<'_>) -> Poll<Turn> {
        let stopped = self.all.iter_mut().find_map(|(stream_id, playing)| {
            let Stage::Watching(watching) = &mut playing.stage else { return None };
            match watching.session.poll_stopped(context) {
                Poll::Ready(stop) => Some((stream_id, stop)),
                Poll::Pending => None,
            }
        });
        let Some((stream_id, stop)) = stopped else { return Poll::Pending };
        self.all.remove(stream_id);
        Poll::Ready(Turn::Ended { stream_id, text: self::stopped(stop) })
    }

    pub(super) fn pause(&mut self, stream_id: u32, paused: bool) {
        if let Some(playing) = self.all.get_mut(stream_id) {
            let was_paused = std::mem::replace(&mut playing.is_paused, paused);
            if let (Stage::Watching(watching), true) = (&mut playing.stage, paused != was_paused) {
                let viewer = &mut watching.viewer;
                if paused { viewer.pause() } else { viewer.resume() }
            }
        }
    }

    pub(super) fn receive(&mut self, stream_id: u32, kind: TagKind, on: bool) {
        let Some(playing) = self.all.get_mut(stream_id) else { return };
        let track = match kind {
            TagKind::Audio => &mut playing.audio,
            TagKind::Video => &mut playing.video,
            TagKind::Script => return,
        };
        *track = if on { Track::Resuming } else { Track::Off };
    }

    pub(super) fn stop(&mut self, stream_id: u32) {
        self.all.remove(stream_id);
    }
}

impl Playing {
    fn poll_turn(
        &mut self,
        stream_id: u32,
        chunk_size: u32,
        context: &mut Context<'_>,
    ) -> Poll<Turn> {
        let Watching { viewer, .. } = match &mut self.stage {
            Stage::Watching(watching) => watching,
            Stage::Joining(joining) => {
                let joined = std::task::ready!(joining.as_mut().poll(context));
                let outcome = joined.map(|watching| self.stage = Stage::Watching(watching));
                return Poll::Ready(Turn::Joined { stream_id, outcome });
            }
        };
        loop {
            let block = match std::task::ready!(viewer.poll_next(context)) {
                Next::Block(block) => block,
                Next::End(reason) => {
                    return Poll::Ready(Turn::Ended { stream_id, text: ending(reason) });
                }
            };
            if self.is_paused {
                // The end of the stream is still news.
                continue;
            }
            let image = match (self.audio, self.video) {
                (Track::On, Track::On) => image(&block, stream_id, chunk_size),
                (audio, video) => {
                    let resumes = [audio, video].contains(&Track::Resuming);
                    let headers = if resumes { viewer.headers_at(&block) } else { None };
                    let headers = headers.as_deref().map_or(&[][..], Block::tags);
                    let tags = wanted(block.tags(), headers, &mut self.audio, &mut self.video);
                    chunk::image(tags.iter(), stream_id, chunk_size)
                }
            };
            if !image.is_empty() {
                let has_all = viewer.has_all();
                return Poll::Ready(if has_all {
                    Turn::LastMedia(image)
                } else {
                    Turn::Media(image)
                });
            }
        }
    }
}

impl Session {
    /// Asks the hub for a stream. While it is waited for, the connection goes on.
    pub(super) fn play(&mut self, stream_id: u32, name: StreamName, query: &str) {
        self.name_in_log(&name);
        let Query { start, tracks } = match Query::parse(query) {
            Ok(query) => query,
            Err(error) => {
                let text = error.to_string();
                return self.refuse_play(stream_id, PlayRefusal::Failed, "bad_parameter", &text);
            }
        };
        let limit = self.host.live.get().max_players;
        let Some(place) = self.host.players.take(limit) else {
            self.host.metrics.hits.hit(Limit::RtmpPlayers);
            let text = format!("there are as many players as this server takes ({limit})");
            return self.refuse_play(stream_id, PlayRefusal::Failed, "too_many_players", &text);
        };
        let (access, hub) = (self.host.access.clone(), self.host.hub.clone());
        let info = ViewerInfo { protocol: "rtmp", peer: self.peer.to_string() };
        let request = self.request(Purpose::Play, name.clone(), query.to_owned());
        let join = async move {
            let mut session = access.admit(request).await?;
            let viewer = session.unless_stopped(hub.view(&name, start, info)).await;
            let viewer = viewer.map_err(Refused::Stopped)??.choosing(tracks);
            session.watch(viewer.probe());
            Ok(Watching { viewer, session })
        };
        let playing = Playing {
            stage: Stage::Joining(Box::pin(join)),
            is_paused: false,
            audio: Track::On,
            video: Track::On,
            _place: place,
            _open: self.host.metrics.player(),
        };
        self.playings.all.insert(stream_id, playing);
    }

    /// Does what a player's turn says.
    pub(super) fn take_turn(&mut self, turn: Turn) {
        match turn {
            Turn::Media(image) | Turn::LastMedia(image) => self.outbox.push(image),
            Turn::Joined { stream_id, outcome: Ok(()) } => {
                info!(stream_id, "playing");
                self.rtmp.accept_play(stream_id);
            }
            Turn::Joined { stream_id, outcome: Err(error) } => {
                let ((refusal, reason), text) = (refusal(&error), error.to_string());
                match error {
                    // The door has said so.
                    Refused::Access(_) => self.deny_play(stream_id, refusal, reason, &text),
                    Refused::View(_) | Refused::Stopped(_) => {
                        self.refuse_play(stream_id, refusal, reason, &text)
                    }
                }
            }
            Turn::Ended { stream_id, text } => {
                info!(stream_id, reason = text, "played to its end");
                self.rtmp.end_play(stream_id, text);
            }
        }
    }

    /// Tells every player of this connection that the server stops.
    pub(super) fn end_plays(&mut self) {
        let text = ending(EndReason::ServerStopping);
        for (stream_id, playing) in self.playings.all.iter() {
            match playing.stage {
                Stage::Watching(_) => self.rtmp.end_play(stream_id, text),
                Stage::Joining(_) => {
                    self.rtmp.reject_play(stream_id, PlayRefusal::Failed, text);
                }
            }
        }
        self.playings.clear();
    }

    fn refuse_play(
        &mut self,
        stream_id: u32,
        refusal: PlayRefusal,
        reason: &'static str,
        text: &str,
    ) {
        warn!(stream_id, reason = text, "refused a player");
        self.deny_play(stream_id, refusal, reason, text);
    }

    /// Refuses a player without a line in the log.
    fn deny_play(
        &mut self,
        stream_id: u32,
        refusal: PlayRefusal,
        reason: &'static str,
        text: &str,
    ) {
        self.host.metrics.player_refused(reason);
        self.rtmp.reject_play(stream_id, refusal, text);
    }
}

/// A block as it is sent to players that want all of it.
fn image(block: &Block, stream_id: u32, chunk_size: u32) -> Bytes {
    if stream_id == SHARED_STREAM_ID {
        block.chunked(|tags| chunk::image(tags.iter(), stream_id, chunk_size))
    } else {
        chunk::image(block.tags().iter(), stream_id, chunk_size)
    }
}

/// The tags of a block for a player that has not wanted all tracks all the time. A track that comes back begins with the
/// `headers` in force: they may have changed meanwhile.
fn wanted(all: &[Tag], headers: &[Tag], audio: &mut Track, video: &mut Track) -> Vec<Tag> {
    let mut tags = Vec::new();
    for tag in all {
        let (track, is_start) = match tag.kind() {
            TagKind::Audio => (&mut *audio, is_sound(tag)),
            TagKind::Video => (&mut *video, is_keyframe(tag)),
            TagKind::Script => {
                tags.push(tag.clone());
                continue;
            }
        };
        if *track == Track::Resuming && is_start {
            *track = Track::On;
            tags.extend(headers.iter().filter(|header| header.kind() == tag.kind()).cloned());
        }
        if *track == Track::On {
            tags.push(tag.clone());
        }
    }
    tags
}

fn is_sound(tag: &Tag) -> bool {
    audio::Head::parse(tag.data()).is_ok_and(|head| head.packet == audio::Packet::Frames)
}

fn is_keyframe(tag: &Tag) -> bool {
    video::Head::parse(tag.data()).is_ok_and(|head| head.is_keyframe())
}

/// How a refusal is told to an RTMP peer, and counted.
fn refusal(refused: &Refused) -> (PlayRefusal, &'static str) {
    match refused {
        Refused::Access(refusal) => (PlayRefusal::Failed, refusal.code),
        Refused::Stopped(stop) => (PlayRefusal::Failed, access::Refusal::from(*stop).code),
        Refused::View(ViewError::NotFound) => (PlayRefusal::NotFound, "not_found"),
        Refused::View(ViewError::NotReady) => (PlayRefusal::NotFound, "not_ready"),
        Refused::View(ViewError::TooManyViewers { .. }) => {
            (PlayRefusal::Failed, "too_many_viewers")
        }
        Refused::View(ViewError::Closing) => (PlayRefusal::Failed, "server_stopping"),
    }
}

fn stopped(stop: Stop) -> &'static str {
    match stop {
        Stop::Kicked => "the server's operator ended this session",
        Stop::Expired => "the signature that let this player in has expired",
    }
}

fn ending(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Finished => "the stream has ended",
        EndReason::PublisherLost => "the publisher was lost",
        EndReason::Kicked => "an operator stopped the stream",
        EndReason::ServerStopping => "the server is stopping",
    }
}

/// The message stream that almost every player plays on: the first that is made.
const SHARED_STREAM_ID: u32 = 1;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::hub::Headers;

    fn video(first: u8, packet: u8) -> Tag {
        Tag::new(TagKind::Video, 40, &[first, packet, 0, 0, 0, 7]).unwrap()
    }

    fn audio(packet: u8) -> Tag {
        Tag::new(TagKind::Audio, 40, &[0xAF, packet, 7]).unwrap()
    }

    #[test]
    fn players_of_the_first_message_stream_share_the_bytes() {
        let headers = Arc::new(Headers::empty(1));
        let block = Block::new(vec![audio(1), video(0x27, 1)], false, 0, headers);
        let (first, second) = (image(&block, 1, 60_000), image(&block, 1, 60_000));
        assert_eq!(first.as_ptr(), second.as_ptr());
        assert_eq!(first, chunk::image(block.tags().iter(), 1, 60_000));
        let other = image(&block, 2, 60_000);
        assert_eq!(other, chunk::image(block.tags().iter(), 2, 60_000));
    }

    #[test]
    fn a_track_comes_back_at_its_next_start_behind_its_headers() {
        let headers = [video(0x17, 0), audio(0)];
        let all =
            [video(0x27, 1), audio(0), audio(1), video(0x17, 0), video(0x17, 1), video(0x27, 1)];
        let (mut sound, mut pictures) = (Track::Resuming, Track::Resuming);
        let tags = wanted(&all, &headers, &mut sound, &mut pictures);
        let expected = [audio(0), audio(1), video(0x17, 0), video(0x17, 1), video(0x27, 1)];
        assert_eq!(tags, expected);
        assert_eq!((sound, pictures), (Track::On, Track::On));
        let (mut sound, mut pictures) = (Track::On, Track::Off);
        let tags = wanted(&all, &headers, &mut sound, &mut pictures);
        assert_eq!(tags, [audio(0), audio(1)]);
    }
}
