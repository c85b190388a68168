//! Over real sockets: publishers come in with the RTMP client, viewers look at the hub.

mod waiting;

use pushpull_media::amf0;
use pushpull_media::flv::TagKind;
use pushpull_rtmp::StreamName;
use pushpull_rtmp::client::{ClientConfig, ClientConnection, ClientEvent, PublishUrl, Purpose};
use pushpull_rtmp::handshake::RANDOM_LEN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::hub::{self, Next, Start, State, Takeover, Viewer, ViewerInfo};
use crate::sessions::{self, Stop};
use crate::testing::until;

/// A listener with its hub.
struct Server {
    hub: Hub,
    access: Access,
    address: SocketAddr,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    async fn start(takeover: Takeover) -> Self {
        Self::with(takeover, Config::default()).await
    }

    async fn with(takeover: Takeover, config: Config) -> Self {
        let hub = Hub::new(hub::Config { takeover, ..hub::Config::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::new(hub.clone()));
        let shutdown = CancellationToken::new();
        let access = Access::default();
        let task = tokio::spawn(serve(
            listener,
            hub.clone(),
            access.clone(),
            config.into(),
            metrics.clone(),
            shutdown.clone(),
        ));
        Self { hub, access, address, metrics, shutdown, task }
    }

    async fn view(&self, name: &str) -> Viewer {
        let info = ViewerInfo { protocol: "test", peer: "test".into() };
        self.hub.view(&StreamName::parse(name).unwrap(), Start::Gop, info).await.unwrap()
    }

    /// The states of all streams, once `is_so` of them.
    async fn streams(&self, is_so: impl Fn(&[State]) -> bool) {
        let mut changed = self.hub.subscribe();
        let wanted = async {
            loop {
                let states: Vec<_> = self.hub.streams().iter().map(|s| s.state).collect();
                if is_so(&states) {
                    return;
                }
                changed.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, wanted).await.expect("the hub gets there");
    }
}

/// A publisher on a socket.
struct Client {
    socket: TcpStream,
    rtmp: ClientConnection,
}

impl Client {
    async fn connect(server: &Server, path: &str) -> Self {
        let url = PublishUrl::parse(&format!("rtmp://{}/{path}", server.address)).unwrap();
        let config = ClientConfig { signed: true, ..ClientConfig::new(url) };
        let socket = TcpStream::connect(server.address).await.unwrap();
        Self { socket, rtmp: ClientConnection::new(config, [7; RANDOM_LEN]) }
    }

    /// A publisher that was accepted.
    async fn publish(server: &Server, path: &str) -> Self {
        let mut client = Self::connect(server, path).await;
        assert!(matches!(client.event().await, Some(ClientEvent::Connected { .. })));
        assert_eq!(client.event().await, Some(ClientEvent::Published));
        client
    }

    async fn flush(&mut self) {
        while let Some(bytes) = self.rtmp.take_output() {
            self.socket.write_all(&bytes).await.unwrap();
        }
    }

    /// The next event; `None` when the server has closed the connection.
    async fn event(&mut self) -> Option<ClientEvent> {
        let mut buffer = [0; 4096];
        loop {
            self.flush().await;
            match self.rtmp.next_event() {
                // It comes before the answer to a publish, and says no more than that.
                Some(ClientEvent::Begin) => continue,
                Some(event) => return Some(event),
                None => {}
            }
            let read = timeout(PATIENCE, self.socket.read(&mut buffer)).await.expect("an answer");
            match read {
                Ok(0) | Err(_) => return None,
                Ok(len) => self.rtmp.receive(&buffer[..len]).unwrap(),
            }
        }
    }

    async fn refused(&mut self) -> String {
        loop {
            match self.event().await {
                Some(ClientEvent::Refused { code, .. }) => return code,
                Some(ClientEvent::Connected { .. }) => {}
                event => panic!("{event:?}"),
            }
        }
    }

    async fn send(&mut self, tags: &[(TagKind, u32, Vec<u8>)]) {
        for (kind, timestamp, data) in tags {
            self.rtmp.send(*kind, *timestamp, data).unwrap();
        }
        self.flush().await;
    }

    /// Sends after a refusal, however the socket takes it, until the server has closed.
    async fn is_cut_off(&mut self) {
        let cut = async {
            loop {
                self.rtmp.send(TagKind::Video, 0, &[0x17; 100]).unwrap();
                let bytes = self.rtmp.take_output().unwrap();
                if self.socket.write_all(&bytes).await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, cut).await.expect("the server closes")
    }
}

/// A second of media whose payloads begin with `mark`.
fn media(mark: &str) -> Vec<(TagKind, u32, Vec<u8>)> {
    let mut metadata = vec![];
    amf0::encode(&"onMetaData".into(), &mut metadata);
    let width = amf0::Value::EcmaArray(vec![("width".into(), 16.0.into())]);
    amf0::encode(&width, &mut metadata);
    let mut tags = vec![
        (TagKind::Script, 0, metadata),
        (TagKind::Video, 0, [b"\x17\0\0\0\0avcC ", mark.as_bytes()].concat()),
        (TagKind::Audio, 0, [b"\xAF\0asc ", mark.as_bytes()].concat()),
    ];
    for n in 0..25 {
        let head = if n == 0 { b"\x17\x01\0\0\0" } else { b"\x27\x01\0\0\0" };
        // Long enough to need several chunks.
        let picture = [&head[..], mark.as_bytes(), &[n as u8; 9000]].concat();
        tags.push((TagKind::Video, n * 40, picture));
        tags.push((
            TagKind::Audio,
            n * 40 + 3,
            [b"\xAF\x01", mark.as_bytes(), &[n as u8]].concat(),
        ));
    }
    tags
}

/// What a viewer gets until it has `count` tags of a kind.
async fn watch(viewer: &mut Viewer, kind: TagKind, count: usize) -> Vec<Vec<u8>> {
    let mut tags = vec![];
    while tags.len() < count {
        match timeout(PATIENCE, viewer.next()).await.expect("a block") {
            Next::Block(block) => tags.extend(
                block.tags().iter().filter(|tag| tag.kind() == kind).map(|tag| tag.data().to_vec()),
            ),
            Next::End(reason) => panic!("ended ({reason:?}) with {} tags", tags.len()),
        }
    }
    tags
}

fn of_kind(tags: &[(TagKind, u32, Vec<u8>)], kind: TagKind) -> Vec<Vec<u8>> {
    tags.iter().filter(|tag| tag.0 == kind).map(|tag| tag.2.clone()).collect()
}

#[tokio::test]
async fn a_viewer_gets_what_is_published() {
    let server = Server::start(Takeover::Reject).await;
    let mut publisher = Client::publish(&server, "live/s").await;
    let sent = media("a");
    publisher.send(&sent).await;
    let mut viewer = server.view("live/s").await;
    let video = of_kind(&sent, TagKind::Video);
    assert_eq!(watch(&mut viewer, TagKind::Video, video.len()).await, video);

    let source = server.hub.streams()[0].source.clone();
    assert_eq!(source.protocol, "rtmp");
    assert_eq!(source.peer, publisher.socket.local_addr().unwrap().to_string());
    assert!(source.agent.starts_with("FMLE/3.0"));

    publisher.rtmp.unpublish();
    publisher.flush().await;
    server.streams(<[State]>::is_empty).await;
    assert!(matches!(
        timeout(PATIENCE, async {
            loop {
                if let Next::End(reason) = viewer.next().await {
                    return reason;
                }
            }
        })
        .await,
        Ok(hub::EndReason::Finished)
    ));
}

#[tokio::test]
async fn sound_alone_is_not_held_for_long() {
    // The hub's clocks for held audio and undecided tracks are driven by the connection.
    let server = Server::start(Takeover::Reject).await;
    let mut publisher = Client::publish(&server, "live/radio").await;
    let sound: Vec<_> =
        media("a").into_iter().filter(|tag| tag.0 == TagKind::Audio).take(3).collect();
    publisher.send(&sound).await;
    let mut viewer = server.view("live/radio").await;
    let heard = watch(&mut viewer, TagKind::Audio, 2).await;
    assert_eq!(heard.last(), Some(&sound[2].2));
}

#[tokio::test]
async fn a_second_publisher_is_refused_cut_off_and_heard_by_nobody() {
    let server = Server::start(Takeover::Reject).await;
    let mut first = Client::publish(&server, "live/s").await;
    let sent = media("first");
    first.send(&sent[..10]).await;
    let mut viewer = server.view("live/s").await;

    let mut second = Client::connect(&server, "live/s").await;
    assert_eq!(second.refused().await, "NetStream.Publish.BadName");
    second.is_cut_off().await;
    let metrics = server.metrics.encode().unwrap();
    assert!(metrics.contains("publishers_refused_total{reason=\"busy\"} 1\n"), "{metrics}");

    first.send(&sent[10..]).await;
    let video = of_kind(&sent, TagKind::Video);
    assert_eq!(watch(&mut viewer, TagKind::Video, video.len()).await, video);
}

#[tokio::test]
async fn media_sent_along_with_a_refused_publish_reaches_nobody() {
    let server = Server::start(Takeover::Reject).await;
    let mut first = Client::publish(&server, "live/s").await;
    let sent = media("first");
    first.send(&sent[..10]).await;
    let mut viewer = server.view("live/s").await;

    // Up to the publish command, which is held back until the media is there too.
    let mut second = Client::connect(&server, "live/s").await;
    let mut buffer = [0; 4096];
    while second.rtmp.send(TagKind::Video, 0, b"\x17\x01\0\0\0stranger").is_err() {
        second.flush().await;
        let len = second.socket.read(&mut buffer).await.unwrap();
        second.rtmp.receive(&buffer[..len]).unwrap();
    }
    second.rtmp.send(TagKind::Video, 40, &[0x27; 50_000]).unwrap();
    assert_eq!(second.refused().await, "NetStream.Publish.BadName");
    assert_eq!(second.event().await, None);

    first.send(&sent[10..]).await;
    let video = of_kind(&sent, TagKind::Video);
    assert_eq!(watch(&mut viewer, TagKind::Video, video.len()).await, video);
}

#[tokio::test]
async fn a_replaced_publisher_is_told_and_the_viewers_stay() {
    let server = Server::start(Takeover::Replace).await;
    let mut first = Client::publish(&server, "live/s").await;
    first.send(&media("first")).await;
    let mut viewer = server.view("live/s").await;
    watch(&mut viewer, TagKind::Video, 26).await;

    let mut second = Client::publish(&server, "live/s").await;
    assert_eq!(first.refused().await, "NetStream.Publish.BadName");
    assert_eq!(first.event().await, None);
    let sent = media("second");
    second.send(&sent).await;
    let video = of_kind(&sent, TagKind::Video);
    assert_eq!(watch(&mut viewer, TagKind::Video, video.len()).await, video);
}

#[tokio::test]
async fn a_lost_publisher_leaves_its_viewers_waiting_and_may_return() {
    let server = Server::start(Takeover::Reject).await;
    let mut publisher = Client::publish(&server, "live/s").await;
    publisher.send(&media("before")).await;
    let mut viewer = server.view("live/s").await;
    watch(&mut viewer, TagKind::Video, 26).await;
    drop(publisher);
    server.streams(|states| states == [State::Waiting]).await;

    let mut publisher = Client::publish(&server, "live/s").await;
    let sent = media("after");
    publisher.send(&sent).await;
    assert_eq!(watch(&mut viewer, TagKind::Video, 26).await, of_kind(&sent, TagKind::Video));
}

#[tokio::test]
async fn a_publisher_is_a_session_and_can_be_ended() {
    let server = Server::start(Takeover::Reject).await;
    let sessions = server.access.sessions();
    for (stop, code) in
        [(Stop::Kicked, "NetStream.Publish.Denied"), (Stop::Expired, "NetStream.Publish.BadAuth")]
    {
        let mut client = Client::publish(&server, "live/x").await;
        client.send(&media("x")).await;
        until(|| sessions.list().first().is_some_and(|session| session.bytes > 0)).await;
        let session = sessions.list().remove(0);
        let purpose = sessions::Purpose::Publish;
        assert_eq!((&*session.stream, session.purpose), ("live/x", purpose));
        assert!(sessions.stop(session.id.as_str(), stop));
        assert_eq!(client.refused().await, code);
        client.is_cut_off().await;
        until(|| sessions.list().is_empty()).await;
    }
}

#[tokio::test]
async fn a_player_is_a_session_and_can_be_ended() {
    let server = Server::start(Takeover::Reject).await;
    let sessions = server.access.sessions();
    let mut client = Client::publish(&server, "live/x").await;
    client.send(&media("x")).await;
    let url = PublishUrl::parse(&format!("rtmp://{}/live/x", server.address)).unwrap();
    let config = ClientConfig { purpose: Purpose::Play, ..ClientConfig::new(url) };
    let socket = TcpStream::connect(server.address).await.unwrap();
    let mut player = Client { socket, rtmp: ClientConnection::new(config, [7; RANDOM_LEN]) };
    while !matches!(player.event().await, Some(ClientEvent::Media { .. })) {}
    let list = sessions.list();
    let purpose = sessions::Purpose::Play;
    let session = list.iter().find(|session| session.purpose == purpose).unwrap();
    assert!(session.bytes > 0 && session.protocol == "rtmp");
    assert!(sessions.stop(session.id.as_str(), Stop::Kicked));
    while player.event().await.expect("it is told") != ClientEvent::Eof {}
    assert_eq!(sessions.list().len(), 1, "the publisher goes on");
}

#[tokio::test]
async fn bad_names_are_refused() {
    let server = Server::start(Takeover::Reject).await;
    let mut client = Client::connect(&server, "live/%2e%2e").await;
    assert_eq!(client.refused().await, "NetStream.Publish.BadName");
    assert_eq!(client.event().await, None);

    let url = PublishUrl::parse(&format!("rtmp://{}/live/%2e%2e", server.address)).unwrap();
    let config = ClientConfig { purpose: Purpose::Play, ..ClientConfig::new(url) };
    let socket = TcpStream::connect(server.address).await.unwrap();
    let mut player = Client { socket, rtmp: ClientConnection::new(config, [7; RANDOM_LEN]) };
    assert_eq!(player.refused().await, "NetStream.Play.StreamNotFound");
    assert_eq!(player.event().await, None);
    let text = server.metrics.encode().unwrap();
    for counted in ["publishers_refused", "players_refused"] {
        let line = format!("pushpull_{counted}_total{{reason=\"bad_name\"}} 1");
        assert!(text.contains(&line), "{line} in {text}");
    }
}

#[tokio::test]
async fn what_is_not_rtmp_is_closed_and_harms_nobody() {
    let server = Server::start(Takeover::Reject).await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1], &[6; 2000], &[0xFF; 100_000]] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let _ = socket.write_all(garbage).await;
        let mut answer = vec![];
        let read = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("closed");
        assert!(read.is_err() || answer.is_empty());
    }
    assert_eq!(server.metrics.rtmp_errors.get(), 4);
    Client::publish(&server, "live/s").await;
}

