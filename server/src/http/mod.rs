//! The HTTP listeners: connections in, each with its limits, until the server stops.
//!
//! `axum::serve` sets no timer, and without one hyper's limit on the request head does nothing
//! (hyperium/hyper-util#137): hence an accept loop of our own around hyper's connection.
//!
//! Streams do not go through hyper: a viewer is a socket and a place in the hub's ring. The head of a request is read here
//! ([`inlet`]); one for a stream goes to [`flv`], the others to hyper, through a [`gate`] that holds the next one for a
//! stream back.

pub mod answer;
pub(crate) mod flow;
pub mod forwarded;
mod gate;
mod http2;
pub mod inlet;
mod pipe;
mod secure;
mod timely;

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    future::poll_fn,
    io::{Read, Write},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderValue, Request, Response, StatusCode, header},
    response::IntoResponse,
};
use hyper::{body, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::{net::TcpStream, time::timeout};
use tracing::{Instrument, Span, debug, info, info_span};

use crate::{
    accept::{Full, Most, Place, Places, pause_after},
    config::Live,
    flv::{self, FlvState},
    limits::Limit,
    listeners::{Incoming, Listeners},
    metrics::Metrics,
    net::{self, Networks, Socket},
    problem::Problem,
    shutdown::Shutdown,
};

use gate::{Answer, Exchange, Gate};
use inlet::{Arrival, Inlet};
use timely::timely;

/// What HTTP peers are held to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at a time, over all listeners, viewers included.
    pub max_connections: usize,
    /// Connections of one address at a time (an IPv6 network of 64 bits is one); 0 for no such limit. Default half of
    /// all: one peer cannot take every place, and many behind one router find room.
    pub max_connections_per_ip: usize,
    /// From the first byte of a request, or from the last answer, to the end of the head; and from there to the end of
    /// the body.
    pub head_timeout: Duration,
    /// Bytes of a request's head.
    pub head_size: usize,
    /// Proxies of ours: what they say of whose requests they pass on is believed. Default none: anybody could say it.
    pub trusted_proxies: Networks,
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
            trusted_proxies: Networks::default(),
            net: net::Limits::default(),
        }
    }
}

impl Limits {
    fn places(&self) -> Most {
        Most { all: self.max_connections, of_one: self.max_connections_per_ip }
    }
}

/// What every HTTP listener shares. Clones are the same server.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    router: Router,
    flv: FlvState,
    limits: Live<Limits>,
    places: Places,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
}

impl Server {
    /// Serves the streams of `flv` and answers everything else with `router`, within `limits`, until `shutdown`.
    pub fn new(
        router: Router,
        flv: FlvState,
        limits: Live<Limits>,
        metrics: Arc<Metrics>,
        shutdown: Shutdown,
    ) -> Server {
        let places = Places::default();
        Server { shared: Arc::new(Shared { router, flv, limits, places, metrics, shutdown }) }
    }

    /// Accepts connections until the server stops.
    pub async fn serve(self, listeners: impl Into<Listeners>) {
        let requested = self.shared.shutdown.requested().clone();
        requested.run_until_cancelled(self.accept(listeners.into())).await;
    }

    async fn accept(&self, mut listeners: Listeners) {
        loop {
            match listeners.accept().await {
                Ok(incoming) => self.admit(incoming),
                Err(error) => pause_after(&error, &self.shared.metrics.hits).await,
            }
        }
    }

