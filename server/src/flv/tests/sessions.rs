//! Viewers as sessions: they are known while they watch, and can be shown out.

use futures_util::StreamExt;
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::*;
use crate::{
    access::{self, Once, maker},
    config::{Live, Secret},
    endpoints::Endpoints,
    sessions::{SessionStatus, Sessions, Stop},
};

impl Server {
    /// The sessions, once there are so many.
    async fn sessions(&self, count: usize) -> Vec<SessionStatus> {
        until(|| self.access.sessions().list().len() == count).await;
        self.access.sessions().list()
    }
}

#[tokio::test]
async fn a_viewer_is_a_session_with_its_figures() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.request("GET", "/live/x.flv?a=b", "User-Agent: tester/1\r\n").await;
    client.chunk().await;
    let [session] = &server.sessions(1).await[..] else { panic!() };
    assert_eq!(
        (&*session.stream, session.protocol, &*session.agent),
        ("live/x", "http-flv", "tester/1")
    );
    assert_eq!(session.peer, client.stream.local_addr().unwrap().to_string());
    until(|| server.access.sessions().list()[0].bytes > 0).await;
    feed.finish();
    client.body().await;
    server.sessions(0).await;
}

#[tokio::test]
async fn a_signature_that_is_good_once_is_used_by_who_gets_the_stream_and_not_before() {
    let mut config = access::Config::default();
    config.play.secrets = vec![Secret::new("a long random text")];
    config.sign_once = Once::Viewers;
    let wanted = r#"{"stream": "live/x", "purpose": "play"}"#;
    let wanted = serde_json::from_str(wanted).unwrap();
    let endpoints = Endpoints::of(&Default::default());
    let made = maker::make(&config, &endpoints, &wanted, maker::Whom::Ours).unwrap();
    let target = format!("/live/x.flv?{}", made.query);
    let access = Access::new(Sessions::default(), Live::new(config), Default::default());
    let hub = Hub::new(Config { missing_wait: Duration::from_millis(50), ..Config::default() });
    let server = Server::asking(access, hub, Shutdown::new(), Limits::default()).await;
    for _ in 0..2 {
        assert_eq!(server.get(&target).await.status(), 404, "it is not live yet");
    }
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get(&target).await;
    assert_eq!(client.status(), 200);
    client.chunk().await;
    assert_eq!(server.get(&target).await.status(), 410, "somebody has it");
    feed.finish();
    client.body().await;
    server.sessions(0).await;
    assert_eq!(server.get(&target).await.status(), 410, "somebody had it");
}

#[tokio::test]
async fn a_viewer_that_is_shown_out_gets_a_clean_end_and_others_go_on() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get("/live/x.flv").await;
    let id = server.sessions(1).await[0].id.clone();
    let mut other = server.get("/live/x.flv").await;
    server.viewers(2).await;
    assert!(server.access.sessions().stop(id.as_str(), Stop::Kicked));
    client.body().await;
    server.sessions(1).await;
    feed.finish();
    other.body().await;
}

#[tokio::test]
async fn a_viewer_by_websocket_is_told_why_it_is_shown_out() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    for (stop, words) in
        [(Stop::Kicked, "ended by the server's operator"), (Stop::Expired, "signature expired")]
    {
        let url = format!("ws://{}/live/x.flv", server.address);
        let (mut socket, _) = connect_async(url).await.unwrap();
        let session = server.sessions(1).await.remove(0);
        assert_eq!(session.protocol, "ws-flv");
        assert!(server.access.sessions().stop(session.id.as_str(), stop));
        let frame = loop {
            if let Message::Close(frame) = socket.next().await.unwrap().unwrap() {
                break frame.unwrap();
            }
        };
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, words));
        drop(socket);
        server.sessions(0).await;
    }
}

#[tokio::test]
async fn a_viewer_that_still_waits_is_shown_out_at_once() {
    let forever = Duration::from_secs(3600);
    let config = Config { start_wait: forever, missing_wait: forever, ..Config::default() };
    let server = Server::with(config, Limits::default()).await;
    // Whether it waits for the stream or for its first keyframe.
    let _feed = server.publish("live/x");
    for target in ["/live/x.flv", "/live/none.flv"] {
        for upgrade in ["", ws::UPGRADE] {
            for (stop, status, code) in
                [(Stop::Kicked, 403, "kicked"), (Stop::Expired, 410, "signature_expired")]
            {
                let mut client = server.send("GET", target, upgrade).await;
                let session = server.sessions(1).await.remove(0);
                assert!(server.access.sessions().stop(session.id.as_str(), stop));
                client.read_head().await;
                assert_eq!(client.status(), status, "{target} {upgrade}");
                assert!(client.text().await.contains(code));
                server.sessions(0).await;
            }
        }
    }
}

#[tokio::test]
async fn a_viewer_that_takes_nothing_can_be_shown_out() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let client = server.get("/live/x.flv").await;
    let session = server.sessions(1).await.remove(0);
    for step in 1..200 {
        feed.keyframe(step * 40, 100_000);
    }
    assert!(server.access.sessions().stop(session.id.as_str(), Stop::Kicked));
    server.sessions(0).await;
    drop(client);
}
