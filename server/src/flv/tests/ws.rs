use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, protocol::frame::coding::CloseCode},
};

use super::*;

pub(super) const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(server: &Server, target: &str) -> Socket {
    connect_async(format!("ws://{}{target}", server.address)).await.unwrap().0
}

/// Messages up to the close, and the close.
async fn read(socket: &mut Socket) -> (Vec<Vec<u8>>, (CloseCode, String)) {
    let mut messages = Vec::new();
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => messages.push(bytes.to_vec()),
            Message::Close(frame) => {
                let frame = frame.unwrap();
                return (messages, (frame.code, frame.reason.to_string()));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_bytes_are_those_of_http_flv() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut socket = connect(&server, "/live/x.flv").await;
    let mut client = server.get("/live/x.flv").await;
    server.viewers(2).await;
    let (mut by_ws, mut by_http) = (Follower::default(), Follower::default());
    let mut largest = 0;
    for step in 1..200 {
        feed.sound(step * 40 - 20);
        if step % 25 == 0 {
            // As long as lengths of 16 bits do not tell.
            feed.keyframe(step * 40, 100_000);
        } else {
            feed.inter(step * 40, 3_000);
        }
        // Both keep up, so that neither jumps.
        while by_ws.pictures <= step {
            let message = socket.next().await.unwrap().unwrap().into_data();
            largest = largest.max(message.len());
            by_ws.take(&message);
        }
        while by_http.pictures <= step {
            by_http.take(&client.chunk().await);
        }
    }
    feed.finish();
    let (rest, close) = read(&mut socket).await;
    assert_eq!(close, (CloseCode::Normal, "stream ended".into()));
    by_ws.take(&rest.concat());
    by_http.take(&client.body().await);
    assert!(by_ws.bytes == by_http.bytes, "the same bytes");
    assert_eq!(parse(&by_http.bytes).1.len(), 2 + 1 + 1 + 2 * 199);
    assert_eq!(server.hub.stats().jumps(), 0);
    assert!(largest > 100_000, "a block is one message, whatever its size");
}

#[tokio::test]
async fn a_block_is_a_message() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut socket = connect(&server, "/live/x.flv").await;
    feed.sound(20);
    feed.inter(40, 10);
    feed.finish();
    let (messages, _) = read(&mut socket).await;
    let counts: Vec<_> =
        (1..=messages.len()).map(|count| parse(&messages[..count].concat()).1.len()).collect();
    assert_eq!(counts, [0, 2, 3, 6], "header; headers; keyframe; sound, sound and picture");
}

#[tokio::test]
async fn a_stopping_server_says_so() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut socket = connect(&server, "/live/x.flv").await;
    server.hub.close();
    let (_, close) = read(&mut socket).await;
    assert_eq!(close, (CloseCode::Away, "server stopping".into()));
    drop(socket);
    assert_eq!(server.shutdown.finish(Duration::from_secs(10)).await, 0);
}

#[tokio::test]
async fn a_missing_stream_is_refused_before_the_upgrade() {
    let server = Server::start().await;
    let refused = connect_async(format!("ws://{}/live/none.flv", server.address)).await;
    let Err(Error::Http(response)) = refused else { panic!("{refused:?}") };
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let mut client = server.request("GET", "/live/none.flv", UPGRADE).await;
    assert!(client.text().await.contains("stream_not_found"));
}

#[tokio::test]
async fn an_upgrade_that_is_none_is_refused() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let old = UPGRADE.replace("Version: 13", "Version: 8");
    assert_eq!(server.request("GET", "/live/x.flv", &old).await.status(), 400);
    server.viewers(0).await;
}

#[tokio::test]
async fn words_of_a_viewer_are_ignored_and_its_pings_answered() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut socket = connect(&server, "/live/x.flv").await;
    socket.send(Message::text("hello")).await.unwrap();
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    socket.send(Message::Ping("p".into())).await.unwrap();
    loop {
        if let Message::Pong(payload) = socket.next().await.unwrap().unwrap() {
            assert_eq!(&payload[..], b"p");
            break;
        }
    }
    server.viewers(1).await;
}

#[tokio::test]
async fn of_many_pings_at_once_the_newest_is_answered() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut socket = connect(&server, "/live/x.flv").await;
    for number in 0..100_u8 {
        socket.feed(Message::Ping(vec![number].into())).await.unwrap();
    }
    socket.flush().await.unwrap();
    let mut newest = None;
    while newest != Some(99) {
        if let Message::Pong(payload) = socket.next().await.unwrap().unwrap() {
            assert!(newest < Some(payload[0]), "pongs come in order");
            newest = Some(payload[0]);
        }
    }
}

#[tokio::test]
async fn a_viewer_that_says_too_much_is_shown_out() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut socket = connect(&server, "/live/x.flv").await;
    server.viewers(1).await;
    socket.send(Message::binary(vec![0; 5_000])).await.unwrap();
    server.viewers(0).await;
}

#[tokio::test]
async fn a_viewer_that_closes_is_gone_from_the_hub() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut polite = connect(&server, "/live/x.flv").await;
    let rude = connect(&server, "/live/x.flv").await;
    server.viewers(2).await;
    polite.close(None).await.unwrap();
    server.viewers(1).await;
    drop(rude);
    server.viewers(0).await;
}
