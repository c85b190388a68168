//! A viewer that compares every tag with what was published: how long each took, and whether one is missing.

use std::{
    io::{Read, Write},
    net::Shutdown,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::viewer::{is_keyframe, is_media};

use super::{
    clip::{Clip, Log, ROUND_MS},
    wire::{Address, Joined, PATIENCE, join, leave},
};

/// What a checker saw.
#[derive(Default)]
pub struct Seen {
    /// Pictures that were live, when each came and how long it took from its publisher.
    pub latencies: Vec<(Instant, Duration)>,
    /// Tags left out, counted by kind.
    pub lost: usize,
    /// Tags whose times are not as far apart as when they were published, beyond a millisecond.
    pub moved: usize,
}

/// A viewer in a thread of its own.
pub struct Checker {
    socket: std::net::TcpStream,
    thread: JoinHandle<Result<Seen>>,
}

impl Checker {
    /// Joins. `bytes` counts what comes.
    pub fn start(
        address: Address,
        clip: &Arc<Clip>,
        log: &Arc<Log>,
        bytes: Arc<AtomicU64>,
    ) -> Result<Self> {
        let asked = Instant::now();
        let joined = join(address)?;
        let socket = joined.socket.try_clone()?;
        let (clip, log) = (Arc::clone(clip), Arc::clone(log));
        let thread = std::thread::Builder::new().name("checker".into()).spawn(move || {
            let mut check = Check::new(&clip, &log, asked);
            let ended = read(joined, &bytes, |kind, time, data| check.tag(kind, time, data));
            ended.map(|()| check.seen)
        })?;
        Ok(Self { socket, thread })
    }

    /// Leaves, and tells what was seen.
    pub fn stop(self) -> Result<Seen> {
        leave(&self.socket);
        // The thread reads what is there and then the end. Were the other way closed too, media that comes before the
        // thread looks would reset the connection, from this end. When it has ended by itself, its error says why.
        drop(self.socket.shutdown(Shutdown::Read));
        self.thread.join().map_err(|_| anyhow!("a checker panicked"))?
    }
}

/// Reads until the socket is shut down.
fn read(
    joined: Joined,
    bytes: &AtomicU64,
    mut take: impl FnMut(TagKind, i64, &[u8]) -> Result<()>,
) -> Result<()> {
    let Joined { mut socket, mut decoder, first } = joined;
    decoder.feed(&first, &mut take)?;
    let mut room = vec![0; 256 << 10];
    loop {
        let len = socket.read(&mut room).context("a checked viewer")?;
        if len == 0 {
            return Ok(());
        }
        bytes.fetch_add(len as u64, Ordering::Relaxed);
        decoder.feed(&room[..len], &mut take)?;
        while let Some(output) = decoder.take_output() {
            socket.write_all(&output)?;
        }
    }
}

struct Check<'a> {
    clip: &'a Clip,
    log: &'a Log,
    asked: Instant,
    /// Of sound and of pictures: which tag has to come next, and when the last one was.
    expected: [Option<usize>; 2],
    begun: bool,
    last_time: Option<(usize, i64)>,
    seen: Seen,
}

impl<'a> Check<'a> {
    fn new(clip: &'a Clip, log: &'a Log, asked: Instant) -> Self {
        let seen = Seen::default();
        Self { clip, log, asked, expected: [None; 2], begun: false, last_time: None, seen }
    }

    fn tag(&mut self, kind: TagKind, time: i64, data: &[u8]) -> Result<()> {
        let now = Instant::now();
        if !is_media_data(kind, data)? {
            return Ok(());
        }
        let index = self.clip.index_of(kind, data);
        let index = index.with_context(|| format!("{kind:?} at {time} was never published"))?;
        let is_picture = kind == TagKind::Video;
        if !self.begun {
            // Sound may ride in front of the first keyframe.
            ensure!(!is_picture || is_keyframe(&self.clip.tags[index]), "no keyframe at first");
            self.begun = is_picture;
        }
        if let Some(mut expected) = self.expected[usize::from(is_picture)] {
            while expected != index {
                self.seen.lost += 1;
                expected = self.clip.after(expected);
            }
        }
        self.expected[usize::from(is_picture)] = Some(self.clip.after(index));
        self.compare_time(index, time);
        if let Some(sent) = self.log.sent(index).filter(|&sent| sent > self.asked && is_picture) {
            self.seen.latencies.push((now, now.saturating_duration_since(sent)));
        }
        Ok(())
    }

    /// Times are as far apart as published, whatever they count from.
    fn compare_time(&mut self, index: usize, time: i64) {
        if let Some((last, last_time)) = self.last_time.replace((index, time)) {
            let published = self.clip.tags[index].time() - self.clip.tags[last].time();
            let off = (time - last_time - published).rem_euclid(ROUND_MS);
            self.seen.moved += usize::from((2..=ROUND_MS - 2).contains(&off));
        }
    }
}

/// Joins and waits for the first keyframe. Returns how long that took and when the keyframe was published.
pub fn first_keyframe(address: Address, clip: &Clip, log: &Log) -> Result<(Duration, Duration)> {
    let asked = Instant::now();
    let Joined { mut socket, mut decoder, first } = join(address)?;
    let (mut came, mut len, mut room) = (None, first.len(), first);
    room.resize(len.max(256 << 10), 0);
    loop {
        decoder.feed(&room[..len], |kind, _, data| {
            if kind == TagKind::Video && came.is_none() && is_media_data(kind, data)? {
                came = Some((Instant::now(), clip.index_of(kind, data)));
            }
            Ok(())
        })?;
        if came.is_some() {
            break;
        }
        ensure!(asked.elapsed() < PATIENCE, "no picture within {PATIENCE:?}");
        len = socket.read(&mut room).context("waiting for the first keyframe")?;
        ensure!(len > 0, "closed before the first keyframe");
    }
    leave(&socket);
    let (at, index) = came.context("a picture")?;
    let index = index.context("the first picture was never published")?;
    ensure!(is_keyframe(&clip.tags[index]), "the first picture is no keyframe");
    let sent = log.sent(index).context("a picture that was not sent yet")?;
    Ok((at - asked, at.saturating_duration_since(sent)))
}

fn is_media_data(kind: TagKind, data: &[u8]) -> Result<bool> {
    // Only its head is looked at.
    Ok(is_media(&Tag::new(kind, 0, data.get(..data.len().min(16)).unwrap_or(data))?))
}
