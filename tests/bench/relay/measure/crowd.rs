//! Viewers that only count: thousands of them on one core must not cost more than the relay does.
//!
//! A viewer that woke for every write would burden the writer's side of the measurement, so their sockets are swept
//! every 20 ms, and what came is thrown away by the kernel without being copied. Only at the end it is looked at.

use std::{
    io::{ErrorKind, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use pushpull_media::flv::TagKind;
use pushpull_rtmp::{chunk, message::Control};
use rustix::net::{RecvFlags, recv};

use super::{
    clip::Clip,
    process,
    wire::{Address, Protocol, join},
};

/// Plain viewers, and the thread that sweeps them.
pub struct Crowd {
    /// Bytes each has received so far.
    pub bytes: Vec<Arc<AtomicU64>>,
    is_looking: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Member>>,
}

struct Member {
    socket: TcpStream,
    bytes: Arc<AtomicU64>,
    /// Bytes the server was told of (RTMP only).
    acknowledged: Option<u64>,
    is_gone: bool,
    /// The last of what came.
    tail: Vec<u8>,
}

/// Plain viewers that come in, before anything is read of what they are sent.
pub struct Newcomers {
    address: Address,
    members: Vec<Member>,
}

impl Newcomers {
    pub fn new(address: Address) -> Self {
        Self { address, members: Vec::new() }
    }

    /// Joins `count` more viewers, sixteen at a time.
    pub fn join(&mut self, count: usize) -> Result<()> {
        let (address, members) = (self.address, Mutex::new(&mut self.members));
        std::thread::scope(|scope| {
            let worker = |worker: usize| {
                let members = &members;
                scope.spawn(move || {
                    for _ in (worker..count).step_by(JOINERS) {
                        let member = Member::join(address)?;
                        members.lock().unwrap_or_else(PoisonError::into_inner).push(member);
                    }
                    anyhow::Ok(())
                })
            };
            let workers: Vec<_> = (0..JOINERS.min(count)).map(worker).collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().map_err(|_| anyhow!("a joining thread panicked"))?
            })
        })
    }

    /// Starts reading.
    pub fn sweep(self) -> Result<Crowd> {
        let members = self.members;
        let bytes = members.iter().map(|member| Arc::clone(&member.bytes)).collect();
        let (is_looking, stop) = (Arc::default(), Arc::default());
        let thread = std::thread::Builder::new().name("crowd".into()).spawn({
            let (is_looking, stop) = (Arc::clone(&is_looking), Arc::clone(&stop));
            move || sweep(members, &is_looking, &stop)
        })?;
        Ok(Crowd { bytes, is_looking, stop, thread })
    }
}

impl Crowd {
    /// Looks for a moment at what comes, then leaves. Returns how many viewers did not get the pictures one after the
    /// other.
    pub fn stop(self, clip: &Clip) -> Result<usize> {
        self.is_looking.store(true, Ordering::Relaxed);
        // What was not looked at is over by then.
        std::thread::sleep(5 * SWEEP);
        let from: Vec<_> = self.bytes.iter().map(|it| it.load(Ordering::Relaxed)).collect();
        let begun = Instant::now();
        let is_enough = |(bytes, from): (&Arc<AtomicU64>, &u64)| {
            bytes.load(Ordering::Relaxed) >= from + LOOK_BYTES
        };
        while begun.elapsed() < LOOK_MAX && !self.bytes.iter().zip(&from).all(is_enough) {
            std::thread::sleep(SWEEP);
        }
        self.stop.store(true, Ordering::Relaxed);
        let members = self.thread.join().map_err(|_| anyhow!("the sweeping thread panicked"))?;
        Ok(members.iter().filter(|member| !in_order(clip, &member.tail)).count())
    }
}

impl Member {
    fn join(address: Address) -> Result<Self> {
        let joined = join(address)?;
        joined.socket.set_nonblocking(true)?;
        let bytes = joined.first.len() as u64;
        Ok(Self {
            socket: joined.socket,
            bytes: Arc::new(AtomicU64::new(bytes)),
            acknowledged: (address.protocol == Protocol::Rtmp).then_some(bytes),
            is_gone: false,
            tail: Vec::new(),
        })
    }

