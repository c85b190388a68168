//! `GET /api/v1/server`: what to type into an encoder.

use std::net::{IpAddr, SocketAddr};

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{Api, fresh_json};
use crate::endpoints::Endpoints;

pub async fn get(State(api): State<Api>) -> Response {
    fresh_json(Server::new(&api.endpoints))
}

#[derive(Serialize)]
struct Server {
    name: &'static str,
    version: &'static str,
    rtmp_port: u16,
    http_port: Option<u16>,
    rtmps_port: Option<u16>,
    https_port: Option<u16>,
    addresses: Vec<IpAddr>,
    push: Vec<String>,
    demo: Option<&'static str>,
}

impl Server {
    /// Asks for the addresses each time: a laptop changes networks.
    fn new(endpoints: &Endpoints) -> Server {
        Server {
            name: "pushpull",
            version: env!("CARGO_PKG_VERSION"),
            rtmp_port: endpoints.rtmp.port(),
            http_port: endpoints.http_port(),
            rtmps_port: endpoints.secured.rtmps.first().map(SocketAddr::port),
            https_port: endpoints.secured.https.first().map(SocketAddr::port),
            addresses: endpoints.addresses(),
            push: endpoints.push_servers(),
            demo: endpoints.demo(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_type_into_an_encoder() {
        let endpoints = Endpoints {
            rtmp: "192.168.1.5:1936".parse().unwrap(),
            http: vec!["127.0.0.1:8082".parse().unwrap()],
            secured: crate::endpoints::Secured::default(),
            demo: true.into(),
        };
        assert_eq!(
            serde_json::to_value(Server::new(&endpoints)).unwrap(),
            serde_json::json!({
                "name": "pushpull",
                "version": env!("CARGO_PKG_VERSION"),
                "rtmp_port": 1936,
                "http_port": 8082,
                "rtmps_port": null,
                "https_port": null,
                "addresses": ["192.168.1.5"],
                "push": ["rtmp://192.168.1.5:1936/live"],
                "demo": "live/demo",
            })
        );
    }
}
