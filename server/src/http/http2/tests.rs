//! HTTP/2 without TLS, over real sockets, against a hub fed by hand.

use std::time::Duration;

use axum::{Router, routing::get};
use bytes::BytesMut;
use h2::client::{self, ResponseFuture, SendRequest};
use pushpull_media::flv::{TagBuffer, TagKind};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::*;
use crate::{
    access::Access,
    config::Live,
    flv::FlvState,
    http::Server,
    hub::{self, Hub, Publisher, Source},
    metrics::Metrics,
    net,
    shutdown::Shutdown,
    testing::until,
};

/// A server, and one connection to it.
struct Stage {
    hub: Hub,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
    client: SendRequest<Bytes>,
    /// The client's end of the connection: how it ended.
    end: JoinHandle<Result<(), h2::Error>>,
    /// The server's end.
    served: JoinHandle<()>,
}

impl Stage {
    async fn open(limits: Limits) -> Self {
        let Silent { hub, metrics, shutdown, near, served } = Silent::open(limits).await;
        // Room for one stream that stalls, and others beside it, as browsers have it.
        let mut builder = client::Builder::new();
        let handshake = builder.initial_connection_window_size(1 << 20).handshake(near);
        let (client, connection) = handshake.await.unwrap();
        Self { hub, metrics, shutdown, client, end: tokio::spawn(connection), served }
    }

    /// A request whose answer may be waited for.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> ResponseFuture {
        let uri = format!("https://test{path}");
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        let (answer, mut upload) = self.client.send_request(request, body.is_empty()).unwrap();
        if !body.is_empty() {
            upload.send_data(Bytes::copy_from_slice(body.as_bytes()), true).unwrap();
        }
        answer
    }

    async fn get(&mut self, path: &str) -> (u16, RecvStream) {
        let answer = self.ask("GET", path, "").await.unwrap();
        (answer.status().as_u16(), answer.into_body())
    }

    /// Publishes `live/x`: a keyframe that is joined at.
    fn publish(&self) -> Publisher {
        let source = Source { protocol: "test", peer: String::new(), agent: String::new() };
        let name = pushpull_rtmp::StreamName::parse("live/x").unwrap();
        let mut publisher = self.hub.claim(&name, source).unwrap().go_live();
        show(&mut publisher, 0, 100);
        let mut sound = TagBuffer::with_capacity(10);
        sound.extend_from_slice(b"\xAF\x01sound").unwrap();
        publisher.media(TagKind::Audio, 0, sound);
        publisher
    }

    fn viewers(&self) -> usize {
        self.hub.streams().iter().map(|stream| stream.viewers).sum()
    }
}

/// A server, and a peer that has said nothing yet.
struct Silent {
    hub: Hub,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
    near: TcpStream,
    served: JoinHandle<()>,
}

impl Silent {
    async fn open(limits: Limits) -> Self {
        let router = Router::new()
            .route("/", get(async || "hello").post(async |text: String| text))
            .route("/never", get(async || std::future::pending::<()>().await));
        let hub = Hub::new(hub::Config::default());
        let metrics = Arc::new(Metrics::new(hub.clone()));
        let shutdown = Shutdown::new();
        let flv = FlvState::new(hub.clone(), Access::default(), shutdown.clone());
        let held_to = Arc::new(limits.clone());
        let live = Live::new(limits);
        let server = Server::new(router, flv, live, metrics.clone(), shutdown.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, peer) = listener.accept().await.unwrap();
        net::tune(&far, &held_to.net);
        let served = tokio::spawn(async move {
            server.shared.converse_h2(far.into(), peer, held_to, &Span::none()).await;
        });
        Self { hub, metrics, shutdown, near, served }
    }
}

/// A keyframe of so many bytes.
fn show(publisher: &mut Publisher, time: u32, len: usize) {
    let mut buffer = TagBuffer::with_capacity(len + 5);
    buffer.extend_from_slice(b"\x17\x01\0\0\0").unwrap();
    buffer.extend_from_slice(&vec![7; len]).unwrap();
    publisher.media(TagKind::Video, time, buffer);
}

/// Takes all that comes, up to the end.
async fn read(mut body: RecvStream) -> Result<Bytes, h2::Error> {
    let mut all = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        all.extend_from_slice(&data);
    }
    Ok(all.freeze())
}

