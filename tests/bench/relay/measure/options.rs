//! The command line.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail, ensure};

use super::{relays::Relay, wire::Protocol};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    pub protocols: Vec<Protocol>,
    /// How many viewers, one load after the other.
    pub viewers: Vec<usize>,
    pub relays: Vec<Relay>,
    /// Length of a window.
    pub window: Duration,
    /// Windows of each load.
    pub windows: usize,
    /// Cores that a relay has.
    pub cores: usize,
    /// Whether loads are measured.
    pub load: bool,
    /// Whether joins are measured.
    pub joins: bool,
    /// Where the figures go as JSON.
    pub json: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocols: Protocol::ALL.to_vec(),
            viewers: vec![1, 100, 1000],
            relays: Relay::ALL.to_vec(),
            window: Duration::from_secs(4),
            windows: 3,
            cores: 1,
            load: true,
            joins: true,
            json: None,
        }
    }
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        let mut other = None;
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--protocols" => options.protocols = list(&value()?, protocol)?,
                "--viewers" => options.viewers = list(&value()?, |word| Ok(word.parse()?))?,
                "--relays" => options.relays = list(&value()?, Relay::parse)?,
                "--seconds" => options.window = Duration::from_secs_f64(value()?.parse()?),
                "--runs" => options.windows = value()?.parse()?,
                "--cores" => options.cores = value()?.parse()?,
                "--only" => {
                    let only = value()?;
                    (options.load, options.joins) = (only == "load", only == "joins");
                    ensure!(options.load || options.joins, "--only takes load or joins");
                }
                "--server" => other = Some(Relay::Other(std::path::absolute(value()?)?)),
                "--json" => options.json = Some(value()?.into()),
                // What `cargo bench` adds by itself.
                "--bench" => {}
                _ => bail!("unknown option {word}; docs/benchmarks.md has them all"),
            }
        }
        options.relays.extend(other);
        ensure!(!options.window.is_zero() && options.windows > 0, "nothing to measure over");
        ensure!(options.viewers.iter().all(|&viewers| viewers > 0), "0 viewers cost nothing");
        Ok(options)
    }
}

fn list<T>(words: &str, parse: impl FnMut(&str) -> Result<T>) -> Result<Vec<T>> {
    words.split(',').map(parse).collect()
}

fn protocol(name: &str) -> Result<Protocol> {
    let known = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name);
    known.with_context(|| format!("no protocol {name}; there are http, ws, rtmp"))
}
