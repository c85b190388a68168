//! The one who publishes: messages in, blocks out.

use std::sync::Arc;

use pushpull_media::flv::{Tag, TagBuffer, TagKind};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::Hub;
use super::batch::{Batch, Held};
use super::block::Block;
use super::clock::Clock;
use super::defaults::DefaultTracks;
use super::headers::{HeaderKind, Headers};
use super::metadata;
use super::multitrack::TrackIds;
use super::packet::{Packet, Role};
use super::preroll::{Message, Preroll};
use super::probe::Probe;
use super::ring::EndReason;
use super::status::Trouble;
use super::stream::{Resume, Session, Stream};
use super::tracks::Tracks;
use crate::limits::Limit;

/// The one who publishes a stream.
///
/// Dropping it means that it was lost: its viewers are held for the grace period, in which another publisher may claim the
/// name and go on. [`Publisher::finish`] ends the stream at once.
#[derive(Debug)]
#[must_use = "dropping a publisher ends its stream"]
pub struct Publisher {
    hub: Hub,
    stream: Arc<Stream>,
    session: u64,
    stop: watch::Receiver<Option<StopReason>>,
    /// `None` once the tracks are decided.
    preroll: Option<Preroll>,
    clock: Clock,
    resume: Resume,
    tracks: Tracks,
    headers: Arc<Headers>,
    /// As it came; what is sent of it depends on the tracks.
    metadata: Option<Tag>,
    defaults: DefaultTracks,
    /// The video track whose keyframe viewers have.
    begun_video: Option<u8>,
    batch: Batch,
    probe: Arc<Probe>,
    is_finished: bool,
}

/// Why a publisher must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// Another publisher took the name over.
    Replaced,
    /// An operator stopped the stream.
    Kicked,
    /// What allowed it to publish has run out.
    Expired,
    /// It sent nothing for [`super::Config::first_media`] or [`super::Config::media_idle`].
    Silent,
    /// The server stops.
    ServerStopping,
}

impl Publisher {
    pub(super) fn new(hub: Hub, stream: Arc<Stream>, session: Session) -> Self {
        let config = hub.config();
        let preroll = Some(Preroll::new(config.tracks_wait));
        let batch = Batch::new(&config);
        let probe = Probe::new(&stream, None);
        Self {
            hub,
            stream,
            session: session.number,
            stop: session.stop,
            preroll,
            clock: Clock::new(),
            headers: Arc::new(Headers::empty(session.resume.headers_version + 1)),
            resume: session.resume,
            tracks: Tracks::default(),
            metadata: None,
            defaults: DefaultTracks::default(),
            begun_video: None,
            batch,
            probe,
            is_finished: false,
        }
    }

    /// Publishes one message. `timestamp`: milliseconds as RTMP and FLV count them, modulo 2³²; `buffer`: the message's
    /// data. Script data begin with their name (`onMetaData`), not with `@setDataFrame`.
    ///
    /// Never fails: a message that nobody could use is counted in [`super::Stats::ignored`]. Does nothing once another
    /// publisher has taken over.
    pub fn media(&mut self, kind: TagKind, timestamp: u32, buffer: TagBuffer) {
        let now = Instant::now();
        let len = buffer.len();
        self.hub.stats().received(len);
        self.probe.count(len);
        let count = |live: &mut super::stream::Live| {
            live.last_media = now;
            live.has_media = true;
            live.received += len as u64;
            live.meter.count(kind, len, now);
        };
        if self.stream.with(self.session, count).is_none() {
            return;
        }
        let Some(packet) = Packet::read(kind, buffer.data()) else {
            self.hub.stats().ignored_one();
            return;
        };
        if packet.is_unknown() {
            self.hub.stats().unknown_one();
        }
        let time = match packet.track() {
            Some(track) => {
                let jumps = self.clock.jumps();
                let time = self.clock.frame(track, timestamp, now);
                if self.clock.jumps() > jumps {
                    self.hub.stats().clock_jumped();
                    debug!(stream = %self.stream.name, timestamp, "the publisher's clock jumped");
                    self.stream.trouble(Trouble::ClockJumped);
                }
                self.stream.with(self.session, |live| live.arrivals.frame(track, time, now));
                Some(time)
            }
            None => self.clock.between_frames(timestamp),
        };
        let message = Message { kind, packet, time, buffer };
        match &mut self.preroll {
            Some(preroll) => {
                preroll.hold(message, now);
                if let Some(tracks) = preroll.decided(now) {
                    self.begin(tracks);
                }
            }
            None => self.admit(message),
        }
    }

    /// What others may know of this publisher while it publishes.
    pub fn probe(&self) -> Arc<Probe> {
        self.probe.clone()
    }

    /// When [`Publisher::flush`] must be called, unless more media comes before.
    pub fn flush_at(&self) -> Option<Instant> {
        match &self.preroll {
            Some(preroll) => preroll.deadline(),
            None => self.batch.deadline(),
        }
    }

