//! The HTTP listeners: connections in, each with its limits, until the server stops.
//!
//! `axum::serve` sets no timer, and without one hyper's limit on the request head does nothing
//! (hyperium/hyper-util#137): hence an accept loop of our own around hyper's connection.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tracing::{Instrument, debug, info_span};

use crate::{
    accept::{Full, Places, pause_after},
    limits::Limit,
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
    /// Connections of one address at a time (an IPv6 network of 64 bits is one); 0 for no such limit. Default half of
    /// all: one peer cannot take every place, and many behind one router find room.
    pub max_connections_per_ip: usize,
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
            max_connections_per_ip: 5_000,
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
    places: Places,
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
        let places = Places::new(limits.max_connections, limits.max_connections_per_ip);
        Server { router, limits, places, metrics, shutdown }
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
                Err(error) => pause_after(&error, &self.metrics.hits).await,
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        let place = match self.places.take(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                self.metrics.http.refuse();
                self.metrics.hits.hit(match full {
                    Full::All => Limit::HttpConnections,
                    Full::Address => Limit::HttpPerAddress,
                });
                return refuse(&stream, full);
            }
        };
        let open = self.metrics.http.open();
        let span = info_span!("http", id = open.id, %peer);
        let server = self.clone();
        let held = (place, open, self.shutdown.hold());
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
            .max_headers(HEADERS_MAX)
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
            if let Some(limit) = Limit::of_http(&error) {
                self.metrics.hits.hit(limit);
            }
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
///
/// The peer has no claim on our time: one attempt to write, which a new connection has room for, and one to take what it
/// has said already, which would make the system reset it.
fn refuse(stream: &TcpStream, full: Full) {
    let socket = SockRef::from(stream);
    let answer = match full {
        Full::All => ALL_FULL,
        Full::Address => ADDRESS_FULL,
    };
    let refused =
        (&*socket).write_all(answer).and_then(|()| socket.shutdown(std::net::Shutdown::Write));
    // It may have said nothing yet.
    drop((&*socket).read(&mut [0; HEAD]));
    if let Err(error) = refused {
        debug!(%error, "the refused peer was not told");
    }
}

const ALL_FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nConnection: close\r\n\r\ntoo many connections\n";
const ADDRESS_FULL: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Type: text/plain\r\nContent-Length: 39\r\nConnection: close\r\n\r\ntoo many connections from your address\n";

/// More than the head of a usual request.
const HEAD: usize = 4 << 10;

/// Fields in the head of a request: browsers send two dozen.
const HEADERS_MAX: usize = 100;

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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
        assert_eq!(server.metrics.hits.of(Limit::HttpHeadTime), 1);
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
        assert_eq!(server.metrics.hits.of(Limit::HttpHeadSize), 1);
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
        assert_eq!(server.metrics.hits.of(Limit::HttpConnections), 1);

        drop(first);
        server.until_served().await;
    }

    #[tokio::test]
    async fn one_address_has_no_more_connections_than_its_share() {
        let server = start(Limits { max_connections_per_ip: 1, ..Limits::default() }).await;
        let mut first = server.connect().await;
        first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        first.read_u8().await.unwrap();
        let refused = read_to_end(&mut server.connect().await).await;
        assert!(refused.starts_with("HTTP/1.1 429 ") && refused.ends_with("\n"), "{refused}");
        assert_eq!(server.metrics.hits.of(Limit::HttpPerAddress), 1);
        drop(first);
        server.until_served().await;
    }

    #[tokio::test]
    async fn a_head_of_too_many_fields_is_answered_431() {
        let server = start(Limits::default()).await;
        let mut peer = server.connect().await;
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX));
        peer.write_all(head.as_bytes()).await.unwrap();
        assert!(read_to_end(&mut peer).await.starts_with("HTTP/1.1 431 "));
        assert_eq!(server.metrics.hits.of(Limit::HttpHeadSize), 1);
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
