//! What a process has used, read from `/proc`, and where it may run.

use std::{ffi::OsStr, process::Command, sync::OnceLock};

use anyhow::{Context, Result, ensure};

/// Run time of all threads of a process so far, in seconds: what the scheduler counted.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut nanos = 0_u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the read.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let first = text.split_whitespace().next().context("empty schedstat")?;
        nanos += first.parse::<u64>()?;
    }
    Ok(nanos as f64 / 1e9)
}

/// Resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("empty VmRSS")?.parse()?)
}

/// Seconds of all cores that were not idle so far.
pub fn busy_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("an empty /proc/stat")?;
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in the first two.
    let busy = ticks.iter().take(8).enumerate().filter(|(at, _)| !matches!(at, 3 | 4));
    Ok(busy.map(|(_, ticks)| *ticks as f64).sum::<f64>() / TICKS_PER_SECOND)
}

/// Binds all threads of this process, and what they start later, to the viewers' core.
pub fn pin_myself() -> Result<()> {
    let output = Command::new("taskset")
        .args(["--all-tasks", "--pid", "--cpu-list", &cores().1.to_string()])
        .arg(std::process::id().to_string())
        .output()
        .context("taskset is needed to give the relay a core of its own (util-linux)")?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A command that runs on the relays' core only. The process it becomes is the program's.
pub fn pinned(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &cores().0.to_string()]).arg(program);
    command
}

/// The relays' core and the viewers': the first and the last that this process was given. On a machine with one core
/// they are the same, and figures mean nothing.
fn cores() -> &'static (usize, usize) {
    // Asked before this process binds itself to one of them.
    static CORES: OnceLock<(usize, usize)> = OnceLock::new();
    CORES.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let numbers = list.unwrap_or_default().trim().split([',', '-']);
        let numbers: Vec<usize> = numbers.filter_map(|number| number.parse().ok()).collect();
        (numbers.first().copied().unwrap_or(0), numbers.last().copied().unwrap_or(0))
    })
}

/// Lets this process hold as many descriptors as it may.
pub fn raise_descriptors(needed: usize) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    ensure!(
        most >= needed as u64,
        "{needed} descriptors are needed, {most} are allowed: ulimit -n"
    );
    Ok(())
}

/// While it lives, this process and what it starts go before what else runs on this machine, where that is allowed.
/// Where it is not, measuring goes on; how much of the machine others had is told.
pub struct First {
    /// What the terminal's group of processes had before, which priorities within it do not change (Linux).
    group: Option<String>,
}

impl First {
    pub fn new() -> Self {
        let _ = rustix::process::setpriority_process(None, FIRST);
        let group = std::fs::read_to_string(GROUP).ok();
        let group = group.and_then(|group| Some(group.trim().rsplit_once(" nice ")?.1.to_owned()));
        let _ = std::fs::write(GROUP, FIRST.to_string());
        Self { group }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if let Some(before) = &self.group {
            let _ = std::fs::write(GROUP, before);
        }
    }
}

/// Lets the calling thread give way to others of this process.
pub fn give_way() {
    let thread = Some(rustix::thread::gettid());
    if let Ok(priority) = rustix::process::getpriority_process(thread) {
        // Without it measuring goes on, a little less exactly.
        let _ = rustix::process::setpriority_process(thread, priority + 5);
    }
}

/// What the kernel counts in.
const TICKS_PER_SECOND: f64 = 100.0;

const FIRST: i32 = -10;
const GROUP: &str = "/proc/self/autogroup";
