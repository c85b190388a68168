//! Who may read, and who may change anything.

use axum::{extract::ConnectInfo, http::Version};

use super::*;
use crate::{
    config::Secret,
    http::forwarded::Relayed,
    hub::{ClaimError, StopReason},
};

const LOCAL: [u8; 4] = [127, 0, 0, 1];
const TOKEN: &str = "0123456789abcdef";

/// A server that knows two tokens.
fn guarded(read: Readers) -> Api {
    let mut config = config::Config::default();
    config.api.tokens = vec![Secret::new("an older token of ours"), Secret::new(TOKEN)];
    config.api.read = read;
    api_with(config)
}

async fn ask(
    api: &Api,
    method: &str,
    from: [u8; 4],
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut request = Request::builder().method(method).uri(format!("{PREFIX}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from((from, 5000))));
    send(api, request).await
}

async fn delete(api: &Api, from: [u8; 4], path: &str, headers: &[(&str, &str)]) -> Response {
    ask(api, "DELETE", from, path, headers).await
}

async fn code(response: Response) -> String {
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stream_is_stopped_and_its_name_refused() {
    let mut config = config::Config::default();
    config.hub.max_bans = 1;
    let api = api_with(config);
    let name = StreamName::parse("live/room/x").unwrap();
    let hub = &api.parts.hub;
    let source = || Source { protocol: "test", peer: String::new(), agent: String::new() };
    let publisher = hub.claim(&name, source()).unwrap().go_live();
    let host = [("host", "localhost:8082")];
    let answer = delete(&api, LOCAL, "/streams/live/room/x?ban=60s", &host).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(publisher.stopped().await, StopReason::Kicked);
    let refused = hub.claim(&name, source()).unwrap_err();
    assert!(matches!(refused, ClaimError::Banned { .. }), "{refused}");
    let bans = get_json(&api, "/bans").await;
    assert_eq!(bans["bans"][0]["stream"], "live/room/x");
    assert!((1..=60_000).contains(&bans["bans"][0]["left_ms"].as_u64().unwrap()), "{bans}");

    let answer = delete(&api, LOCAL, "/streams/live/y?ban=60s", &host).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "one ban is the limit");
    let answer = delete(&api, LOCAL, "/streams/live/room/x?ban=0s", &host).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT, "lifted");
    let _publisher = hub.claim(&name, source()).unwrap().go_live();
}

#[tokio::test]
async fn a_ban_is_lifted() {
    let api = api();
    let host = [("host", "localhost")];
    let answer = delete(&api, LOCAL, "/streams/live/x?ban=1h", &host).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(delete(&api, LOCAL, "/bans/live/x", &host).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(get_json(&api, "/bans").await, json!({"bans": [], "total": 0}));
    let again = delete(&api, LOCAL, "/bans/live/x", &host).await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(again).await, "not_banned");
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let api = api();
    for (path, status) in [
        ("/streams/live/none", StatusCode::NOT_FOUND),
        ("/streams/live/x?ban=soon", StatusCode::BAD_REQUEST),
        ("/streams/live/x?ban=100000h", StatusCode::BAD_REQUEST),
        ("/streams/live/x?ban=1s&ban=2s", StatusCode::BAD_REQUEST),
        ("/streams/live/%2e%2e", StatusCode::BAD_REQUEST),
        ("/streams/live/%ff", StatusCode::BAD_REQUEST),
        ("/sessions/none", StatusCode::NOT_FOUND),
        ("/sessions/%ff", StatusCode::BAD_REQUEST),
    ] {
        let answer = delete(&api, LOCAL, path, &[("host", "127.0.0.1")]).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_may_with_a_token_only() {
    let api = guarded(Readers::Anybody);
    let request = Request::builder()
        .method("OPTIONS")
        .uri("/api/v1/streams/live/x")
        .header("origin", "https://example.org")
        .header("access-control-request-method", "DELETE")
        .header("access-control-request-headers", "authorization");
    let answer = send(&api, request.body(Body::empty()).unwrap()).await;
    let headers = answer.headers();
    assert!(headers["access-control-allow-methods"].to_str().unwrap().contains("DELETE"));
    assert_eq!(headers["access-control-allow-headers"], "authorization");

    let (host, path) = (("host", "localhost:8082"), "/streams/live/x?ban=60s");
    for origin in ["https://example.org", "http://localhost:3000", "null", "http://localhost"] {
        let headers = [host, ("origin", origin)];
        let answer = delete(&api, LOCAL, path, &headers).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{origin}");
        let bearer = format!("Bearer {TOKEN}");
        let headers = [host, ("origin", origin), ("authorization", bearer.as_str())];
        let answer = delete(&api, LOCAL, path, &headers).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{origin}");
    }
    let own = delete(&api, LOCAL, path, &[host, ("origin", "http://localhost:8082")]).await;
    assert_eq!(own.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_proxy_is_not_this_machine_even_if_it_hides_that_it_is_one() {
    let path = format!("{PREFIX}/streams/live/x?ban=60s");
    let mut request = Request::builder().method("DELETE").uri(path).header("host", "localhost");
    request = request.extension(ConnectInfo(SocketAddr::from((LOCAL, 5000)))).extension(Relayed);
    let answer = send(&api(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nobody_else_may() {
    let api = api();
    let path = "/streams/live/x?ban=60s";
    for (from, headers) in [
        ([192, 0, 2, 1], vec![("host", "localhost")]),
        (LOCAL, vec![]),
        (LOCAL, vec![("host", "example.org")]),
        (LOCAL, vec![("host", "127.0.0.1.example.org")]),
        (LOCAL, vec![("host", "localhost"), ("x-forwarded-for", "192.0.2.1")]),
        (LOCAL, vec![("host", "localhost"), ("via", "1.1 proxy")]),
        (LOCAL, vec![("host", "localhost"), ("x-forwarded-proto", "https")]),
    ] {
        let answer = delete(&api, from, path, &headers).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{from:?} {headers:?}");
        assert_eq!(code(answer).await, "not_local");
    }
    for host in ["localhost:8082", "127.0.0.1:8082", "[::1]:8082", "LocalHost"] {
        let answer = delete(&api, LOCAL, path, &[("host", host)]).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{host}");
    }
}

#[tokio::test]
async fn nginx_as_it_is_from_the_factory_is_not_this_machine() {
    let api = api();
    let request = |version| {
        let mut request = request("DELETE", "/streams/live/x?ban=60s");
        *request.version_mut() = version;
        request.headers_mut().insert(header::HOST, "127.0.0.1:8082".parse().unwrap());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((LOCAL, 5000))));
        request
    };
    let answer = send(&api, request(Version::HTTP_10)).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let answer = send(&api, request(Version::HTTP_2)).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn strangers_who_may_not_read_are_not_told_what_is_wrong() {
    for (read, is_told) in [(Readers::Anybody, true), (Readers::Local, false)] {
        let api = guarded(read);
        let warn = || crate::health::Check::Warn("/etc/secret is not there".to_owned());
        api.parts.health.add("configuration", warn);
        let ask = async |headers: &[(&str, &str)]| {
            let mut request = Request::builder().uri("/health");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = send(&api, request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::OK);
            text(response).await
        };
        let answer = ask(&[]).await;
        assert_eq!(answer.contains("/etc/secret"), is_told, "{answer}");
        assert!(answer.contains("configuration") && answer.contains("warn"), "{answer}");
        let bearer = format!("Bearer {TOKEN}");
        assert!(ask(&[("authorization", &bearer)]).await.contains("/etc/secret"));
    }
}

#[tokio::test]
async fn any_of_the_tokens_lets_in_and_nothing_like_them() {
    let api = guarded(Readers::Anybody);
    let (stranger, path) = ([192, 0, 2, 1], "/streams/live/x?ban=60s");
    for (given, expected) in [
        ("Bearer 0123456789abcdef", None),
        ("bearer 0123456789abcdef", None),
        ("Bearer an older token of ours", None),
        ("Bearer 0123456789abcde", Some("token_wrong")),
        ("Bearer 0123456789abcdeF", Some("token_wrong")),
        ("Bearer ", Some("token_wrong")),
        ("Bearer", Some("token_wrong")),
        ("Basic MDEyMzQ1Njc4OWFiY2RlZg==", Some("token_wrong")),
        ("0123456789abcdef", Some("token_wrong")),
    ] {
        let answer = delete(&api, stranger, path, &[("authorization", given)]).await;
        match expected {
            None => assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{given}"),
            Some(expected) => {
                assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{given}");
                assert!(answer.headers().contains_key(header::WWW_AUTHENTICATE));
                assert_eq!(code(answer).await, expected, "{given}");
            }
        }
    }
    let answer = delete(&api, stranger, path, &[]).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(code(answer).await, "token_missing");
    // Whoever shows a wrong one is not let in for being here.
    let headers = [("host", "localhost"), ("authorization", "Bearer wrong")];
    assert_eq!(delete(&api, LOCAL, path, &headers).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn those_read_who_may() {
    let (stranger, local) = ([192, 0, 2, 1], [("host", "localhost")]);
    let bearer = format!("Bearer {TOKEN}");
    let with_token = [("authorization", bearer.as_str())];
    for (read, strangers, locals) in [
        (Readers::Anybody, StatusCode::OK, StatusCode::OK),
        (Readers::Local, StatusCode::UNAUTHORIZED, StatusCode::OK),
        (Readers::Token, StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED),
    ] {
        let api = guarded(read);
        for path in ["/server", "/streams", "/sessions", "/clients", "/bans", "/events"] {
            let status = async |from, headers: &[(&str, &str)]| {
                ask(&api, "GET", from, path, headers).await.status()
            };
            assert_eq!(status(stranger, &[]).await, strangers, "{read:?} {path}");
            assert_eq!(status(LOCAL, &local).await, locals, "{read:?} {path}");
            assert_eq!(status(stranger, &with_token).await, StatusCode::OK, "{read:?} {path}");
        }
        // What tells nothing of anybody.
        for path in ["/qr?text=x", "/openapi.json"] {
            let status = ask(&api, "GET", stranger, path, &[]).await.status();
            assert_eq!(status, StatusCode::OK, "{read:?} {path}");
        }
        let answer = delete(&api, LOCAL, "/streams/live/x?ban=60s", &local).await;
        let may_change = read != Readers::Token;
        assert_eq!(answer.status().is_success(), may_change, "{read:?}");
    }
}

#[tokio::test]
async fn a_reload_changes_who_may() {
    let api = guarded(Readers::Anybody);
    let mut config = config::Config::default();
    config.api.read = Readers::Local;
    api.parts.in_force.replace(&config);
    let answer = ask(&api, "GET", [192, 0, 2, 1], "/streams", &[]).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let bearer = format!("Bearer {TOKEN}");
    let answer = ask(&api, "GET", LOCAL, "/streams", &[("authorization", &bearer)]).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "it is none any more");
    assert_eq!(code(answer).await, "token_wrong");
}
