//! Bytes on their way to one peer.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    task::{Context, Poll, ready},
};

use super::{Limits, Socket, stall::Stall};
use bytes::{Buf, Bytes};

/// An empty outbox is filled up to so much, and gets no more before that is sent: what a peer does not take stays in the
/// hub's ring, where it is seen and can be left out. 64 KiB is a write the kernel takes in one go when there is room.
pub const OUTBOX_MAX: usize = 64 << 10;

/// Bytes on their way to one peer, shared with those of other peers wherever they are the same.
///
/// What is there leaves in vectored writes, as much as the socket takes. A peer that takes next to nothing for
/// [`Limits::stall`] fails with [`io::ErrorKind::TimedOut`].
#[derive(Debug)]
pub struct Outbox {
    /// Empty when there is nothing. Nearly always it is all there is, and nothing else is looked at then.
    first: Bytes,
    /// What follows; none of them is empty.
    rest: VecDeque<Bytes>,
    len: usize,
    stall: Stall,
}

/// What came of asking for more to send.
#[derive(Debug)]
pub enum Step<T> {
    /// Something was put in.
    More,
    /// Something was put in, and there is no more at present; the task is woken when there is.
    Last,
    /// This came instead.
    Instead(T),
}

/// Why [`Outbox::pump`] does not go on.
#[derive(Debug)]
pub enum Halt<T> {
    /// There is no more at present; the task is woken when there is.
    Idle,
    /// The peer has yet to take what it was given; the task is woken when there is room, or when it has taken too long.
    Full,
    /// This came instead of more bytes. What came before it is in the outbox.
    Instead(T),
}

impl Outbox {
    /// Nothing to send yet.
    pub fn new(limits: &Limits) -> Self {
        Self { first: Bytes::new(), rest: VecDeque::new(), len: 0, stall: Stall::new(limits) }
    }

    /// Appends bytes; nothing is copied.
    pub fn push(&mut self, bytes: Bytes) {
        if self.len == 0 {
            self.len = bytes.len();
            self.first = bytes;
        } else if !bytes.is_empty() {
            self.len += bytes.len();
            self.rest.push_back(bytes);
        }
    }

    /// Bytes the socket has not taken yet.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the socket has taken everything.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes until everything is sent (ready) or the socket is full (pending: the task is woken when there is room, or
    /// when it has taken too long).
    ///
    /// # Errors
    /// Those of the socket, and `TimedOut`. What was not sent by then stays.
    pub fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &Socket,
    ) -> Poll<io::Result<()>> {
        loop {
            let Self { first, rest, stall, .. } = self;
            if first.is_empty() {
                if socket.is_secure() {
                    ready!(stall.poll_flush(context, socket))?;
                }
                stall.rest();
                if rest.capacity() > SLICES {
                    // The room for many small parts is not kept for peers that need it once.
                    *rest = VecDeque::new();
                }
                return Poll::Ready(Ok(()));
            }
            let written = if rest.is_empty() {
                match stall.write_now(|| socket.write_now(first)) {
                    Some(outcome) => Poll::Ready(outcome),
                    None => stall.poll_write(context, socket, || socket.try_write(first)),
                }
            } else {
                let mut room = [IoSlice::new(&[]); SLICES];
                let slices = slices(first, rest, &mut room);
                match stall.write_now(|| socket.write_vectored_now(slices)) {
                    Some(outcome) => Poll::Ready(outcome),
                    None => stall.poll_write(context, socket, || socket.try_write_vectored(slices)),
                }
            };
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                len => self.advance(len),
            }
        }
    }

    /// Lets `next` put in what there is, and sends it, for as long as there is more of the one and room for the other.
    ///
    /// While the peer has yet to take what it was given, `next` is not asked: or it would hold on to blocks from long ago
    /// behind the back of the ring.
    ///
    /// # Errors
    /// As for [`Outbox::poll_send`].
    pub fn pump<T>(
        &mut self,
        context: &mut Context<'_>,
        socket: &Socket,
        mut next: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Step<T>>,
    ) -> io::Result<Halt<T>> {
        for _ in 0..ROUNDS {
            let mut has_all = false;
            if self.is_empty() && socket.is_flushed() {
                while self.len() < OUTBOX_MAX && !has_all {
                    match next(self, context) {
                        Poll::Ready(Step::More) => {}
                        Poll::Ready(Step::Instead(instead)) => return Ok(Halt::Instead(instead)),
                        Poll::Ready(Step::Last) | Poll::Pending => has_all = true,
                    }
                }
            }
            if self.poll_send(context, socket)?.is_pending() {
                return Ok(Halt::Full);
            }
            if has_all {
                return Ok(Halt::Idle);
            }
        }
        // Others want to be served too.
        context.waker().wake_by_ref();
        Ok(Halt::Idle)
    }

    /// Drops the first `len` bytes.
    fn advance(&mut self, mut len: usize) {
        self.len = self.len.saturating_sub(len);
        while len >= self.first.len() {
            len -= self.first.len();
            match self.rest.pop_front() {
                Some(next) => self.first = next,
                None => {
                    self.first = Bytes::new();
                    return;
                }
            }
        }
        self.first.advance(len);
    }
}

