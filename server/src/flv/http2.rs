//! HTTP-FLV over HTTP/2: the stream as the body of one endless answer, beside others on the same connection.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    task::{Context, Poll, ready},
};

use axum::http::{Request, Response};
use bytes::Bytes;
use h2::server::SendResponse;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::{
    Answer, FlvState, Watching,
    http::{SHOWN_OUT, head},
    sender::{Ended, Form},
};
use crate::{
    http::flow::{self, Flow},
    hub::{EndReason, Next, Release},
    net::{self, held_too_long},
};

/// Who asks, and over what.
pub struct AskedH2<'a> {
    /// Where the answer goes.
    pub respond: SendResponse<Bytes>,
    /// How it is kept.
    pub limits: &'a net::Limits,
    /// Whose it is.
    pub peer: SocketAddr,
    /// Its span.
    pub span: &'a Span,
}

impl FlvState {
    /// Answers a request whose path [is a stream's](super::is_stream_path), with a whole stream if need be.
    pub async fn serve_h2(&self, asked: AskedH2<'_>, request: Request<()>) {
        let AskedH2 { mut respond, limits, peer, span } = asked;
        let method = request.method().clone();
        let answer = tokio::select! {
            biased;
            answer = self.answer(request, peer).instrument(span.clone()) => answer,
            // It waits for the stream no longer.
            _ = poll_fn(|context| respond.poll_reset(context)) => return,
        };
        match answer {
            Answer::Stream(watching, _) => {
                self.stream_h2(&mut respond, limits, watching, span).await
            }
            Answer::Words(response) => flow::send(&mut respond, *response, &method, limits).await,
            // It begins with HTTP/1.1, and is refused otherwise.
            Answer::WebSocket(..) => {}
        }
    }

    async fn stream_h2(
        &self,
        respond: &mut SendResponse<Bytes>,
        limits: &net::Limits,
        mut watching: Watching,
        span: &Span,
    ) {
        let head: Response<()> = head(Form::Plain).map(drop);
        let Ok(mut flow) = Flow::begin(respond, head, limits) else { return };
        flow.push(Bytes::copy_from_slice(&watching.viewer.header().to_bytes()));
        let outcome = poll_fn(|context| poll_stream(context, &mut flow, &mut watching)).await;
        span.in_scope(|| {
            if let Err(error) = &outcome {
                self.cut_off(error);
            }
            drop(watching);
        });
        let rest = poll_fn(|context| flow.poll_send(context));
        let is_whole = match outcome {
            Ok(Ended::Stream(_)) => rest.await.is_ok(),
            // It is not to be served any more, and so not waited for either.
            Ok(Ended::Session(_)) => matches!(timeout(SHOWN_OUT, rest).await, Ok(Ok(()))),
            Err(_) => false,
        };
        if is_whole { flow.finish(None) } else { flow.cut() }
    }
}

/// Sends what there is, and is ready when there will be no more. What the peer has made no room for by then is in `flow`,
/// and ends with a tag.
fn poll_stream(
    context: &mut Context<'_>,
    flow: &mut Flow,
    watching: &mut Watching,
) -> Poll<io::Result<Ended>> {
    let Watching { viewer, session } = watching;
    if let Poll::Ready(stop) = session.poll_stopped(context) {
        return Poll::Ready(Ok(Ended::Session(stop)));
    }
    for _ in 0..ROUNDS {
        if flow.poll_send(context)?.is_pending() {
            let release = ready!(viewer.poll_hold(context, flow.len()));
            return Poll::Ready(match release {
                Release::ServerStopping => Ok(Ended::Stream(EndReason::ServerStopping)),
                Release::TooFarBehind => Err(held_too_long()),
            });
        }
        match ready!(viewer.poll_next(context)) {
            Next::Block(block) => flow.push(block.framed().bytes().clone()),
            Next::End(reason) => return Poll::Ready(Ok(Ended::Stream(reason))),
        }
    }
    // Others want to be served too.
    context.waker().wake_by_ref();
    Poll::Pending
}

/// Blocks sent before a peer with much to catch up on lets others have their turn.
const ROUNDS: usize = 16;
