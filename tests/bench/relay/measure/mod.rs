//! One run: each relay by each protocol under each load, one after the other.

mod clip;
mod crowd;
pub mod floor;
mod load;
mod options;
pub mod process;
mod publisher;
mod relays;
mod report;
mod viewer;
mod wire;

use std::sync::Arc;

use anyhow::Result;
use pushpull_tests::statistics;

pub use options::Options;
pub use report::Report;

use clip::Clip;

/// Measures all that `options` ask for. A relay that cannot be measured is a failure in the report, and the others are
/// measured all the same.
pub fn run(options: &Options) -> Result<Report> {
    let clip = Arc::new(Clip::load()?);
    let most = options.viewers.iter().copied().max().unwrap_or_default();
    process::raise_descriptors(most + 200)?;
    process::share_cores(options.cores)?;
    let megabits = clip.bytes() as f64 * 8.0 / 1e3 / clip::ROUND_MS as f64;
    let tags = clip.tags.len() as f64 * 1e3 / clip::ROUND_MS as f64;
    println!("{megabits:.2} Mbit/s, {tags:.0} tags/s of FLV");

    let mut report = Report::new();
    for &protocol in &options.protocols {
        let relays = options.relays.iter().filter(|relay| relay.speaks(protocol));
        let relays: Vec<_> = relays.collect();
        if options.load {
            for &viewers in &options.viewers {
                report.begin_load(protocol, viewers);
                for relay in &relays {
                    let figures = load::measure(relay, protocol, viewers, &clip, options);
                    report.add_load(relay, figures);
                }
            }
        }
        if options.joins {
            report.begin_joins(protocol);
            for relay in &relays {
                report.add_joins(relay, load::joins(relay, protocol, &clip, options.window));
            }
        }
    }
    Ok(report)
}

/// The middle of what was measured.
fn median(values: &[f64]) -> f64 {
    statistics::median(values).unwrap_or(f64::NAN)
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    statistics::percentile(values, percent).unwrap_or(f64::NAN)
}
