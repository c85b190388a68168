//! Connections and their limits; what is answered is tested where it is said.

use axum::{body::Body, routing::get};
use pushpull_media::flv::{TagBuffer, TagKind};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::hub::{self, Hub, Source};

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
async fn a_body_that_does_not_come_to_an_end_is_answered_408() {
    let server =
        start(Limits { head_timeout: Duration::from_millis(50), ..Limits::default() }).await;
    for (number, framing) in
        ["Content-Length: 1000000", "Transfer-Encoding: chunked"].into_iter().enumerate()
    {
        let mut peer = server.connect().await;
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n");
        peer.write_all(head.as_bytes()).await.unwrap();
        // A little comes all the time: whoever reads is never kept waiting for long.
        let (mut answers, mut words) = peer.split();
        let drip = async {
            while words.write_all(b"1\r\nx\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            std::future::pending().await
        };
        let mut answer = [0; 12];
        tokio::select! {
            read = answers.read_exact(&mut answer) => drop(read.unwrap()),
            () = drip => {}
        }
        assert_eq!(&answer, b"HTTP/1.1 408", "{framing}");
        assert_eq!(server.metrics.hits.of(Limit::HttpHeadTime), number as u64 + 1);
    }
    // One that is there in time is read.
    let mut peer = server.connect().await;
    let whole = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
    peer.write_all(whole).await.unwrap();
    assert!(read_to_end(&mut peer).await.ends_with("hello"));
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
async fn whom_a_trusted_proxy_names_is_the_client() {
    let request =
        "GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n";
    for (trusted, answer) in
        [("127.0.0.0/8", "192.0.2.1:0 relayed=true"), ("10.0.0.0/8", "relayed=false")]
    {
        let server = start(trusting(trusted, 1)).await;
        let mut peer = server.connect().await;
        peer.write_all(request.as_bytes()).await.unwrap();
        let said = read_to_end(&mut peer).await;
        assert!(said.ends_with(answer), "{trusted}: {said}");
    }
    // One that names nobody may speak for anybody.
    let server = start(trusting("127.0.0.1", 1)).await;
    let mut peer = server.connect().await;
    peer.write_all(b"GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut peer).await.ends_with("relayed=true"));
}

#[tokio::test]
async fn those_behind_a_trusted_proxy_have_a_share_each() {
    let server = start(trusting("127.0.0.1", 1)).await;
    let _publisher = server.publish();
    let watch = async |client: &str| {
        let mut peer = server.connect().await;
        let request =
            format!("GET /live/x.flv HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n");
        peer.write_all(request.as_bytes()).await.unwrap();
        let head = read_to(&mut peer, "\r\n\r\n").await;
        (head[9..12].to_owned(), peer)
    };
    let (first, watching) = watch("192.0.2.1").await;
    let (other, _watching) = watch("192.0.2.2").await;
    assert_eq!(
        (first.as_str(), other.as_str()),
        ("200", "200"),
        "the proxy has no share of its own"
    );
    let (again, mut refused) = watch("192.0.2.1").await;
    assert_eq!(again, "429");
    assert!(read_to_end(&mut refused).await.contains("too_many_connections"));
    assert_eq!(server.metrics.hits.of(Limit::HttpPerAddress), 1);
    // The page is counted with the streams.
    let mut peer = server.connect().await;
    peer.write_all(
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n",
    )
    .await
    .unwrap();
    assert!(read_to_end(&mut peer).await.starts_with("HTTP/1.1 429 "));
    drop(watching);
    while watch("192.0.2.1").await.0 != "200" {
        tokio::task::yield_now().await;
    }
}

/// Trusts these proxies, and lets every address have so many connections.
fn trusting(proxies: &str, per_ip: usize) -> Limits {
    let trusted_proxies = Networks::parse(proxies).unwrap();
    Limits { trusted_proxies, max_connections_per_ip: per_ip, ..Limits::default() }
}

#[tokio::test]
async fn a_head_of_too_many_fields_is_answered_431() {
    let server = start(Limits::default()).await;
    let mut peer = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(inlet::FIELDS_MAX));
    peer.write_all(head.as_bytes()).await.unwrap();
    assert!(read_to_end(&mut peer).await.starts_with("HTTP/1.1 431 "));
    assert_eq!(server.metrics.hits.of(Limit::HttpHeadSize), 1);
}

#[tokio::test]
async fn a_websocket_counts_for_as_long_as_it_is_open() {
    let server = start(Limits { max_connections: 1, ..Limits::default() }).await;
    let _publisher = server.publish();
    let url = format!("ws://{}/live/x.flv", server.address);
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

#[tokio::test]
async fn a_stream_can_be_asked_for_on_the_connection_that_brought_the_page() {
    let server = start(Limits::default()).await;
    let publisher = server.publish();
    let mut peer = server.connect().await;
    for _ in 0..2 {
        peer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(read_to(&mut peer, "hello").await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    peer.write_all(b"GET /live/x.flv HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let head = read_to(&mut peer, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("video/x-flv"), "{head}");
    publisher.finish();
    read_to(&mut peer, "\r\n0\r\n\r\n").await;
    peer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut peer).await.ends_with("hello"), "and it goes on after the stream");
}

#[tokio::test]
async fn requests_in_one_go_are_answered_in_order() {
    let server = start(Limits::default()).await;
    let page = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let missing = "HEAD /live/none.flv HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (requests, statuses) in [
        ([page, page, missing, last].concat(), "200 200 404 200"),
        ([missing, missing, page, missing, last].concat(), "404 404 200 404 200"),
    ] {
        // At once, and byte by byte.
        for size in [requests.len(), 1] {
            let mut peer = server.connect().await;
            peer.set_nodelay(true).unwrap();
            for piece in requests.as_bytes().chunks(size) {
                peer.write_all(piece).await.unwrap();
            }
            assert_eq!(statuses_of(&read_to_end(&mut peer).await), statuses);
        }
    }
}

#[tokio::test]
async fn more_requests_in_one_go_than_are_kept_are_all_answered() {
    let server = start(Limits { head_size: 1024, ..Limits::default() }).await;
    let page = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut peer = server.connect().await;
    peer.write_all([&page.repeat(199), last].concat().as_bytes()).await.unwrap();
    let answers = read_to_end(&mut peer).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 200);
}

#[tokio::test]
async fn a_stream_has_no_length() {
    let server = start(Limits::default()).await;
    let _publisher = server.publish();
    let mut peer = server.connect().await;
    peer.write_all(b"HEAD /live/x.flv HTTP/1.0\r\n\r\n").await.unwrap();
    let answer = read_to_end(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(!answer.contains("content-length"), "{answer}");
}

#[tokio::test]
async fn what_follows_a_request_is_not_taken_for_another() {
    let server = start(Limits::default()).await;
    let inner = "GET /live/none.flv HTTP/1.1\r\nHost: x\r\n\r\n";
    let len = inner.len();
    let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let counted =
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n{inner}{last}");
    let mut peer = server.connect().await;
    peer.write_all(counted.as_bytes()).await.unwrap();
    assert_eq!(statuses_of(&read_to_end(&mut peer).await), "200 200");

    // Where the end is not known, the connection ends with the answer.
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{len:x}\r\n{inner}\r\n0\r\n\r\n{inner}"
    );
    let mut peer = server.connect().await;
    peer.write_all(chunked.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut peer).await;
    assert_eq!(statuses_of(&answer), "200");
    assert!(answer.contains("connection: close"), "{answer}");

    // A stream takes no payload: what follows is not read at all.
    let stream =
        format!("POST /live/x.flv HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n{inner}");
    let mut peer = server.connect().await;
    peer.write_all(stream.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut peer).await;
    assert_eq!(statuses_of(&answer), "405");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn an_answer_is_not_lost_on_a_peer_that_still_sends() {
    let server = start(Limits::default()).await;
    for path in ["/", "/live/x.flv"] {
        let mut peer = server.connect().await;
        let body = vec![b'x'; 8 << 20];
        let head =
            format!("DELETE {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        peer.write_all(head.as_bytes()).await.unwrap();
        // As many do: it looks for an answer when it has sent everything.
        peer.write_all(&body).await.unwrap();
        let answer = read_to_end(&mut peer).await;
        assert_eq!(statuses_of(&answer), "405", "{path}");
        drop(peer);
        server.until_served().await;
    }
    // Nor on one whose head is far too large.
    let mut peer = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(8 << 20));
    peer.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(statuses_of(&read_to_end(&mut peer).await), "431");
}

#[tokio::test]
async fn who_goes_on_for_ever_is_cut_off() {
    let server = start(Limits::default()).await;
    let mut peer = server.connect().await;
    let head = b"DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n";
    peer.write_all(head).await.unwrap();
    let piece = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while peer.write_all(&piece).await.is_ok() {
        sent += piece.len();
        // What the system holds on either side comes on top.
        assert!(sent < inlet::HEARD_OUT_MAX + (64 << 20), "{sent}");
    }
    server.until_served().await;
}

#[tokio::test]
async fn a_connection_s_task_is_small() {
    let server = start(Limits::default()).await;
    let socket = server.connect().await;
    let shared = server.server.shared.clone();
    let task = shared.converse(socket.into(), server.address, shared.limits.get(), Span::none());
    let size = std::mem::size_of_val(&task);
    assert!(size <= 1500, "{size} bytes for every viewer");
}

/// The status codes of answers.
fn statuses_of(answers: &str) -> String {
    let codes = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]);
    codes.collect::<Vec<_>>().join(" ")
}

/// What comes up to and with `end`.
async fn read_to(peer: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        read.push(peer.read_u8().await.unwrap());
    }
    String::from_utf8_lossy(&read).into_owned()
}

