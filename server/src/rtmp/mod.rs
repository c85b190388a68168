//! The RTMP listener: publishers come in here, and players.
//!
//! One task per connection (`session`) owns the socket and feeds a [`pushpull_rtmp::ServerConnection`], which knows the
//! protocol; `publish` and `play` tie what its message streams do to the hub.

mod end;
mod hooked;
mod play;
mod publish;
mod rota;
mod session;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pushpull_rtmp::server::ServerConfig;
use tokio::net::TcpStream;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Span, debug, error, info_span, warn};

use crate::accept::{Full, Most, Place, Places, pause_after};
use crate::access::Access;
use crate::config::Live;
use crate::hub::Hub;
use crate::limits::Limit;
use crate::listeners::{Incoming, Listeners};
use crate::metrics::{Metrics, OpenConnection};
use crate::net::{self, Socket};
use crate::tls::{Refused, Speaks, Tls};
use session::Session;

/// What RTMP peers are held to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Connections at a time. Default 10000, as for HTTP: players come in here too.
    pub max_connections: usize,
    /// Connections of one address at a time (an IPv6 network of 64 bits is one); 0 for no such limit. Default half of
    /// all: one peer cannot take every place, and many behind one router find room.
    pub max_connections_per_ip: usize,
    /// Streams played at a time. Default 9500: players leave 500 connections to publishers, five for every stream the hub
    /// takes, so that encoders that reconnect find room while their dead predecessors are found out.
    pub max_players: usize,
    /// The protocol's limits: handshake, silence, sizes.
    pub protocol: ServerConfig,
    /// How the sockets are kept.
    pub socket: net::Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_connections_per_ip: 5_000,
            max_players: 9_500,
            protocol: ServerConfig::default(),
            socket: net::Limits::default(),
        }
    }
}

/// Accepts publishers and players for `hub`, whom `access` lets in, until `shutdown`; returns when every connection has
/// ended, which takes at most a few seconds.
///
/// # Errors
/// None at present: what goes wrong with a connection ends that connection, and accepting is tried again after a pause.
pub async fn serve(
    listeners: impl Into<Listeners>,
    hub: Hub,
    access: Access,
    config: Live<Config>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (places, players) = (Places::default(), Players::default());
    let mut listeners = listeners.into();
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = sessions.join_next() => {
                report_panic(ended);
                continue;
            }
            accepted = listeners.accept() => accepted,
        };
        let Incoming { tcp, peer, tls } = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error, &metrics.hits).await;
                continue;
            }
        };
        let current = config.get();
        let most = Most { all: current.max_connections, of_one: current.max_connections_per_ip };
        let place = match places.take(peer.ip(), most) {
            Ok(place) => place,
            Err(full) => {
                refuse(peer, full, &metrics);
                continue;
            }
        };
        let open = metrics.rtmp.open();
        let span = info_span!("rtmp", id = open.id, %peer, stream = tracing::field::Empty);
        let host = Host {
            hub: hub.clone(),
            access: access.clone(),
            config: current,
            live: config.clone(),
            metrics: metrics.clone(),
            players: players.clone(),
        };
        // In a box: what it takes to begin is not kept beside the conversation.
        let begin = Box::pin(begin(tcp, tls, peer, host, span, shutdown.clone(), (place, open)));
        sessions.spawn(async move {
            if let Some(session) = begin.await {
                session.run().await;
            }
        });
    }
    drop(listeners);
    let all_ended = async {
        while let Some(ended) = sessions.join_next().await {
            report_panic(ended);
        }
    };
    if timeout(STOP_LIMIT, all_ended).await.is_err() {
        warn!(connections = sessions.len(), "dropped what did not end in time");
        sessions.shutdown().await;
    }
    Ok(())
}

/// What a connection holds on to.
type Held = (Place, OpenConnection);

/// What every connection needs of the server.
#[derive(Clone)]
struct Host {
    hub: Hub,
    access: Access,
    /// As it was when the connection came.
    config: Arc<Config>,
    /// As it is now.
    live: Live<Config>,
    metrics: Arc<Metrics>,
    players: Players,
}

/// Counts the streams that are played.
#[derive(Clone, Debug, Default)]
struct Players(Arc<AtomicUsize>);

/// One of them, until this is dropped.
#[derive(Debug)]
struct PlayerPlace(Players);

impl Players {
    /// `None` if `most` are played already.
    fn take(&self, most: usize) -> Option<PlayerPlace> {
        let place = PlayerPlace(self.clone());
        (self.0.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for PlayerPlace {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Shakes hands; `None` if nothing comes of it.
async fn secure(
    tcp: TcpStream,
    tls: Tls,
    host: &Host,
    shutdown: &CancellationToken,
    span: &Span,
) -> Option<Socket> {
    match shutdown.run_until_cancelled(tls.accept(tcp, Speaks::Rtmp)).await? {
        Ok(socket) => return Some(socket),
        Err(Refused::Plain(_)) => {
            span.in_scope(|| {
                warn!("refused: no TLS on the port for rtmps://; rtmp:// has another")
            });
        }
        Err(Refused::TimedOut) => {
            host.metrics.hits.hit(Limit::TlsHandshake);
            span.in_scope(|| debug!("the TLS handshake took too long"));
        }
        Err(Refused::Failed(error)) => span.in_scope(|| debug!(%error, "no TLS handshake")),
    }
    None
}

/// Makes ready for a conversation; `None` if there is none to be had.
async fn begin(
    tcp: TcpStream,
    tls: Option<Tls>,
    peer: SocketAddr,
    host: Host,
    span: Span,
    shutdown: CancellationToken,
    held: Held,
) -> Option<Box<Session>> {
    span.in_scope(|| net::tune(&tcp, &host.config.socket));
    let socket = match tls {
        None => tcp.into(),
        Some(tls) => Box::pin(secure(tcp, tls, &host, &shutdown, &span)).await?,
    };
    let session = Session::new(socket, peer, host, span.clone(), shutdown, held);
    let failed = |error: &_| {
        span.in_scope(|| error!(%error, "no random bytes for the handshake"));
    };
    session.inspect_err(failed).ok()
}

/// A panic ends one connection; it must not go unseen.
fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a connection's task failed");
    }
}

/// There is nothing to tell a peer in that has not shaken hands: its connection is closed.
fn refuse(peer: SocketAddr, full: Full, metrics: &Metrics) {
    metrics.rtmp.refuse();
    match full {
        Full::All => {
            metrics.hits.hit(Limit::RtmpConnections);
            warn!(%peer, "refused: too many connections");
        }
        Full::Address => {
            metrics.hits.hit(Limit::RtmpPerAddress);
            warn!(%peer, "refused: too many connections from this address");
        }
    }
}

/// Longer than a session takes to say goodbye, and within the time in which the server promises to stop.
const STOP_LIMIT: Duration = Duration::from_secs(2);