    /// Sends what has been held for long enough. To be called at [`Publisher::flush_at`]; harmless at any time.
    pub fn flush(&mut self) {
        let now = Instant::now();
        if let Some(tracks) = self.preroll.as_ref().and_then(|preroll| preroll.decided(now)) {
            self.begin(tracks);
        }
        if self.batch.deadline().is_some_and(|deadline| now >= deadline) {
            self.send_held();
        }
    }

    /// Waits until this publisher must stop. From then on what it publishes goes nowhere.
    pub fn stopped(&self) -> impl Future<Output = StopReason> + Send + use<> {
        let mut stop = self.stop.clone();
        let silent = silent(self.hub.clone(), self.stream.clone(), self.session);
        async move {
            tokio::select! {
                told = stop.wait_for(Option::is_some) => match told {
                    Ok(reason) => reason.unwrap_or(StopReason::Replaced),
                    // The stream is gone altogether.
                    Err(_) => StopReason::Replaced,
                },
                () = silent => StopReason::Silent,
            }
        }
    }

    /// The publisher said goodbye: ends the stream at once.
    pub fn finish(mut self) {
        self.send_everything();
        self.is_finished = true;
        self.hub.end(&self.stream, self.session, EndReason::Finished);
    }

    /// The tracks are known: sends what was held for their sake.
    fn begin(&mut self, tracks: Tracks) {
        let Some(preroll) = self.preroll.take() else { return };
        // The earliest frame of either track is where the stream begins or goes on.
        let at = self.resume.progress.high().map_or(0, |high| high + RESUME_STEP_MS);
        self.clock.place(preroll.first_time(), at);
        self.set_tracks(tracks);
        for message in preroll.into_messages() {
            self.admit(message);
        }
    }

    /// Sends a message, or holds it for the next picture.
    fn admit(&mut self, message: Message) {
        let Message { kind, packet, time, buffer } = message;
        let time = time.map_or_else(|| self.here(), |raw| self.clock.time(raw));
        let is_frame = packet.track().is_some();
        let is_main = is_frame && self.defaults.see(kind, packet.tracks, time);
        self.see_tracks(kind, packet.tracks);
        let main = self.defaults.get().video;
        match packet.role {
            Role::Picture { is_keyframe: true } if is_main => self.begun_video = main,
            Role::Picture { is_keyframe: false } if is_main && self.begun_video != main => {
                // Nothing can be decoded before the first keyframe; viewers held from an earlier publisher would see
                // it as damage to the pictures they have.
                self.hub.stats().ignored_one();
                return;
            }
            _ => {}
        }
        self.reveal(packet.role, time);
        let tag = self.true_tag(packet.role, buffer.finish(kind, time));
        self.note(&packet, is_main, &tag);
        self.advance(packet.role, time);
        match packet.role {
            Role::Picture { is_keyframe: true } if is_main => self.hold_start(tag),
            Role::Sound if is_main && !self.tracks.video => self.hold_start(tag),
            Role::Picture { is_keyframe: false } if is_main => self.batch.hold_picture(tag),
            // Further tracks travel along: what viewers begin with is the main one.
            _ => self.batch.hold(tag),
        }
        if self.batch.is_due() {
            self.send_held();
        }
    }

    /// A frame of a track that had not been there: joiners are told by the FLV header, those who watch by new metadata.
    fn reveal(&mut self, role: Role, time: i64) {
        let tracks = match role {
            Role::Sound => Tracks { audio: true, ..self.tracks },
            Role::Picture { .. } => Tracks { video: true, ..self.tracks },
            Role::Header(_) | Role::Other => return,
        };
        if tracks == self.tracks {
            return;
        }
        self.set_tracks(tracks);
        let metadata = self.metadata.as_ref();
        if let Some(Ok(tag)) = metadata.map(|tag| Tag::new(tag.kind(), time, tag.data())) {
            let tag = mended(tag, tracks);
            self.set_header(HeaderKind::Metadata, tag.clone());
            self.batch.hold(tag);
        }
    }

    fn set_tracks(&mut self, tracks: Tracks) {
        self.tracks = tracks;
        self.stream.with(self.session, |live| live.tracks = tracks);
        self.hub.changed();
    }

    /// The tag to send: metadata is mended and kept, headers are remembered for joiners.
    fn true_tag(&mut self, role: Role, tag: Tag) -> Tag {
        let Role::Header(kind) = role else { return tag };
        let tag = if kind == HeaderKind::Metadata {
            self.metadata = Some(tag.clone());
            mended(tag, self.tracks)
        } else {
            tag
        };
        self.set_header(kind, tag.clone());
        tag
    }

    fn set_header(&mut self, kind: HeaderKind, tag: Tag) {
        let headers = self.headers.with(kind, tag);
        self.set_headers(headers);
    }

