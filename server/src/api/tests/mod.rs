//! The API as a client sees it.

use std::net::SocketAddr;

use axum::{
    body::{Body, BodyDataStream},
    http::{Request, StatusCode},
};
use futures_util::StreamExt;
use pushpull_media::flv::{TagBuffer, TagKind};
use pushpull_rtmp::StreamName;
use serde_json::{Value, json};
use tower::ServiceExt;

mod authority;
mod lists;

use super::*;
use crate::{
    access, config,
    hub::{Publisher, Source},
    sessions::Sessions,
};

#[tokio::test]
async fn streams_have_the_shape_that_is_promised() {
    let api = api();
    assert_eq!(get_json(&api, "/streams").await, json!({"streams": [], "total": 0}));

    let _publisher = publish(&api.parts.hub, "live/stream1");
    let list = get_json(&api, "/streams").await;
    let stream = &list["streams"][0];
    for (key, expected) in [
        ("name", json!("live/stream1")),
        ("app", json!("live")),
        ("stream", json!("stream1")),
        ("state", json!("live")),
        ("viewers", json!(0)),
        ("source", json!({"protocol": "rtmp", "peer": "192.0.2.1:5", "agent": "FMLE/3.0"})),
        ("gop_ms", json!(null)),
    ] {
        assert_eq!(stream[key], expected, "{key}");
    }
    assert_eq!(stream["video"]["codec"], "H.264");
    for key in ["codec_string", "width", "height", "fps"] {
        assert!(stream["video"].get(key).is_some(), "video.{key}");
    }
    assert_eq!(stream["audio"]["codec"], "AAC");
    for key in ["codec_string", "sample_rate", "channels"] {
        assert!(stream["audio"].get(key).is_some(), "audio.{key}");
    }
    for key in ["uptime_ms", "bitrate_kbps"] {
        assert!(stream[key].is_u64(), "{key}");
    }
}

