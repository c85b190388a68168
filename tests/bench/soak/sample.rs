//! What is looked at, and what it means that nothing grows.

use std::{fmt, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    fault::{Notes, Theatre},
    renderers::private_memory,
    statistics::median,
};
use serde_json::{Value, json};

use crate::MODES;

/// One look at the page.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    seconds: f64,
    /// The page's JavaScript heap after a collection, bytes.
    heap: f64,
    /// WebAssembly memory on the page's thread, bytes.
    wasm: f64,
    /// Private memory of all renderer processes, bytes.
    private: f64,
    /// Behind the newest media, seconds, for each mode.
    latency: [f64; 2],
    /// Pictures presented since the last look, for each mode.
    pictures: [usize; 2],
}

impl Sample {
    pub const HEAD: &str =
        "     s  heap KiB  wasm KiB  private KiB  latency worker, main  pictures worker, main";

    pub async fn take(theatre: &Theatre, at: Duration) -> Result<Sample> {
        let browser = theatre.browser();
        // Not by the driver's own command: what that injects stays in the heap.
        let look = json!({ "expression": LOOK, "returnByValue": true });
        let look = browser.devtools("Runtime.evaluate", look).await?;
        let look: Value =
            serde_json::from_str(look["result"]["value"].as_str().context("a text")?)?;
        let notes = Notes::by_name(&look["notes"])?;
        let (mut latency, mut pictures) = ([0.0; 2], [0; 2]);
        for (at, mode) in MODES.iter().enumerate() {
            let notes = notes.get(*mode).context("notes of each mode")?;
            ensure!(notes.event("error", 0.0).is_none(), "{mode}: {:?}", notes.events);
            ensure!(notes.statistics["mode"] == *mode, "{mode}: {}", notes.statistics["mode"]);
            latency[at] = notes.statistics["latency"].as_f64().context("a latency")?;
            pictures[at] = notes.pictures.len();
            ensure!(pictures[at] > 0, "{mode}: no picture since the last look");
        }
        browser.devtools("HeapProfiler.collectGarbage", json!({})).await?;
        let heap = browser.devtools("Runtime.getHeapUsage", json!({})).await?;
        let renderers: u64 = private_memory(browser.driver().pid())?.iter().sum();
        ensure!(renderers > 0, "no renderer is found");
        Ok(Sample {
            seconds: at.as_secs_f64(),
            heap: heap["usedSize"].as_f64().context("Chromium tells the heap's size")?,
            wasm: look["wasm"].as_f64().context("the page counts its memories")?,
            private: renderers as f64,
            latency,
            pictures,
        })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [heap, wasm, private] = [self.heap, self.wasm, self.private].map(|size| size / 1024.0);
        let [worker, main] = self.latency;
        write!(out, "{:>6.0} {heap:>9.0} {wasm:>9.0} {private:>12.0} ", self.seconds)?;
        write!(out, "{worker:>14.3} {main:>6.3} {:>15} {:>5}", self.pictures[0], self.pictures[1])
    }
}

/// Fails unless the last quarter is like the first one after the first minute.
pub fn flat(samples: &[Sample]) -> Result<()> {
    let settled: Vec<_> = samples.iter().filter(|sample| sample.seconds > SETTLED).collect();
    let quarter = settled.len().div_ceil(4);
    ensure!(quarter > 0, "too few samples");
    let growth = |what: fn(&Sample) -> f64| {
        let median = |samples: &[&Sample]| {
            let values: Vec<f64> = samples.iter().copied().map(what).collect();
            median(&values).unwrap_or(f64::NAN)
        };
        median(&settled[settled.len() - quarter..]) - median(&settled[..quarter])
    };
    let mib = f64::from(1 << 20);
    for (name, grown, limit) in [
        ("JavaScript heap, MiB", growth(|sample| sample.heap) / mib, 1.0),
        ("WebAssembly memory, MiB", growth(|sample| sample.wasm) / mib, 0.0),
        ("the renderers' private memory, MiB", growth(|sample| sample.private) / mib, 16.0),
        ("latency in a worker, s", growth(|sample| sample.latency[0]), 0.1),
        ("latency on the page's thread, s", growth(|sample| sample.latency[1]), 0.1),
    ] {
        println!("{name}: {grown:+.3} (at most {limit})");
        ensure!(grown <= limit, "{name} grew by {grown:.3}");
    }
    Ok(())
}

/// Until everything is loaded and has run once, seconds.
const SETTLED: f64 = 60.0;

/// All that is noted, which is then forgotten.
const LOOK: &str = "JSON.stringify([theatre].map((it) => \
    ({ notes: it.notes(), wasm: it.memory(), forgotten: it.forget() }))[0])";
