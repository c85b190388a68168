//! Where a process may run, and what it goes before.

use std::{ffi::OsStr, process::Command, sync::OnceLock};

use anyhow::{Context, Result, ensure};

/// Gives the relays the first cores that this process was given, so many of them, and binds all threads of this process, and
/// what they start later, to the last one. Where there are no more than the relays have, they share it.
pub fn share_cores(relays: usize) -> Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let cores = numbers(list.unwrap_or("0").trim())?;
    ensure!(
        (1..=cores.len()).contains(&relays),
        "{relays} cores for the relays: there are {}",
        cores.len()
    );
    // Said only once in a process: figures of different shares are not to be mixed.
    let relays: Vec<_> = cores[..relays].iter().map(usize::to_string).collect();
    let _ = RELAYS.set(relays.join(","));
    let last = cores.last().context("a process has a core")?;
    let output = Command::new("taskset")
        .args(["--all-tasks", "--pid", "--cpu-list", &last.to_string()])
        .arg(std::process::id().to_string())
        .output()
        .context("taskset is needed to give the relay a core of its own (util-linux)")?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A command that runs on the relays' cores only. The process it becomes is the program's.
pub fn pinned(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", RELAYS.get().map_or("0", String::as_str)]).arg(program);
    command
}

/// The relays' cores, as taskset wants them.
static RELAYS: OnceLock<String> = OnceLock::new();

/// The numbers of a list such as `0-2,5`.
fn numbers(list: &str) -> Result<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        numbers.extend(first.parse::<usize>()?..=last.parse()?);
    }
    Ok(numbers)
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

const FIRST: i32 = -10;
const GROUP: &str = "/proc/self/autogroup";
