//! Where the server listens, as the addresses people type.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::lan;

/// The listeners as they are bound (real ports), and what is on them.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The RTMP listener.
    pub rtmp: SocketAddr,
    /// The HTTP listeners; the first is the one shown.
    pub http: Vec<SocketAddr>,
    /// The name of the built-in stream, if it is on.
    pub demo: Option<&'static str>,
}

impl Endpoints {
    /// Addresses of this machine at which another device can push, the most likely first.
    pub fn addresses(&self) -> Vec<IpAddr> {
        lan::addresses(self.rtmp.ip())
    }

    /// What goes into an encoder's “server” field, for every address: other devices' first, this machine's own last.
    pub fn push_servers(&self) -> Vec<String> {
        hosts(self.rtmp, IpAddr::V4(Ipv4Addr::LOCALHOST).to_string())
            .map(|host| {
                format!("rtmp://{}/{DEFAULT_APP}", with_port(&host, self.rtmp.port(), RTMP_PORT))
            })
            .collect()
    }

    /// Where the page is, for every listener and address: this machine's own first, as it is the likeliest to be used.
    pub fn pages(&self) -> Vec<String> {
        self.http
            .iter()
            .flat_map(|&bound| {
                let mut hosts: Vec<String> = hosts(bound, "localhost".to_owned()).collect();
                hosts.rotate_right(usize::from(serves_loopback(bound.ip())));
                hosts.into_iter().map(move |host| {
                    format!("http://{}/", with_port(&host, bound.port(), HTTP_PORT))
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
const HTTP_PORT: u16 = 80;

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

    fn endpoints(rtmp: &str, http: &[&str]) -> Endpoints {
        Endpoints {
            rtmp: rtmp.parse().unwrap(),
            http: http.iter().map(|address| address.parse().unwrap()).collect(),
            demo: None,
        }
    }
}
