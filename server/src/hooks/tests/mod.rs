//! Hooks against a hook server in the same process.

mod bounds;
mod secure;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use pushpull_rtmp::StreamName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{config::Secret, sessions::Sessions, testing::until};

/// How a hook server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// With this body, and 200.
    Says(&'static str),
    /// With this status.
    Status(u16),
    /// With whatever these bytes are.
    Raw(&'static str),
    /// By closing the connection.
    Closes,
    /// Not at all.
    Silent,
    /// With a body, a head or interim answers without end.
    Floods(&'static str),
}

/// A hook server.
struct Server {
    scheme: &'static str,
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    /// Requests, as they came.
    seen: Arc<Mutex<Vec<String>>>,
    /// Connections at present, and the most at a time.
    open: Arc<[AtomicUsize; 2]>,
    _task: JoinHandle<()>,
}

impl Server {
    async fn new(mood: Mood) -> Self {
        Self::start(mood, None).await
    }

    async fn start(mood: Mood, tls: Option<TlsAcceptor>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, seen) = (Arc::new(Mutex::new(mood)), Arc::new(Mutex::default()));
        let open = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let shared = (mood.clone(), seen.clone(), open.clone());
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let ((mood, seen, open), tls) = (shared.clone(), tls.clone());
                tokio::spawn(async move {
                    let now = open[0].fetch_add(1, Ordering::SeqCst) + 1;
                    open[1].fetch_max(now, Ordering::SeqCst);
                    let _ = match tls {
                        Some(tls) => match tls.accept(socket).await {
                            Ok(mut socket) => {
                                let served = serve(&mut socket, &mood, &seen).await;
                                // What TLS ends with.
                                served.and(socket.shutdown().await)
                            }
                            Err(error) => Err(error),
                        },
                        None => serve(socket, &mood, &seen).await,
                    };
                    open[0].fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { scheme, address, mood, seen, open, _task: task }
    }

    fn url(&self) -> Url {
        Url::parse(&format!("{}://{}/hook?a=b", self.scheme, self.address)).unwrap()
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The actions that were asked and told, in their order.
    fn actions(&self) -> Vec<String> {
        let action = |request: &String| {
            let (_, rest) = request.split_once("\"action\":\"").unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        self.requests().iter().map(action).collect()
    }

    async fn until_actions(&self, count: usize) -> Vec<String> {
        until(|| self.actions().len() >= count).await;
        self.actions()
    }
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    mood: &Mutex<Mood>,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = socket.read(&mut buffer).await?;
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let body =
            text.split_once("\r\n\r\n").map(|(head, body)| (head.to_lowercase(), body.len()));
        let len = body.as_ref().and_then(|(head, _)| {
            head.split_once("content-length: ")?.1.lines().next()?.parse::<usize>().ok()
        });
        if read == 0 || body.is_some_and(|(_, has)| Some(has) >= len) {
            seen.lock().unwrap().push(text);
            break;
        }
    }
    let mood = *mood.lock().unwrap();
    match mood {
        Mood::Says(body) => {
            let len = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{body}");
            socket.write_all(answer.as_bytes()).await
        }
        Mood::Status(status) => {
            let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
            socket.write_all(answer.as_bytes()).await
        }
        Mood::Raw(bytes) => socket.write_all(bytes.as_bytes()).await,
        Mood::Closes => Ok(()),
        Mood::Silent => {
            // Until the other side has had enough.
            socket.read(&mut [0]).await.map(|_| ())
        }
        Mood::Floods(piece) => {
            let start = "HTTP/1.1 ";
            socket.write_all(start.as_bytes()).await?;
            loop {
                socket.write_all(piece.as_bytes()).await?;
            }
        }
    }
}

/// A configuration that sends every event to `server`, and waits for it for as long as a busy machine takes.
fn config(server: &Server) -> Config {
    let mut config = Config { timeout: Duration::from_secs(60), ..Config::default() };
    for event in Event::ALL {
        config.set_urls(event, vec![server.url()]);
    }
    config
}

/// The same for a server that does not answer: it is waited for only as long as the request takes to get there.
fn hasty(server: &Server) -> Config {
    Config { timeout: Duration::from_secs(2), retries: 0, ..config(server) }
}

fn hooks(config: Config) -> Hooks {
    Hooks::new(Live::new(config), Shutdown::new())
}

fn client(id: &str) -> Client {
    client_at(id, 2)
}

/// One at the address of its own that ends in `last`.
fn client_at(id: &str, last: u8) -> Client {
    let peer = SocketAddr::from(([192, 0, 2, last], 80));
    Client::new(id.to_owned(), "rtmp", peer, Connect::default())
}

fn wants(purpose: Purpose, client: Option<&Client>) -> Request {
    Request {
        purpose,
        protocol: "rtmp",
        peer: SocketAddr::from(([192, 0, 2, 2], 80)),
        name: StreamName::parse("live/x").unwrap(),
        query: "token=1".to_owned(),
        agent: "test/1".to_owned(),
        referer: String::new(),
        tc_url: String::new(),
        client: client.cloned(),
    }
}

async fn ask(hooks: &Hooks, purpose: Purpose, client: Option<&Client>) -> Result<Started, Denied> {
    hooks.ask(&wants(purpose, client), &Sessions::default().new_id()).await
}

#[tokio::test]
async fn a_connection_with_all_its_events_comes_in_order() {
    let server = Server::new(Mood::Says("0")).await;
    let hooks = hooks(config(&server));
    let client = client("c");
    let connected = hooks.connect(client.clone()).await.unwrap();
    let mut publishing = ask(&hooks, Purpose::Publish, Some(&client)).await.unwrap();
    let mut playing = ask(&hooks, Purpose::Play, Some(&client)).await.unwrap();
    publishing.moved(7, 0);
    playing.moved(0, 8);
    drop((publishing, playing, connected));
    let expected = ["on_connect", "on_publish", "on_play", "on_unpublish", "on_stop", "on_close"];
    assert_eq!(server.until_actions(6).await, expected);
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.starts_with("POST /hook?a=b HTTP/1.1\r\n")));
    assert!(requests[3].contains(r#""send_bytes":0,"recv_bytes":7"#), "{}", requests[3]);
    assert!(requests[5].contains(r#""send_bytes":8,"recv_bytes":7"#), "{}", requests[5]);
    let stats = hooks.stats();
    until(|| stats.waiting() == 0).await;
    assert_eq!(stats.of(Event::OnPublish, Outcome::Asked), 1);
    assert_eq!(stats.of(Event::OnUnpublish, Outcome::Told), 1);
}

#[tokio::test]
async fn without_urls_nobody_is_asked() {
    let hooks = hooks(Config::default());
    assert!(!hooks.is_active() && !hooks.wants_connections());
    let started = ask(&hooks, Purpose::Publish, None).await.unwrap();
    assert!(started.0.is_none());
    assert!(ask(&Hooks::default(), Purpose::Play, None).await.unwrap().0.is_none());
}

#[tokio::test]
async fn a_no_is_a_no_and_has_no_end() {
    let server = Server::new(Mood::Says(r#"{"code": 5, "msg": "paid until May"}"#)).await;
    for fail in [Fail::Closed, Fail::Open] {
        let hooks = hooks(Config { fail, ..config(&server) });
        let denied = ask(&hooks, Purpose::Publish, None).await.unwrap_err();
        assert!(
            denied.reason == Reason::Refused && denied.text.ends_with(": paid until May"),
            "{denied}"
        );
        let stats = hooks.stats();
        until(|| stats.waiting() == 0).await;
        assert_eq!(stats.of(Event::OnPublish, Outcome::Denied), 1);
    }
    assert_eq!(server.actions(), ["on_publish"; 2]);
}

/// What no hook server should do.
const NONSENSE: [Mood; 13] = [
    Mood::Says(""),
    Mood::Says("yes"),
    Mood::Status(500),
    Mood::Status(302),
    Mood::Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0"),
    Mood::Raw("220 mail.example ESMTP\r\n"),
    Mood::Raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n00"),
    Mood::Closes,
    Mood::Silent,
    Mood::Floods("200 OK\r\n\r\n00000000000000000000000000000000000000000000000000"),
    Mood::Floods("200 OK\r\nX-A: 0000000000000000000000000000000000000000\r\n"),
    Mood::Floods("100 Continue\r\n\r\nHTTP/1.1 "),
    Mood::Floods("0000000000000000000000000000000000000000000000000000000000"),
];

#[tokio::test]
async fn nonsense_is_no_answer_and_ends_what_it_may_have_begun() {
    for mood in NONSENSE {
        let server = Server::new(mood).await;
        let hooks = hooks(hasty(&server));
        let denied = ask(&hooks, Purpose::Play, None).await.unwrap_err();
        assert!(denied.reason == Reason::Unanswered, "{mood:?}");
        assert!(!denied.text.contains("127.0.0.1"), "peers need not know: {denied}");
        assert_eq!(server.until_actions(2).await, ["on_play", "on_stop"], "{mood:?}");
        let stats = hooks.stats();
        until(|| stats.waiting() == 0).await;
        assert_eq!(stats.of(Event::OnPlay, Outcome::Failed), 1, "{mood:?}");
        assert_eq!(hooks.health()[0].host, server.address.to_string());
    }
}

#[tokio::test]
async fn open_hooks_let_in_who_cannot_be_asked_about() {
    for mood in NONSENSE {
        let server = Server::new(mood).await;
        let hooks = hooks(Config { fail: Fail::Open, ..hasty(&server) });
        let started = ask(&hooks, Purpose::Play, None).await.unwrap();
        assert_eq!(server.actions(), ["on_play"], "{mood:?}");
        drop(started);
        assert_eq!(server.until_actions(2).await, ["on_play", "on_stop"], "{mood:?}");
        assert_eq!(hooks.stats().of(Event::OnPlay, Outcome::LetIn), 1);
    }
}

#[tokio::test]
async fn all_have_to_agree_and_a_no_weighs_more_than_silence() {
    let yes = Server::new(Mood::Says("0")).await;
    let no = Server::new(Mood::Says("1")).await;
    let dead = Server::new(Mood::Closes).await;
    let with = |servers: &[&Server], fail| {
        let mut config = Config { fail, retries: 0, ..config(&yes) };
        config.set_urls(Event::OnPlay, servers.iter().map(|server| server.url()).collect());
        hooks(config)
    };
    assert!(ask(&with(&[&yes, &yes], Fail::Closed), Purpose::Play, None).await.is_ok());
    assert_eq!(yes.until_actions(3).await, ["on_play", "on_play", "on_stop"]);
    // One of them has let it in, and hears that it is over.
    let denied = ask(&with(&[&yes, &no], Fail::Open), Purpose::Play, None).await.unwrap_err();
    assert!(denied.reason == Reason::Refused);
    assert_eq!(yes.until_actions(5).await[3..], ["on_play", "on_stop"]);
    let denied = ask(&with(&[&dead, &no], Fail::Open), Purpose::Play, None).await.unwrap_err();
    assert!(denied.reason == Reason::Refused);
    let denied = ask(&with(&[&dead, &yes], Fail::Closed), Purpose::Play, None).await.unwrap_err();
    assert!(denied.reason == Reason::Unanswered);
}

#[tokio::test]
async fn who_leaves_while_it_is_asked_about_has_one_end_if_it_was_let_in() {
    let server = Server::new(Mood::Silent).await;
    let hooks = hooks(hasty(&server));
    let asking = tokio::spawn({
        let hooks = hooks.clone();
        async move { ask(&hooks, Purpose::Publish, None).await }
    });
    until(|| server.actions().len() == 1).await;
    asking.abort();
    assert_eq!(server.until_actions(2).await, ["on_publish", "on_unpublish"]);
    let stats = hooks.stats();
    until(|| stats.waiting() == 0).await;
    assert_eq!(server.actions().len(), 2);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_ends_before_its_connection() {
    let server = Server::new(Mood::Says("0")).await;
    let hooks = hooks(hasty(&server));
    let client = client("c");
    let connected = hooks.connect(client.clone()).await.unwrap();
    server.set(Mood::Silent);
    let asking = tokio::spawn({
        let (hooks, client) = (hooks.clone(), client.clone());
        async move { ask(&hooks, Purpose::Publish, Some(&client)).await }
    });
    until(|| server.actions().len() == 2).await;
    asking.abort();
    let _ = asking.await;
    drop(connected);
    let expected = ["on_connect", "on_publish", "on_unpublish", "on_close"];
    assert_eq!(server.until_actions(4).await, expected);
}

#[tokio::test]
async fn who_leaves_before_anybody_heard_of_it_is_not_heard_of() {
    let server = Server::new(Mood::Silent).await;
    let hooks = hooks(Config { retries: 0, timeout: Duration::from_secs(5), ..config(&server) });
    let client = client("c");
    let ask_in_task = |purpose| {
        let (hooks, client) = (hooks.clone(), client.clone());
        tokio::spawn(async move { ask(&hooks, purpose, Some(&client)).await })
    };
    let first = ask_in_task(Purpose::Publish);
    until(|| server.actions().len() == 1).await;
    let second = ask_in_task(Purpose::Play);
    let stats = hooks.stats();
    until(|| stats.waiting() == 2).await;
    second.abort();
    let _ = second.await;
    first.abort();
    server.set(Mood::Says("0"));
    assert_eq!(server.until_actions(2).await, ["on_publish", "on_unpublish"]);
    until(|| stats.waiting() == 0).await;
    assert_eq!(server.actions().len(), 2);
}

#[tokio::test]
async fn a_question_behind_others_that_hang_is_answered_in_time_and_never_asked() {
    let server = Server::new(Mood::Says("0")).await;
    let hooks = hooks(Config { retries: 1, ..hasty(&server) });
    let client = client("c");
    let started = ask(&hooks, Purpose::Play, Some(&client)).await.unwrap();
    server.set(Mood::Silent);
    drop(started);
    server.until_actions(2).await;
    let denied = ask(&hooks, Purpose::Play, Some(&client)).await.unwrap_err();
    assert!(denied.reason == Reason::Unanswered);
    server.set(Mood::Says("0"));
    let stats = hooks.stats();
    until(|| stats.waiting() == 0).await;
    let actions = server.actions();
    assert_eq!(actions.iter().filter(|action| *action == "on_play").count(), 1, "{actions:?}");
}

#[tokio::test]
async fn telling_is_tried_again_until_it_is_taken_with_the_same_number() {
    let server = Server::new(Mood::Says("0")).await;
    let hooks = hooks(config(&server));
    let started = ask(&hooks, Purpose::Play, None).await.unwrap();
    server.set(Mood::Status(503));
    drop(started);
    server.until_actions(2).await;
    server.set(Mood::Status(200));
    let stats = hooks.stats();
    until(|| stats.of(Event::OnStop, Outcome::Told) == 1).await;
    assert_eq!(server.actions(), ["on_play", "on_stop", "on_stop"]);
    assert_eq!(stats.of(Event::OnStop, Outcome::Retried), 1);
    assert_eq!(hooks.health()[0].failures, 0);
    let number = |request: &str| {
        let (_, rest) = request.split_once("x-pushpull-delivery: ").unwrap();
        rest.lines().next().unwrap().to_owned()
    };
    let requests = server.requests();
    assert_eq!(number(&requests[1]), number(&requests[2]));
    assert_ne!(number(&requests[0]), number(&requests[1]));
}

#[tokio::test]
async fn what_will_not_be_taken_is_not_told_again() {
    let server = Server::new(Mood::Says("0")).await;
    let hooks = hooks(config(&server));
    let started = ask(&hooks, Purpose::Play, None).await.unwrap();
    server.set(Mood::Status(404));
    drop(started);
    let stats = hooks.stats();
    until(|| stats.waiting() == 0).await;
    assert_eq!(server.actions(), ["on_play", "on_stop"]);
    assert_eq!(stats.of(Event::OnStop, Outcome::Dropped), 1);
}

#[tokio::test]
async fn a_reload_counts_for_what_happens_from_then_on() {
    let (first, second) = (Server::new(Mood::Says("0")).await, Server::new(Mood::Says("0")).await);
    let live = Live::new(config(&first));
    let hooks = Hooks::new(live.clone(), Shutdown::new());
    let started = ask(&hooks, Purpose::Play, None).await.unwrap();
    live.set(config(&second));
    drop(started);
    assert_eq!(second.until_actions(1).await, ["on_stop"]);
    assert_eq!(first.actions(), ["on_play"]);
}

#[tokio::test]
async fn bodies_are_signed() {
    let server = Server::new(Mood::Says("0")).await;
    let secret = Secret::new("hunter2");
    let hooks = hooks(Config { secret: Some(secret.clone()), ..config(&server) });
    let _started = ask(&hooks, Purpose::Play, None).await.unwrap();
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let signature = sign::signature(&secret, field("x-pushpull-timestamp: "), body.as_bytes());
    assert_eq!(field("x-pushpull-signature: "), signature);
    assert!(!request.contains("hunter2"));
    assert_eq!(field("x-pushpull-event: "), "on_play");
}
