//! Whose request it is that a proxy passes on.
//!
//! `X-Forwarded-For` is a list to which each proxy adds, at its end, whom it has the request from. Anybody can send one;
//! what counts is what our own proxies added. It is therefore read from its end, as long as trusted proxies speak.
//! No other field is read: a proxy that writes this one lets the client's own `Forwarded` and `X-Real-IP` pass.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::net::Networks;

/// Marks a request that one of our own proxies has passed on, or may have made itself: whatever address it has, it does
/// not come from a program on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed;

/// The address of who made the request with these `headers`, which came on a connection from `peer`; `None` if that is
/// not a trusted proxy, but the client itself.
///
/// Who says nothing of use about its client stands in for it. A port that nobody tells is 0.
#[must_use]
pub fn client(proxies: &Networks, peer: SocketAddr, headers: &HeaderMap) -> Option<SocketAddr> {
    if !proxies.contain(peer.ip()) {
        return None;
    }
    let mut client = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let said = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .rev()
        .flat_map(|value| value.to_str().unwrap_or(NOBODY).rsplit(','));
    for text in said {
        let Some(named) = parse(text.trim()) else { break };
        client = named;
        if !proxies.contain(client.ip()) {
            break;
        }
    }
    Some(client)
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<SocketAddr> {
    let (ip, port) = match text.parse::<SocketAddr>() {
        Ok(address) => (address.ip(), address.port()),
        Err(_) => {
            let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            (bare.unwrap_or(text).parse::<IpAddr>().ok()?, 0)
        }
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What RFC 7239 says for a client that is not told.
const NOBODY: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom a connection from `peer` with these fields speaks for, when 127.0.0.1 and 10.0.0.0/8 are proxies.
    fn client_of(peer: &str, fields: &[&str]) -> Option<String> {
        let proxies = Networks::parse("127.0.0.1,10.0.0.0/8").unwrap();
        let headers = fields.iter().map(|field| (FORWARDED_FOR, field.parse().unwrap()));
        client(&proxies, peer.parse().unwrap(), &headers.collect()).map(|client| client.to_string())
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client_of("203.0.113.9:1", &["192.0.2.1"]), None);
        assert_eq!(client_of("[::1]:1", &["192.0.2.1"]), None);
    }

    #[test]
    fn the_last_that_is_no_proxy_is_the_client() {
        for (fields, client) in [
            (&["192.0.2.1"] as &[_], "192.0.2.1:0"),
            (&["127.0.0.1, 192.0.2.1"], "192.0.2.1:0"),
            (&["198.51.100.1, 192.0.2.1, 10.0.0.7"], "192.0.2.1:0"),
            (&["198.51.100.1", "192.0.2.1,10.0.0.7"], "192.0.2.1:0"),
            (&["192.0.2.1:4711"], "192.0.2.1:4711"),
            (&["::ffff:192.0.2.1"], "192.0.2.1:0"),
            (&["2001:db8::1"], "[2001:db8::1]:0"),
            (&["[2001:db8::1]"], "[2001:db8::1]:0"),
            (&["[2001:db8::1]:80"], "[2001:db8::1]:80"),
            // Made by a proxy itself.
            (&["10.0.0.8, 10.0.0.7"], "10.0.0.8:0"),
        ] {
            assert_eq!(client_of("127.0.0.1:5000", fields).as_deref(), Some(client), "{fields:?}");
        }
        let mapped = client_of("[::ffff:127.0.0.1]:5000", &["192.0.2.1"]);
        assert_eq!(mapped.as_deref(), Some("192.0.2.1:0"), "a socket for both families");
    }

    #[test]
    fn a_proxy_that_does_not_tell_stands_for_its_client() {
        for fields in [&[] as &[_], &[""], &["unknown"], &["192.0.2.1, _hidden"], &["192.0.2.1,"]] {
            let client = client_of("127.0.0.1:5000", fields);
            assert_eq!(client.as_deref(), Some("127.0.0.1:5000"), "{fields:?}");
        }
        let named = client_of("127.0.0.1:5000", &["192.0.2.1, unknown, 10.0.0.7"]);
        assert_eq!(named.as_deref(), Some("10.0.0.7:0"), "as far as it is told");
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, "192.0.2.1".parse().unwrap());
        headers.append(FORWARDED_FOR, axum::http::HeaderValue::from_bytes(b"\xff").unwrap());
        let proxies = Networks::parse("127.0.0.1").unwrap();
        let peer = "127.0.0.1:5000".parse().unwrap();
        assert_eq!(client(&proxies, peer, &headers), Some(peer), "what is not text ends it");
    }
}
