//! The command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::clip::{FULL_HD, HD, Kind, SMALL};

/// A group of measures that one kind of run gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Time to the first picture.
    Ttff,
    /// Steady play: latency, CPU, appends, dropped pictures.
    Live,
    /// A network stall.
    Stall,
    /// Reading a file as fast as it goes.
    Vod,
    /// Memory over time.
    Memory,
    /// Bytes that a page loads.
    Size,
}

impl Measure {
    pub const ALL: [Self; 6] =
        [Self::Ttff, Self::Live, Self::Stall, Self::Vod, Self::Memory, Self::Size];

    /// What it is measured on unless something else is asked for.
    pub fn clips(self) -> &'static [Kind] {
        match self {
            Self::Ttff | Self::Live => &[HD, FULL_HD],
            Self::Stall | Self::Size => &[HD],
            Self::Vod => &[FULL_HD, HD, SMALL],
            Self::Memory => &[SMALL],
        }
    }

    fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "ttff" => Self::Ttff,
            "latency" | "cpu" | "live" => Self::Live,
            "stall" => Self::Stall,
            "vod" => Self::Vod,
            "memory" => Self::Memory,
            "size" => Self::Size,
            _ => bail!("no measure {name}; there are ttff, latency, cpu, stall, vod, memory, size"),
        })
    }
}

/// What to measure.
#[derive(Debug)]
pub struct Options {
    pub only: Vec<Measure>,
    /// Runs of each player; `None`: as many as the measure needs.
    pub runs: Option<usize>,
    /// Seconds of steady play that CPU is measured over.
    pub seconds: u64,
    /// Seconds that memory is watched.
    pub memory_seconds: u64,
    /// Size of the file that is read, MB.
    pub megabytes: usize,
    /// Clips by name; empty: those the measure needs.
    pub clips: Vec<String>,
    /// Players by name; empty: all.
    pub players: Vec<String>,
    /// Our packages by name.
    pub packages: Vec<(String, PathBuf)>,
    /// Modes of ours beside the default.
    pub modes: Vec<String>,
    /// Where the figures go as JSON.
    pub json: Option<PathBuf>,
    /// Only serves, for a profiler or a person.
    pub serve: bool,
    /// Prints the run time of each thread, and what else may explain a figure.
    pub verbose: bool,
}

impl Default for Options {
    fn default() -> Self {
        let package = concat!(env!("CARGO_MANIFEST_DIR"), "/../player-wasm/pkg");
        Self {
            only: Vec::new(),
            runs: None,
            seconds: 15,
            memory_seconds: 200,
            megabytes: 100,
            clips: Vec::new(),
            players: Vec::new(),
            packages: vec![("ours".to_owned(), package.into())],
            modes: Vec::new(),
            json: None,
            serve: false,
            verbose: false,
        }
    }
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
            match word.as_str() {
                "--only" => {
                    let names = list(value()?);
                    options.only =
                        names.iter().map(|name| Measure::parse(name)).collect::<Result<_>>()?;
                }
                "--runs" => options.runs = Some(value()?.parse()?),
                "--seconds" => options.seconds = value()?.parse()?,
                "--memory-seconds" => options.memory_seconds = value()?.parse()?,
                "--megabytes" => options.megabytes = value()?.parse()?,
                "--clips" => options.clips = list(value()?),
                "--players" => options.players = list(value()?),
                "--modes" => options.modes = list(value()?),
                "--package" => {
                    let text = value()?;
                    let (name, folder) = text.split_once('=').context("--package NAME=FOLDER")?;
                    options.packages.retain(|(known, _)| known != name);
                    options.packages.push((name.to_owned(), folder.into()));
                }
                "--json" => options.json = Some(value()?.into()),
                "--serve" => options.serve = true,
                "--verbose" => options.verbose = true,
                // What `cargo bench` adds by itself.
                "--bench" => {}
                _ => bail!("unknown option {word}"),
            }
        }
        let unknown = |name: &&String| !KINDS.iter().any(|kind| kind.name == name.as_str());
        if let Some(name) = options.clips.iter().find(unknown) {
            bail!("no clip {name}");
        }
        ensure!(options.seconds > 0 && options.runs != Some(0), "both must be over 0");
        Ok(options)
    }

    pub fn wants(&self, measure: Measure) -> bool {
        self.only.is_empty() || self.only.contains(&measure)
    }

    pub fn wants_player(&self, name: &str) -> bool {
        let matches =
            |wanted: &String| wanted == name || (wanted == "ours" && name.starts_with("ours@"));
        self.players.is_empty() || self.players.iter().any(matches)
    }

    /// The clips that were asked for, else `usual`.
    pub fn clips_or(&self, usual: &[Kind]) -> Vec<Kind> {
        let wanted = |kind: &Kind| self.clips.iter().any(|name| name == kind.name);
        match self.clips.is_empty() {
            true => usual.to_vec(),
            false => KINDS.into_iter().filter(wanted).collect(),
        }
    }

    /// All clips that are needed.
    pub fn kinds(&self) -> Vec<Kind> {
        let measures = Measure::ALL.into_iter().filter(|&measure| self.wants(measure));
        let needed: Vec<Kind> = measures.flat_map(|m| self.clips_or(m.clips())).collect();
        KINDS.into_iter().filter(|kind| needed.contains(kind)).collect()
    }
}

const KINDS: [Kind; 3] = [HD, FULL_HD, SMALL];
