//! The measurements: what a crowd costs a relay, and how fast viewers come and go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use pushpull_tests::usage;

use super::{
    clip::Clip,
    crowd::Newcomers,
    median,
    options::Options,
    percentile,
    publisher::Publisher,
    relays::{Relay, Running},
    viewer::{Checker, first_keyframe},
    wire::{Address, Protocol},
};

/// What one window showed.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// CPU-seconds of the relay for each GB that viewers received.
    pub relay: f64,
    /// The same with the viewers and the publisher.
    pub both: f64,
    /// How much of its core the relay used.
    pub core: f64,
    /// Received of what was published, by all viewers and by the one that got least.
    pub delivered: f64,
    pub worst: f64,
    /// From the publisher to checked viewers, pictures only, milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Cores that something else on this machine used.
    pub others: f64,
}

/// What a load showed.
#[derive(Clone, Debug, Default)]
pub struct Load {
    pub windows: Vec<Window>,
    /// Resident memory for each viewer, KiB, and of the whole relay.
    pub viewer_kib: f64,
    pub resident_kib: u64,
    /// Joins on top of the load: from before connecting to the first keyframe, milliseconds.
    pub keyframe: Vec<f64>,
    /// How old that keyframe was then, milliseconds.
    pub age: Vec<f64>,
    /// What was not as it should be.
    pub faults: Vec<String>,
}

/// Measures `relay` with `viewers`.
pub fn measure(
    relay: &Relay,
    protocol: Protocol,
    viewers: usize,
    clip: &Arc<Clip>,
    options: &Options,
) -> Result<Load> {
    let running = relay.start()?;
    let publisher = Publisher::start(running.ingest(), clip)?;
    let load = loaded(&running, protocol, viewers, clip, &publisher, options);
    let load = load.with_context(|| running.said())?;
    publisher.stop()?;
    Ok(load)
}

fn loaded(
    running: &Running,
    protocol: Protocol,
    viewers: usize,
    clip: &Arc<Clip>,
    publisher: &Publisher,
    options: &Options,
) -> Result<Load> {
    let address = running.address(protocol)?;
    // A whole GOP is there, and what a relay needs for the first time.
    std::thread::sleep(GOP);
    first_keyframe(address, clip, &publisher.log)?;
    std::thread::sleep(GOP);
    let before = usage::memory(running.pid())? >> 10;

    let checked = (4 + viewers / 125).min(viewers);
    let counters: Vec<_> = (0..checked).map(|_| Arc::new(AtomicU64::new(0))).collect();
    // A relay may serve viewers in the order they came in, so the checked ones come evenly among the others.
    let (mut checkers, mut crowd) = (Vec::new(), Newcomers::new(address));
    for (at, bytes) in counters.iter().enumerate() {
        let all_before = (viewers - checked) * at / checked;
        crowd.join((viewers - checked) * (at + 1) / checked - all_before)?;
        checkers.push(Checker::start(address, clip, &publisher.log, Arc::clone(bytes))?);
    }
    let crowd = crowd.sweep()?;
    std::thread::sleep(GOP);

    let bytes: Vec<_> = counters.iter().chain(&crowd.bytes).cloned().collect();
    let mut load = Load::default();
    let mut times = Vec::new();
    for _ in 0..options.windows {
        let from = Instant::now();
        load.windows.push(window(running, publisher, &bytes, options.window)?);
        times.push(from..Instant::now());
    }
    load.resident_kib = usage::memory(running.pid())? >> 10;
    load.viewer_kib = (load.resident_kib as f64 - before as f64) / viewers as f64;
    for _ in 0..PROBES {
        let (keyframe, age) = first_keyframe(address, clip, &publisher.log)?;
        load.keyframe.push(milliseconds(keyframe));
        load.age.push(milliseconds(age));
        std::thread::sleep(PROBE_EVERY);
    }

    let astray = crowd.stop(clip)?;
    let (mut latencies, mut lost, mut moved) = (Vec::new(), 0, 0);
    for checker in checkers {
        let seen = checker.stop()?;
        latencies.extend(seen.latencies);
        lost += seen.lost;
        moved += seen.moved;
    }
    for (window, time) in load.windows.iter_mut().zip(&times) {
        let within = latencies.iter().filter(|(at, _)| time.contains(at));
        let within: Vec<_> = within.map(|(_, latency)| milliseconds(*latency)).collect();
        (window.p50, window.p99) = (median(&within), percentile(&within, 99));
        ensure!(!within.is_empty(), "no picture came to a checked viewer");
    }
    for (count, what) in [
        (lost, "tags missing"),
        (moved, "times moved"),
        (astray, "plain viewers without the pictures in order"),
    ] {
        if count > 0 {
            load.faults.push(format!("{count} {what}"));
        }
    }
    Ok(load)
}

