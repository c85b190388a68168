//! The signals that stop the server, and the one that makes it read its configuration again.

use std::io;
#[cfg(unix)]
use std::io::IsTerminal;

#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// To stop; the signal's name.
    Stop(&'static str),
    /// To read the configuration again: SIGHUP.
    Reload,
}

/// SIGINT, SIGTERM and SIGHUP (Ctrl-C where there are no signals), caught from the moment this is made.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
    /// Whether the server was started in a terminal.
    #[cfg(unix)]
    has_terminal: bool,
}

impl Signals {
    /// Catches the signals.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    #[cfg(unix)]
    pub fn catch() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            has_terminal: io::stdin().is_terminal(),
        })
    }

    /// Waits for the next one.
    ///
    /// SIGHUP is also what the system sends when a terminal is closed: to whoever closes one, that ends what runs in it.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
            _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
            _ = self.hang_up.recv() => match self.has_terminal && !io::stdin().is_terminal() {
                true => Signal::Stop("SIGHUP"),
                false => Signal::Reload,
            }
        }
    }

    /// Catches Ctrl-C.
    ///
    /// # Errors
    /// Never: the handler is set at the first wait.
    #[cfg(not(unix))]
    pub fn catch() -> io::Result<Signals> {
        Ok(Signals {})
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop("Ctrl-C")
    }

    /// Waits for one that stops the server, and tells its name.
    pub async fn stop(&mut self) -> &'static str {
        loop {
            if let Signal::Stop(name) = self.next().await {
                return name;
            }
        }
    }
}
