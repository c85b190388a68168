//! The benchmark of the player still measures: its smallest runs, with our player alone.

#[allow(dead_code, reason = "tables and files of figures are for the benchmark's own program")]
#[path = "../bench/player/measure/mod.rs"]
mod measure;

use anyhow::{Result, ensure};

/// First pictures and the reading of a small file; what the figures are is no matter here.
#[test]
fn first_pictures_and_reading() -> Result<()> {
    let words = "--only ttff,vod --clips 360p25 --players ours --runs 1 --megabytes 5".split(' ');
    let options = measure::Options::parse(words.map(str::to_owned))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(measure::run(&options))?;
    ensure!(report.failures().is_empty(), "{:?}", report.failures());
    for measure in ["ttff.first", "ttff.again", "ttff.cold", "vod.cpu", "vod.speed"] {
        let figure = report.figure(measure, "ours");
        ensure!(figure.is_some_and(|figure| figure > 0.0), "{measure} is {figure:?}");
    }
    Ok(())
}