    fn admit(&self, Incoming { tcp, peer, tls }: Incoming) {
        let Shared { places, metrics, shutdown, limits, .. } = &*self.shared;
        let limits = limits.get();
        let place = match limits.trusted_proxies.contain(peer.ip()) {
            true => places.take_for_proxy(limits.places()),
            false => places.take(peer.ip(), limits.places()),
        };
        let place = match place {
            Ok(place) => place,
            Err(full) => {
                metrics.http.refuse();
                metrics.hits.hit(match full {
                    Full::All => Limit::HttpConnections,
                    Full::Address => Limit::HttpPerAddress,
                });
                // Under TLS it would not be understood before a handshake.
                return if tls.is_none() {
                    refuse(&tcp, full)
                };
            }
        };
        let open = metrics.http.open();
        let span = info_span!("http", id = open.id, %peer);
        let shared = self.shared.clone();
        let held = (place, open);
        shutdown.track(async move {
            net::tune(&tcp, &limits.net);
            let socket = match tls {
                None => Some(tcp.into()),
                Some(tls) => Box::pin(shared.secure(tcp, &tls, &span)).await,
            };
            if let Some(socket) = socket {
                if socket.speaks_h2() {
                    Box::pin(shared.converse_h2(socket, peer, limits, &span)).await;
                } else {
                    shared.converse(socket, peer, limits, span).await;
                }
            }
            drop(held);
        });
    }
}

