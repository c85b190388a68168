//! Those who must leave while they wait, or while their peers take nothing.

use super::*;
use crate::net;

/// A player of `live/x`.
async fn player(server: &Server) -> Client {
    let url = PublishUrl::parse(&format!("rtmp://{}/live/x", server.address)).unwrap();
    let config = ClientConfig { purpose: Purpose::Play, ..ClientConfig::new(url) };
    let socket = TcpStream::connect(server.address).await.unwrap();
    Client { socket, rtmp: ClientConnection::new(config, [7; RANDOM_LEN]) }
}

#[tokio::test]
async fn a_publisher_that_waits_for_its_name_can_be_ended() {
    let server = Server::start(Takeover::ReplaceIfIdle).await;
    let takeover = Takeover::ReplaceIfIdle;
    server.hub.configure(hub::Config { takeover, idle_after: FOREVER, ..hub::Config::default() });
    let sessions = server.access.sessions();
    let mut first = Client::publish(&server, "live/x").await;
    first.send(&media("first")).await;
    for (stop, code) in
        [(Stop::Kicked, "NetStream.Publish.Denied"), (Stop::Expired, "NetStream.Publish.BadAuth")]
    {
        // Its other parameters make it another.
        let second = Client::connect(&server, "live/x?other").await;
        let told = tokio::spawn(async move {
            let mut second = second;
            second.refused().await
        });
        until(|| sessions.list().len() == 2).await;
        let session = sessions.list().remove(1);
        assert!(sessions.stop(session.id.as_str(), stop));
        assert_eq!(told.await.unwrap(), code);
        until(|| sessions.list().len() == 1).await;
    }
    let mut viewer = server.view("live/x").await;
    watch(&mut viewer, TagKind::Video, 1).await;
}

#[tokio::test]
async fn a_player_that_waits_for_its_stream_can_be_ended() {
    let server = Server::start(Takeover::Reject).await;
    server.hub.configure(hub::Config { missing_wait: FOREVER, ..hub::Config::default() });
    let sessions = server.access.sessions();
    for stop in [Stop::Kicked, Stop::Expired] {
        let mut player = player(&server).await;
        let told = tokio::spawn(async move { player.refused().await });
        until(|| sessions.list().len() == 1).await;
        assert!(sessions.stop(sessions.list()[0].id.as_str(), stop));
        assert_eq!(told.await.unwrap(), "NetStream.Play.Failed");
        until(|| sessions.list().is_empty()).await;
    }
}

#[tokio::test]
async fn a_player_that_takes_nothing_of_a_stream_that_has_ended_is_ended_by_the_stop() {
    let socket = net::Limits {
        send_buffer: 16 << 10,
        unsent: 16 << 10,
        stall: FOREVER,
        ..Default::default()
    };
    let server = Server::with(Takeover::Reject, Config { socket, ..Config::default() }).await;
    let sessions = server.access.sessions();
    let mut publisher = Client::publish(&server, "live/x").await;
    publisher.send(&media("first")).await;
    let mut player = player(&server).await;
    while !matches!(player.event().await, Some(ClientEvent::Media { .. })) {}
    let mut round = 0;
    while server.hub.streams().first().is_none_or(|stream| stream.lag_bytes < 1 << 20) {
        round += 1;
        let later = |(kind, time, data)| (kind, time + 1000 * round, data);
        let frames = media("more").into_iter().skip(3).map(later);
        publisher.send(&frames.collect::<Vec<_>>()).await;
    }
    publisher.rtmp.unpublish();
    publisher.flush().await;
    server.streams(|states| states.is_empty()).await;
    assert!(sessions.list().iter().any(|session| session.purpose == sessions::Purpose::Play));
    server.hub.close();
    until(|| sessions.list().is_empty()).await;
    drop(player);
}

const FOREVER: Duration = Duration::from_secs(3600);
