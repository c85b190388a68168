//! Connections, plain and under TLS: prompt, with little hidden in the kernel, and closed when they take nothing.

mod aside;
mod cipher;
mod networks;
mod outbox;
mod socket;
mod stall;
mod sync;

#[cfg(test)]
mod aside_tests;
#[cfg(test)]
mod secured;

pub use aside::Aside;
pub(crate) use cipher::Wire;
pub use networks::{Network, Networks};
pub use outbox::{Halt, OUTBOX_MAX, Outbox, Step, held_too_long};
pub use socket::Socket;
pub use stall::Stall;

use std::{io, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tracing::debug;

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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_tuned_socket_finds_out_that_its_peer_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let limits = Limits::default();
        tune(&stream, &limits);
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), limits.keepalive);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_RETRIES);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(limits.stall));
    }
}