#[tokio::test]
async fn pages_uploads_and_streams_share_a_connection() {
    let mut stage = Stage::open(Limits::default()).await;
    let mut publisher = stage.publish();
    let (status, stream) = stage.get("/live/x.flv").await;
    assert_eq!(status, 200);
    let (status, page) = stage.get("/").await;
    assert_eq!((status, &read(page).await.unwrap()[..]), (200, &b"hello"[..]));
    let answer = stage.ask("POST", "/", &"x".repeat(50_000)).await.unwrap();
    assert_eq!(read(answer.into_body()).await.unwrap().len(), 50_000);
    let head = stage.ask("HEAD", "/live/x.flv", "").await.unwrap();
    assert_eq!(head.headers()["content-type"], "video/x-flv");
    assert!(head.headers().contains_key("date") && head.body().is_end_stream());
    let (status, words) = stage.get("/live/none.flv").await;
    let words = read(words).await.unwrap();
    assert!(status == 404 && words.starts_with(b"{"), "{status} {words:?}");

    // More than the windows hold.
    for step in 1..=50 {
        show(&mut publisher, step * 40, 10_000);
    }
    publisher.finish();
    let all = read(stream).await.unwrap();
    assert!(all.starts_with(b"FLV\x01") && all.len() > 50 * 10_000, "{}", all.len());
    assert_eq!(stage.viewers(), 0);
}

#[tokio::test]
async fn what_a_peer_makes_no_room_for_shows_as_lag_in_the_ring() {
    let mut stage = Stage::open(Limits::default()).await;
    let mut publisher = stage.publish();
    let (_, _stream) = stage.get("/live/x.flv").await;
    for step in 1..=400 {
        show(&mut publisher, step * 40, 10_000);
        tokio::task::yield_now().await;
    }
    until(|| stage.hub.streams()[0].lag_bytes > 3 << 20).await;
    let taken = stage.hub.stats().bytes_out();
    // A window, and a block that waits for the next.
    assert!(taken < (64 << 10) + 20_000, "{taken} bytes were taken");
}

