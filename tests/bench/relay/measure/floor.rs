//! The floor: a bare loop that takes the same tags and writes them to as many sockets, once per picture, or every so
//! many milliseconds.
//!
//! What it costs is what the kernel asks for; a relay can only come near. It knows no protocol but as much of HTTP as
//! it takes to be watched by the same viewers.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Header, Item, Reader, TagKind};
use pushpull_tests::viewer::{is_keyframe, is_media};

/// Prints the ports of its ingest and its viewers; serves until its ingest ends. Blocks are as old as `hold` says, or
/// end with each picture.
pub fn serve(hold: Option<Duration>) -> Result<()> {
    let ingest = TcpListener::bind("127.0.0.1:0")?;
    let viewers = TcpListener::bind("127.0.0.1:0")?;
    println!("floor takes on {}", ingest.local_addr()?);
    println!("floor gives on {}", viewers.local_addr()?);
    let shared = Arc::new(Mutex::new(Shared::default()));
    std::thread::spawn({
        let shared = Arc::clone(&shared);
        move || welcome(&viewers, &shared)
    });
    let (publisher, _) = ingest.accept()?;
    relay(publisher, hold, &shared)
}

#[derive(Default)]
struct Shared {
    headers: Vec<u8>,
    /// What a viewer that comes now is sent at first: everything since the newest keyframe.
    gop: Vec<u8>,
    viewers: Vec<Viewer>,
}

struct Viewer {
    socket: TcpStream,
    /// What the socket did not take. It hardly ever happens.
    rest: Vec<u8>,
}

impl Viewer {
    /// `false` when the viewer is gone.
    fn write(&mut self, bytes: &[u8]) -> bool {
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(bytes);
            let rest = std::mem::take(&mut self.rest);
            return self.write(&rest);
        }
        match self.socket.write(bytes) {
            Ok(len) if len == bytes.len() => true,
            Ok(len) => {
                self.rest = bytes[len..].to_vec();
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.rest = bytes.to_vec();
                self.rest.len() < REST_MAX
            }
            Err(_) => false,
        }
    }
}

fn welcome(listener: &TcpListener, shared: &Mutex<Shared>) {
    while let Ok((socket, _)) = listener.accept() {
        // Whoever goes away before anything was said is no concern.
        drop(admit(socket, shared));
    }
}

fn admit(mut socket: TcpStream, shared: &Mutex<Shared>) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut request = [0; 1024];
    // A viewer's request comes in one piece.
    ensure!(socket.read(&mut request)? > 0, "gone");
    socket.set_nonblocking(true)?;
    let header = Header { has_audio: true, has_video: true }.to_bytes();
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let first = [HEAD, &header, &shared.headers, &shared.gop].concat();
    let mut viewer = Viewer { socket, rest: Vec::new() };
    if viewer.write(&first) {
        shared.viewers.push(viewer);
    }
    Ok(())
}

fn relay(mut publisher: TcpStream, hold: Option<Duration>, shared: &Mutex<Shared>) -> Result<()> {
    let mut reader = Reader::new();
    reader.push(&Header { has_audio: true, has_video: true }.to_bytes());
    let mut room = vec![0; 256 << 10];
    // What is not written yet, and when that is to be done.
    let (mut block, mut due) = (Vec::new(), Instant::now());
    loop {
        let len = publisher.read(&mut room).context("the floor's publisher")?;
        if len == 0 {
            return Ok(());
        }
        reader.push(&room[..len]);
        while let Some(item) = reader.next()? {
            let Item::Tag(tag) = item else { continue };
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_media(&tag) {
                shared.headers.extend_from_slice(tag.bytes());
                continue;
            }
            if is_keyframe(&tag) {
                // Of what belongs to the GOP before, a viewer that comes now must not get a part.
                if hold.is_some() {
                    shared.write(&mut block);
                }
                shared.gop.clear();
            }
            block.extend_from_slice(tag.bytes());
            let is_due = match hold {
                None => tag.kind() == TagKind::Video,
                Some(_) => Instant::now() >= due,
            };
            if is_due {
                shared.write(&mut block);
                while let Some(hold) = hold.filter(|_| due <= Instant::now()) {
                    due += hold;
                }
            }
        }
    }
}

impl Shared {
    fn write(&mut self, block: &mut Vec<u8>) {
        self.viewers.retain_mut(|viewer| viewer.write(block));
        self.gop.extend_from_slice(block);
        block.clear();
    }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n";

/// More a viewer cannot leave unread.
const REST_MAX: usize = 32 << 20;
