//! What is looked at.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use pushpull_tests::{Server, http, usage};
use serde_json::Value;

/// One look at the server.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    seconds: u64,
    pub descriptors: usize,
    /// Sockets among them that are connected.
    pub connections: usize,
    pub resident_kib: u64,
    pub streams: usize,
    pub viewers: u64,
}

impl Sample {
    pub const HEAD: &str = "     s  descriptors  connections  resident KiB  streams  viewers";

    pub async fn take(server: &Server, begun: Instant) -> Result<Self> {
        let mut answer = http::get(server.http, "/api/v1/streams").await?;
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        let streams = answer["streams"].as_array().context("the API lists streams")?;
        // The question was a connection, too.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(Self {
            seconds: begun.elapsed().as_secs(),
            descriptors: server.open_files()?,
            connections: connections(server)?,
            resident_kib: server.memory()? >> 10,
            streams: streams.len(),
            viewers: streams.iter().filter_map(|stream| stream["viewers"].as_u64()).sum(),
        })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, descriptors, connections, resident_kib, streams, viewers } = self;
        write!(out, "{seconds:>6} {descriptors:>12} {connections:>12} {resident_kib:>13} ")?;
        write!(out, "{streams:>8} {viewers:>8}")
    }
}

/// Connections that the process holds open.
fn connections(server: &Server) -> Result<usize> {
    let pid = server.process().pid();
    // Inodes of its sockets; the kernel's table tells their state.
    let mut mine = Vec::new();
    for file in usage::files(pid)? {
        let file = file.to_string_lossy();
        if let Some(inode) = file.strip_prefix("socket:[").and_then(|it| it.strip_suffix(']')) {
            mine.push(inode.to_owned());
        }
    }
    let mut table = String::new();
    for name in ["tcp", "tcp6"] {
        table.push_str(&std::fs::read_to_string(format!("/proc/{pid}/net/{name}"))?);
    }
    let is_connected = |line: &&str| {
        let mut words = line.split_whitespace().skip(3);
        let (state, inode) = (words.next(), words.nth(5));
        state != Some(LISTENING) && inode.is_some_and(|inode| mine.iter().any(|it| it == inode))
    };
    Ok(table.lines().filter(is_connected).count())
}

/// A socket's state in the kernel's table.
const LISTENING: &str = "0A";
