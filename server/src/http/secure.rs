//! Connections to the listeners for HTTPS, before there is anything to answer.

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, Response, StatusCode, header, uri::Authority},
};
use tokio::net::TcpStream;
use tracing::{Span, debug, info};

use super::{
    Shared, answer,
    inlet::{Arrival, Inlet},
};
use crate::{
    limits::Limit,
    net::Socket,
    tls::{Refused, Speaks, Tls},
};

impl Shared {
    /// Shakes hands; `None` if nothing comes of it.
    pub(super) async fn secure(&self, tcp: TcpStream, tls: &Tls, span: &Span) -> Option<Socket> {
        let shaken = tls.accept(tcp, Speaks::Http);
        match self.shutdown.requested().run_until_cancelled(shaken).await? {
            Ok(socket) => Some(socket),
            Err(Refused::Plain(tcp)) => {
                span.in_scope(|| info!("plain HTTP on the port for HTTPS: sent to https://"));
                self.redirect(tcp.into()).await;
                None
            }
            Err(Refused::TimedOut) => {
                self.metrics.hits.hit(Limit::TlsHandshake);
                span.in_scope(|| debug!("the TLS handshake took too long"));
                None
            }
            Err(Refused::Failed(error)) => {
                span.in_scope(|| debug!(%error, "no TLS handshake"));
                None
            }
        }
    }

    /// Tells one that speaks plain HTTP where to go.
    async fn redirect(&self, socket: Socket) {
        let limits = self.limits.get();
        let mut inlet = Inlet::new(limits.head_size);
        let next = self.next(&mut inlet, &socket, limits.head_timeout);
        let Some(Arrival::Head(head)) = next.await else { return };
        inlet.consume(head.len);
        let answer = redirection(&head.request);
        let method = head.request.method();
        let sent = answer::send(&socket, &limits.net, method, answer, false);
        if let Some(Err(error)) = self.shutdown.forced().run_until_cancelled(sent).await {
            debug!(%error, "one who speaks plain HTTP was not told");
        }
    }
}

/// The answer to a request that came without TLS: the same address with it, or words where that would not do.
fn redirection(request: &Request<()>) -> Response<Body> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| host.parse::<Authority>().is_ok_and(|host| !has_user(&host)));
    let target = request.uri().path_and_query().filter(|target| target.as_str().starts_with('/'));
    let is_asked = matches!(*request.method(), Method::GET | Method::HEAD);
    let address = host
        .zip(target)
        .filter(|_| is_asked)
        .and_then(|(host, target)| HeaderValue::try_from(format!("https://{host}{target}")).ok());
    let mut response = Response::new(Body::from(WORDS));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if let Some(address) = address {
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        response.headers_mut().insert(header::LOCATION, address);
        // The port may speak plain HTTP tomorrow.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn has_user(host: &Authority) -> bool {
    host.as_str().contains('@')
}

const WORDS: &str = "This port speaks HTTP under TLS only: begin the address with https://\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, target: &str, host: &str) -> (u16, Option<String>) {
        let request =
            Request::builder().method(method).uri(target).header("Host", host).body(()).unwrap();
        let response = redirection(&request);
        let address = response.headers().get(header::LOCATION);
        (response.status().as_u16(), address.map(|value| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn who_forgot_the_s_is_sent_to_the_same_address_with_it() {
        let to = |address: &str| (308, Some(address.to_owned()));
        assert_eq!(answer("GET", "/a?b=c", "h:8443"), to("https://h:8443/a?b=c"));
        assert_eq!(answer("HEAD", "/", "[::1]:8443"), to("https://[::1]:8443/"));
        for (method, target, host) in
            [("POST", "/", "h"), ("GET", "/", ""), ("GET", "/", "a@h"), ("OPTIONS", "*", "h")]
        {
            assert_eq!(answer(method, target, host), (400, None), "{method} {target} {host}");
        }
    }
}