impl Shared {
    /// Answers what comes on a connection until it ends.
    ///
    /// This is the task of a viewer too: what a viewer does not need while it watches is boxed, and nothing stands around
    /// the stream that would have to be asked at every picture (the span, the shutdown).
    async fn converse(
        self: &Arc<Self>,
        socket: Socket,
        peer: SocketAddr,
        held_to: Arc<Limits>,
        span: Span,
    ) {
        let mut inlet = Inlet::new(held_to.head_size);
        loop {
            let next = self.next(&mut inlet, &socket, held_to.head_timeout);
            let Some(arrival) = next.await else { return };
            let goes_on = match arrival {
                Arrival::End => false,
                Arrival::Head(head) if flv::is_stream_path(head.request.uri().path()) => {
                    inlet.consume(head.len);
                    let limits = &held_to.net;
                    match self.client(&held_to, peer, head.request.headers()) {
                        Ok(client) => {
                            let asked = flv::Asked {
                                socket: &socket,
                                inlet: &mut inlet,
                                limits,
                                peer: &client.address,
                                span: &span,
                            };
                            self.flv.serve(asked, head).await
                        }
                        Err(problem) => {
                            let (method, words) = (head.request.method(), problem.into_response());
                            drop(
                                Box::pin(answer::send(&socket, limits, method, words, false)).await,
                            );
                            false
                        }
                    }
                }
                Arrival::Strange if inlet.bytes().starts_with(TLS) && !socket.is_secure() => {
                    span.in_scope(|| info!("{TLS_ON_PLAIN}"));
                    false
                }
                Arrival::Head(_) | Arrival::Strange => {
                    let rest = self.hand_on(&socket, &mut inlet, peer, held_to.clone());
                    let rest: Pin<Box<dyn Future<Output = bool> + Send>> =
                        Box::pin(rest.instrument(span.clone()));
                    rest.await
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Who made a request with these `headers` on a connection from `peer`.
    ///
    /// # Errors
    /// The answer to one whose address has as many requests under way through proxies as it may have connections.
    fn client(
        &self,
        held_to: &Limits,
        peer: SocketAddr,
        headers: &HeaderMap,
    ) -> Result<Client, Box<Problem>> {
        let Some(address) = forwarded::client(&held_to.trusted_proxies, peer, headers) else {
            return Ok(Client { address: peer, relayed: None });
        };
        Ok(Client { address, relayed: Some(self.place_beside(address)?) })
    }

    /// A place among those of `address`, for what comes on a connection that has its own.
    fn place_beside(&self, address: SocketAddr) -> Result<Box<Place>, Box<Problem>> {
        let place = self.places.take_behind_proxy(address.ip(), self.limits.get().places());
        place.map(Box::new).map_err(|_| {
            self.metrics.hits.hit(Limit::HttpPerAddress);
            Box::new(too_many())
        })
    }

    /// What comes next; `None` if nothing comes in time, or the server stops.
    async fn next(&self, inlet: &mut Inlet, socket: &Socket, limit: Duration) -> Option<Arrival> {
        let next = poll_fn(|context| inlet.poll_head(context, socket));
        let next = self.shutdown.requested().run_until_cancelled(next);
        match timeout(limit, next).await {
            Ok(arrival) => arrival?.ok(),
            Err(_) => {
                self.metrics.hits.hit(Limit::HttpHeadTime);
                None
            }
        }
    }

    /// Lets hyper answer with the router's words, until there is a request for a stream; `false` if the connection has
    /// ended before.
    async fn hand_on(
        self: &Arc<Self>,
        socket: &Socket,
        inlet: &mut Inlet,
        peer: SocketAddr,
        held_to: Arc<Limits>,
    ) -> bool {
        let exchange = Arc::new(Exchange::default());
        let limits = &held_to.net;
        let gate = Gate::new(socket, inlet, limits, exchange.clone(), flv::is_stream_path);
        let router = TowerToHyperService::new(self.router.clone());
        let server = self.clone();
        let service =
            Routes { server, router, peer, held_to: held_to.clone(), exchange: exchange.clone() };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(held_to.head_timeout)
            .max_header_size(held_to.head_size)
            .max_headers(inlet::FIELDS_MAX)
            .max_buf_size(held_to.head_size.max(BUFFER_SIZE))
            .serve_connection(TokioIo::new(gate), service);
        let mut connection = std::pin::pin!(connection);
        let conversation = async {
            tokio::select! {
                outcome = &mut connection => outcome,
                () = self.shutdown.requested().cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        match self.shutdown.forced().run_until_cancelled(conversation).await {
            Some(Ok(())) if exchange.has_ended() => return true,
            Some(Ok(())) => {}
            Some(Err(error)) => {
                if let Some(limit) = Limit::of_http(&error) {
                    self.metrics.hits.hit(limit);
                }
                debug!(%error, "connection ended");
            }
            None => return false,
        }
        if exchange.is_unread() {
            let rest = inlet.hear_out(socket);
            self.shutdown.requested().run_until_cancelled(rest).await;
        }
        false
    }
}

/// Who made a request.
struct Client {
    address: SocketAddr,
    /// Its place among those of its address, for as long as it is answered, if a proxy has passed it on. A connection
    /// that is the client's own has its place already.
    relayed: Option<Box<Place>>,
}

impl Client {
    /// Puts who it is where handlers find it.
    fn mark(&self, extensions: &mut Extensions) {
        extensions.insert(ConnectInfo(self.address));
        if self.relayed.is_some() {
            extensions.insert(forwarded::Relayed);
        }
    }
}

/// The router, with the client's address where handlers find it: `ConnectInfo<SocketAddr>`, and
/// [`Relayed`](forwarded::Relayed) beside it for one that came over a proxy.
struct Routes {
    server: Arc<Shared>,
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
    held_to: Arc<Limits>,
    exchange: Arc<Exchange>,
}

impl Service<Request<body::Incoming>> for Routes {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<body::Incoming>) -> Self::Future {
        let client = self.server.client(&self.held_to, self.peer, request.headers());
        let (answer, place) = match client {
            Ok(client) => {
                client.mark(request.extensions_mut());
                let (request, late) = timely(request, self.held_to.head_timeout);
                (Ok((self.router.call(request), late)), client.relayed)
            }
            Err(problem) => (Err(problem), None),
        };
        let (exchange, metrics) = (self.exchange.clone(), self.server.metrics.clone());
        Box::pin(async move {
            let mut response = match answer {
                Ok((answer, late)) => late.judge(answer.await?, &metrics.hits),
                Err(problem) => problem.into_response(),
            };
            if exchange.is_last() {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Answer::new(body, exchange, place)))
        })
    }
}

/// One address has too much under way through proxies. Any page may read so, as with every refusal.
fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_connections",
        "Too many connections",
        "too many connections from your address",
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
    .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
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

/// What TLS begins with: a handshake's record.
const TLS: &[u8] = &[0x16, 3];

const TLS_ON_PLAIN: &str =
    "TLS on the port for plain HTTP: https:// needs one of the addresses that `https` listens on";

/// More than the head of a usual request.
const HEAD: usize = 4 << 10;

/// What hyper takes of an answer before it writes.
const BUFFER_SIZE: usize = 128 << 10;