    fn read(&mut self, is_looking: bool, room: &mut [u8]) {
        // Where nothing is looked at, nothing is copied: the room only says how much may be taken.
        let flags = if is_looking { RecvFlags::empty() } else { RecvFlags::TRUNC };
        match recv(&self.socket, &mut *room, flags) {
            Ok((_, 0)) => self.is_gone = true,
            Ok((_, len)) => {
                let before = self.bytes.fetch_add(len as u64, Ordering::Relaxed);
                if is_looking {
                    self.tail.extend_from_slice(&room[..len]);
                }
                self.acknowledge(before + len as u64);
            }
            Err(error) => {
                let kind = std::io::Error::from(error).kind();
                self.is_gone = !matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted);
            }
        }
    }

    /// As RTMP players do, so that a server that counts them goes on.
    fn acknowledge(&mut self, received: u64) {
        let Some(acknowledged) = &mut self.acknowledged else { return };
        if received - *acknowledged < ACKNOWLEDGED_EVERY {
            return;
        }
        *acknowledged = received;
        let (kind, payload) = Control::Acknowledgement(received as u32).encode();
        let mut output = bytes::BytesMut::new();
        chunk::Writer::new().write(2, 0, kind, 0, &payload, &mut output);
        // A server that is gone is noticed when reading.
        drop(self.socket.write(&output));
    }
}

fn sweep(mut members: Vec<Member>, is_looking: &AtomicBool, stop: &AtomicBool) -> Vec<Member> {
    process::give_way();
    let mut room = vec![0; 1 << 20];
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let is_looking = is_looking.load(Ordering::Relaxed);
        for member in members.iter_mut().filter(|member| !member.is_gone) {
            member.read(is_looking, &mut room);
        }
        due = Instant::now().max(due + SWEEP);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    members
}

/// Whether the published pictures are found in `tail`, one after the other, by a piece of each.
///
/// Protocols put their own bytes in between, so short pieces are looked for; what is before the first is of no matter.
fn in_order(clip: &Clip, tail: &[u8]) -> bool {
    let piece = |index: usize| clip.tags[index].data().get(PIECE_AT..PIECE_AT + PIECE);
    let pictures = || {
        let tags = clip.tags.iter().enumerate();
        tags.filter(|(_, tag)| tag.kind() == TagKind::Video).map(|(index, _)| index)
    };
    let pieces: std::collections::HashMap<_, _> =
        pictures().filter_map(|index| Some((piece(index)?, index))).collect();
    let first =
        tail.windows(PIECE).enumerate().find_map(|(at, window)| Some((at, *pieces.get(window)?)));
    let Some((mut at, mut index)) = first else { return false };
    let mut found = 0;
    loop {
        let next = clip.after(index);
        let Some(piece) = piece(next) else { return false };
        let rest = &tail[at + PIECE..];
        let Some(distance) = rest.windows(PIECE).position(|window| window == piece) else {
            // At the end there is the rest of a picture and sound; where there is more, one is missing.
            return found >= FOUND && rest.len() < clip.tags[index].data().len() + SOUND;
        };
        at += PIECE + distance;
        index = next;
        found += 1;
    }
}

const SWEEP: Duration = Duration::from_millis(20);

/// How many join at the same time.
const JOINERS: usize = 16;

const ACKNOWLEDGED_EVERY: u64 = 1 << 20;

/// How much of what comes is looked at: about half a second of the stream.
const LOOK_BYTES: u64 = 150 << 10;
const LOOK_MAX: Duration = Duration::from_secs(5);
/// Pictures that are in it at least, when the first is a large one.
const FOUND: usize = 3;
/// Where in a picture's data the piece begins: behind what all slices have in common, before RTMP's first chunk ends.
const PIECE_AT: usize = 24;
const PIECE: usize = 32;
/// Bytes of sound and framing between two pictures, at most, and the next one's beginning.
const SOUND: usize = 8 << 10;
