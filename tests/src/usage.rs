//! What a process uses, as `/proc` tells it.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};

/// A thread of a process.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Its id; that of the first is the process's own.
    pub id: u32,
    /// Its name, which the kernel cuts at 15 letters.
    pub name: String,
    /// How long it has run so far: what the scheduler counted.
    pub run: Duration,
}

/// The threads of a process. One that has ended has no more to tell.
pub fn threads(pid: u32) -> Result<Vec<Thread>> {
    let read = |folder: PathBuf| {
        // It may end between the listing and the read.
        let id = folder.file_name()?.to_str()?.parse().ok()?;
        let name = fs::read_to_string(folder.join("comm")).ok()?;
        let schedstat = fs::read_to_string(folder.join("schedstat")).ok()?;
        let nanos = schedstat.split_whitespace().next()?.parse().ok()?;
        Some(Thread { id, name: name.trim().to_owned(), run: Duration::from_nanos(nanos) })
    };
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))?;
    Ok(tasks.flatten().filter_map(|task| read(task.path())).collect())
}

/// How long a process has run so far, on all cores together.
pub fn run_time(pid: u32) -> Result<Duration> {
    Ok(threads(pid)?.iter().map(|thread| thread.run).sum())
}

/// How long all cores together were busy so far, whoever had them.
pub fn machine_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("an empty /proc/stat")?;
    let ticks = line.split_whitespace().skip(1).filter_map(|word| word.parse::<u32>().ok());
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in the first two.
    let busy = ticks.take(8).enumerate().filter(|(at, _)| !matches!(at, 3 | 4));
    Ok(busy.map(|(_, ticks)| TICK * ticks).sum())
}

/// The memory a process has in use, in bytes.
pub fn memory(pid: u32) -> Result<u64> {
    status(pid, "VmRSS:")
}

/// The most memory a process has had in use so far, in bytes.
pub fn peak_memory(pid: u32) -> Result<u64> {
    status(pid, "VmHWM:")
}

fn status(pid: u32, label: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(label));
    let size = line.and_then(|line| line.split_whitespace().next());
    Ok(size.with_context(|| format!("the kernel tells {label}"))?.parse::<u64>()? << 10)
}

/// How many sockets and files a process holds open.
pub fn open_files(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// What they are: a path, or the kernel's words for what has none, such as `socket:[123]`.
pub fn files(pid: u32) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(format!("/proc/{pid}/fd"))?;
    // One may be closed between the listing and the look.
    Ok(files.flatten().filter_map(|file| fs::read_link(file.path()).ok()).collect())
}

/// What the kernel counts the machine's time in.
const TICK: Duration = Duration::from_millis(10);
