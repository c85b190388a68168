//! Sockets that are listened on for one protocol, plain ones and those for TLS.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    task::{Context, Poll},
};

use tokio::net::{TcpListener, TcpStream};

use crate::tls::Tls;

/// Listeners that are accepted from in turn.
#[derive(Debug, Default)]
pub struct Listeners {
    all: Vec<(TcpListener, Option<Tls>)>,
    /// The one that is asked first.
    next: usize,
}

/// A connection that came in.
#[derive(Debug)]
pub struct Incoming {
    /// The connection, before anything was said.
    pub tcp: TcpStream,
    /// Whose it is.
    pub peer: SocketAddr,
    /// What it is to be secured with, if it is to be.
    pub tls: Option<Tls>,
}

impl Listeners {
    /// Listens on one more; under `tls`, if there is any.
    pub fn push(&mut self, listener: TcpListener, tls: Option<Tls>) {
        self.all.push((listener, tls));
    }

    /// The next connection.
    ///
    /// # Errors
    /// Those of the system for a listener.
    pub async fn accept(&mut self) -> io::Result<Incoming> {
        poll_fn(|context| self.poll_accept(context)).await
    }

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        let (before, from) = self.all.split_at(self.next.min(self.all.len()));
        for (step, (listener, tls)) in from.iter().chain(before).enumerate() {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                // A crowd at one of them keeps nobody waiting at the others.
                self.next = (self.next + step + 1) % self.all.len();
                return Poll::Ready(accepted.map(|(tcp, peer)| Incoming {
                    tcp,
                    peer,
                    tls: tls.clone(),
                }));
            }
        }
        Poll::Pending
    }
}

impl From<TcpListener> for Listeners {
    fn from(listener: TcpListener) -> Self {
        Self { all: vec![(listener, None)], next: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_listener_has_its_turn() {
        let mut listeners = Listeners::default();
        let mut addresses = Vec::new();
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            listeners.push(listener, None);
        }
        let mut held = Vec::new();
        for address in [addresses[0], addresses[0], addresses[1]] {
            held.push(TcpStream::connect(address).await.unwrap());
        }
        let mut met = Vec::new();
        for _ in 0..3 {
            met.push(listeners.accept().await.unwrap().tcp.local_addr().unwrap());
        }
        assert!(
            met[..2].contains(&addresses[1]),
            "the crowd at the first keeps it waiting: {met:?}"
        );
    }
}
