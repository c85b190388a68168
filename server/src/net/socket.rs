//! A connection, plain or under TLS, behind one face.
//!
//! The face is that of a [`TcpStream`]: wait until there may be something to do, try, wait again. What is plain goes to the
//! system's socket at no cost but a look at a pointer.

use std::{
    io::{self, IoSlice},
    net::Shutdown,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{BufMut, BytesMut};
use rustls::ServerConnection;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};

use super::cipher::Cipher;

/// A connection that was accepted, and secured if it was to be.
#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    /// One task has the connection: the lock is never waited for.
    tls: Option<Box<Mutex<Cipher>>>,
}

impl From<TcpStream> for Socket {
    fn from(tcp: TcpStream) -> Self {
        Self { tcp, tls: None }
    }
}

impl Socket {
    /// A connection that has shaken hands.
    ///
    /// # Errors
    /// What the peer has sent behind its handshake is not TLS.
    pub fn secured(tcp: TcpStream, connection: ServerConnection) -> io::Result<Self> {
        Ok(Self { tcp, tls: Some(Box::new(Mutex::new(Cipher::new(connection)?))) })
    }

    /// Whether it is under TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether its peer and we have agreed on HTTP/2.
    pub fn speaks_h2(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| lock(tls).protocol() == Some(b"h2"))
    }

    /// Ready when there may be something to read.
    ///
    /// # Errors
    /// Those of the runtime.
    pub fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.tls {
            Some(tls) if lock(tls).is_readable() => Poll::Ready(Ok(())),
            _ => self.tcp.poll_read_ready(context),
        }
    }

    /// Reads into the room that `buffer` has.
    ///
    /// # Errors
    /// Those of the socket, and what is wrong with the peer's TLS; `WouldBlock` if there is nothing.
    pub fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.tcp.try_read_buf(buffer) };
        lock(tls).try_read(&self.tcp, |bytes| {
            let room = buffer.capacity() - buffer.len();
            let bytes = bytes.get(..room).unwrap_or(bytes);
            buffer.put_slice(bytes);
            bytes.len()
        })
    }

    /// Reads once there is something.
    ///
    /// # Errors
    /// As for [`Socket::try_read_buf`], but that it waits.
    pub fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(tls) = &self.tls else {
            return Pin::new(&mut self.tcp).poll_read(context, buffer);
        };
        loop {
            ready!(self.poll_read_ready(context))?;
            let outcome = lock(tls).try_read(&self.tcp, |bytes| {
                let bytes = bytes.get(..buffer.remaining()).unwrap_or(bytes);
                buffer.put_slice(bytes);
                bytes.len()
            });
            match outcome {
                Err(error) if is_for_later(&error) => {}
                outcome => return Poll::Ready(outcome.map(drop)),
            }
        }
    }

    /// Ready when there may be room to write.
    ///
    /// # Errors
    /// Those of the runtime.
    pub fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(context)
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// Those of the socket; `WouldBlock` if there is no room.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => self.tcp.try_write(bytes),
            Some(tls) => lock(tls).try_write(&self.tcp, &[IoSlice::new(bytes)]),
        }
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// As for [`Socket::try_write`].
    pub fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.tls {
            None => self.tcp.try_write_vectored(parts),
            Some(tls) => lock(tls).try_write(&self.tcp, parts),
        }
    }

    /// Writes what there is room for, without asking the runtime whether there is any: to a peer that keeps up, there nearly
    /// always is. Who is told `WouldBlock` tries in the usual way, or would not be woken.
    ///
    /// # Errors
    /// As for [`Socket::try_write`].
    pub fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => SockRef::from(&self.tcp).send(bytes),
            Some(_) => self.try_write(bytes),
        }
    }

    /// As [`Socket::write_now`].
    ///
    /// # Errors
    /// As for [`Socket::try_write`].
    pub fn write_vectored_now(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.tls {
            None => SockRef::from(&self.tcp).send_vectored(parts),
            Some(_) => self.try_write_vectored(parts),
        }
    }

    /// Hands the system what TLS has kept of what was written. There is nothing of the kind when it is plain.
    ///
    /// # Errors
    /// Those of the socket; `WouldBlock` if there is no room for all.
    pub fn try_flush(&self) -> io::Result<()> {
        match &self.tls {
            None => Ok(()),
            Some(tls) => lock(tls).flush(&self.tcp),
        }
    }

    /// Whether the system has everything that was written.
    pub fn is_flushed(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| lock(tls).is_flushed())
    }

    /// Bytes that the system took, since this was last asked, without one attempt to write getting through.
    pub fn progress(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| lock(tls).progress())
    }

    /// Tells the peer that nothing more will come: it may still speak.
    ///
    /// # Errors
    /// The peer is gone already.
    pub fn end(&self) -> io::Result<()> {
        if let Some(tls) = &self.tls {
            lock(tls).close(&self.tcp);
        }
        SockRef::from(&self.tcp).shutdown(Shutdown::Write)
    }
}

impl Drop for Socket {
    /// A peer under TLS can tell an end from a cut: it is told, if it has taken everything before.
    fn drop(&mut self) {
        if let Some(tls) = &self.tls {
            lock(tls).close(&self.tcp);
        }
    }
}

/// Whether what failed is to be tried again once the socket is ready.
pub(super) fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn lock(tls: &Mutex<Cipher>) -> MutexGuard<'_, Cipher> {
    tls.lock().unwrap_or_else(PoisonError::into_inner)
}
