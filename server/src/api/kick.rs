//! `DELETE /api/v1/streams/{app}/{stream}?ban=60s`: stops a stream. For programs on this machine only.

use std::{net::SocketAddr, time::Duration};

use axum::{
    extract::{ConnectInfo, Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, uri::Authority},
};
use pushpull_rtmp::StreamName;
use tracing::info;

use super::Api;
use crate::{config::units, http::forwarded::Relayed, hub::KickError, problem::Problem};

pub async fn delete(
    State(api): State<Api>,
    Path(name): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    if !peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        || request.extensions().get::<Relayed>().is_some()
        || !is_direct(request.headers())
        || !names_this_machine(&request)
    {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not_local",
            "Not local",
            "only programs on the server's own machine may stop a stream",
        ));
    }
    // The path is decoded once already.
    let name = StreamName::parse(&name).map_err(|error| {
        let detail = error.to_string();
        Problem::new(StatusCode::BAD_REQUEST, "bad_stream_name", "Bad stream name", detail)
    })?;
    let ban = ban(request.uri())?;
    api.hub.kick(&name, ban).map_err(|error| refuse(&name, &error))?;
    info!(stream = %name, ?ban, "stopped by the operator");
    Ok(StatusCode::NO_CONTENT)
}

/// Nothing shows that a proxy has passed it on for somebody else.
fn is_direct(headers: &HeaderMap) -> bool {
    !PROXIED.iter().any(|name| headers.contains_key(name))
}

/// Whether the host that was asked for is this machine: a page of another host, whose name its owner points here, is not.
fn names_this_machine(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The value of `ban` in the query; none bans for no time.
fn ban(uri: &Uri) -> Result<Duration, Problem> {
    let query = uri.query().unwrap_or_default();
    let Some(text) = query.split('&').filter_map(|pair| pair.strip_prefix("ban=")).next_back()
    else {
        return Ok(Duration::ZERO);
    };
    units::time(text, Duration::ZERO..=MAX_BAN).map_err(|reason| {
        let detail = format!("ban: {reason}");
        Problem::new(StatusCode::BAD_REQUEST, "bad_parameter", "Bad parameter", detail)
    })
}

fn refuse(name: &StreamName, error: &KickError) -> Problem {
    match error {
        KickError::NotFound => Problem::stream_not_found(name.as_str()),
        KickError::TooManyBans { .. } => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_bans",
            "Too many bans",
            error.to_string(),
        )
        .with_stream(name.as_str())
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("60")),
    }
}

/// What proxies put on what they pass on.
const PROXIED: [HeaderName; 4] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// A year: whoever is to stay out for longer is kept out by other means.
const MAX_BAN: Duration = Duration::from_secs(365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{body::Body, response::Response};
    use tower::ServiceExt;

    use super::*;
    use crate::{
        endpoints::Endpoints,
        hub::{ClaimError, Config, Hub, Source},
        shutdown::Shutdown,
    };

    const LOCAL: [u8; 4] = [127, 0, 0, 1];

    fn api() -> Api {
        let address = SocketAddr::from((LOCAL, 1));
        let endpoints = Endpoints {
            rtmp: address,
            http: vec![address],
            secured: Default::default(),
            demo: false.into(),
        };
        let hub = Hub::new(Config { max_bans: 1, ..Config::default() });
        Api::new(hub, Arc::new(endpoints), Shutdown::new())
    }

    async fn ask(api: &Api, from: [u8; 4], path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method("DELETE").uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((from, 5000))));
        api.clone().router().oneshot(request).await.unwrap()
    }

    fn source() -> Source {
        Source { protocol: "test", peer: String::new(), agent: String::new() }
    }

    #[tokio::test]
    async fn a_stream_is_stopped_and_its_name_refused() {
        let api = api();
        let name = StreamName::parse("live/room/x").unwrap();
        let publisher = api.hub.claim(&name, source()).unwrap().go_live();
        let host = [("host", "localhost:8082")];
        let answer = ask(&api, LOCAL, "/streams/live/room/x?ban=60s", &host).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(publisher.stopped().await, crate::hub::StopReason::Kicked);
        let refused = api.hub.claim(&name, source()).unwrap_err();
        assert!(matches!(refused, ClaimError::Banned { .. }), "{refused}");

        let answer = ask(&api, LOCAL, "/streams/live/y?ban=60s", &host).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "one ban is the limit");
        let answer = ask(&api, LOCAL, "/streams/live/room/x?ban=0s", &host).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "lifted");
        let _publisher = api.hub.claim(&name, source()).unwrap().go_live();
    }

    #[tokio::test]
    async fn what_cannot_be_done_is_said() {
        let api = api();
        for (path, status) in [
            ("/streams/live/none", StatusCode::NOT_FOUND),
            ("/streams/live/x?ban=soon", StatusCode::BAD_REQUEST),
            ("/streams/live/x?ban=100000h", StatusCode::BAD_REQUEST),
            ("/streams/live/%2e%2e", StatusCode::BAD_REQUEST),
        ] {
            let answer = ask(&api, LOCAL, path, &[("host", "127.0.0.1")]).await;
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }

    #[tokio::test]
    async fn a_page_of_another_origin_is_not_told_that_it_may() {
        let mut request = Request::builder()
            .method("OPTIONS")
            .uri("/streams/live/x")
            .header("origin", "https://example.org")
            .header("access-control-request-method", "DELETE");
        request = request.header("host", "localhost");
        let answer = api().router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let allowed = answer.headers().get("access-control-allow-methods").unwrap();
        assert!(!allowed.to_str().unwrap().contains("DELETE"), "{allowed:?}");
    }

    #[tokio::test]
    async fn a_proxy_is_not_this_machine_even_if_it_hides_that_it_is_one() {
        let mut request = Request::builder()
            .method("DELETE")
            .uri("/streams/live/x?ban=60s")
            .header("host", "localhost");
        request =
            request.extension(ConnectInfo(SocketAddr::from((LOCAL, 5000)))).extension(Relayed);
        let answer = api().router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
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
        ] {
            let answer = ask(&api, from, path, &headers).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{from:?} {headers:?}");
        }
        for host in ["localhost:8082", "127.0.0.1:8082", "[::1]:8082", "LocalHost"] {
            let answer = ask(&api, LOCAL, path, &[("host", host)]).await;
            assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{host}");
        }
    }
}
