//! What the process uses, by the names that other programs' metrics have for it.

use std::{fmt, time::SystemTime};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::show;
use crate::time::unix;

/// Asks the system at every scrape.
#[derive(Debug)]
pub(super) struct Process {
    /// When it began.
    pub(super) started: SystemTime,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let started = unix(self.started).as_secs_f64();
        let started = ("process_start_time_seconds", "When the process began, since 1970", started);
        for (name, help, value) in usage().into_iter().chain([started]) {
            show::gauge(&mut encoder, name, help, value)?;
        }
        let Some(seconds) = cpu() else { return Ok(()) };
        let help = "Time that the process has worked on all cores";
        show::counter(&mut encoder, "process_cpu_seconds", help, seconds)
    }
}

/// Time of work so far, in seconds.
#[cfg(unix)]
fn cpu() -> Option<f64> {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

#[cfg(not(unix))]
fn cpu() -> Option<f64> {
    None
}

type Usage = (&'static str, &'static str, f64);

/// What is known; nothing where the system does not tell.
#[cfg(target_os = "linux")]
fn usage() -> Vec<Usage> {
    use rustix::process::{Resource, getrlimit};

    let open = crate::descriptors::open().map(|open| open as f64);
    let limit = getrlimit(Resource::Nofile).current.map(|limit| limit as f64);
    [
        ("process_open_fds", "Files and sockets that are open", open),
        ("process_max_fds", "Files and sockets that may be open", limit),
        ("process_resident_memory_bytes", "Memory that the process has in use", memory()),
    ]
    .into_iter()
    .filter_map(|(name, help, value)| Some((name, help, value?)))
    .collect()
}

#[cfg(not(target_os = "linux"))]
fn usage() -> Vec<Usage> {
    Vec::new()
}

#[cfg(target_os = "linux")]
fn memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}
