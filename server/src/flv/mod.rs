//! HTTP-FLV and WebSocket-FLV: `GET /{app}/{stream}.flv`, plain or as an upgrade.
//!
//! The tags are sent as the hub holds them; nothing is copied or framed per viewer but the transport's own few bytes.
//! A stream that is missing is answered 404 after a wait, and no answer is 200 before there is something to send.

mod cors;
mod http;
mod http2;
mod sender;
pub mod ws;

#[cfg(test)]
mod tests;

use std::{future::poll_fn, io, net::SocketAddr};

use axum::{
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version, header},
    response::{IntoResponse, Response},
};
use pushpull_rtmp::StreamName;
use tracing::{Instrument, Span, debug};

use crate::{
    access::{Access, Refusal},
    http::{
        answer,
        inlet::{Head, Inlet, Payload},
    },
    hub::{Hub, Query, ViewError, Viewer, ViewerInfo},
    limits::Limit,
    net::{self, Socket},
    problem::Problem,
    sessions::{Purpose, Request as Asking, Session},
    shutdown::Shutdown,
};

pub use http2::AskedH2;
use sender::Form;

/// What the streams are served from.
#[derive(Clone, Debug)]
pub struct FlvState {
    hub: Hub,
    access: Access,
    shutdown: Shutdown,
}

/// Who asks, and over what.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The connection.
    pub socket: &'a Socket,
    /// What came on it behind the request's head.
    pub inlet: &'a mut Inlet,
    /// How it is kept.
    pub limits: &'a net::Limits,
    /// Whose it is.
    pub peer: &'a SocketAddr,
    /// Its span, which is entered only when there is something to log.
    pub span: &'a Span,
}

/// What is said to a request.
enum Answer {
    /// A few words.
    Words(Box<Response>),
    /// The stream.
    Stream(Watching, Form),
    /// The stream, after an upgrade with these fields.
    WebSocket(Watching, Box<HeaderMap>),
}

/// A viewer that was let in.
#[derive(Debug)]
struct Watching {
    viewer: Box<Viewer>,
    session: Session,
}

impl FlvState {
    /// Serves the streams of `hub` to those whom `access` lets in. Viewers are there until [`Hub::close`] ends them, or
    /// `shutdown` is forced.
    pub fn new(hub: Hub, access: Access, shutdown: Shutdown) -> Self {
        Self { hub, access, shutdown }
    }

    /// Answers a request whose path [is a stream's](is_stream_path), with a whole stream if need be; `false` if the
    /// connection must be closed then.
    pub async fn serve(&self, asked: Asked<'_>, head: Box<Head>) -> bool {
        // What follows a request is nobody's here. The connection cannot go on behind it.
        let payload = head.payload();
        let keeps_open = head.keeps_open() && payload == Payload::Length(0);
        let method = head.request.method().clone();
        let answer = {
            let answer =
                Box::pin(self.answer(head.request, *asked.peer).instrument(asked.span.clone()));
            tokio::select! {
                biased;
                answer = answer => answer,
                // It waits for the stream no longer.
                () = poll_fn(|context| asked.inlet.poll_gone(context, asked.socket)) => return false,
            }
        };
        match answer {
            Answer::Stream(watching, form) => {
                http::stream(asked, watching, self, form, keeps_open).await
            }
            Answer::WebSocket(watching, headers) => {
                Box::pin(ws::stream(asked, *headers, watching, self)).await;
                false
            }
            Answer::Words(response) => {
                let sent = Box::pin(answer::send(
                    asked.socket,
                    asked.limits,
                    &method,
                    *response,
                    keeps_open,
                ));
                let sent = self.shutdown.forced().run_until_cancelled(sent).await;
                let is_sent = matches!(sent, Some(Ok(())));
                if is_sent && payload != Payload::Length(0) {
                    let rest = Box::pin(asked.inlet.hear_out(asked.socket));
                    self.shutdown.requested().run_until_cancelled(rest).await;
                }
                is_sent && keeps_open
            }
        }
    }

    async fn answer(&self, request: Request<()>, peer: SocketAddr) -> Answer {
        if request.method() == Method::OPTIONS {
            return Answer::Words(Box::new(cors::preflight(request.headers())));
        }
        // Whoever is asked about it takes longer than the server may to stop.
        let answer = self.try_answer(request, peer);
        let answer = self.shutdown.requested().run_until_cancelled(answer).await;
        answer.unwrap_or_else(|| Err(stopping())).unwrap_or_else(|problem| {
            let mut response = problem.into_response();
            cors::allow(response.headers_mut());
            Answer::Words(Box::new(response))
        })
    }

