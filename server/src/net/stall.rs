//! Finds out peers that take nothing, at no cost for those that take what they are sent.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::{Limits, Socket, socket::is_for_later};

/// Watches the writes to one peer.
///
/// Neither the clock nor a timer is touched while the peer keeps up: both begin with the first write that must wait. A
/// timer that has begun is not set anew at every write, but looks when it fires whether it fired too early.
#[derive(Debug)]
pub struct Stall {
    limit: Duration,
    bytes: usize,
    /// When the present wait began; `None` while nothing waits.
    since: Option<Instant>,
    /// Bytes taken since then.
    taken: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    /// Watches over a peer that nothing was sent to yet.
    pub fn new(limits: &Limits) -> Self {
        let Limits { stall, stall_bytes, .. } = *limits;
        Self { limit: stall, bytes: stall_bytes, since: None, taken: 0, timer: None }
    }

    /// One `attempt` to write to `socket`, or more until the outcome is one: pending while the socket is full.
    ///
    /// # Errors
    /// Those of the attempt, and [`io::ErrorKind::TimedOut`] when the peer has taken next to nothing for too long.
    pub fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        socket: &Socket,
        attempt: impl Fn() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match attempt() {
                Ok(len) => {
                    self.took(len);
                    return Poll::Ready(Ok(len));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.took(socket.progress());
                    match socket.poll_write_ready(context) {
                        Poll::Ready(ready) => ready?,
                        Poll::Pending => return self.poll_wait(context).map(Err),
                    }
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// One `attempt` that the runtime need not know of. `None` if nothing came of it, or if the peer is known not to keep up:
    /// [`Stall::poll_write`] is the way then.
    pub fn write_now(
        &mut self,
        attempt: impl FnOnce() -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        if self.since.is_some() {
            return None;
        }
        match attempt() {
            Err(error) if is_for_later(&error) => None,
            outcome => Some(outcome.inspect(|&len| self.took(len))),
        }
    }

    /// Hands the system what `socket` has kept of what was written: pending while there is no room.
    ///
    /// # Errors
    /// As for [`Stall::poll_write`].
    pub fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
        socket: &Socket,
    ) -> Poll<io::Result<()>> {
        self.poll_write(context, socket, || socket.try_flush().map(|()| 0)).map_ok(drop)
    }

    /// The peer took `len` bytes.
    pub fn took(&mut self, len: usize) {
        self.taken = self.taken.saturating_add(len);
        if self.taken >= self.bytes {
            self.since = None;
        }
    }

    /// The peer has taken everything.
    pub fn rest(&mut self) {
        self.since = None;
    }

    /// A write must wait: ready, with the error, when the peer has taken next to nothing for too
    /// long.
    pub fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let since = match self.since {
            Some(since) => since,
            None => {
                self.taken = 0;
                *self.since.insert(Instant::now())
            }
        };
        let deadline = since + self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("the peer took next to nothing for {:?}", self.limit),
                ));
            }
            timer.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::timeout;

    use super::*;

    fn stall() -> Stall {
        Stall::new(&Limits {
            stall: Duration::from_secs(20),
            stall_bytes: 1000,
            ..Limits::default()
        })
    }

    /// Whether a wait of `seconds` is cut short.
    async fn is_cut(stall: &mut Stall, seconds: u64) -> bool {
        let wait = poll_fn(|context| stall.poll_wait(context));
        timeout(Duration::from_secs(seconds), wait).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_the_limit_and_drops_do_not_prolong_it() {
        let mut stall = stall();
        for _ in 0..3 {
            assert!(!is_cut(&mut stall, 6).await);
            stall.took(300);
        }
        assert!(is_cut(&mut stall, 3).await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_something_has_time_again() {
        let mut stall = stall();
        for _ in 0..5 {
            assert!(!is_cut(&mut stall, 15).await);
            stall.took(1000);
        }
        for _ in 0..5 {
            assert!(!is_cut(&mut stall, 15).await);
            stall.rest();
        }
        assert!(is_cut(&mut stall, 21).await, "the timer of earlier waits is still good");
    }
}
