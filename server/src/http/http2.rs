//! Connections that speak HTTP/2: a browser has one of them for the page, what is on it, and the streams it plays.
//!
//! The [`h2`] crate is used without hyper: a stream's viewer must know at every moment what its peer takes, or its lag would
//! not show in the hub's ring, and it must be able to give its peer up while others on the connection go on.

#[cfg(test)]
mod tests;

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderValue, Request, header},
    response::IntoResponse,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use h2::{Reason, RecvStream, server};
use hyper::body::{Frame, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};
use tracing::{Instrument, Span, debug};

use super::{
    Limits, Shared, flow,
    inlet::{HEARD_OUT, HEARD_OUT_MAX},
    pipe::Pipe,
    timely::timely,
};
use crate::{
    flv::{self, AskedH2},
    limits::Limit,
    net::{OUTBOX_MAX, Socket},
};

impl Shared {
    /// Answers what comes on a connection until it ends.
    pub(super) async fn converse_h2(
        self: &Arc<Self>,
        socket: Socket,
        peer: SocketAddr,
        held_to: Arc<Limits>,
        span: &Span,
    ) {
        let handshake = server::Builder::new()
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(u32::try_from(held_to.head_size).unwrap_or(u32::MAX))
            .max_send_buffer_size(OUTBOX_MAX)
            .handshake::<_, Bytes>(Pipe::new(socket, &held_to.net));
        let connection = match timeout(held_to.head_timeout, handshake).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return debug!(%error, "no HTTP/2"),
            Err(_) => return self.metrics.hits.hit(Limit::HttpHeadTime),
        };
        let serve = self.serve_h2(connection, peer, &held_to, span);
        let outcome = self.shutdown.forced().run_until_cancelled(serve).await;
        if let Some(Err(error)) = outcome {
            let cause = error.get_io().map(io::Error::kind);
            if cause == Some(io::ErrorKind::TimedOut) {
                self.metrics.hits.hit(Limit::HttpStall);
            }
            debug!(%error, "connection ended");
        }
    }

    async fn serve_h2(
        self: &Arc<Self>,
        mut connection: server::Connection<Pipe, Bytes>,
        peer: SocketAddr,
        held_to: &Arc<Limits>,
        span: &Span,
    ) -> Result<(), h2::Error> {
        let mut answers = FuturesUnordered::new();
        let mut stop = std::pin::pin!(self.shutdown.requested().cancelled());
        let mut idle = std::pin::pin!(sleep(held_to.head_timeout));
        let mut is_ending = false;
        let viewers = Arc::new(());
        loop {
            tokio::select! {
                biased;
                Some(()) = answers.next() => {
                    if answers.is_empty() {
                        idle.set(sleep(held_to.head_timeout));
                    }
                }
                accepted = connection.accept() => {
                    let Some(accepted) = accepted else { return Ok(()) };
                    let (request, respond) = accepted?;
                    if answers.len() >= UNDER_WAY_MAX {
                        // One that asks and takes it back faster than it can be told.
                        connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                        continue;
                    }
                    let answer = self.clone().answer_h2(request, respond, peer, held_to.clone(), span.clone(), viewers.clone());
                    answers.push(Box::pin(answer));
                }
                () = &mut stop, if !is_ending => {
                    is_ending = true;
                    connection.graceful_shutdown();
                }
                () = &mut idle, if answers.is_empty() => {
                    if is_ending {
                        // It does not say that it has heard of the end, or takes too long over it.
                        return Ok(());
                    }
                    is_ending = true;
                    connection.graceful_shutdown();
                    idle.set(sleep(held_to.net.stall));
                }
            }
        }
    }

    /// Answers a request, and listens to what comes with it if nobody has: a peer whose request is given up (RST_STREAM)
    /// while it still sends may never look at the answer.
    async fn answer_h2(
        self: Arc<Self>,
        request: Request<RecvStream>,
        respond: server::SendResponse<Bytes>,
        peer: SocketAddr,
        held_to: Arc<Limits>,
        span: Span,
        viewers: Arc<()>,
    ) {
        let (unread, mut left) = oneshot::channel();
        let request = request.map(|stream| Upload { stream: Some(stream), unread: Some(unread) });
        self.say_h2(request, respond, peer, held_to, span, viewers).await;
        if let Ok(stream) = left.try_recv() {
            self.shutdown.requested().run_until_cancelled(hear_out(stream)).await;
        }
    }

    async fn say_h2(
        &self,
        request: Request<Upload>,
        mut respond: server::SendResponse<Bytes>,
        peer: SocketAddr,
        held_to: Arc<Limits>,
        span: Span,
        viewers: Arc<()>,
    ) {
        let (mut parts, upload) = request.into_parts();
        // Handlers look for the host where HTTP/1 has it.
        if !parts.headers.contains_key(header::HOST)
            && let Some(host) = parts.uri.authority()
            && let Ok(host) = HeaderValue::from_str(host.as_str())
        {
            parts.headers.insert(header::HOST, host);
        }
        let method = parts.method.clone();
        let limits = &held_to.net;
        let client = match self.client(&held_to, peer, &parts.headers) {
            Ok(client) => client,
            Err(problem) => {
                let refusal = problem.into_response();
                return flow::send(&mut respond, refusal, &method, limits).await;
            }
        };
        if flv::is_stream_path(parts.uri.path()) {
            // The first has the connection's place, and each beside it one of its own: else a limit on connections would be
            // none on viewers.
            let is_first = Arc::strong_count(&viewers) <= 2;
            let _place = if is_first || client.relayed.is_some() {
                None
            } else {
                match self.place_beside(client.address) {
                    Ok(place) => Some(place),
                    Err(problem) => {
                        let refusal = problem.into_response();
                        return flow::send(&mut respond, refusal, &method, limits).await;
                    }
                }
            };
            let request = Request::from_parts(parts, ());
            let asked = AskedH2 { respond, limits, peer: client.address, span: &span };
            return self.flv.serve_h2(asked, request).await;
        }
        drop(viewers);
        client.mark(&mut parts.extensions);
        let (request, late) = timely(Request::from_parts(parts, upload), held_to.head_timeout);
        let router = TowerToHyperService::new(self.router.clone());
        let answer = async {
            match router.call(request).await {
                Ok(response) => late.judge(response, &self.metrics.hits),
                Err(never) => match never {},
            }
        };
        let answer = tokio::select! {
            biased;
            answer = answer.instrument(span.clone()) => answer,
            // Nobody waits for it any longer.
            _ = poll_fn(|context| respond.poll_reset(context)) => return,
        };
        flow::send(&mut respond, answer, &method, limits).await;
    }
}

