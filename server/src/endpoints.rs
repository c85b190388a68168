//! Where the server listens, as the addresses people type.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::{
    app,
    config::{Config, Live},
    demo, lan,
};

/// The listeners as they are bound (real ports), and what is on them.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The RTMP listener.
    pub rtmp: SocketAddr,
    /// The HTTP listeners; the first is the one shown.
    pub http: Vec<SocketAddr>,
    /// The listeners under TLS.
    pub secured: Secured,
    /// Whether the built-in stream is on.
    pub demo: Live<bool>,
}

/// The listeners under TLS.
#[derive(Debug, Clone, Default)]
pub struct Secured {
    /// Those for HTTP.
    pub https: Vec<SocketAddr>,
    /// Those for RTMP.
    pub rtmps: Vec<SocketAddr>,
    /// The certificate that was made here: its fingerprint, and where it is kept.
    pub made: Option<(String, String)>,
}

impl Endpoints {
    /// Where a server listens that is told `config`, before it does.
    #[must_use]
    pub fn of(config: &Config) -> Endpoints {
        let (https, rtmps) = app::secured(config);
        Endpoints {
            rtmp: config.rtmp,
            http: config.http.clone(),
            secured: Secured { https, rtmps, made: None },
            demo: config.demo.into(),
        }
    }

    /// The name of the built-in stream, if it is on.
    pub fn demo(&self) -> Option<&'static str> {
        self.demo.get().then_some(demo::NAME)
    }

    /// Addresses of this machine at which another device can push, the most likely first.
    pub fn addresses(&self) -> Vec<IpAddr> {
        lan::addresses(self.rtmp.ip())
    }

    /// What goes into an encoder's “server” field, for every address: other devices' first, this machine's own last.
    pub fn push_servers(&self) -> Vec<String> {
        let plain = (self.rtmp, "rtmp", RTMP_PORT);
        let secured = self.secured.rtmps.iter().map(|&bound| (bound, "rtmps", RTMPS_PORT));
        std::iter::once(plain)
            .chain(secured)
            .flat_map(|(bound, scheme, implied)| {
                hosts(bound, IpAddr::V4(Ipv4Addr::LOCALHOST).to_string()).map(move |host| {
                    let host = with_port(&host, bound.port(), implied);
                    format!("{scheme}://{host}/{DEFAULT_APP}")
                })
            })
            .collect()
    }

    /// Where the page is, for every listener and address: this machine's own first, as it is the likeliest to be used; those
    /// under TLS last.
    pub fn pages(&self) -> Vec<String> {
        let plain = self.http.iter().map(|&bound| (bound, "http", HTTP_PORT));
        let secured = self.secured.https.iter().map(|&bound| (bound, "https", HTTPS_PORT));
        plain
            .chain(secured)
            .flat_map(|(bound, scheme, implied)| {
                let mut hosts: Vec<String> = hosts(bound, "localhost".to_owned()).collect();
                hosts.rotate_right(usize::from(serves_loopback(bound.ip())));
                hosts.into_iter().map(move |host| {
                    format!("{scheme}://{}/", with_port(&host, bound.port(), implied))
                })
            })
            .collect()
    }

    /// The port of the first HTTP listener.
    pub fn http_port(&self) -> Option<u16> {
        self.http.first().map(SocketAddr::port)
    }
}

/// Hosts at which `bound` is reached: other devices' first, then `own` if this machine reaches it by loopback.
fn hosts(bound: SocketAddr, own: String) -> impl Iterator<Item = String> {
    let own = match bound.ip() {
        // Another loopback address than the usual one must be typed as it is.
        ip if ip.is_loopback() && ip != IpAddr::V4(Ipv4Addr::LOCALHOST) => bracketed(ip),
        _ => own,
    };
    let own = serves_loopback(bound.ip()).then_some(own);
    lan::addresses(bound.ip()).into_iter().map(bracketed).chain(own)
}

fn serves_loopback(bound: IpAddr) -> bool {
    bound.is_loopback() || bound.is_unspecified()
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// `host`, and the port unless the scheme implies it.
fn with_port(host: &str, port: u16, implied: u16) -> String {
    if port == implied { host.to_owned() } else { format!("{host}:{port}") }
}

/// The app that is shown in addresses, and the one a bare stream name means.
const DEFAULT_APP: &str = "live";

const RTMP_PORT: u16 = 1935;
/// What clients take where an address has no port: TLS's own, as RTMP has none for it.
const RTMPS_PORT: u16 = 443;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_is_left_out() {
        assert_eq!(endpoints("127.0.0.1:1935", &[]).push_servers(), ["rtmp://127.0.0.1/live"]);
        assert_eq!(endpoints("127.0.0.1:1936", &[]).push_servers(), ["rtmp://127.0.0.1:1936/live"]);
    }

    #[test]
    fn one_bound_address_is_shown_as_it_is() {
        assert_eq!(endpoints("192.168.7.7:1935", &[]).push_servers(), ["rtmp://192.168.7.7/live"]);
        assert_eq!(endpoints("[::1]:1935", &[]).push_servers(), ["rtmp://[::1]/live"]);
        assert_eq!(endpoints("127.0.0.2:1935", &[]).push_servers(), ["rtmp://127.0.0.2/live"]);
    }

    #[test]
    fn every_address_ends_with_loopback_when_listening_everywhere() {
        let push = endpoints("0.0.0.0:1935", &[]).push_servers();
        assert_eq!(push.last().map(String::as_str), Some("rtmp://127.0.0.1/live"));
        assert_eq!(push.len(), 1 + lan::addresses(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).len());
    }

    #[test]
    fn the_page_is_shown_on_localhost_first() {
        let pages = endpoints("127.0.0.1:1935", &["0.0.0.0:8082", "127.0.0.1:80"]).pages();
        assert_eq!(pages.first().map(String::as_str), Some("http://localhost:8082/"));
        assert_eq!(pages.last().map(String::as_str), Some("http://localhost/"));
    }

    #[test]
    fn those_under_tls_come_last() {
        let plain = endpoints("192.168.7.7:1935", &["192.168.7.7:80"]);
        let address = |port| SocketAddr::new(plain.rtmp.ip(), port);
        let secured = Secured {
            https: vec![address(443), address(8443)],
            rtmps: vec![address(1936)],
            made: None,
        };
        let both = Endpoints { secured, ..plain };
        let pages = ["http://192.168.7.7/", "https://192.168.7.7/", "https://192.168.7.7:8443/"];
        assert_eq!(both.pages(), pages);
        let servers = ["rtmp://192.168.7.7/live", "rtmps://192.168.7.7:1936/live"];
        assert_eq!(both.push_servers(), servers);
    }

    fn endpoints(rtmp: &str, http: &[&str]) -> Endpoints {
        Endpoints {
            rtmp: rtmp.parse().unwrap(),
            http: http.iter().map(|address| address.parse().unwrap()).collect(),
            secured: Secured::default(),
            demo: false.into(),
        }
    }
}
