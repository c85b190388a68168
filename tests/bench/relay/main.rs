//! What delivering a stream to many viewers costs our relay, beside a floor and beside others, in one run:
//! `just bench relay --protocols http --viewers 1000`. See `docs/benchmarks.md`.

#![allow(missing_docs, reason = "a program, not a library")]

mod measure;

use std::time::Duration;

use anyhow::{Result, ensure};
use measure::{Options, floor, process};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1).peekable();
    // This program is the floor, too, in a process of its own.
    if words.next_if_eq("--floor").is_some() {
        let hold = words.nth(1).map(|milliseconds| milliseconds.parse()).transpose()?;
        return floor::serve(hold.map(Duration::from_millis));
    }
    let options = Options::parse(words)?;
    let _first = process::First::new();
    let report = measure::run(&options)?;
    print!("{}", report.text());
    if let Some(path) = &options.json {
        std::fs::write(path, format!("{:#}\n", report.json()))?;
    }
    ensure!(report.failures().is_empty(), "{} runs failed, as told above", report.failures().len());
    Ok(())
}
