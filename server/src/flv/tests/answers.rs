use super::*;

#[tokio::test]
async fn a_missing_stream_is_a_404_that_a_page_of_any_origin_can_read() {
    let server = Server::start().await;
    let mut client = server.get("/live/none.flv").await;
    assert_eq!(client.status(), 404);
    assert_eq!(client.header("content-type"), Some("application/problem+json"));
    assert_eq!(client.header("access-control-allow-origin"), Some("*"));
    assert_eq!(client.header("cache-control"), Some("no-store"));
    let problem: serde_json::Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(problem["code"], "stream_not_found");
    assert_eq!(problem["stream"], "live/none");
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let server = Server::start().await;
    let mut feed = server.publish("live/x");
    feed.open();
    let mut client = server.request("HEAD", "/live/x.flv", "Connection: close\r\n").await;
    assert_eq!((client.status(), client.header("content-type")), (200, Some("video/x-flv")));
    assert_eq!(client.header("content-length"), None, "the length is not known");
    assert_eq!(client.fill().await, 0, "no body");
    let mut client = server.request("HEAD", "/live/none.flv", "Connection: close\r\n").await;
    assert_eq!(client.status(), 404);
    assert_eq!(client.header("access-control-allow-origin"), Some("*"));
    assert_eq!(client.header("x-problem-detail"), Some("nobody publishes live/none"));
    assert_eq!(client.fill().await, 0, "no body");
    server.viewers(0).await;
}

#[tokio::test]
async fn head_waits_for_no_stream_and_no_keyframe() {
    let forever = Duration::from_secs(3600);
    let config = Config { missing_wait: forever, start_wait: forever, ..Config::default() };
    let server = Server::with(config, Limits::default()).await;
    let client = server.request("HEAD", "/live/none.flv", "").await;
    assert_eq!(client.status(), 404);
    let mut feed = server.publish("live/x");
    feed.send(TagKind::Video, 0, b"\x17\0\0\0\0avcC");
    let client = server.request("HEAD", "/live/x.flv", "").await;
    assert_eq!(client.status(), 503);
    feed.open();
    let client = server.request("HEAD", "/live/x.flv", "").await;
    assert_eq!(client.status(), 200);
}

#[tokio::test]
async fn a_preflight_is_allowed_what_it_asks_for() {
    let server = Server::start().await;
    let asks = "Origin: https://example.com\r\n\
        Access-Control-Request-Method: GET\r\n\
        Access-Control-Request-Headers: authorization, range\r\n\
        Access-Control-Request-Private-Network: true\r\n";
    let client = server.request("OPTIONS", "/live/x.flv", asks).await;
    assert_eq!(client.status(), 204);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, OPTIONS"),
        ("access-control-allow-headers", "authorization, range"),
        ("access-control-allow-private-network", "true"),
        ("access-control-max-age", "7200"),
        ("allow", "GET, HEAD, OPTIONS"),
    ] {
        assert_eq!(client.header(name), Some(value), "{name}");
    }
    let client = server.request("OPTIONS", "/live/x.flv", "").await;
    assert_eq!(client.header("access-control-allow-headers"), Some("*"));
    assert_eq!(client.header("access-control-allow-private-network"), None);
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let server = Server::start().await;
    for (method, target, status, code) in [
        ("POST", "/live/x.flv", 405, "method_not_allowed"),
        ("DELETE", "/live/x.flv", 405, "method_not_allowed"),
        ("GET", "/live/x.flv?start=now", 400, "bad_parameter"),
        ("GET", "/live/x.flv?track=first", 400, "bad_parameter"),
        ("GET", "/live/%2e%2e.flv", 400, "bad_stream_name"),
        ("GET", "/live/a%00b.flv", 400, "bad_stream_name"),
        ("GET", "/.flv", 400, "bad_stream_name"),
    ] {
        let mut client = server.request(method, target, "Content-Length: 0\r\n").await;
        assert_eq!(client.status(), status, "{method} {target}");
        assert_eq!(client.header("access-control-allow-origin"), Some("*"));
        if status == 405 {
            assert_eq!(client.header("allow"), Some("GET, HEAD, OPTIONS"));
        }
        let problem: serde_json::Value = serde_json::from_str(&client.text().await).unwrap();
        assert_eq!(problem["code"], code);
    }
}

#[tokio::test]
async fn a_stream_has_its_other_names() {
    let server = Server::start().await;
    let mut feed = server.publish("live/caf\u{e9}");
    feed.open();
    for target in ["/live/caf%C3%A9.flv", "/live/caf%C3%A9.live.flv", "/caf%C3%A9.flv?sign=1"] {
        assert_eq!(server.get(target).await.status(), 200, "{target}");
    }
}

#[tokio::test]
async fn a_stream_that_takes_no_more_viewers_says_when_to_come_back() {
    let config = Config { max_viewers: 1, ..Config::default() };
    let server = Server::with(config, Limits::default()).await;
    let mut feed = server.publish("live/x");
    feed.open();
    let _first = server.get("/live/x.flv").await;
    let mut second = server.get("/live/x.flv").await;
    assert_eq!((second.status(), second.header("retry-after")), (503, Some("5")));
    assert!(second.text().await.contains("too_many_viewers"));
}
