//! One connection: its socket, its timers, and the way it ends.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use pushpull_rtmp::name::NameError;
use pushpull_rtmp::server::{PublishRefusal, ServerEvent};
use pushpull_rtmp::{ServerConnection, StreamName, handshake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Span, debug, info, warn};

use super::Host;
use super::publish::{self, Publishing};
use crate::hub::{ClaimError, Source, StopReason};

/// A connection from the first byte to the last.
pub(super) struct Session {
    socket: TcpStream,
    rtmp: ServerConnection,
    host: Host,
    peer: SocketAddr,
    span: Span,
    started: Instant,
    /// What the peer calls itself, once it has connected.
    agent: Option<String>,
    publishing: Option<Publishing>,
}

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The peer closed it.
    Closed,
    /// The network failed, or the peer took nothing.
    Network(io::Error),
    /// The peer broke the protocol or a limit.
    Protocol(pushpull_rtmp::Error),
    /// The hub did not take the publisher.
    Refused(ClaimError),
    /// A second stream on one connection.
    OneStream,
    /// Not a name.
    BadName(NameError),
    /// Play, which goes over HTTP-FLV and WebSocket-FLV.
    Play,
    /// The hub stopped the publisher.
    Stopped(StopReason),
    /// The server stops.
    Shutdown,
}

impl Session {
    /// # Errors
    /// When the system has no random bytes.
    pub(super) fn new(
        socket: TcpStream,
        peer: SocketAddr,
        host: Host,
        span: Span,
    ) -> Result<Self, getrandom::Error> {
        let mut random = [0; handshake::RANDOM_LEN];
        getrandom::fill(&mut random)?;
        let rtmp = ServerConnection::new(host.config.protocol.clone(), random, Duration::ZERO);
        let started = Instant::now();
        Ok(Self { socket, rtmp, host, peer, span, started, agent: None, publishing: None })
    }

