//! The player in Chromium beside flv.js, mpegts.js, xgplayer-flv and the browser's own MP4 playback, in one run:
//! `just bench player --only ttff,latency,cpu --seconds 15 --runs 3`. See `docs/benchmarks.md`.

#![allow(missing_docs, reason = "a program, not a library")]

mod measure;

use anyhow::{Result, ensure};

fn main() -> Result<()> {
    let options = measure::Options::parse(std::env::args().skip(1))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(measure::run(&options))?;
    print!("{}", report.text());
    if let Some(path) = &options.json {
        std::fs::write(path, format!("{:#}\n", report.json()))?;
    }
    let failures = report.failures();
    ensure!(failures.is_empty(), "{} runs failed, as told above", failures.len());
    Ok(())
}
