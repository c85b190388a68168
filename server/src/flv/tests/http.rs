use super::*;

#[tokio::test]
async fn a_stream_begins_with_a_true_header_and_a_keyframe_and_ends_with_the_publisher() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    feed.inter(40, 10);
    let mut client = server.get("/live/x.flv").await;
    assert_eq!(client.status(), 200);
    for (name, value) in [
        ("content-type", "video/x-flv"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-accel-buffering", "no"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "*"),
        ("transfer-encoding", "chunked"),
    ] {
        assert_eq!(client.header(name), Some(value), "{name}");
    }
    feed.sound(50);
    feed.inter(80, 10);
    feed.finish();
    let (header, tags) = parse(&client.body().await);
    assert_eq!(header, Header { has_audio: true, has_video: true });
    assert_eq!(
        words(&tags),
        ["avcC 0", "asc 0", "key 0", "sound 0", "inter 40", "sound 50", "inter 80"]
    );
}

#[tokio::test]
async fn every_flush_is_one_chunk() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get("/live/x.flv").await;
    assert_eq!(client.chunk().await, Header { has_audio: true, has_video: true }.to_bytes());
    let headers = client.chunk().await;
    assert_eq!(&headers[headers.len() - 4 - 3..headers.len() - 4], b"asc");
    client.chunk().await;
    feed.sound(20);
    feed.inter(40, 5);
    let chunk = client.chunk().await;
    let sound = Tag::new(TagKind::Audio, 0, b"\xAF\x01sound").unwrap();
    let rides_along = Tag::new(TagKind::Audio, 20, b"\xAF\x01sound").unwrap();
    let inter = Tag::new(TagKind::Video, 40, b"\x27\x01\0\0\0\0\x01\x02\x03\x04").unwrap();
    assert_eq!(chunk, [&sound, &rides_along, &inter].map(|tag| tag.bytes().to_vec()).concat());
}

#[tokio::test]
async fn nothing_is_answered_before_there_is_something_to_send() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    let mut client = server.send("GET", "/live/x.flv", "").await;
    server.viewers(1).await;
    feed.send(TagKind::Video, 0, b"\x17\0\0\0\0avcC");
    let mut byte = [0];
    let nothing = client.stream.try_read(&mut byte).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    feed.open();
    client.read_head().await;
    assert_eq!(client.status(), 200);
}

#[tokio::test]
async fn a_live_start_begins_at_the_next_keyframe() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.send("GET", "/live/x.flv?token=1&start=live", "").await;
    server.viewers(1).await;
    feed.inter(40, 10);
    feed.keyframe(80, 10);
    feed.finish();
    client.read_head().await;
    assert_eq!(words(&parse(&client.body().await).1), ["avcC 80", "asc 80", "key 80"]);
}

#[tokio::test]
async fn a_viewer_that_goes_away_is_gone_from_the_hub() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let client = server.get("/live/x.flv").await;
    server.viewers(1).await;
    drop(client);
    server.viewers(0).await;
}

#[tokio::test]
async fn a_stopping_server_ends_the_body_at_a_tag() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get("/live/x.flv").await;
    let mut body = client.chunk().await;
    server.hub.close();
    body.extend(client.body().await);
    parse(&body);
}

#[tokio::test]
async fn what_was_sent_is_counted() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get("/live/x.flv").await;
    feed.finish();
    let body = client.body().await;
    let tags = body.len() - Header::LEN;
    assert_eq!(server.hub.stats().bytes_out(), tags as u64);
}

#[tokio::test]
async fn for_http_1_0_the_body_ends_with_the_connection() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.connect().await;
    client.write(b"GET /live/x.flv HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    client.read_head().await;
    assert_eq!(client.status(), 200);
    assert_eq!(client.header("transfer-encoding"), None);
    assert_eq!(client.header("connection"), Some("close"));
    server.viewers(1).await;
    feed.inter(40, 10);
    feed.finish();
    while client.fill().await > 0 {}
    let (_, tags) = parse(&client.buffer);
    assert_eq!(words(&tags), ["avcC 0", "asc 0", "key 0", "sound 0", "inter 40"]);
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal_and_after_a_stream() {
    let server = Server::start().await;
    let mut client = server.get("/live/none.flv").await;
    assert_eq!(client.status(), 404);
    client.text().await;
    for _ in 0..2 {
        let mut feed = server.publish("live/x");
        feed.open();
        client.write(b"GET /live/x.flv HTTP/1.1\r\nHost: test\r\n\r\n").await;
        client.read_head().await;
        assert_eq!(client.status(), 200);
        feed.finish();
        parse(&client.body().await);
    }
}

#[tokio::test]
async fn what_a_viewer_asks_meanwhile_is_answered_after_the_stream() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get("/live/x.flv").await;
    client.write(b"GET /live/none.flv HTTP/1.1\r\nHost: test\r\n\r\n").await;
    feed.finish();
    parse(&client.body().await);
    client.read_head().await;
    assert_eq!(client.status(), 404);
}

#[tokio::test]
async fn a_viewer_that_talks_without_end_is_closed() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.get("/live/x.flv").await;
    server.viewers(1).await;
    client.write(&[b'x'; 20 << 10]).await;
    server.viewers(0).await;
}

#[tokio::test]
async fn who_leaves_while_it_waits_is_gone() {
    let config = Config { start_wait: Duration::from_secs(3600), ..Config::default() };
    let server = Server::with(config, Limits::default()).await;
    let mut feed = server.publish("live/x");
    let client = server.send("GET", "/live/x.flv", "").await;
    server.viewers(1).await;
    feed.send(TagKind::Video, 0, b"\x17\0\0\0\0avcC");
    drop(client);
    server.viewers(0).await;
}
