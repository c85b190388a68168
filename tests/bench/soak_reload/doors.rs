//! The ways into the server: every protocol, plain and under TLS.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use pushpull_tests::{Encoder, Server, Viewer, tls::Trust};
use tokio::process::Command;

/// How a viewer watches.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    Http,
    WebSocket,
    Rtmp,
    Https,
    Http2,
    Wss,
    Rtmps,
}

impl Way {
    pub const ALL: [Way; 7] =
        [Way::Http, Way::WebSocket, Way::Rtmp, Way::Https, Way::Http2, Way::Wss, Way::Rtmps];

    pub fn name(self) -> &'static str {
        match self {
            Way::Http => "HTTP",
            Way::WebSocket => "WebSocket",
            Way::Rtmp => "RTMP",
            Way::Https => "HTTPS",
            Way::Http2 => "HTTP/2",
            Way::Wss => "WSS",
            Way::Rtmps => "RTMPS",
        }
    }
}

/// Where the server is reached. Under TLS it must show a certificate that counts to everybody who comes.
pub struct Doors {
    http: SocketAddr,
    rtmp: SocketAddr,
    https: SocketAddr,
    http2: SocketAddr,
    rtmps: SocketAddr,
}

impl Doors {
    pub async fn of(server: &Server, trust: &Trust) -> Result<Self> {
        let (https, rtmps) = (server.listening("https")?, server.listening("rtmps")?);
        Ok(Self {
            http: server.http,
            rtmp: server.rtmp,
            https: trust.tunnel(https, None).await?,
            http2: trust.tunnel(https, Some("h2")).await?,
            rtmps: trust.tunnel(rtmps, None).await?,
        })
    }

    /// Watches `stream`, to which `token` lets in.
    pub async fn view(&self, way: Way, stream: &str, token: &str) -> Result<Viewer> {
        let (path, play) =
            (format!("/{stream}.flv?token={token}"), format!("{stream}?token={token}"));
        match way {
            Way::Http => Viewer::http_at(self.http, &path).await,
            Way::WebSocket => Viewer::websocket_at(self.http, &path).await,
            Way::Rtmp => Viewer::rtmp_at(self.rtmp, &play).await,
            Way::Https => Viewer::http_at(self.https, &path).await,
            Way::Http2 => {
                let mut curl = Command::new("curl");
                curl.args(["--silent", "--show-error", "--fail", "--no-buffer"]);
                curl.args(["--http2-prior-knowledge", &format!("http://{}{path}", self.http2)]);
                Viewer::program(curl)
            }
            Way::Wss => Viewer::websocket_at(self.https, &path).await,
            Way::Rtmps => Viewer::rtmp_at(self.rtmps, &play).await,
        }
        .context(way.name())
    }

    /// Where those publish who do it under TLS, or not.
    pub fn publishing(&self, is_sealed: bool) -> SocketAddr {
        if is_sealed { self.rtmps } else { self.rtmp }
    }

    /// Publishes `stream`.
    pub async fn publish(&self, stream: &str, is_sealed: bool) -> Result<Encoder> {
        Encoder::start(self.publishing(is_sealed), stream).await
    }
}