#[tokio::test]
async fn a_stream_that_takes_nothing_is_cut_and_the_others_go_on() {
    let net = net::Limits { stall: Duration::from_millis(200), ..net::Limits::default() };
    let mut stage = Stage::open(Limits { net, ..Limits::default() }).await;
    let mut publisher = stage.publish();
    let (_, stalled) = stage.get("/live/x.flv").await;
    let (_, other) = stage.get("/live/x.flv").await;
    let other = tokio::spawn(read(other));
    for step in 1..=20 {
        show(&mut publisher, step * 40, 10_000);
    }
    until(|| stage.viewers() == 1).await;
    assert_eq!(stage.metrics.hits.of(Limit::HttpStall), 1);
    let error = read(stalled).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    publisher.finish();
    assert!(other.await.unwrap().unwrap().len() > 20 * 10_000);
    let (status, _) = stage.get("/").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_request_that_is_taken_back_leaves_nothing_behind() {
    let mut stage = Stage::open(Limits::default()).await;
    let _publisher = stage.publish();
    let (_, stream) = stage.get("/live/x.flv").await;
    until(|| stage.viewers() == 1).await;
    drop(stream);
    until(|| stage.viewers() == 0).await;
    // One that waits for a stream that is missing.
    drop(stage.ask("GET", "/live/none.flv", ""));
    drop(stage.ask("GET", "/never", ""));
    let (status, _) = stage.get("/").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn requests_of_one_connection_are_bounded() {
    let mut stage = Stage::open(Limits::default()).await;
    let (status, _page) = stage.get("/").await;
    assert_eq!(status, 200);
    let asked: Vec<_> = (0..STREAMS_MAX).map(|_| stage.ask("GET", "/never", "")).collect();
    // The client was told the limit, and keeps the next back.
    let mut next = stage.ask("GET", "/", "");
    let soon = timeout(Duration::from_millis(200), &mut next).await;
    assert!(soon.is_err(), "there is room for more than {STREAMS_MAX}");
    drop(asked);
    assert_eq!(next.await.unwrap().status(), 200);
}

#[tokio::test]
async fn viewers_of_one_connection_count_as_those_of_many() {
    let mut stage = Stage::open(Limits { max_connections_per_ip: 2, ..Limits::default() }).await;
    let _publisher = stage.publish();
    let mut streams = Vec::new();
    // The first has the place of the connection.
    for _ in 0..3 {
        let (status, stream) = stage.get("/live/x.flv").await;
        assert_eq!(status, 200);
        streams.push(stream);
    }
    assert_eq!(stage.get("/live/x.flv").await.0, 429);
    assert_eq!(stage.get("/").await.0, 200, "what is soon done is let in");
    streams.pop();
    until(|| stage.viewers() == 2).await;
    assert_eq!(stage.get("/live/x.flv").await.0, 200);
}

#[tokio::test]
async fn who_asks_and_takes_back_without_end_is_cut_off() {
    let mut stage = Stage::open(Limits::default()).await;
    for _ in 0..100_000 {
        let uri = "https://test/never";
        let request = Request::builder().uri(uri).body(()).unwrap();
        let Ok((answer, mut upload)) = stage.client.send_request(request, false) else { break };
        upload.send_reset(Reason::CANCEL);
        drop(answer);
        if stage.end.is_finished() {
            break;
        }
        tokio::task::yield_now().await;
    }
    // It is told why, if it listens.
    let ended = stage.end.await.unwrap().unwrap_err();
    assert!(matches!(ended.reason(), None | Some(Reason::ENHANCE_YOUR_CALM)), "{ended}");
    stage.served.await.unwrap();
}

#[tokio::test]
async fn an_upload_that_does_not_come_to_an_end_is_answered_408() {
    let head_timeout = Duration::from_millis(200);
    let mut stage = Stage::open(Limits { head_timeout, ..Limits::default() }).await;
    let request = Request::builder().method("POST").uri("https://test/").body(()).unwrap();
    let (answer, mut upload) = stage.client.send_request(request, false).unwrap();
    upload.send_data(Bytes::from_static(b"x"), false).unwrap();
    assert_eq!(answer.await.unwrap().status(), 408);
    assert_eq!(stage.metrics.hits.of(Limit::HttpHeadTime), 1);
}

#[tokio::test]
async fn a_connection_with_nothing_to_do_is_closed() {
    let head_timeout = Duration::from_millis(100);
    let mut stage = Stage::open(Limits { head_timeout, ..Limits::default() }).await;
    let publisher = stage.publish();
    let (_, stream) = stage.get("/live/x.flv").await;
    tokio::time::sleep(3 * head_timeout).await;
    assert!(!stage.served.is_finished(), "a viewer is something to do");
    publisher.finish();
    read(stream).await.unwrap();
    stage.served.await.unwrap();
    stage.end.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_peer_with_nothing_to_do_is_closed_whether_it_agrees_or_not() {
    let net = net::Limits { stall: Duration::from_millis(100), ..net::Limits::default() };
    let head_timeout = Duration::from_millis(100);
    let mut silent = Silent::open(Limits { head_timeout, net, ..Limits::default() }).await;
    // Its greeting and its settings, and not a word more: our ping has no answer.
    let greeting = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    silent.near.write_all(greeting).await.unwrap();
    timeout(Duration::from_secs(10), silent.served).await.expect("it is open still").unwrap();
}

#[tokio::test]
async fn what_is_no_http2_is_closed() {
    let stage = Stage::open(Limits::default()).await;
    drop(stage.client);
    stage.served.await.unwrap();
    let limits = Limits { head_timeout: Duration::from_millis(100), ..Limits::default() };
    let stage = Stage::open(limits).await;
    // The greeting that never comes: the client's end is not driven any more.
    stage.end.abort();
    stage.served.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_ends_it_when_the_answers_have_been_given() {
    let mut stage = Stage::open(Limits::default()).await;
    let publisher = stage.publish();
    let (_, stream) = stage.get("/live/x.flv").await;
    stage.shutdown.request();
    stage.hub.close();
    read(stream).await.unwrap();
    stage.served.await.unwrap();
    drop(publisher);
}

#[tokio::test]
async fn a_peer_that_still_sends_is_not_reset_by_its_answer() {
    let mut stage = Stage::open(Limits::default()).await;
    for path in ["/", "/live/x.flv"] {
        let request = Request::delete(format!("https://test{path}")).body(()).unwrap();
        let (answer, mut upload) = stage.client.send_request(request, false).unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 405);
        read(answer.into_body()).await.unwrap();
        // More than fits the window from the start: what was sent is taken.
        for _ in 0..64 {
            upload.reserve_capacity(16 << 10);
            while upload.capacity() == 0 {
                poll_fn(|context| upload.poll_capacity(context)).await.unwrap().unwrap();
            }
            let len = upload.capacity().min(16 << 10);
            upload.send_data(vec![0; len].into(), false).unwrap();
        }
        upload.send_data(Bytes::new(), true).unwrap();
    }
}
