//! From the hub to a socket: the loop that every viewer's task runs.

use std::{
    io,
    task::{Context, Poll, ready},
};

use crate::{
    hub::{EndReason, Next, Release, Viewer, framed::Framed},
    net::{self, Aside, Halt, Outbox, Socket, Step, held_too_long},
    sessions::Stop,
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

/// Why there is no more to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The stream is over.
    Stream(EndReason),
    /// It goes on for others.
    Session(Stop),
}

/// What goes to one viewer.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub(super) socket: &'a Socket,
    pub(super) outbox: Outbox,
    /// Beside the rest: what is needed for each block is together in memory.
    pub(super) aside: Aside,
    form: Form,
    /// Whether blocks went out since this was last set to `false`.
    pub(super) has_sent: bool,
}

impl<'a> Sender<'a> {
    pub(super) fn new(socket: &'a Socket, limits: &net::Limits, form: Form) -> Self {
        let (outbox, aside) = (Outbox::new(limits), Aside::default());
        Self { socket, outbox, aside, form, has_sent: false }
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
        let Self { socket, outbox, form, has_sent, .. } = self;
        let halt = outbox.pump(context, socket, |outbox, context| {
            viewer.poll_next(context).map(|next| match next {
                Next::Block(block) => {
                    form.push(outbox, block.framed());
                    *has_sent = true;
                    if viewer.has_all() { Step::Last } else { Step::More }
                }
                Next::End(reason) => Step::Instead(reason),
            })
        })?;
        match halt {
            Halt::Idle => Poll::Pending,
            Halt::Instead(reason) => Poll::Ready(Ok(reason)),
            Halt::Full => {
                let release = ready!(viewer.poll_hold(context, outbox.len()));
                Poll::Ready(match release {
                    Release::ServerStopping => Ok(EndReason::ServerStopping),
                    Release::TooFarBehind => Err(held_too_long()),
                })
            }
        }
    }

    /// Sends what is in the outbox.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.poll_send(context, self.socket)
    }
}