    fn see_tracks(&mut self, kind: TagKind, tracks: TrackIds) {
        let headers = self.headers.with_tracks(kind, tracks);
        self.set_headers(headers);
        let headers = self.headers.with_defaults(self.defaults.get());
        self.set_headers(headers);
    }

    fn set_headers(&mut self, headers: Option<Headers>) {
        if let Some(headers) = headers {
            if self.batch.is_start() && headers.version() != self.headers.version() {
                // Who begins with what is held begins with the headers it was made for.
                self.send_held();
            }
            self.resume.headers_version = headers.version();
            self.headers = Arc::new(headers);
        }
    }

    /// Keeps the stream's description and measures up to date.
    fn note(&mut self, packet: &Packet, is_main: bool, tag: &Tag) {
        let defaults = self.defaults.get();
        let learnt = self.stream.with(self.session, |live| {
            if let Role::Picture { is_keyframe } = packet.role
                && is_main
            {
                live.meter.picture(tag.time(), is_keyframe);
            }
            live.description.set_defaults(defaults);
            live.description.learn(packet, tag.data())
        });
        let learnt = learnt.unwrap_or_default();
        if let Some(track) = learnt.changed.lowest() {
            // A configuration of another codec would lead joiners astray.
            let headers = self.headers.without(tag.kind(), track);
            self.set_headers(headers);
        }
        if learnt.anything {
            self.hub.changed();
        }
    }

    fn advance(&mut self, role: Role, time: i64) {
        if matches!(role, Role::Sound | Role::Picture { .. }) {
            self.resume.progress.advance(time);
        }
    }

    /// The stream's time for what comes before the first frame.
    fn here(&self) -> i64 {
        self.resume.progress.high().unwrap_or(0)
    }

    /// Holds a tag that viewers can begin with, in front: they get nothing from before it.
    fn hold_start(&mut self, tag: Tag) {
        if !self.batch.is_start() {
            self.send_held();
        }
        self.batch.hold_start(tag);
    }

    fn send_held(&mut self) {
        let Held { tags, is_start } = self.batch.take();
        if !tags.is_empty() {
            self.send(tags, is_start);
        }
    }

    fn send(&self, tags: Vec<Tag>, is_start: bool) {
        let position = self.resume.progress.position();
        let block = Arc::new(Block::new(tags, is_start, position, self.headers.clone()));
        // Under the stream's lock, so that nothing of this publisher follows what its successor sends.
        self.stream.with(self.session, |live| {
            live.resume = self.resume;
            self.stream.ring.push(block);
        });
        self.stream.account();
        self.hub.keep_within_budget();
    }

    fn send_everything(&mut self) {
        let seen = self.preroll.as_ref().map(Preroll::seen);
        if let Some(tracks) = seen.filter(|&seen| seen != Tracks::default()) {
            self.begin(tracks);
        }
        self.send_held();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        self.send_everything();
        let grace = self.hub.config().grace;
        let has_begun = self.resume.progress.high().is_some();
        let runtime = Handle::try_current().ok().filter(|_| has_begun && !grace.is_zero());
        let Some(runtime) = runtime else {
            // Nobody to hold, or nobody to count the time.
            self.hub.end(&self.stream, self.session, EndReason::PublisherLost);
            return;
        };
        if self.stream.lose(self.session) {
            self.hub.changed();
            let (hub, stream, session) = (self.hub.clone(), self.stream.clone(), self.session);
            runtime.spawn(async move {
                tokio::time::sleep(grace).await;
                hub.end_if_lost(&stream, session);
            });
        }
    }
}

/// Waits until the publisher of `session` has sent nothing for too long.
async fn silent(hub: Hub, stream: Arc<Stream>, session: u64) {
    loop {
        let Some((since, has_media)) =
            stream.with(session, |live| (live.last_media, live.has_media))
        else {
            // Not the publisher any more, which it is told in another way.
            return std::future::pending().await;
        };
        let config = hub.config();
        let (limit, wait) = match has_media {
            true => (Limit::MediaIdle, config.media_idle),
            false => (Limit::FirstMedia, config.first_media),
        };
        let (now, deadline) = (Instant::now(), since + wait);
        if now >= deadline {
            hub.stats().hits().hit(limit);
            return;
        }
        // Its first media brings the other limit into force, which may be the shorter one.
        sleep_until(deadline.min(now + config.media_idle)).await;
    }
}

/// `tag` with its metadata true to `tracks`.
fn mended(tag: Tag, tracks: Tracks) -> Tag {
    metadata::mend(tag.data(), tracks)
        .and_then(|data| Tag::new(tag.kind(), tag.time(), &data).ok())
        .unwrap_or(tag)
}

/// Where a new publisher's first frame stands behind the last one of its predecessor: about one picture, so that players
/// see no gap to bridge.
const RESUME_STEP_MS: i64 = 40;
