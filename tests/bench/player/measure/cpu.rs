//! What the browser's processes and threads have used, read from `/proc`.

use std::collections::HashMap;

use anyhow::{Context, Result};
use pushpull_tests::{
    renderers::{family, is_renderer, private_memory},
    usage,
};

/// Run time so far, ms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// All threads of the renderers.
    pub renderer: f64,
    /// The renderers' first threads: the pages'.
    pub main: f64,
    /// Threads of dedicated workers.
    pub worker: f64,
    /// All processes of the browser.
    pub all: f64,
    /// What else ran on this machine.
    pub others: f64,
}

impl Times {
    /// What was used since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            renderer: self.renderer - earlier.renderer,
            main: self.main - earlier.main,
            worker: self.worker - earlier.worker,
            all: self.all - earlier.all,
            others: self.others - earlier.others,
        }
    }
}

/// Looks at everything below the process `root`. A thread that has ended is not counted.
pub fn times(root: u32) -> Result<Times> {
    let mut times = Times::default();
    for pid in family(root)? {
        let is_renderer = is_renderer(pid);
        for (tid, name, run) in threads(pid) {
            times.all += run;
            if is_renderer {
                times.renderer += run;
                if tid == pid {
                    times.main += run;
                } else if name.starts_with("DedicatedWorker") {
                    times.worker += run;
                }
            }
        }
    }
    let ours: f64 = threads(std::process::id()).map(|(_, _, run)| run).sum();
    times.others = usage::machine_time()?.as_secs_f64() * 1e3 - times.all - ours;
    Ok(times)
}

/// Run time of each thread of the renderers by name, ms.
pub fn by_thread(root: u32) -> Result<HashMap<String, f64>> {
    let mut sums = HashMap::new();
    for pid in family(root)?.into_iter().filter(|&pid| is_renderer(pid)) {
        for (tid, name, run) in threads(pid) {
            let name = if tid == pid { "main".to_owned() } else { name };
            *sums.entry(name).or_default() += run;
        }
    }
    Ok(sums)
}

/// Private memory of the largest renderer, MB.
pub fn private_mb(root: u32) -> Result<f64> {
    let largest = private_memory(root)?.into_iter().max().context("no renderer")?;
    Ok(largest as f64 / f64::from(1 << 20))
}

/// Id, name and run time (ms) of each thread; none of a process that has ended.
fn threads(pid: u32) -> impl Iterator<Item = (u32, String, f64)> {
    let threads = usage::threads(pid).unwrap_or_default().into_iter();
    threads.map(|thread| (thread.id, thread.name, thread.run.as_secs_f64() * 1e3))
}
