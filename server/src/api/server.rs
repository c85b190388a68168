//! `GET /api/v1/server`: what to type into an encoder, and what is in force.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Serialize;

use super::{Api, authority, fresh_json, sign::Needs};
use crate::{endpoints::Endpoints, metrics::Metrics, reload::InForce, time::millis};

/// What the server is, where it listens, and what it is held to.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/server", tag = "server", operation_id = "server",
    responses((status = 200, body = Server), super::openapi::NotRead),
))]
pub async fn get(State(api): State<Api>, request: Request) -> Response {
    let sign = Needs::new(&api.parts.access.config(), authority(&request));
    fresh_json(Server::new(&api.parts.endpoints, &api.parts.in_force, &api.parts.metrics, sign))
}

/// The server.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Server {
    /// `pushpull`
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// Milliseconds since it started.
    uptime_ms: u64,
    /// Where RTMP is served.
    rtmp_port: u16,
    /// Where HTTP is served first.
    http_port: Option<u16>,
    /// Where RTMPS is served.
    rtmps_port: Option<u16>,
    /// Where HTTPS is served first.
    https_port: Option<u16>,
    /// This machine's addresses that another device can push to, the likeliest first.
    #[cfg_attr(test, schema(value_type = Vec<String>))]
    addresses: Vec<IpAddr>,
    /// What goes into an encoder's field “server”, for every address.
    push: Vec<String>,
    /// The name of the built-in stream, if it is on.
    demo: Option<&'static str>,
    /// What is asked of publishers and viewers.
    sign: Needs,
    /// Connections at present.
    connections: Connections,
    /// What peers are held to.
    limits: Limits,
    /// The configuration.
    configuration: Configuration,
}

/// Connections at present.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct Connections {
    /// HTTP, viewers included.
    http: u64,
    /// RTMP.
    rtmp: u64,
}

/// What peers are held to: the values in force.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct Limits {
    /// HTTP connections.
    http_max_connections: usize,
    /// HTTP connections of one address; 0 for as many as there may be.
    http_max_connections_per_ip: usize,
    /// RTMP connections.
    rtmp_max_connections: usize,
    /// RTMP connections of one address; 0 for as many as there may be.
    rtmp_max_connections_per_ip: usize,
    /// Streams.
    max_streams: usize,
    /// Viewers of one stream.
    max_viewers: usize,
    /// Viewers of all streams.
    max_viewers_total: usize,
    /// Names banned.
    max_bans: usize,
    /// Bytes of media held for viewers.
    media_bytes: usize,
    /// Milliseconds of media that a viewer may be behind.
    lag_ms: u64,
    /// Bytes that a viewer may be behind.
    lag_bytes: usize,
    /// Milliseconds for which viewers of a lost publisher are held.
    grace_ms: u64,
}

/// The configuration.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct Configuration {
    /// Milliseconds since it was read.
    read_ago_ms: u64,
    /// How often it was read again since the start, and put in force.
    reloads: u64,
    /// How often it was read again and had mistakes, so that all stayed as it was.
    reloads_refused: u64,
}

impl Server {
    /// Asks for the addresses each time: a laptop changes networks.
    fn new(endpoints: &Endpoints, in_force: &InForce, metrics: &Metrics, sign: Needs) -> Server {
        let uptime = metrics.started.elapsed();
        Server {
            name: "pushpull",
            version: env!("CARGO_PKG_VERSION"),
            uptime_ms: millis(uptime),
            rtmp_port: endpoints.rtmp.port(),
            http_port: endpoints.http_port(),
            rtmps_port: endpoints.secured.rtmps.first().map(SocketAddr::port),
            https_port: endpoints.secured.https.first().map(SocketAddr::port),
            addresses: endpoints.addresses(),
            push: endpoints.push_servers(),
            demo: endpoints.demo(),
            sign,
            connections: Connections { http: metrics.http.present(), rtmp: metrics.rtmp.present() },
            limits: Limits::new(in_force),
            configuration: Configuration {
                // A clock that was set back meanwhile says nothing.
                read_ago_ms: millis(metrics.reloads.since().elapsed().unwrap_or_default()),
                reloads: metrics.reloads.applied(),
                reloads_refused: metrics.reloads.refused(),
            },
        }
    }
}

impl Limits {
    fn new(in_force: &InForce) -> Limits {
        let (hub, http, rtmp) = (in_force.hub.config(), in_force.http.get(), in_force.rtmp.get());
        Limits {
            http_max_connections: http.max_connections,
            http_max_connections_per_ip: http.max_connections_per_ip,
            rtmp_max_connections: rtmp.max_connections,
            rtmp_max_connections_per_ip: rtmp.max_connections_per_ip,
            max_streams: hub.max_streams,
            max_viewers: hub.max_viewers,
            max_viewers_total: hub.max_viewers_total,
            max_bans: hub.max_bans,
            media_bytes: hub.media_bytes,
            lag_ms: millis(hub.lag),
            lag_bytes: hub.lag_bytes,
            grace_ms: millis(hub.grace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::Authority, config::Config};

    #[test]
    fn says_what_to_type_into_an_encoder_and_what_is_in_force() {
        let endpoints = Endpoints {
            rtmp: "192.168.1.5:1936".parse().unwrap(),
            http: vec!["127.0.0.1:8082".parse().unwrap()],
            secured: crate::endpoints::Secured::default(),
            demo: true.into(),
        };
        let mut config = Config::default();
        config.hub.max_streams = 7;
        let in_force = InForce::new(&config, None);
        let metrics = Metrics::new(in_force.hub.clone());
        let sign = Needs::new(&crate::access::Config::default(), Authority::Local);
        let server = Server::new(&endpoints, &in_force, &metrics, sign);
        let mut json = serde_json::to_value(server).unwrap();
        assert!(json["uptime_ms"].take().is_u64());
        assert!(json["configuration"]["read_ago_ms"].take().is_u64());
        assert_eq!(json["limits"].take()["max_streams"], 7);
        assert_eq!(
            json,
            serde_json::json!({
                "name": "pushpull",
                "version": env!("CARGO_PKG_VERSION"),
                "uptime_ms": null,
                "rtmp_port": 1936,
                "http_port": 8082,
                "rtmps_port": null,
                "https_port": null,
                "addresses": ["192.168.1.5"],
                "push": ["rtmp://192.168.1.5:1936/live"],
                "demo": "live/demo",
                "sign": {
                    "publish": false, "play": false, "maker": "local", "may": true,
                    "forms": [], "signs_address": true,
                },
                "connections": {"http": 0, "rtmp": 0},
                "limits": null,
                "configuration": {"read_ago_ms": null, "reloads": 0, "reloads_refused": 0},
            })
        );
    }
}
