//! Publishes the clip at its own pace, round after round.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use pushpull_media::flv::Tag;
use pushpull_rtmp::client::{ClientConfig, ClientConnection, ClientEvent, PublishUrl};

use super::clip::{Clip, Log, ROUND_MS};

/// Where the stream goes.
#[derive(Clone, Copy, Debug)]
pub enum Ingest {
    /// To a relay.
    Rtmp(SocketAddr),
    /// To the floor: bare FLV tags.
    Bare(SocketAddr),
}

/// A publisher at work, in a thread of its own; it stops when dropped.
pub struct Publisher {
    pub log: Arc<Log>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Publisher {
    /// Connects, publishes `live/bench` and sends the headers.
    pub fn start(ingest: Ingest, clip: &Arc<Clip>) -> Result<Self> {
        let mut sink = match ingest {
            Ingest::Rtmp(server) => Sink::rtmp(server)?,
            Ingest::Bare(server) => {
                let socket = TcpStream::connect(server)?;
                socket.set_nodelay(true)?;
                Sink { socket, connection: None }
            }
        };
        for tag in &clip.headers {
            sink.send(tag, 0)?;
        }
        let (log, stop) = (Arc::new(Log::new(clip)), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::Builder::new().name("publisher".into()).spawn({
            let (clip, log, stop) = (Arc::clone(clip), Arc::clone(&log), Arc::clone(&stop));
            move || rounds(sink, &clip, &log, &stop)
        })?;
        Ok(Self { log, stop, thread: Some(thread) })
    }

    /// Says goodbye; an error is told if the publisher had ended before.
    pub fn stop(mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| anyhow!("the publisher panicked"))?.context("the publisher")
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn rounds(mut sink: Sink, clip: &Clip, log: &Log, stop: &AtomicBool) -> Result<()> {
    let begun = Instant::now();
    for round in 0_i64.. {
        for (index, tag) in clip.tags.iter().enumerate() {
            let time = round * ROUND_MS + tag.time();
            let due = begun + Duration::from_millis(u64::try_from(time)?);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if stop.load(Ordering::Relaxed) {
                return sink.goodbye();
            }
            log.mark(index, tag.bytes().len());
            sink.send(tag, time)?;
            sink.listen()?;
        }
    }
    Ok(())
}

struct Sink {
    socket: TcpStream,
    /// Of an RTMP server; the floor gets bare tags.
    connection: Option<Box<ClientConnection>>,
}

impl Sink {
    fn rtmp(server: SocketAddr) -> Result<Self> {
        let url = PublishUrl::parse(&format!("rtmp://{server}/live/bench"))?;
        let socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut connection = ClientConnection::new(ClientConfig::new(url), [0x5A; 1528]);
        let mut sink = Self { socket, connection: None };
        let mut room = vec![0; 4096];
        'published: loop {
            sink.write(&mut connection)?;
            while let Some(event) = connection.next_event() {
                match event {
                    ClientEvent::Published => break 'published,
                    ClientEvent::Refused { code, description } => bail!("{code}: {description}"),
                    _ => {}
                }
            }
            let len = sink.socket.read(&mut room).context("publishing")?;
            let bytes = room.get(..len).filter(|bytes| !bytes.is_empty());
            connection.receive(bytes.context("the server closed the connection")?)?;
        }
        sink.connection = Some(Box::new(connection));
        Ok(sink)
    }

    fn send(&mut self, tag: &Tag, time: i64) -> Result<()> {
        let Some(mut connection) = self.connection.take() else {
            let tag = Tag::new(tag.kind(), time, tag.data())?;
            return Ok(self.socket.write_all(tag.bytes())?);
        };
        connection.send(tag.kind(), u32::try_from(time)?, tag.data())?;
        self.write(&mut connection)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Reads what the server says meanwhile, acknowledgements and pings; nothing is waited for.
    fn listen(&mut self) -> Result<()> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let mut room = [0; 1024];
        self.socket.set_nonblocking(true)?;
        let read = self.socket.read(&mut room);
        self.socket.set_nonblocking(false)?;
        match read {
            Ok(0) => bail!("the server closed the connection"),
            Ok(len) => connection.receive(&room[..len])?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn goodbye(mut self) -> Result<()> {
        if let Some(mut connection) = self.connection.take() {
            connection.unpublish();
            self.write(&mut connection)?;
        }
        Ok(())
    }

    fn write(&mut self, connection: &mut ClientConnection) -> Result<()> {
        while let Some(bytes) = connection.take_output() {
            self.socket.write_all(&bytes)?;
        }
        Ok(())
    }
}

/// For each answer of the server.
const PATIENCE: Duration = Duration::from_secs(10);
