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

pub use options::Options;
pub use report::Report;

use clip::Clip;

/// Measures all that `options` ask for. A relay that cannot be measured is a failure in the report, and the others are
/// measured all the same.
pub fn run(options: &Options) -> Result<Report> {
    let clip = Arc::new(Clip::load()?);
    let most = options.viewers.iter().copied().max().unwrap_or_default();
    process::raise_descriptors(most + 200)?;
    process::pin_myself()?;
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

/// Half of the values are at or below, counted from the lesser end.
fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