#[tokio::test]
async fn connections_are_limited() {
    let config = Config { max_connections: 2, ..Config::default() };
    let server = Server::with(Takeover::Reject, config).await;
    let first = Client::publish(&server, "live/1").await;
    let _second = Client::publish(&server, "live/2").await;
    let mut third = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(timeout(PATIENCE, third.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    assert_eq!(server.metrics.rtmp.refused(), 1);
    assert_eq!(server.metrics.hits.of(Limit::RtmpConnections), 1);
    drop(first);
    let freed = async {
        loop {
            let mut client = Client::connect(&server, "live/3").await;
            if client.event().await.is_some() {
                return;
            }
        }
    };
    timeout(PATIENCE, freed).await.expect("a place comes free");
}

#[tokio::test]
async fn a_handshake_that_never_ends_does() {
    let mut config = Config::default();
    config.protocol.handshake_timeout = Duration::from_millis(200);
    let server = Server::with(Takeover::Reject, config).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(&[3, 0, 0]).await.unwrap();
    assert_eq!(timeout(PATIENCE, socket.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    assert_eq!(server.metrics.hits.of(Limit::RtmpHandshake), 1);
}

#[tokio::test]
async fn one_address_has_no_more_connections_than_its_share() {
    let config = Config { max_connections_per_ip: 1, ..Config::default() };
    let server = Server::with(Takeover::Reject, config).await;
    let _first = Client::publish(&server, "live/1").await;
    assert_eq!(Client::connect(&server, "live/2").await.event().await, None);
    assert_eq!(server.metrics.hits.of(Limit::RtmpPerAddress), 1);
}

#[tokio::test]
async fn stopping_tells_publishers_and_ends_every_connection() {
    let server = Server::start(Takeover::Reject).await;
    let mut publisher = Client::publish(&server, "live/s").await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    server.shutdown.cancel();
    assert_eq!(publisher.refused().await, "NetStream.Publish.Failed");
    drop(publisher);
    timeout(PATIENCE, server.task).await.expect("it stops").unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
