//! Where a process may run, and what it goes before.

use std::{ffi::OsStr, process::Command, sync::OnceLock};

use anyhow::{Context, Result, ensure};

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

const FIRST: i32 = -10;
const GROUP: &str = "/proc/self/autogroup";
