//! Handshakes: who they are waited for, and how many are computed at a time.

use std::io;

use rustls::ServerConnection;
use tokio::{net::TcpStream, time::timeout};

use super::{Speaks, Tls};
use crate::net::{Socket, Wire};

/// Why there is no TLS with a peer.
#[derive(Debug)]
pub enum Refused {
    /// It speaks something else. Nothing of it was read.
    Plain(TcpStream),
    /// It took too long.
    TimedOut,
    /// It went away, or wants what is not offered.
    Failed(io::Error),
}

impl Tls {
    /// Shakes hands.
    ///
    /// # Errors
    /// [`Refused`]
    pub async fn accept(&self, tcp: TcpStream, speaks: Speaks) -> Result<Socket, Refused> {
        let limit = self.inner.config.get().handshake_timeout;
        let outcome = match timeout(limit, self.shake(tcp, speaks)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Refused::TimedOut),
        };
        self.inner.counters.shaken(&outcome);
        outcome
    }

    async fn shake(&self, tcp: TcpStream, speaks: Speaks) -> Result<Socket, Refused> {
        let mut first = [0];
        if tcp.peek(&mut first).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if first != HANDSHAKE {
            return Err(Refused::Plain(tcp));
        }
        let mut connection =
            ServerConnection::new(self.server_config(speaks)).map_err(io::Error::other)?;
        loop {
            while connection.wants_write() {
                match connection.write_tls(&mut Wire(&tcp)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        tcp.writable().await?
                    }
                    outcome => drop(outcome?),
                }
            }
            if !connection.is_handshaking() {
                return Ok(Socket::secured(tcp, connection)?);
            }
            tcp.readable().await?;
            match connection.read_tls(&mut Wire(&tcp)) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(_) => self.compute(&mut connection, &tcp).await?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does what the peer's words call for, in its turn. A peer that has said nothing has none: a thousand that are silent
    /// keep nobody waiting.
    async fn compute(
        &self,
        connection: &mut ServerConnection,
        tcp: &TcpStream,
    ) -> Result<(), Refused> {
        let _turn = self.inner.turns.acquire().await.map_err(io::Error::other)?;
        connection.process_new_packets().map(drop).map_err(|error| {
            // The peer is told why, if there is room.
            let _ = connection.write_tls(&mut Wire(tcp));
            io::Error::new(io::ErrorKind::InvalidData, error).into()
        })
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The type of the record that TLS begins with.
const HANDSHAKE: [u8; 1] = [0x16];