/// What a connection ends with whose peer still holds a block that the hub wants back.
pub fn held_too_long() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer holds a picture from too long ago")
}

/// The first parts, as many as `room` takes and no more than there are: the kernel goes through empty ones, too.
fn slices<'r, 'b>(
    first: &'b Bytes,
    rest: &'b VecDeque<Bytes>,
    room: &'r mut [IoSlice<'b>; SLICES],
) -> &'r [IoSlice<'b>] {
    let mut count = 0;
    for (slice, part) in room.iter_mut().zip(std::iter::once(first).chain(rest)) {
        *slice = IoSlice::new(part);
        count += 1;
    }
    &room[..count]
}

/// Parts of one vectored write: at usual bitrates, half a second of pictures.
const SLICES: usize = 16;

/// Full outboxes sent before a peer with much to catch up on lets others have their turn.
const ROUNDS: usize = 4;

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::net::tune;

    /// Both ends of a connection with little room.
    async fn pair(limits: &Limits) -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tune(&near, limits);
        (near.into(), listener.accept().await.unwrap().0)
    }

    fn tight(stall: Duration) -> Limits {
        Limits { send_buffer: 16 << 10, unsent: 16 << 10, stall, ..Limits::default() }
    }

    #[tokio::test]
    async fn everything_arrives_in_order_whatever_its_sizes() {
        let limits = tight(Duration::from_secs(20));
        let (near, mut far) = pair(&limits).await;
        let mut outbox = Outbox::new(&limits);
        let mut expected = Vec::new();
        for index in 0..3 * SLICES {
            // Empty ones, small ones, and some that no write takes whole.
            let part: Vec<u8> =
                (0..index * index * 100).map(|at| (at * 31 + index) as u8).collect();
            expected.extend_from_slice(&part);
            outbox.push(part.into());
        }
        assert_eq!(outbox.len(), expected.len());
        let send = async {
            poll_fn(|context| outbox.poll_send(context, &near)).await.unwrap();
            assert_eq!(outbox.len(), 0);
            drop(near);
        };
        let mut arrived = Vec::new();
        let (_, read) = tokio::join!(send, far.read_to_end(&mut arrived));
        read.unwrap();
        assert!(arrived == expected, "{} of {} bytes", arrived.len(), expected.len());
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_times_out_and_what_it_did_not_take_is_known() {
        let limits = tight(Duration::from_millis(50));
        let (near, _far) = pair(&limits).await;
        let mut outbox = Outbox::new(&limits);
        outbox.push(vec![0; 16 << 20].into());
        let outcome = poll_fn(|context| outbox.poll_send(context, &near)).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!((1..16 << 20).contains(&outbox.len()), "{}", outbox.len());
    }

    #[tokio::test]
    async fn who_says_that_there_is_no_more_is_not_asked_again() {
        let limits = Limits::default();
        let (near, mut far) = pair(&limits).await;
        let mut outbox = Outbox::new(&limits);
        let mut steps = vec![Step::Instead("end"), Step::Last, Step::More, Step::More];
        let mut pump = |outbox: &mut Outbox| {
            let mut context = Context::from_waker(std::task::Waker::noop());
            let halt = outbox.pump(&mut context, &near, |outbox, _| {
                outbox.push(Bytes::from_static(b"x"));
                Poll::Ready(steps.pop().unwrap())
            });
            (halt.unwrap(), steps.len())
        };
        assert!(matches!(pump(&mut outbox), (Halt::Idle, 1)));
        assert!(outbox.is_empty());
        assert!(matches!(pump(&mut outbox), (Halt::Instead("end"), 0)));
        assert_eq!(outbox.len(), 1);
        let mut arrived = [0; 3];
        far.read_exact(&mut arrived).await.unwrap();
        assert_eq!(&arrived, b"xxx");
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_an_error() {
        let limits = Limits::default();
        let (near, far) = pair(&limits).await;
        drop(far);
        let mut outbox = Outbox::new(&limits);
        let send = poll_fn(|context| {
            outbox.push(Bytes::from_static(b"x"));
            // What is written before the reset comes back is taken.
            match outbox.poll_send(context, &near) {
                Poll::Ready(Ok(())) => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                outcome => outcome,
            }
        });
        assert!(send.await.is_err());
    }
}
