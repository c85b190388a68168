//! From the hub to a socket: the loop that every viewer's task runs.

use std::{
    io,
    task::{Context, Poll, ready},
};

use tokio::net::TcpStream;

use crate::{
    hub::{EndReason, Next, Release, Viewer, framed::Framed},
    net::{self, OUTBOX_MAX, Outbox},
};

/// How blocks stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are: for HTTP/1.0, up to the end of the connection.
    Plain,
    /// As chunks of HTTP/1.1.
    Chunks,
    /// As binary messages of a WebSocket.
    Messages,
}

impl Form {
    /// Puts some bytes on their way.
    pub(super) fn push(self, outbox: &mut Outbox, framed: &Framed) {
        match self {
            Self::Plain => outbox.push(framed.bytes().clone()),
            Self::Chunks => outbox.push(framed.chunk()),
            Self::Messages => {
                outbox.push(framed.frame_head());
                outbox.push(framed.bytes().clone());
            }
        }
    }
}

/// What goes to one viewer.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub(super) socket: &'a TcpStream,
    pub(super) outbox: Outbox,
    form: Form,
    /// Whether blocks went out since this was last set to `false`.
    pub(super) has_sent: bool,
}

impl<'a> Sender<'a> {
    pub(super) fn new(socket: &'a TcpStream, limits: &net::Limits, form: Form) -> Self {
        Self { socket, outbox: Outbox::new(limits), form, has_sent: false }
    }

    /// Bytes that come before the first block.
    pub(super) fn begin(&mut self, header: &[u8]) {
        self.form.push(&mut self.outbox, &Framed::join(std::iter::once(header)));
    }

    /// Sends what there is, and is ready when there will be no more. What the socket has not taken by then is in the
    /// outbox, and ends with a tag.
    ///
    /// # Errors
    /// The socket's; and `TimedOut` if the peer takes nothing, or holds a block for too long.
    pub(super) fn poll_stream(
        &mut self,
        context: &mut Context<'_>,
        viewer: &mut Viewer,
    ) -> Poll<io::Result<EndReason>> {
        for _ in 0..ROUNDS {
            let mut has_all = false;
            // While the peer has yet to take what it was given, there is no more: or it would hold on to blocks from
            // long ago behind the back of the ring.
            if self.outbox.is_empty() {
                while self.outbox.len() < OUTBOX_MAX {
                    match viewer.poll_next(context) {
                        Poll::Ready(Next::Block(block)) => {
                            self.form.push(&mut self.outbox, block.framed());
                            self.has_sent = true;
                        }
                        Poll::Ready(Next::End(reason)) => return Poll::Ready(Ok(reason)),
                        Poll::Pending => {
                            has_all = true;
                            break;
                        }
                    }
                }
            }
            match self.outbox.poll_send(context, self.socket) {
                Poll::Ready(Ok(())) if has_all => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let release = ready!(viewer.poll_hold(context, self.outbox.len()));
                    return Poll::Ready(match release {
                        Release::ServerStopping => Ok(EndReason::ServerStopping),
                        Release::TooFarBehind => Err(io::Error::new(
                            io::ErrorKind::TimedOut,
                            "the peer holds a picture from too long ago",
                        )),
                    });
                }
            }
        }
        // Others want to be served too.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Sends what is in the outbox.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.poll_send(context, self.socket)
    }
}

/// Full outboxes sent before a viewer with much to catch up on lets others have their turn.
const ROUNDS: usize = 4;
