//! The benchmark of the relay still measures: its smallest loads, with our relay alone.

#[allow(
    dead_code,
    reason = "the floor, tables and files of figures are for the benchmark's own program"
)]
#[path = "../bench/relay/measure/mod.rs"]
mod measure;

use anyhow::{Result, ensure};

#[test]
fn over_http() -> Result<()> {
    smallest("http")
}

#[test]
fn over_websockets() -> Result<()> {
    smallest("ws")
}

#[test]
fn over_rtmp() -> Result<()> {
    smallest("rtmp")
}

/// What the figures are is no matter here.
fn smallest(protocol: &str) -> Result<()> {
    let words = format!(
        "--protocols {protocol} --viewers 8 --relays ours --runs 1 --seconds 1 --only load"
    );
    let options = measure::Options::parse(words.split(' ').map(str::to_owned))?;
    let report = measure::run(&options)?;
    ensure!(report.failures().is_empty(), "{:?}", report.failures());
    let cost = report.cost("ours");
    ensure!(cost.is_some_and(|cost| cost > 0.0), "a cost of {cost:?}");
    Ok(())
}