    async fn try_answer(&self, request: Request<()>, peer: SocketAddr) -> Result<Answer, Problem> {
        let method = request.method();
        if method != Method::GET && method != Method::HEAD {
            return Err(Problem::method_not_allowed(METHODS));
        }
        let name = stream_name(request.uri().path())?;
        let Query { start, tracks } = query(request.uri())?;
        let upgrade = (method == Method::GET && ws::is_asked_for(request.headers()))
            .then(|| ws::accept(&request))
            .transpose()?;
        let protocol = if upgrade.is_some() { "ws-flv" } else { "http-flv" };
        let asking = asking(&request, protocol, peer, &name);
        let form = if request.version() == Version::HTTP_11 { Form::Chunks } else { Form::Plain };
        if method == Method::HEAD {
            // Who asks like this wants to know, such as why a WebSocket was refused: there is nothing to wait for, and
            // nothing begins.
            return match self.look(&asking) {
                Ok(()) => Ok(Answer::Words(Box::new(http::head(form)))),
                Err(problem) => Err(problem.with_detail_header()),
            };
        }
        let info = ViewerInfo { protocol, peer: peer.to_string() };
        let denied = |refusal: Refusal| refusal.problem(name.as_str());
        let mut session = self.access.admit(asking).await.map_err(denied)?;
        let viewer = session.unless_stopped(self.hub.view(&name, start, info)).await;
        let viewer = viewer.map_err(|stop| denied(stop.into()))?;
        let viewer = viewer.map_err(|error| refuse(&name, &error))?.choosing(tracks);
        let watching = Watching::new(Box::new(viewer), session);
        Ok(match upgrade {
            Some(headers) => Answer::WebSocket(watching, Box::new(headers)),
            None => Answer::Stream(watching, form),
        })
    }

    /// Whether there is something to view, as far as that is known.
    fn look(&self, asking: &Asking) -> Result<(), Problem> {
        let name = &asking.name;
        self.access.look(asking).map_err(|refusal| refusal.problem(name.as_str()))?;
        self.hub.look(name).map_err(|error| refuse(name, &error))
    }

    /// A viewer's connection ended before the stream did.
    fn cut_off(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::TimedOut {
            self.hub.stats().hits().hit(Limit::HttpStall);
        }
        debug!(%error, "viewer cut off");
    }
}

impl Watching {
    fn new(viewer: Box<Viewer>, session: Session) -> Self {
        session.watch(viewer.probe());
        Self { viewer, session }
    }
}

/// What the door is told of a request.
fn asking(
    request: &Request<()>,
    protocol: &'static str,
    peer: SocketAddr,
    name: &StreamName,
) -> Asking {
    let field = |field| {
        let value = request.headers().get(field).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    Asking {
        purpose: Purpose::Play,
        protocol,
        peer,
        name: name.clone(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        agent: field(header::USER_AGENT),
        referer: field(header::REFERER),
        tc_url: String::new(),
        client: None,
    }
}

/// Whether a path is one that [`FlvState::serve`] answers: it ends in `.flv` and is not the API's.
pub fn is_stream_path(path: &str) -> bool {
    path.ends_with(EXTENSION) && !path.starts_with("/api/")
}

fn refuse(name: &StreamName, error: &ViewError) -> Problem {
    let (code, title, retry_after) = match error {
        ViewError::NotFound => return Problem::stream_not_found(name.as_str()),
        ViewError::NotReady => ("stream_not_ready", "Stream not ready", "1"),
        ViewError::TooManyViewers { .. } => ("too_many_viewers", "Too many viewers", "5"),
        ViewError::Closing => return stopping().with_stream(name.as_str()),
    };
    unavailable(code, title, retry_after, error).with_stream(name.as_str())
}

fn stopping() -> Problem {
    unavailable("server_stopping", "Server stopping", "5", &ViewError::Closing)
}

fn unavailable(
    code: &'static str,
    title: &'static str,
    retry_after: &'static str,
    error: &ViewError,
) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, title, error.to_string())
        .with_header(header::RETRY_AFTER, HeaderValue::from_static(retry_after))
}

/// The stream of `/{app}/{stream}.flv`; `.live.flv` is taken for the same.
fn stream_name(path: &str) -> Result<StreamName, Problem> {
    let name = path.strip_suffix(EXTENSION).unwrap_or(path);
    let name = name.strip_suffix(LIVE_EXTENSION).unwrap_or(name);
    StreamName::parse_path(name).map_err(|error| Problem::bad_stream_name(error.to_string()))
}

/// What the query asks for.
fn query(uri: &Uri) -> Result<Query, Problem> {
    Query::parse(uri.query().unwrap_or_default())
        .map_err(|error| Problem::bad_parameter(error.to_string()))
}

const EXTENSION: &str = ".flv";
const LIVE_EXTENSION: &str = ".live";
const METHODS: &str = "GET, HEAD, OPTIONS";
