//! The floor: a bare loop that writes the same bytes to as many sockets, once per picture.
//!
//! What it costs is what the kernel asks for; a relay can only come near.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Serves `viewers` connections `bytes_per_picture` bytes thirty times a second for `seconds`.
///
/// Prints its port, waits for all viewers, then for one line on its input.
pub fn serve(viewers: usize, bytes_per_picture: usize, seconds: u64) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let mut sockets = Vec::new();
    for _ in 0..viewers {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        sockets.push(socket);
    }
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    let block = vec![0x5A; bytes_per_picture];
    let start = Instant::now();
    for picture in 0..seconds * PICTURES_PER_SECOND {
        let due = start + Duration::from_nanos(picture * 1_000_000_000 / PICTURES_PER_SECOND);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        for socket in &mut sockets {
            match socket.write(&block) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    println!("done");
    // The measuring process reads our run time before it lets go of us.
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

/// Reads `viewers` connections to the floor until they close; returns the bytes that came.
pub fn drain(port: u16, viewers: usize) -> Result<std::thread::JoinHandle<u64>> {
    let mut sockets = Vec::new();
    for _ in 0..viewers {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nonblocking(true)?;
        sockets.push(socket);
    }
    Ok(std::thread::spawn(move || {
        let (mut total, mut room) = (0, vec![0; 64 << 10]);
        while !sockets.is_empty() {
            sockets.retain_mut(|socket| {
                match socket.read(&mut room) {
                    Ok(0) => return false,
                    Ok(len) => total += len as u64,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return false,
                }
                true
            });
            std::thread::sleep(SWEEP);
        }
        total
    }))
}

pub const PICTURES_PER_SECOND: u64 = 30;

/// A viewer that woke for every write would burden the writer's side of the measurement.
const SWEEP: Duration = Duration::from_millis(20);