#[tokio::test]
async fn events_tell_the_list_at_once_and_when_it_changes() {
    let api = api();
    let response = send(&api, request("GET", "/events")).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let mut events = response.into_body().into_data_stream();
    assert_eq!(next_event(&mut events).await, json!({"streams": [], "refusals": []}));

    let publisher = publish(&api.parts.hub, "live/stream1");
    until(&mut events, |list| list["streams"][0]["name"] == "live/stream1").await;
    publisher.finish();
    until(&mut events, |list| list["streams"] == json!([])).await;

    api.parts.shutdown.request();
    while let Some(rest) = events.next().await {
        rest.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn figures_of_live_streams_are_told_without_a_change() {
    let api = api();
    let _publisher = publish(&api.parts.hub, "live/stream1");
    let mut events = send(&api, request("GET", "/events")).await.into_body().into_data_stream();
    let uptime = |list: &Value| list["streams"][0]["uptime_ms"].as_u64().unwrap();
    let first = uptime(&next_event(&mut events).await);
    until(&mut events, |list| uptime(list) >= first + 4_000).await;
}

#[tokio::test(start_paused = true)]
async fn however_much_happens_events_stay_few() {
    let api = api();
    let mut events = send(&api, request("GET", "/events")).await.into_body().into_data_stream();
    next_event(&mut events).await;
    let hub = api.parts.hub.clone();
    let churn = tokio::spawn(async move {
        for _ in 0..1000 {
            publish(&hub, "live/stream1").finish();
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        publish(&hub, "live/last")
    });
    let mut count = 0;
    while next_event(&mut events).await["streams"][0]["name"] != "live/last" {
        count += 1;
    }
    drop(churn.await);
    assert!(count <= 5, "{count} events in a second");
}

#[tokio::test]
async fn a_qr_code_is_an_image_and_has_its_limits() {
    let api = api();
    let response = send(&api, request("GET", "/qr?text=rtmp%3A%2F%2F192.168.1.5%2Flive")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "image/svg+xml");
    let svg = text(response).await;
    assert!(svg.starts_with("<svg ") && !svg.contains("script"), "{svg}");

    let largest = send(&api, request("GET", &format!("/qr?text={}", "x".repeat(512)))).await;
    assert_eq!(largest.status(), StatusCode::OK);
    for query in [
        "",
        "?text=",
        &format!("?text={}", "x".repeat(513)),
        &format!("?text={}", "%C3%A9".repeat(257)),
    ] {
        let response = send(&api, request("GET", &format!("/qr{query}"))).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let problem: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(problem["code"], "bad_qr_text", "{query}");
    }
}

#[tokio::test]
async fn any_origin_may_read() {
    let api = api();
    for path in
        ["/server", "/streams", "/sessions", "/streams/live/x", "/qr?text=x", "/qr", "/nothing"]
    {
        let response = send(&api, request("GET", path)).await;
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
    }
    let preflight = Request::builder()
        .method("OPTIONS")
        .uri("/api/v1/streams")
        .header("Origin", "https://example.org")
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Private-Network", "true");
    let response = send(&api, preflight.body(Body::empty()).unwrap()).await;
    assert!(response.status().is_success());
    assert_eq!(response.headers()["access-control-allow-private-network"], "true");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed() {
    let api = api();
    let response = send(&api, request("GET", "/nothing")).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["detail"], "there is nothing at /api/v1/nothing");
    for method in ["POST", "DELETE", "PUT"] {
        let response = send(&api, request(method, "/streams")).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

fn api() -> Api {
    api_with(config::Config::default())
}

fn api_with(config: config::Config) -> Api {
    let endpoints = Endpoints {
        secured: Default::default(),
        rtmp: SocketAddr::from(([127, 0, 0, 1], 1935)),
        http: vec![SocketAddr::from(([127, 0, 0, 1], 8082))],
        demo: false.into(),
    };
    let in_force = InForce::new(&config, None);
    let hub = in_force.hub.clone();
    Api::new(Parts {
        metrics: Arc::new(Metrics::new(hub.clone())),
        hub,
        access: Access::new(
            Sessions::default(),
            Live::new(config.access.clone()),
            access::Counted::default(),
        ),
        endpoints: Arc::new(endpoints),
        health: Health::default(),
        in_force,
        shutdown: Shutdown::new(),
    })
}

/// A publisher that has shown both its tracks.
fn publish(hub: &Hub, name: &str) -> Publisher {
    let source =
        Source { protocol: "rtmp", peer: "192.0.2.1:5".to_owned(), agent: "FMLE/3.0".to_owned() };
    let mut publisher = hub.claim(&StreamName::parse(name).unwrap(), source).unwrap().go_live();
    let messages: [(TagKind, u32, &[u8]); 5] = [
        (TagKind::Video, 0, b"\x17\0\0\0\0"),
        // AAC LC, 48 kHz, stereo.
        (TagKind::Audio, 0, b"\xAF\0\x11\x90"),
        (TagKind::Video, 0, b"\x17\x01\0\0\0key"),
        (TagKind::Audio, 0, b"\xAF\x01sound"),
        (TagKind::Video, 33, b"\x27\x01\0\0\0more"),
    ];
    for (kind, time, data) in messages {
        let mut buffer = TagBuffer::with_capacity(data.len());
        buffer.extend_from_slice(data).unwrap();
        publisher.media(kind, time, buffer);
    }
    publisher
}

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(format!("{PREFIX}{path}")).body(Body::empty()).unwrap()
}

async fn send(api: &Api, request: Request<Body>) -> Response {
    api.clone().router().oneshot(request).await.unwrap()
}

async fn get_json(api: &Api, path: &str) -> Value {
    let response = send(api, request("GET", path)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    serde_json::from_str(&text(response).await).unwrap()
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn next_event(events: &mut BodyDataStream) -> Value {
    loop {
        let text = String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
        if let Some(rest) = text.strip_prefix("event: streams\ndata: ") {
            return serde_json::from_str(rest.strip_suffix("\n\n").unwrap()).unwrap();
        }
        assert!(text.starts_with([':', 'e']), "neither an event nor a comment: {text:?}");
    }
}

async fn until(events: &mut BodyDataStream, condition: impl Fn(&Value) -> bool) {
    while !condition(&next_event(events).await) {}
}
