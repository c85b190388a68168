//! One connection: its socket, its timers, and the way it ends.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pushpull_media::flv::TagKind;
use pushpull_rtmp::server::{Counters, ServerEvent};
use pushpull_rtmp::{ServerConnection, StreamName, handshake};
use tokio::io::ReadBuf;
use tokio::time::{Duration, Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tracing::{Span, debug, info, warn};

use super::end::End;
use super::hooked::Hooked;
use super::play::{Playings, Turn};
use super::publish::{Publishings, Verdict};
use super::{Held, Host};
use crate::hooks::Denied;
use crate::hub::{Release, StopReason};
use crate::net::{Aside, Halt, OUTBOX_MAX, Outbox, Socket, Step, held_too_long};

/// A connection from the first byte to the last.
///
/// What a player needs for each picture stands in front and together: among a thousand of them, none of it is in the
/// processor's caches when the next picture comes, and each place that is looked at is waited for.
#[repr(C)]
pub(super) struct Session {
    pub(super) outbox: Outbox,
    /// Bytes of answers put into the outbox since it was empty.
    unsent_answers: usize,
    aside: Aside,
    pub(super) playings: Playings,
    socket: Socket,
    pub(super) rtmp: ServerConnection,
    pub(super) host: Host,
    pub(super) peer: SocketAddr,
    span: Span,
    /// Whether the log's lines have the name of a stream.
    is_named: bool,
    started: Instant,
    /// What the peer calls itself, once it has connected.
    pub(super) agent: Option<String>,
    /// What of [`ServerConnection::counters`] the metrics know.
    counted: Counters,
    pub(super) hooked: Hooked,
    pub(super) publishings: Publishings,
    shutdown: CancellationToken,
    /// As long as the connection.
    _held: Held,
}

/// What a connection has to see to next.
enum Task {
    /// The server stops.
    Stop,
    /// Hook servers have decided about the connection.
    Connect(Result<(), Denied>),
    /// The hub has decided about a publisher.
    Obey(Verdict),
    /// A timer has fired.
    Due,
    /// A player's stream has begun or ended.
    Play(Turn),
    /// The peer has sent something.
    Received(Result<(), pushpull_rtmp::Error>),
    /// It is over.
    End(End),
}

impl Session {
    /// In a box: futures that take it from one to the next would have room for it each.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub(super) fn new(
        socket: Socket,
        peer: SocketAddr,
        host: Host,
        span: Span,
        shutdown: CancellationToken,
        held: Held,
    ) -> Result<Box<Self>, getrandom::Error> {
        let mut random = [0; handshake::RANDOM_LEN];
        getrandom::fill(&mut random)?;
        let mut protocol = host.config.protocol.clone();
        protocol.ask_connect = host.access.hooks().wants_connections();
        let playings = Playings::new(protocol.chunk_size);
        let rtmp = ServerConnection::new(protocol, random, Duration::ZERO);
        Ok(Box::new(Self {
            socket,
            rtmp,
            outbox: Outbox::new(&host.config.socket),
            unsent_answers: 0,
            aside: Aside::default(),
            host,
            peer,
            span,
            is_named: false,
            started: Instant::now(),
            agent: None,
            counted: Counters::default(),
            hooked: Hooked::default(),
            publishings: Publishings::default(),
            playings,
            shutdown,
            _held: held,
        }))
    }

    /// Serves the peer until one side has had enough.
    pub(super) async fn run(mut self: Box<Self>) {
        let end = self.converse().await;
        let span = self.span.clone();
        span.in_scope(|| {
            self.count_ignored();
            self.report(&end);
            // Without a goodbye, the hub holds the viewers.
            self.publishings.lose_all();
            self.playings.clear();
            // Behind the ends of all that was on it.
            self.hooked = Hooked::default();
        });
        if !matches!(end, End::Closed | End::Network(_)) {
            // Whatever the end: the peer is told.
            self.collect_answers();
            let _ = timeout(CLOSE_LIMIT, self.close()).await;
        }
    }

    async fn converse(&mut self) -> End {
        // In boxes: so the whole task is small, and where it stands is beside what the runtime knows of it.
        let mut stop = Box::pin(self.shutdown.clone().cancelled_owned());
        let mut timer = Box::pin(sleep_until(self.started));
        // Entered when there is something to see to, and not whenever the task wakes: a player's does for every picture.
        let span = self.span.clone();
        loop {
            self.collect_answers();
            // Whatever it was, it may have changed what is to be asked.
            self.aside.ring();
            let due = self.rtmp.timeout().map(|after| self.started + after);
            let due = due.into_iter().chain(self.publishings.flush_at()).min();
            if let Some(due) = due.filter(|&due| due != timer.deadline()) {
                timer.as_mut().reset(due);
            }
            let task = poll_fn(|context| {
                let was_full = self.unsent_answers >= OUTBOX_MAX;
                if let Poll::Ready(task) = self.poll_send(context) {
                    return Poll::Ready(task);
                }
                if was_full && self.unsent_answers < OUTBOX_MAX {
                    // More questions are listened to.
                    self.aside.ring();
                }
                let Some(waker) = self.aside.due(context) else { return Poll::Pending };
                let context = &mut Context::from_waker(&waker);
                self.poll_aside(context, stop.as_mut(), timer.as_mut())
            })
            .await;
            if let Err(end) = span.in_scope(|| self.handle(task)) {
                return end;
            }
        }
    }

    /// Does what is to be done, and what follows from it; the end of the connection is an error.
    fn handle(&mut self, task: Task) -> Result<(), End> {
        match task {
            Task::Stop => {
                self.stop_all(StopReason::ServerStopping);
                self.end_plays();
                return Err(End::Shutdown);
            }
            Task::Connect(verdict) => self.obey_hooks(verdict)?,
            Task::Obey(verdict) => self.obey(verdict)?,
            Task::Due => {
                self.publishings.flush();
                self.count_ignored();
                self.rtmp.on_timeout(self.started.elapsed()).map_err(End::Protocol)?;
            }
            Task::Play(turn) => self.take_turn(turn),
            // What came whole before an error counts.
            Task::Received(outcome) => {
                self.handle_events()?;
                outcome.map_err(End::Protocol)?;
            }
            Task::End(end) => return Err(end),
        }
        self.handle_events()
    }

    /// Waits for something to do besides sending.
    fn poll_aside(
        &mut self,
        context: &mut Context<'_>,
        stop: Pin<&mut WaitForCancellationFutureOwned>,
        timer: Pin<&mut Sleep>,
    ) -> Poll<Task> {
        // The hub tells a player itself, and the token has a lock that all connections share.
        if !self.playings.is_watching() && stop.poll(context).is_ready() {
            return Poll::Ready(Task::Stop);
        }
        if let Poll::Ready(verdict) = self.hooked.poll_verdict(context) {
            return Poll::Ready(Task::Connect(verdict));
        }
        if let Poll::Ready(verdict) = self.publishings.poll_verdict(context) {
            return Poll::Ready(Task::Obey(verdict));
        }
        if timer.poll(context).is_ready() {
            return Poll::Ready(Task::Due);
        }
        if let Poll::Ready(turn) = self.playings.poll_stopped(context) {
            return Poll::Ready(Task::Play(turn));
        }
        // While a publisher waits for its answer, the network holds what there is no room for here; and a peer that does not
        // read its answers is asked for no more questions.
        let room = if self.unsent_answers < OUTBOX_MAX { self.rtmp.room() } else { 0 };
        if room == 0 {
            return Poll::Pending;
        }
        let (rtmp, started) = (&mut self.rtmp, self.started);
        let read = poll_read(&mut self.socket, context, room, |bytes| {
            (!bytes.is_empty()).then(|| rtmp.receive(bytes, started.elapsed()))
        });
        Poll::Ready(match ready!(read) {
            Ok(Some(outcome)) => Task::Received(outcome),
            Ok(None) => Task::End(End::Closed),
            Err(error) => Task::End(End::Network(error)),
        })
    }

    /// Moves answers, and what the players are to get, through the outbox into the socket, until there is no more of the
    /// one or no more room in the other.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Task> {
        let Self { outbox, playings, socket, .. } = self;
        let halt = outbox.pump(context, socket, |outbox, context| {
            playings.poll_turn(context).map(|turn| match turn {
                Turn::Media(image) => {
                    outbox.push(image);
                    Step::More
                }
                Turn::LastMedia(image) => {
                    outbox.push(image);
                    Step::Last
                }
                turn => Step::Instead(turn),
            })
        });
        if self.outbox.is_empty() {
            self.unsent_answers = 0;
        }
        match halt {
            Ok(Halt::Idle) => Poll::Pending,
            Ok(Halt::Instead(turn)) => Poll::Ready(Task::Play(turn)),
            Ok(Halt::Full) => {
                let unsent = self.outbox.len();
                self.playings.poll_hold(context, unsent).map(|release| match release {
                    Release::ServerStopping => Task::Stop,
                    Release::TooFarBehind => Task::End(End::Network(held_too_long())),
                })
            }
            Err(error) => Poll::Ready(Task::End(End::Network(error))),
        }
    }

    fn collect_answers(&mut self) {
        while let Some(bytes) = self.rtmp.take_output() {
            self.unsent_answers = self.unsent_answers.saturating_add(bytes.len());
            self.outbox.push(bytes);
        }
    }

    /// Handles what the peer wants; the end of the connection is an error.
    fn handle_events(&mut self) -> Result<(), End> {
        while let Some(event) = self.rtmp.next_event() {
            match event {
                ServerEvent::Connect => self.ask_hooks(),
                ServerEvent::Connected { app, agent } => {
                    info!(%app, %agent, "connected");
                    self.introduce_to_hooks();
                    self.agent = Some(agent);
                }
                ServerEvent::Publish { stream_id, name, query } => {
                    self.publish(stream_id, name, query)?;
                }
                ServerEvent::Play { stream_id, name, query } => self.play(stream_id, name, &query),
                ServerEvent::Pause { stream_id, paused } => self.playings.pause(stream_id, paused),
                ServerEvent::ReceiveAudio { stream_id, on } => {
                    self.playings.receive(stream_id, TagKind::Audio, on);
                }
                ServerEvent::ReceiveVideo { stream_id, on } => {
                    self.playings.receive(stream_id, TagKind::Video, on);
                }
                ServerEvent::Stop { stream_id } => self.playings.stop(stream_id),
                ServerEvent::BadName(error) => self.refused(None, End::BadName(error))?,
                ServerEvent::BadPlay(error) => self.refused(None, End::BadPlay(error))?,
                ServerEvent::Media(media) => self.publishings.media(media),
                ServerEvent::Unpublish { stream_id } => self.publishings.finish(stream_id),
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts the first stream's name into the log's lines: those about further ones have theirs, too.
    pub(super) fn name_in_log(&mut self, name: &StreamName) {
        if !std::mem::replace(&mut self.is_named, true) {
            self.span.record("stream", name.as_str());
        }
    }

    /// A message stream was refused or stopped, which is the end of the connection unless it has another purpose.
    pub(super) fn refused(&self, name: Option<&StreamName>, end: End) -> Result<(), End> {
        if self.rtmp.is_over() {
            return Err(end);
        }
        self.count(&end);
        let name = name.map(StreamName::as_str);
        if end.is_told() {
            debug!(name, reason = %end, "a message stream is over; the connection goes on");
        } else {
            warn!(name, reason = %end, "a message stream is over; the connection goes on");
        }
        Ok(())
    }

    /// Closes so that the peer gets what was sent to it: a socket closed with input unread resets the connection, and
    /// takes the last words with it.
    async fn close(&mut self) -> io::Result<()> {
        poll_fn(|context| self.outbox.poll_send(context, &self.socket)).await?;
        self.socket.end()?;
        let mut discard = async || {
            poll_fn(|context| poll_read(&mut self.socket, context, READ_LEN, <[u8]>::len)).await
        };
        while discard().await? > 0 {}
        Ok(())
    }

    /// The one line that says how it ended.
    fn report(&self, end: &End) {
        let counters = self.rtmp.counters();
        if counters != Default::default() {
            debug!(?counters, "some of what came was of no use");
        }
        let seconds = self.started.elapsed().as_secs();
        self.count(end);
        let publishing = !self.publishings.is_empty();
        match end {
            _ if end.is_told() => debug!(reason = %end, "refused"),
            End::Refused(_) | End::Denied(_) | End::BadName(_) | End::BadPlay(_) => {
                warn!(reason = %end, "refused");
            }
            End::Stopped(_) | End::Shutdown => {
                info!(seconds, reason = %end, "stopped")
            }
            End::Closed if self.agent.is_none() => debug!(seconds, "closed before connect"),
            End::Closed if !publishing => info!(seconds, "closed"),
            End::Network(error) if !publishing => info!(seconds, reason = %error, "lost"),
            _ => warn!(seconds, publishing, reason = %end, "lost"),
        }
    }

    /// Brings the metrics up to what was ignored so far.
    fn count_ignored(&mut self) {
        let now = self.rtmp.counters();
        let before = std::mem::replace(&mut self.counted, now);
        let count = |reason, now: u64, before: u64| {
            self.host.metrics.rtmp_ignored(reason, now.saturating_sub(before));
        };
        count("meaningless", now.ignored_messages, before.ignored_messages);
        count("undecodable_data", now.ignored_data, before.ignored_data);
        count("stray_media", now.stray_media, before.stray_media);
        count("empty_media", now.empty_media, before.empty_media);
        count("unfinished", now.unfinished, before.unfinished);
        count("too_many_message_streams", now.refused_streams, before.refused_streams);
    }

    fn count(&self, end: &End) {
        if let Some(reason) = end.refusal() {
            self.host.metrics.publisher_refused(reason);
        }
        if matches!(end, End::BadPlay(_)) {
            self.host.metrics.player_refused("bad_name");
        }
        if matches!(end, End::Protocol(_)) {
            self.host.metrics.rtmp_errors.inc();
        }
        if let Some(limit) = end.limit() {
            self.host.metrics.hits.hit(limit);
        }
    }
}

/// Reads once, at most `room` bytes, and hands them to `take`; none at the end of the input.
///
/// The buffer belongs to the thread: a connection that waits holds none.
fn poll_read<R>(
    socket: &mut Socket,
    context: &mut Context<'_>,
    room: usize,
    take: impl FnOnce(&[u8]) -> R,
) -> Poll<io::Result<R>> {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_LEN]);
    }
    BUFFER.with_borrow_mut(|buffer| {
        let room = room.min(buffer.len());
        let mut buffer = ReadBuf::new(buffer.get_mut(..room).unwrap_or_default());
        ready!(socket.poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(take(buffer.filled())))
    })
}

/// One read: a keyframe of 250 kB comes in four.
const READ_LEN: usize = 64 << 10;

/// From the last words to the end of the socket: a refused publisher is gone within a second.
const CLOSE_LIMIT: Duration = Duration::from_millis(800);