fn window(
    running: &Running,
    publisher: &Publisher,
    bytes: &[Arc<AtomicU64>],
    length: Duration,
) -> Result<Window> {
    let received = || -> Vec<u64> { bytes.iter().map(|it| it.load(Ordering::Relaxed)).collect() };
    let used = || -> Result<(f64, f64, f64)> {
        let busy = usage::machine_time()?.as_secs_f64();
        Ok((cpu_seconds(running.pid())?, cpu_seconds(std::process::id())?, busy))
    };
    let (begun, before, published) = (Instant::now(), received(), publisher.log.bytes());
    let (relay_before, own_before, busy_before) = used()?;
    std::thread::sleep(length);
    let (relay_after, own_after, busy_after) = used()?;
    let (seconds, after) = (begun.elapsed().as_secs_f64(), received());
    let published = (publisher.log.bytes() - published) as f64;

    let each: Vec<_> = before.iter().zip(&after).map(|(from, to)| (to - from) as f64).collect();
    let total: f64 = each.iter().sum();
    ensure!(total > 0.0, "nothing came within a window");
    let (relay, own) = (relay_after - relay_before, own_after - own_before);
    Ok(Window {
        relay: relay / total * 1e9,
        both: (relay + own) / total * 1e9,
        core: relay / seconds,
        delivered: total / published / each.len() as f64,
        worst: each.iter().copied().fold(f64::INFINITY, f64::min) / published,
        others: (busy_after - busy_before - relay - own) / seconds,
        ..Window::default()
    })
}

/// What coming and going showed.
#[derive(Clone, Debug, Default)]
pub struct Joins {
    pub per_second: f64,
    /// CPU-milliseconds of the relay for each.
    pub cpu: f64,
    /// How much of their cores the relay and the viewers used.
    pub core: f64,
    pub client_core: f64,
    /// From before connecting to the first keyframe, milliseconds.
    pub p50: f64,
    pub p99: f64,
    pub failed: usize,
    /// What the first one that failed said.
    pub error: Option<String>,
}

/// Measures how many viewers can come, see the first keyframe and go, sixteen at a time.
pub fn joins(
    relay: &Relay,
    protocol: Protocol,
    clip: &Arc<Clip>,
    length: Duration,
) -> Result<Joins> {
    let running = relay.start()?;
    let publisher = Publisher::start(running.ingest(), clip)?;
    let joins = churn(&running, running.address(protocol)?, clip, &publisher, length);
    let joins = joins.with_context(|| running.said())?;
    publisher.stop()?;
    Ok(joins)
}

fn churn(
    running: &Running,
    address: Address,
    clip: &Arc<Clip>,
    publisher: &Publisher,
    length: Duration,
) -> Result<Joins> {
    std::thread::sleep(GOP);
    first_keyframe(address, clip, &publisher.log)?;
    std::thread::sleep(GOP);
    let stop = AtomicBool::new(false);
    let (begun, relay, own) =
        (Instant::now(), cpu_seconds(running.pid())?, cpu_seconds(std::process::id())?);
    let all = std::thread::scope(|scope| {
        let worker = || {
            let (mut took, mut errors) = (Vec::new(), Vec::new());
            while !stop.load(Ordering::Relaxed) {
                match first_keyframe(address, clip, &publisher.log) {
                    Ok((keyframe, _)) => took.push(milliseconds(keyframe)),
                    Err(error) => errors.push(error),
                }
            }
            (took, errors)
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        std::thread::sleep(length);
        // While the workers are there: run time goes with a thread.
        let used = || -> Result<(f64, f64, f64)> {
            Ok((
                begun.elapsed().as_secs_f64(),
                cpu_seconds(running.pid())? - relay,
                cpu_seconds(std::process::id())? - own,
            ))
        };
        let used = used();
        stop.store(true, Ordering::Relaxed);
        let all = workers.into_iter().map(|worker| worker.join());
        let all: Vec<_> = all.map(|all| all.map_err(|_| anyhow!("a worker panicked"))).collect();
        used.map(|used| (used, all))
    });
    let ((seconds, relay, own), all) = all?;
    let (mut took, mut errors) = (Vec::new(), Vec::new());
    for all in all {
        let (mine, failed) = all?;
        took.extend(mine);
        errors.extend(failed);
    }
    Ok(Joins {
        per_second: took.len() as f64 / seconds,
        cpu: relay * 1e3 / took.len() as f64,
        core: relay / seconds,
        client_core: own / seconds,
        p50: median(&took),
        p99: percentile(&took, 99),
        failed: errors.len(),
        error: errors.first().map(|error| format!("{error:#}")),
    })
}

/// Run time of a process so far.
fn cpu_seconds(pid: u32) -> Result<f64> {
    Ok(usage::run_time(pid)?.as_secs_f64())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Between two keyframes, and a little.
const GOP: Duration = Duration::from_millis(2100);

/// Joins on top of a load, spread over three GOPs.
const PROBES: usize = 40;
const PROBE_EVERY: Duration = Duration::from_millis(150);

/// Viewers that come and go at the same time.
const WORKERS: usize = 16;
