//! One connection: its socket, its timers, and the way it ends.

use std::io;
use std::net::SocketAddr;

use pushpull_rtmp::server::ServerEvent;
use pushpull_rtmp::{ServerConnection, handshake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Span, debug, info, warn};

use super::Host;
use super::end::{End, NO_PLAY};
use super::publish::Publishings;
use crate::hub::StopReason;

/// A connection from the first byte to the last.
pub(super) struct Session {
    socket: TcpStream,
    pub(super) rtmp: ServerConnection,
    pub(super) host: Host,
    pub(super) peer: SocketAddr,
    pub(super) span: Span,
    started: Instant,
    /// What the peer calls itself, once it has connected.
    pub(super) agent: Option<String>,
    pub(super) publishings: Publishings,
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
        let publishings = Publishings::default();
        Ok(Self { socket, rtmp, host, peer, span, started, agent: None, publishings })
    }

    /// Serves the peer until one side has had enough.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let end = self.converse(&shutdown).await;
        self.report(&end);
        // Without a goodbye, the hub holds the viewers.
        self.publishings.lose_all();
        if !matches!(end, End::Closed | End::Network(_)) {
            let _ = timeout(CLOSE_LIMIT, self.close()).await;
        }
    }

    async fn converse(&mut self, shutdown: &CancellationToken) -> End {
        let mut buffer = vec![0; READ_LEN];
        let mut handled = Ok(());
        loop {
            handled = handled.and_then(|()| self.handle_events());
            // Whatever the end: the peer is told first.
            if let Err(error) = self.send().await {
                return handled.err().unwrap_or(End::Network(error));
            }
            if let Err(end) = handled {
                return end;
            }
            let timer = self.rtmp.timeout().map(|after| self.started + after);
            let flush = self.publishings.flush_at();
            // While a publisher waits for its answer, the network holds what there is no room for here.
            let room = self.rtmp.room().min(READ_LEN);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    self.stop_all(StopReason::ServerStopping);
                    let _ = self.send().await;
                    return End::Shutdown;
                }
                verdict = self.publishings.verdict() => handled = self.obey(verdict),
                () = at(flush) => self.publishings.flush(),
                () = at(timer) => {
                    handled = self.rtmp.on_timeout(self.started.elapsed()).map_err(End::Protocol);
                }
                read = self.socket.read(buffer.get_mut(..room).unwrap_or_default()), if room > 0 => match read {
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
                ServerEvent::Publish { stream_id, name, query } => {
                    self.publish(stream_id, name, query)?;
                }
                ServerEvent::Play { stream_id, name, .. } => {
                    self.span.record("stream", name.as_str());
                    self.rtmp.reject_play(stream_id, NO_PLAY);
                    return Err(End::Play);
                }
                ServerEvent::BadName(error) => self.refused(End::BadName(error))?,
                ServerEvent::Media(media) => self.publishings.media(media),
                ServerEvent::Unpublish { stream_id } => self.publishings.finish(stream_id),
                _ => {}
            }
        }
        Ok(())
    }

    /// One message stream was refused or stopped, which is the end of the connection unless it has another purpose.
    pub(super) fn refused(&self, end: End) -> Result<(), End> {
        if self.rtmp.is_over() {
            return Err(end);
        }
        self.count(&end);
        warn!(reason = %end, "a message stream is over; the connection goes on");
        Ok(())
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
        self.count(end);
        let publishing = !self.publishings.is_empty();
        match end {
            End::Refused(_) | End::BadName(_) | End::Play => warn!(reason = %end, "refused"),
            End::Stopped(_) | End::Shutdown => {
                info!(seconds, reason = %end, "stopped")
            }
            End::Closed if self.agent.is_none() => debug!(seconds, "closed before connect"),
            End::Closed if !publishing => info!(seconds, "closed"),
            _ => warn!(seconds, publishing, reason = %end, "lost"),
        }
    }

    fn count(&self, end: &End) {
        if let Some(reason) = end.refusal() {
            self.host.metrics.publisher_refused(reason);
        }
        if matches!(end, End::Protocol(_)) {
            self.host.metrics.rtmp_errors.inc();
        }
        if let Some(limit) = end.limit() {
            self.host.metrics.hits.hit(limit);
        }
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
