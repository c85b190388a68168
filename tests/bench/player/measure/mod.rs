//! What `just bench player` measures, and how.

mod browser;
mod clip;
mod cpu;
mod live;
mod options;
mod report;
mod server;
mod sizes;
mod targets;
mod variants;
mod vod;

use anyhow::Result;
use pushpull_tests::{stage::target_dir, statistics::median};

pub use options::{Measure, Options};
pub use report::Report;

use clip::{Clip, Kind};
use server::{Content, Server};
use variants::Variant;

/// Measures everything that was asked for.
pub async fn run(options: &Options) -> Result<Report> {
    let target = target_dir()?;
    let folder = target.join("bench/player");
    let mut content = Content { peers: target.join("tools/players"), ..Content::default() };
    for kind in options.kinds() {
        content.clips.insert(kind.name, Clip::load(kind, &folder)?);
    }
    content.packages.extend(options.packages.iter().cloned());
    if options.wants(Measure::Vod) {
        for clip in content.clips.values() {
            let file = clip.file(options.megabytes * 1_000_000);
            content.files.insert(format!("{}.flv", clip.kind.name), file.into());
        }
    }
    let bench = Bench { server: Server::start(content).await?, options };
    if options.serve {
        println!("http://{}/page/", bench.server.address);
        std::future::pending::<()>().await;
    }
    let mut report = Report::default();
    for measure in Measure::ALL.into_iter().filter(|&measure| options.wants(measure)) {
        match measure {
            Measure::Ttff => live::first_frames(&bench, &mut report).await?,
            Measure::Live => live::steady(&bench, &mut report).await?,
            Measure::Stall => live::stalls(&bench, &mut report).await?,
            Measure::Memory => live::memory(&bench, &mut report).await?,
            Measure::Vod => vod::throughput(&bench, &mut report).await?,
            Measure::Size => sizes::measure(&bench, &mut report).await?,
        }
    }
    Ok(report)
}

/// What every measurement has.
struct Bench<'a> {
    server: Server,
    options: &'a Options,
}

impl Bench<'_> {
    /// Runs of each player, players in turn so that a busy moment hits all of them; what fails is noted and left out.
    async fn alternate(
        &self,
        (measure, runs): (Measure, usize),
        variants: &[Variant],
        report: &mut Report,
        mut run: impl AsyncFnMut(Kind, &Variant, &mut Report) -> Result<()>,
    ) {
        let runs = self.options.runs.unwrap_or(runs);
        for round in 1..=runs {
            for kind in self.options.clips_or(measure.clips()) {
                for variant in variants {
                    let what = format!("{measure:?} {} {}", kind.name, variant.name);
                    eprintln!("{what}, {round} of {runs}");
                    if let Err(error) = run(kind, variant, report).await {
                        eprintln!("{what} FAILED: {error:#}");
                        report.fail(format!("{what}: {error:#}"));
                    }
                }
            }
        }
    }

    /// The variants of `names` that were asked for, in each of our packages and modes.
    fn variants(&self, names: &[&str]) -> Vec<Variant> {
        variants::all(self.options)
            .into_iter()
            .filter(|variant| variant.is_ours() || names.contains(&variant.name.as_str()))
            .filter(|variant| self.options.wants_player(&variant.name))
            .collect()
    }
}
