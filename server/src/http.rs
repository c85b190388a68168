//! The HTTP listeners: connections in, each with its limits, until the server stops.
//!
//! `axum::serve` sets no timer, and without one hyper's limit on the request head does nothing
//! (hyperium/hyper-util#137): hence an accept loop of our own around hyper's connection.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tracing::{Instrument, debug, info_span, warn};

use crate::{
    metrics::Metrics,
    net::{self, Connection},
    shutdown::Shutdown,
};

/// What HTTP peers are held to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time, over all listeners, viewers included.
    pub max_connections: usize,
    /// From the first byte of a request, or from the last answer, to the end of the head.
    pub head_timeout: Duration,
    /// Bytes of a request's head.
    pub head_size: usize,
    /// How the socket is kept.
    pub net: net::Limits,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_connections: 10_000,
            head_timeout: Duration::from_secs(10),
            head_size: 16 << 10,
            net: net::Limits::default(),
        }
    }
}

/// What every HTTP listener shares.
#[derive(Clone)]
pub struct Server {
    router: Router,
    limits: Limits,
    permits: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
}

impl Server {
    /// Answers with `router`, within `limits`, until `shutdown`.
    pub fn new(
        router: Router,
        limits: Limits,
        metrics: Arc<Metrics>,
        shutdown: Shutdown,
    ) -> Server {
        let permits = Arc::new(Semaphore::new(limits.max_connections));
        Server { router, limits, permits, metrics, shutdown }
    }

    /// Accepts connections until the server stops.
    pub async fn serve(self, listener: TcpListener) {
        let requested = self.shutdown.requested().clone();
        requested.run_until_cancelled(self.accept(listener)).await;
    }

    async fn accept(&self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) => pause_after(error).await,
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            self.metrics.http.refuse();
            self.shutdown.spawn(refuse(stream));
            return;
        };
        let open = self.metrics.http.open();
        let span = info_span!("http", id = open.id, %peer);
        let server = self.clone();
        let held = (permit, open, self.shutdown.hold());
        let conversation = async move { server.converse(stream, peer, held).await };
        self.shutdown.spawn(conversation.instrument(span));
    }

    /// `held` lasts as long as the socket, which a WebSocket takes with it when this is over.
    async fn converse(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        held: impl Send + Unpin + 'static,
    ) {
        let stream = Connection::new(stream, &self.limits.net, held);
        let service = WithPeer { router: TowerToHyperService::new(self.router.clone()), peer };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_header_size(self.limits.head_size)
            .max_buf_size(self.limits.head_size.max(BUFFER_SIZE))
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let outcome = tokio::select! {
            outcome = &mut connection => outcome,
            () = self.shutdown.requested().cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = outcome {
            debug!(%error, "connection ended");
        }
    }
}

/// Puts the peer's address where handlers find it: `ConnectInfo<SocketAddr>`.
struct WithPeer {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for WithPeer {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.call(request)
    }
}

/// Says why before closing: a reset connection looks like a broken network.
async fn refuse(mut stream: TcpStream) {
    // The peer has no claim on our time: an answer that does not fit its window is not sent.
    let answer = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await
    };
    let _ = timeout(REFUSE_TIMEOUT, answer).await;
}

/// Accepting fails for the connection (go on at once) or for want of descriptors (which need time to come free).
async fn pause_after(error: io::Error) {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused => {}
        _ => {
            warn!(%error, "cannot accept a connection");
            sleep(ACCEPT_PAUSE).await;
        }
    }
}

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nConnection: close\r\n\r\ntoo many connections\n";
const REFUSE_TIMEOUT: Duration = Duration::from_secs(1);
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What hyper takes from a viewer's stream before it writes: a viewer that joins gets its group of pictures in few writes,
/// and one that stalls holds no more than this of it.
const BUFFER_SIZE: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use axum::{
        extract::WebSocketUpgrade,
        response::Response,
        routing::{any, get},
    };
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::hub::{self, Hub};

    #[tokio::test]
    async fn a_head_that_does_not_come_to_an_end_is_cut() {
        let server =
            start(Limits { head_timeout: Duration::from_millis(50), ..Limits::default() }).await;
        let mut peer = server.connect().await;
        peer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
        let answer = read_to_end(&mut peer).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }

    #[tokio::test]
    async fn a_silent_connection_is_cut_too() {
        let server =
            start(Limits { head_timeout: Duration::from_millis(50), ..Limits::default() }).await;
        assert_eq!(read_to_end(&mut server.connect().await).await, "");
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_answered_431() {
        let server = start(Limits { head_size: 1024, ..Limits::default() }).await;
        let mut peer = server.connect().await;
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(1024));
        peer.write_all(head.as_bytes()).await.unwrap();
        assert!(read_to_end(&mut peer).await.starts_with("HTTP/1.1 431 "));
    }

    #[tokio::test]
    async fn one_connection_too_many_is_told_so() {
        let server = start(Limits { max_connections: 1, ..Limits::default() }).await;
        let mut first = server.connect().await;
        first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        first.read_u8().await.unwrap();

        let refused = read_to_end(&mut server.connect().await).await;
        assert!(
            refused.starts_with("HTTP/1.1 503 ") && refused.contains("Retry-After: 5"),
            "{refused}"
        );
        assert_eq!(server.metrics.http.refused(), 1);

        drop(first);
        server.until_served().await;
    }

    #[tokio::test]
    async fn a_websocket_counts_for_as_long_as_it_is_open() {
        let server = start(Limits { max_connections: 1, ..Limits::default() }).await;
        let url = format!("ws://{}/ws", server.address);
        let stream = server.connect().await;
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();

        let refused = read_to_end(&mut server.connect().await).await;
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
        drop(socket);
        server.until_served().await;
    }

    #[tokio::test]
    async fn a_shutdown_closes_idle_connections_and_refuses_new_ones() {
        let server = start(Limits::default()).await;
        let mut idle = server.connect().await;
        idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        idle.read_u8().await.unwrap();

        assert_eq!(
            server.shutdown.finish(Duration::from_secs(60)).await,
            0,
            "nothing had to be dropped"
        );
        read_to_end(&mut idle).await;
        server.task.await.unwrap();
        assert!(TcpStream::connect(server.address).await.is_err());
    }

    struct Started {
        address: SocketAddr,
        metrics: Arc<Metrics>,
        shutdown: Shutdown,
        task: tokio::task::JoinHandle<()>,
    }

    impl Started {
        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// Asks until the answer is not a refusal: a place comes free when the server sees the peer leave.
        async fn until_served(&self) {
            loop {
                let mut peer = self.connect().await;
                let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
                // A refused peer may find its connection closed while it writes.
                let _ = peer.write_all(request).await;
                let mut answer = String::new();
                let _ = peer.read_to_string(&mut answer).await;
                if answer.starts_with("HTTP/1.1 200 ") {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
    }

    async fn start(limits: Limits) -> Started {
        let router = Router::new().route("/", get(async || "hello")).route(
            "/ws",
            any(async |upgrade: WebSocketUpgrade| -> Response {
                upgrade
                    .on_upgrade(async |mut socket| while let Some(Ok(_)) = socket.recv().await {})
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::new(Hub::new(hub::Config::default())));
        let shutdown = Shutdown::new();
        let server = Server::new(router, limits, metrics.clone(), shutdown.clone());
        let task = tokio::spawn(server.serve(listener));
        Started { address, metrics, shutdown, task }
    }

    async fn read_to_end(peer: &mut TcpStream) -> String {
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        answer
    }
}
