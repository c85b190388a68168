//! Who asks, and what that one may do.
//!
//! Anything is changed by programs on the server's own machine and by whoever has a token (`api_tokens`); who may read is
//! `api_read`. Nobody has a password from the factory.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header, request::Parts,
        uri::Authority as HostAndPort,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Config;
use crate::{config::Live, http::forwarded::Relayed, problem::Problem};

/// What the one who sent a request may be taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A program on the server's own machine.
    Local,
    /// One that has a token.
    Token,
    /// Anybody.
    Nobody,
}

/// Who may read what the server tells of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readers {
    /// Everybody who reaches it.
    #[default]
    Anybody,
    /// Programs on the same machine, and those that have a token.
    Local,
    /// Those that have a token. Being on the same machine counts for nothing then: there may be a proxy that passes
    /// strangers' requests on as its own.
    Token,
}

impl Readers {
    /// Whether this one is among them.
    pub fn include(self, who: Authority) -> bool {
        self == Readers::Anybody || who != Authority::Nobody
    }
}

/// Whose request it is: known wherever [`know`] is a layer above, and nobody's elsewhere.
pub fn authority<B>(request: &axum::http::Request<B>) -> Authority {
    request.extensions().get().copied().unwrap_or(Authority::Nobody)
}

/// The layer that finds out whose a request is, for [`authority`].
pub async fn know(
    State(config): State<Live<Config>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let authority = Authority::of(&parts, &config.get());
    request = Request::from_parts(parts, body);
    request.extensions_mut().insert(authority);
    next.run(request).await
}

/// The layer that lets those read who may. What changes something asks for an [`Operator`] itself.
pub async fn let_readers_in(
    State(config): State<Live<Config>>,
    request: Request,
    next: Next,
) -> Response {
    let config = config.get();
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_reading || config.read.include(authority(&request)) {
        return next.run(request).await;
    }
    let (parts, _) = request.into_parts();
    refusal(&parts, &config, "read this").into_response()
}

/// Shows that a request may change something: a handler that takes one is for such requests only.
#[derive(Clone, Copy, Debug)]
pub struct Operator(());

impl<S: Send + Sync> FromRequestParts<S> for Operator
where
    Live<Config>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Operator, Problem> {
        match parts.extensions.get() {
            Some(Authority::Local | Authority::Token) => Ok(Operator(())),
            Some(Authority::Nobody) | None => {
                let config = Live::<Config>::from_ref(state).get();
                Err(refusal(parts, &config, "change anything"))
            }
        }
    }
}

impl Authority {
    fn of(parts: &Parts, config: &Config) -> Authority {
        let token = bearer(parts);
        if token.is_some_and(|given| config.tokens.iter().any(|token| token.is(given))) {
            Authority::Token
        } else if config.read != Readers::Token && token.is_none() && is_local(parts) {
            Authority::Local
        } else {
            Authority::Nobody
        }
    }
}

/// Why a request is turned away, and what would help.
fn refusal(parts: &Parts, config: &Config, what: &str) -> Problem {
    refuse(&parts.headers, config, true, what)
}

/// The same for what programs on this machine may do if `is_local_enough`, and those that have a token in any case.
pub fn refuse(headers: &HeaderMap, config: &Config, is_local_enough: bool, what: &str) -> Problem {
    let has_tried = headers.contains_key(header::AUTHORIZATION);
    let is_local_enough = is_local_enough && config.read != Readers::Token;
    let here = if is_local_enough { "from the server's own machine, or " } else { "" };
    let (status, code, title, detail) = if has_tried {
        let detail = "the token is not one of api_tokens: say `Authorization: Bearer …`".to_owned();
        (StatusCode::UNAUTHORIZED, "token_wrong", "Wrong token", detail)
    } else if config.tokens.is_empty() && is_local_enough {
        let detail = format!("only programs on the server's own machine may {what}");
        return Problem::new(StatusCode::FORBIDDEN, "not_local", "Not local", detail);
    } else {
        let detail = format!("to {what}, ask {here}with a token: `Authorization: Bearer …`");
        (StatusCode::UNAUTHORIZED, "token_missing", "Token missing", detail)
    };
    Problem::new(status, code, title, detail).with_header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"pushpull\""),
    )
}

/// The token of `Authorization: Bearer`; an empty one if the header says something else.
fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let (scheme, token) = value.split_once(' ').unwrap_or_default();
    Some(if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" })
}

/// Whether the request is one of a program on this machine, as far as can be told: the connection is, nothing shows that a
/// proxy has passed it on for somebody else, it names this machine, and it is not made for another site's page.
///
/// nginx, told no more than where to pass requests on to, adds nothing to them and names this machine; but it speaks HTTP/1.0,
/// up to 1.29.6, which hardly anybody else does any more.
fn is_local(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && parts.extensions.get::<Relayed>().is_none()
        && parts.version != Version::HTTP_10
        && !PROXIED.iter().any(|name| parts.headers.contains_key(name))
        && host(parts).is_some_and(|host| names_this_machine(&host) && is_own_page(parts, &host))
}

/// The host that was asked for: in HTTP/2 it stands in the request's first line.
fn host(parts: &Parts) -> Option<HostAndPort> {
    let header = || parts.headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    parts.uri.authority().cloned().or_else(header)
}

/// A page of another host, whose name its owner points at this machine, names that host.
fn names_this_machine(host: &HostAndPort) -> bool {
    let host = host.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Browsers say for which site's page they ask: one of another site acts for its owner, not for who sits here.
fn is_own_page(parts: &Parts, host: &HostAndPort) -> bool {
    let Some(origin) = parts.headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host.as_str()))
}

/// What proxies put on what they pass on.
const PROXIED: [HeaderName; 6] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];
