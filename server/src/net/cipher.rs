//! TLS between a socket and what is said over it.

use std::io::{self, BufRead, ErrorKind, IoSlice, Read, Write};

use rustls::ServerConnection;
use tokio::net::TcpStream;

/// A connection's keys, and the little that is on its way through them.
#[derive(Debug)]
pub(super) struct Cipher {
    connection: ServerConnection,
    /// Bytes from the peer that were deciphered and not read yet.
    readable: usize,
    /// Whether the peer will say no more.
    has_ended: bool,
    /// Whether the peer was told that we will say no more.
    has_closed: bool,
    /// Bytes that the system took while nothing new could be written.
    progress: usize,
}

impl Cipher {
    pub(super) fn new(mut connection: ServerConnection) -> io::Result<Self> {
        // What is enciphered and not sent belongs to this peer alone. It gets no more before that is gone.
        connection.set_buffer_limit(Some(UNSENT_MAX));
        let state = connection.process_new_packets().map_err(broken)?;
        Ok(Self {
            readable: state.plaintext_bytes_to_read(),
            has_ended: state.peer_has_closed(),
            has_closed: false,
            progress: 0,
            connection,
        })
    }

    /// What was agreed on by ALPN.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// Whether something can be read without a look at the socket.
    pub(super) fn is_readable(&self) -> bool {
        self.readable > 0 || self.has_ended
    }

    /// Reads from the socket once, if nothing is left from the last time, and lets `take` have what there is; it says how
    /// much it took.
    pub(super) fn try_read(
        &mut self,
        tcp: &TcpStream,
        take: impl FnOnce(&[u8]) -> usize,
    ) -> io::Result<usize> {
        if !self.is_readable() {
            self.receive(tcp)?;
        }
        if self.readable == 0 {
            return if self.has_ended { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        let mut reader = self.connection.reader();
        let len = take(reader.fill_buf()?);
        reader.consume(len);
        self.readable = self.readable.saturating_sub(len);
        Ok(len)
    }

    fn receive(&mut self, tcp: &TcpStream) -> io::Result<()> {
        if self.connection.read_tls(&mut Wire(tcp))? == 0 {
            // Many peers go without a goodbye. What they said until then ends where it ends, as it does without TLS.
            self.has_ended = true;
            return Ok(());
        }
        let state = self.connection.process_new_packets();
        // TLS has things of its own to say, such as what is wrong. Where there is no room, it says them next time.
        let _ = self.flush(tcp);
        let state = state.map_err(broken)?;
        self.readable = state.plaintext_bytes_to_read();
        self.has_ended = state.peer_has_closed();
        Ok(())
    }

    /// Enciphers and sends as much as there is room for: whole records, whatever the parts.
    pub(super) fn try_write(
        &mut self,
        tcp: &TcpStream,
        parts: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        self.flush(tcp)?;
        let len = self.connection.writer().write_vectored(parts)?;
        match self.flush(tcp) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => {
                self.progress = 0;
                Ok(len)
            }
        }
    }

    pub(super) fn flush(&mut self, tcp: &TcpStream) -> io::Result<()> {
        while !self.is_flushed() {
            match self.connection.write_tls(&mut Wire(tcp))? {
                0 => return Err(ErrorKind::WriteZero.into()),
                len => self.progress = self.progress.saturating_add(len),
            }
        }
        Ok(())
    }

    pub(super) fn is_flushed(&self) -> bool {
        !self.connection.wants_write()
    }

    pub(super) fn progress(&mut self) -> usize {
        std::mem::take(&mut self.progress)
    }

    /// Says that nothing more will come, unless there are things unsaid.
    pub(super) fn close(&mut self, tcp: &TcpStream) {
        if !self.has_closed && self.flush(tcp).is_ok() {
            self.has_closed = true;
            self.connection.send_close_notify();
            let _ = self.flush(tcp);
        }
    }
}

/// The socket as TLS wants it.
pub(crate) struct Wire<'a>(pub(crate) &'a TcpStream);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The peer does not keep to TLS, or says that we do not.
pub(super) fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// Bytes enciphered and not sent: two records of the largest size. More would make the system's calls fewer by little, and
/// every peer that stalls holds so much.
const UNSENT_MAX: usize = 32 << 10;
