//! TCP connections of viewers: prompt, with little hidden in the kernel, and closed when they take nothing.

mod outbox;
mod stall;

pub use outbox::{OUTBOX_MAX, Outbox};

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tracing::debug;

use stall::Stall;

/// How a connection is kept.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes sent and not acknowledged, plus those not sent yet, that the kernel holds for the peer (`SO_SNDBUF`).
    /// Default 512 KiB: a 20 Mbit/s stream over a round trip of 200 ms.
    pub send_buffer: usize,
    /// Bytes not sent yet that the kernel holds for the peer (`TCP_NOTSENT_LOWAT`, Linux). Default 128 KiB: a peer that
    /// is slow shows in the hub's ring, where it can be helped, and a peer that stalls pins no more than this.
    pub unsent: u32,
    /// How long a peer may leave a write waiting while it takes less than [`Limits::stall_bytes`]. Default 20 s: no live
    /// picture is worth more waiting, and a phone that changes its network comes back within it.
    pub stall: Duration,
    /// Bytes within [`Limits::stall`] that count as taking something. Default 16 KiB: less than 7 kbit/s, slower than
    /// any stream.
    pub stall_bytes: usize,
    /// How long a connection is silent before the peer is asked whether it is there (TCP keepalive). Default 30 s:
    /// below the limits of usual routers for idle connections.
    pub keepalive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            send_buffer: 512 << 10,
            unsent: 128 << 10,
            stall: Duration::from_secs(20),
            stall_bytes: 16 << 10,
            keepalive: Duration::from_secs(30),
        }
    }
}

/// Sets a socket up for live media: no delay for full segments (`TCP_NODELAY`), bounded buffers, keepalive.
///
/// What the system does not know is left out; a connection works without.
pub fn tune(stream: &TcpStream, limits: &Limits) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(limits.keepalive);
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
    let keepalive = keepalive.with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_RETRIES);
    log("TCP_NODELAY", socket.set_tcp_nodelay(true));
    log("SO_SNDBUF", socket.set_send_buffer_size(limits.send_buffer));
    log("SO_KEEPALIVE", socket.set_tcp_keepalive(&keepalive));
    #[cfg(target_os = "linux")]
    {
        log("TCP_NOTSENT_LOWAT", socket.set_tcp_notsent_lowat(limits.unsent));
        // Without it, a peer that is gone while data is on its way is found after a quarter of an hour.
        log("TCP_USER_TIMEOUT", socket.set_tcp_user_timeout(Some(limits.stall)));
    }
}

/// A connection that fails with [`io::ErrorKind::TimedOut`] when its peer takes nothing for too long.
///
/// It looks only at writes that wait: a peer that is merely silent may stay. Whatever stands behind it (hyper, a
/// WebSocket) gets an error and lets go of the media it holds.
pub struct Connection<G = ()> {
    stream: TcpStream,
    stall: Stall,
    _guard: G,
}

impl<G> Connection<G> {
    /// Tunes `stream` and watches over it. `guard` is dropped with the connection, wherever an upgrade takes it: the
    /// place for the permit that bounds the connections.
    pub fn new(stream: TcpStream, limits: &Limits, guard: G) -> Self {
        tune(&stream, limits);
        Self { stream, stall: Stall::new(limits), _guard: guard }
    }

    /// Takes note of the outcome of a write of `len` bytes.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        match outcome {
            Poll::Ready(Ok(taken)) => {
                self.stall.took(taken);
                if taken == len {
                    self.stall.rest();
                }
                outcome
            }
            Poll::Ready(Err(_)) => outcome,
            Poll::Pending => self.stall.poll_wait(context).map(Err),
        }
    }
}

impl<G: Unpin> AsyncRead for Connection<G> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl<G: Unpin> AsyncWrite for Connection<G> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, buf);
        self.watch(context, outcome, buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, bufs);
        self.watch(context, outcome, bufs.iter().map(|buf| buf.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<G> fmt::Debug for Connection<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .field("stall", &self.stall)
            .finish_non_exhaustive()
    }
}

fn log(option: &str, outcome: io::Result<()>) {
    if let Err(error) = outcome {
        debug!(%error, option, "cannot set a socket option");
    }
}

/// Between two questions whether the peer is there.
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// Questions without an answer after which it is not.
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
const KEEPALIVE_RETRIES: u32 = 3;