/// As [`inlet::Inlet::hear_out`] does it with a connection.
async fn hear_out(mut stream: RecvStream) {
    let mut left = HEARD_OUT_MAX;
    let end = async {
        while let Some(Ok(data)) = stream.data().await {
            left = left.saturating_sub(data.len());
            if left == 0 || stream.flow_control().release_capacity(data.len()).is_err() {
                break;
            }
        }
    };
    drop(timeout(HEARD_OUT, end).await);
}

/// What a peer sends with its request.
struct Upload {
    /// There until it is dropped.
    stream: Option<RecvStream>,
    /// Where it goes then, if it has not come to its end.
    unread: Option<oneshot::Sender<RecvStream>>,
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take()
            && !stream.is_end_stream()
            && let Some(unread) = self.unread.take()
        {
            drop(unread.send(stream));
        }
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let Some(data) = ready!(stream.poll_data(context)) else { return Poll::Ready(None) };
        let data = data.and_then(|data| {
            // The peer may send as much again.
            stream.flow_control().release_capacity(data.len())?;
            Ok(Frame::data(data))
        });
        Poll::Ready(Some(data))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Requests of one connection that are answered at a time. A page has a dozen, and a wall of players one each.
const STREAMS_MAX: u32 = 100;

/// Answers under way for one connection, those included whose requests were taken back a moment ago.
const UNDER_WAY_MAX: usize = 2 * STREAMS_MAX as usize;