struct Started {
    server: Server,
    hub: Hub,
    address: SocketAddr,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
    task: tokio::task::JoinHandle<()>,
}

impl Started {
    /// Publishes `live/x`: a keyframe, without sound.
    fn publish(&self) -> hub::Publisher {
        let source = Source { protocol: "test", peer: String::new(), agent: String::new() };
        let name = pushpull_rtmp::StreamName::parse("live/x").unwrap();
        let mut publisher = self.hub.claim(&name, source).unwrap().go_live();
        for (kind, data) in
            [(TagKind::Video, &b"\x17\x01\0\0\0key"[..]), (TagKind::Audio, b"\xAF\x01sound")]
        {
            let mut buffer = TagBuffer::with_capacity(data.len());
            buffer.extend_from_slice(data).unwrap();
            publisher.media(kind, 0, buffer);
        }
        publisher
    }

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
    let who = async |ConnectInfo(client): ConnectInfo<SocketAddr>, request: Request<Body>| {
        let relayed = request.extensions().get::<forwarded::Relayed>().is_some();
        format!("{client} relayed={relayed}")
    };
    let router = Router::new()
        .route("/", get(async || "hello").post(async |_: String| "hello"))
        .route("/who", get(who));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hub = Hub::new(hub::Config::default());
    let metrics = Arc::new(Metrics::new(hub.clone()));
    let shutdown = Shutdown::new();
    let flv = FlvState::new(hub.clone(), crate::access::Access::default(), shutdown.clone());
    let server = Server::new(router, flv, limits.into(), metrics.clone(), shutdown.clone());
    let task = tokio::spawn(server.clone().serve(listener));
    Started { server, hub, address, metrics, shutdown, task }
}

async fn read_to_end(peer: &mut TcpStream) -> String {
    let mut answer = String::new();
    peer.read_to_string(&mut answer).await.unwrap();
    answer
}
