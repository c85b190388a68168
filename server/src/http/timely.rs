//! What comes behind the head of a request: all of it within a time.
//!
//! Whoever reads a body bounds its bytes. One that comes a byte a minute would hold its connection for ever all the same.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    limits::{Hits, Limit},
    problem::Problem,
};

/// Whether a body has come too late.
#[derive(Debug)]
pub(super) struct Late {
    limit: Duration,
    /// `None`: there is no body.
    flag: Option<Arc<AtomicBool>>,
}

/// The same request, whose body fails if it is not all there within `limit` from now.
pub(super) fn timely<B>(request: Request<B>, limit: Duration) -> (Request<Body>, Late)
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if request.body().is_end_stream() {
        return (request.map(|_| Body::empty()), Late { limit, flag: None });
    }
    let flag = Arc::new(AtomicBool::new(false));
    let until = Instant::now() + limit;
    let body = |body| Timely { body, until, timer: None, flag: flag.clone() };
    (request.map(|it| Body::new(body(it))), Late { limit, flag: Some(flag) })
}

impl Late {
    /// The answer to a request that was answered with `response`: that it took too long, if it did.
    pub(super) fn judge(&self, response: Response, hits: &Hits) -> Response {
        if !self.flag.as_ref().is_some_and(|flag| flag.load(Ordering::Acquire)) {
            return response;
        }
        hits.hit(Limit::HttpHeadTime);
        let limit = self.limit.as_secs_f64();
        let detail = format!("the body did not come within {limit} s (http_head_timeout)");
        let problem =
            Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "Body too slow", detail)
                .with_header(header::CONNECTION, HeaderValue::from_static("close"))
                .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        problem.into_response()
    }
}

/// A body that has to come in time.
struct Timely<B> {
    body: B,
    until: Instant,
    /// Once it is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    flag: Arc<AtomicBool>,
}

impl<B> HttpBody for Timely<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        // One that comes bit by bit is never waited for, and is late too.
        if Instant::now() < this.until {
            if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
                return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
            }
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(this.until)));
            ready!(timer.as_mut().poll(context));
        }
        this.flag.store(true, Ordering::Release);
        Poll::Ready(Some(Err(Box::new(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
