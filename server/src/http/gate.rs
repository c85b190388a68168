//! The gate between hyper and a connection: requests for streams do not pass it.
//!
//! A browser asks for a stream on the connection that brought the page. The gate lets hyper have one request after the
//! other; when the next is for a stream, hyper is told that there are no more, and the connection is given back with that
//! request still unread.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use futures_util::task::AtomicWaker;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::inlet::{Arrival, Inlet, Payload};
use crate::{
    accept::Place,
    net::{self, Socket, Stall},
};

/// A connection as hyper sees it.
#[derive(Debug)]
pub struct Gate<'a> {
    socket: &'a Socket,
    stall: Stall,
    inlet: &'a mut Inlet,
    exchange: Arc<Exchange>,
    passes: Passes,
    /// Whether something was written since the last flush.
    is_dirty: bool,
    is_ours: fn(&str) -> bool,
}

/// What hyper may read.
#[derive(Clone, Copy, Debug)]
enum Passes {
    /// Nothing, before the next head was looked at.
    Nothing,
    /// So many bytes: a head, and what follows it.
    Bytes(u64),
    /// Everything: it is not known here where the request ends. It is the last.
    Everything,
}

/// Where hyper is with the present request: known to the gate, the service and the answer's body.
#[derive(Debug, Default)]
pub struct Exchange {
    is_busy: AtomicBool,
    is_last: AtomicBool,
    has_ended: AtomicBool,
    is_unread: AtomicBool,
    reader: AtomicWaker,
}

impl<'a> Gate<'a> {
    /// Keeps requests back whose path `is_ours`.
    pub fn new(
        socket: &'a Socket,
        inlet: &'a mut Inlet,
        limits: &net::Limits,
        exchange: Arc<Exchange>,
        is_ours: fn(&str) -> bool,
    ) -> Self {
        let stall = Stall::new(limits);
        Self { socket, stall, inlet, exchange, passes: Passes::Nothing, is_dirty: false, is_ours }
    }

    /// Looks at what is next and sets how much of it may pass; `false` if nothing more will.
    fn poll_admit(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let socket = self.socket;
        if self.exchange.is_busy() || self.is_dirty {
            self.exchange.reader.register(context.waker());
            // Hyper wants to know whether the peer is still there. What it sends meanwhile waits.
            if self.exchange.is_busy() || self.is_dirty {
                if !self.inlet.is_full() {
                    ready!(self.inlet.poll_gone(context, socket));
                }
                if self.inlet.is_full() {
                    // Many requests in one go: the rest stays with the system until these are answered.
                    return Poll::Pending;
                }
                return Poll::Ready(Ok(false));
            }
        }
        let arrival = ready!(self.inlet.poll_head(context, socket))?;
        Poll::Ready(Ok(match arrival {
            Arrival::End => false,
            Arrival::Head(head) if (self.is_ours)(head.request.uri().path()) => {
                self.exchange.has_ended.store(true, Ordering::Release);
                false
            }
            Arrival::Head(head) => {
                self.passes = match head.payload() {
                    Payload::Length(length) => {
                        Passes::Bytes(length.saturating_add(head.len as u64))
                    }
                    Payload::Unknown => self.pass_everything(),
                };
                self.exchange.is_busy.store(true, Ordering::Release);
                true
            }
            // Hyper has the words for what is wrong with it.
            Arrival::Strange => {
                self.passes = self.pass_everything();
                true
            }
        }))
    }

    fn pass_everything(&self) -> Passes {
        self.exchange.is_last.store(true, Ordering::Release);
        Passes::Everything
    }
}

impl AsyncRead for Gate<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let most = loop {
            match this.passes {
                Passes::Everything => break usize::MAX,
                Passes::Bytes(left @ 1..) => break usize::try_from(left).unwrap_or(usize::MAX),
                Passes::Nothing | Passes::Bytes(0) => {
                    if !ready!(this.poll_admit(context))? {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        };
        if this.inlet.bytes().is_empty() && ready!(this.inlet.poll_fill(context, this.socket))? == 0
        {
            return Poll::Ready(Ok(()));
        }
        let kept = this.inlet.bytes();
        let len = kept.len().min(most).min(buf.remaining());
        buf.put_slice(kept.get(..len).unwrap_or_default());
        this.inlet.consume(len);
        if let Passes::Bytes(left) = &mut this.passes {
            *left -= len as u64;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gate<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.is_dirty = true;
        let outcome = this.stall.poll_write(context, this.socket, || this.socket.try_write(buf));
        this.note(&outcome, buf.len());
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.is_dirty = true;
        let attempt = || this.socket.try_write_vectored(bufs);
        let outcome = this.stall.poll_write(context, this.socket, attempt);
        this.note(&outcome, bufs.iter().map(|buf| buf.len()).sum());
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Hyper has written all it had; under TLS, some of that may still be here.
        let this = &mut *self;
        ready!(this.stall.poll_flush(context, this.socket))?;
        if std::mem::take(&mut self.is_dirty) {
            self.exchange.reader.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.exchange.has_ended() {
            // The connection goes on without hyper.
            return Poll::Ready(Ok(()));
        }
        let is_read = matches!(self.passes, Passes::Nothing | Passes::Bytes(0));
        self.exchange.is_unread.store(!is_read, Ordering::Release);
        Poll::Ready(self.socket.end())
    }
}

impl Gate<'_> {
    fn note(&mut self, outcome: &Poll<io::Result<usize>>, len: usize) {
        if matches!(outcome, Poll::Ready(Ok(taken)) if *taken == len) {
            self.stall.rest();
        }
    }
}

impl Exchange {
    /// Whether the connection was taken back, with a request that is not hyper's in front.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Whether hyper has closed the connection before it had read the last request to its end.
    pub fn is_unread(&self) -> bool {
        self.is_unread.load(Ordering::Acquire)
    }

    /// Whether the connection must close after the present request.
    pub fn is_last(&self) -> bool {
        self.is_last.load(Ordering::Acquire)
    }

    fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Acquire)
    }
}

/// The body of an answer: when it is dropped, the request is done with.
#[derive(Debug)]
pub struct Answer {
    body: Body,
    exchange: Arc<Exchange>,
    /// Held until it is sent.
    _place: Option<Box<Place>>,
}

impl Answer {
    /// The last part of `exchange`'s present request.
    pub fn new(body: Body, exchange: Arc<Exchange>, place: Option<Box<Place>>) -> Self {
        Self { body, exchange, _place: place }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.exchange.is_busy.store(false, Ordering::Release);
        self.exchange.reader.wake();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