    /// Serves the peer until one side has had enough.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let end = self.converse(&shutdown).await;
        self.report(&end);
        // Without a goodbye, the hub holds the viewers.
        self.publishing = None;
        if !matches!(end, End::Closed | End::Network(_)) {
            let _ = timeout(CLOSE_LIMIT, self.close()).await;
        }
    }

    async fn converse(&mut self, shutdown: &CancellationToken) -> End {
        let mut buffer = vec![0; READ_LEN];
        loop {
            let handled = self.handle_events();
            // Whatever the end: the peer is told first.
            if let Err(error) = self.send().await {
                return handled.err().unwrap_or(End::Network(error));
            }
            if let Err(end) = handled {
                return end;
            }
            let timer = self.rtmp.timeout().map(|after| self.started + after);
            let flush = self.publishing.as_ref().and_then(Publishing::flush_at);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    self.stop(StopReason::ServerStopping);
                    let _ = self.send().await;
                    return End::Shutdown;
                }
                reason = stopped(self.publishing.as_mut()) => {
                    self.stop(reason);
                    let _ = self.send().await;
                    return End::Stopped(reason);
                }
                () = at(flush) => {
                    if let Some(publishing) = &mut self.publishing {
                        publishing.flush();
                    }
                }
                () = at(timer) => {
                    if let Err(error) = self.rtmp.on_timeout(self.started.elapsed()) {
                        return End::Protocol(error);
                    }
                }
                read = self.socket.read(&mut buffer) => match read {
                    Ok(0) => return End::Closed,
                    Ok(len) => {
                        let bytes = buffer.get(..len).unwrap_or_default();
                        if let Err(error) = self.rtmp.receive(bytes, self.started.elapsed()) {
                            // What came whole before it counts.
                            let handled = self.handle_events();
                            let _ = self.send().await;
                            return handled.err().unwrap_or(End::Protocol(error));
                        }
                    }
                    Err(error) => return End::Network(error),
                },
            }
        }
    }

    /// Handles what the peer wants; the end of the connection is an error.
    fn handle_events(&mut self) -> Result<(), End> {
        while let Some(event) = self.rtmp.next_event() {
            match event {
                ServerEvent::Connected { app, agent } => {
                    info!(%app, %agent, "connected");
                    self.agent = Some(agent);
                }
                ServerEvent::Publish { stream_id, name, .. } => self.publish(stream_id, name)?,
                ServerEvent::Play { name, .. } => {
                    self.span.record("stream", name.as_str());
                    self.rtmp.reject_play(NO_PLAY).map_err(End::Protocol)?;
                    return Err(End::Play);
                }
                ServerEvent::BadName(error) => return Err(End::BadName(error)),
                ServerEvent::Media(media) => {
                    if let Some(publishing) = &mut self.publishing {
                        publishing.media(media);
                    }
                }
                ServerEvent::Unpublish { .. } => {
                    if let Some(publishing) = self.publishing.take() {
                        info!(seconds = publishing.since().elapsed().as_secs(), "unpublished");
                        publishing.finish();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn publish(&mut self, stream_id: u32, name: StreamName) -> Result<(), End> {
        if let Some(publishing) = &self.publishing {
            let text = format!("this connection publishes {} already", publishing.name());
            self.rtmp.reject_publish(PublishRefusal::Denied, &text);
            return Err(End::OneStream);
        }
        self.span.record("stream", name.as_str());
        let source = Source {
            protocol: "rtmp",
            peer: self.peer.to_string(),
            agent: self.agent.clone().unwrap_or_default(),
        };
        match self.host.hub.claim(&name, source) {
            Ok(claim) => {
                info!("publishing");
                self.publishing = Some(Publishing::new(stream_id, name, claim));
                // Media that came along with the command is read now.
                self.rtmp.accept_publish().map_err(End::Protocol)
            }
            Err(error) => {
                self.rtmp.reject_publish(publish::refusal(error), &error.to_string());
                Err(End::Refused(error))
            }
        }
    }

    /// Tells the publisher, if it is one, that it has to stop.
    fn stop(&mut self, reason: StopReason) {
        if let Some(publishing) = &self.publishing {
            let (refusal, text) = publish::stop(reason);
            self.rtmp.stop_publish(publishing.stream_id(), refusal, text);
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        while let Some(bytes) = self.rtmp.take_output() {
            timeout(self.host.config.write_timeout, self.socket.write_all(&bytes)).await??;
        }
        Ok(())
    }

    /// Closes so that the peer gets what was sent to it: a socket closed with input unread resets the connection, and
    /// takes the last words with it.
    async fn close(&mut self) -> io::Result<()> {
        self.socket.shutdown().await?;
        let mut buffer = vec![0; READ_LEN];
        while self.socket.read(&mut buffer).await? > 0 {}
        Ok(())
    }

    /// The one line that says how it ended.
    fn report(&self, end: &End) {
        let counters = self.rtmp.counters();
        if counters != Default::default() {
            debug!(?counters, "some of what came was of no use");
        }
        let seconds = self.started.elapsed().as_secs();
        if let Some(reason) = end.refusal() {
            self.host.metrics.publisher_refused(reason);
        }
        if matches!(end, End::Protocol(_)) {
            self.host.metrics.rtmp_errors.inc();
        }
        match end {
            End::Refused(_) | End::OneStream | End::BadName(_) | End::Play => {
                warn!(reason = %end, "refused");
            }
            End::Stopped(_) | End::Shutdown => info!(seconds, reason = %end, "stopped"),
            End::Closed if self.agent.is_none() => debug!(seconds, "closed before connect"),
            End::Closed if self.publishing.is_none() => info!(seconds, "closed"),
            _ => warn!(seconds, publishing = self.publishing.is_some(), reason = %end, "lost"),
        }
    }
}

impl End {
    /// Why the peer was refused, in a word for the metrics; `None` if it was not.
    fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Refused(ClaimError::Busy) => Some("busy"),
            Self::Refused(ClaimError::TooManyStreams { .. }) => Some("too_many_streams"),
            Self::Refused(_) => Some("server_stopping"),
            Self::OneStream => Some("second_stream"),
            Self::BadName(_) => Some("bad_name"),
            Self::Play => Some("play"),
            _ => None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the peer closed the connection without a goodbye"),
            Self::Network(error) => write!(f, "network: {error}"),
            Self::Protocol(error) => fmt::Display::fmt(error, f),
            Self::Refused(error) => fmt::Display::fmt(error, f),
            Self::OneStream => f.write_str("a second stream on one connection"),
            Self::BadName(error) => fmt::Display::fmt(error, f),
            Self::Play => f.write_str(NO_PLAY),
            Self::Stopped(reason) => f.write_str(publish::stop(*reason).1),
            Self::Shutdown => f.write_str("the server is stopping"),
        }
    }
}

/// Waits until the hub stops the publisher; for ever if there is none.
async fn stopped(publishing: Option<&mut Publishing>) -> StopReason {
    match publishing {
        Some(publishing) => publishing.stopped().await,
        None => std::future::pending().await,
    }
}

/// Waits until `time`; for ever if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// One read: a keyframe of 250 kB comes in four.
const READ_LEN: usize = 64 << 10;

/// From the last words to the end of the socket: a refused publisher is gone within a second.
const CLOSE_LIMIT: Duration = Duration::from_millis(800);

const NO_PLAY: &str = "streams are played over HTTP-FLV and WebSocket-FLV here, not over RTMP";
