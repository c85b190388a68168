//! What delivering a stream to many HTTP-FLV viewers costs the relay, beside the floor: a bare loop that writes the
//! same bytes to as many sockets. `just bench relay --viewers 300 --seconds 20`
//!
//! The relay and the floor run on core 0, everything else on core 1. Each viewer compares every tag with what was
//! published; a missing, foreign or doubled one ends the run with an error.

#![allow(missing_docs, reason = "a program, not a library")]

mod floor;
mod process;
mod publisher;
mod stream;
mod viewer;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pushpull_tests::{Server, Stage, stage};
use tokio::task::JoinSet;

use publisher::Publisher;
use stream::Published;

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    match options.floor {
        Some(bytes) => floor::serve(options.viewers, bytes, options.seconds),
        None => measure(&options),
    }
}

struct Options {
    viewers: usize,
    seconds: u64,
    /// Set in the process that is the floor: bytes of a picture.
    floor: Option<usize>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { viewers: 300, seconds: 20, floor: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--viewers" => options.viewers = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--floor" => options.floor = Some(value()?.parse()?),
                // What `cargo bench` adds by itself.
                "--bench" => {}
                _ => anyhow::bail!("unknown option {word}"),
            }
        }
        ensure!(options.viewers > 0 && options.seconds > 0, "both must be over 0");
        Ok(options)
    }
}

fn measure(options: &Options) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("stream.flv");
    stream::make(&file, options.seconds)?;
    let published = Arc::new(Published::load(&file)?);
    let megabits = published.bytes() as f64 * 8.0 / 1e6 / options.seconds as f64;
    println!(
        "{} viewers, {} s of {megabits:.2} Mbit/s in {} tags",
        options.viewers,
        options.seconds,
        published.len()
    );

    // The server inherits core 0; this process then moves to core 1.
    pin(std::process::id(), 0)?;
    let mut figures = None;
    stage(async |stage| {
        figures = Some(relay(stage, options, &published).await?);
        Ok(())
    });
    let relay = figures.context("the relay was not measured")?;
    relay.print("relay");

    let floor = floor_run(options, &published)?;
    floor.print("floor");
    println!("relay / floor: {:.2} CPU-seconds per GB", relay.cpu_per_gb() / floor.cpu_per_gb());
    Ok(())
}

struct Figures {
    cpu_seconds: f64,
    bytes: u64,
    extra: String,
}

impl Figures {
    fn cpu_per_gb(&self) -> f64 {
        self.cpu_seconds / (self.bytes as f64 / 1e9)
    }

    fn print(&self, name: &str) {
        println!(
            "{name}: {:.2} CPU-s for {:.3} GB = {:.2} CPU-s/GB{}",
            self.cpu_seconds,
            self.bytes as f64 / 1e9,
            self.cpu_per_gb(),
            self.extra
        );
    }
}

async fn relay(stage: &Stage, options: &Options, published: &Arc<Published>) -> Result<Figures> {
    let server = Arc::new(Server::start(stage, &[]).await?);
    let pid = server.process().pid();
    pin(std::process::id(), 1)?;

    let publisher = Publisher::start(server.rtmp, "bench", published).await?;
    let before = process::resident_kib(pid)?;
    let mut viewers = JoinSet::new();
    for _ in 0..options.viewers {
        let published = Arc::clone(published);
        let server = Arc::clone(&server);
        viewers.spawn(async move { viewer::watch(&server, "/live/bench.flv", &published).await });
    }
    let cpu_before = process::cpu_seconds(pid)?;
    let publishing = {
        let published = Arc::clone(published);
        tokio::spawn(async move { publisher.play(&published).await })
    };
    tokio::time::sleep(Duration::from_secs(options.seconds / 2)).await;
    let resident = process::resident_kib(pid)?.saturating_sub(before) / options.viewers as u64;

    let mut figures = Figures { cpu_seconds: 0.0, bytes: 0, extra: String::new() };
    let (mut latencies, mut joins) = (Vec::new(), Vec::new());
    let mut fewest = usize::MAX;
    while let Some(seen) = viewers.join_next().await {
        let seen = seen??;
        figures.bytes += seen.bytes;
        fewest = fewest.min(seen.tags);
        latencies.extend(seen.latencies);
        joins.push(seen.join);
    }
    publishing.await??;
    figures.cpu_seconds = process::cpu_seconds(pid)? - cpu_before;
    latencies.sort();
    joins.sort();
    figures.extra = format!(
        ", every byte to every viewer (fewest tags {fewest} of {}), latency p50 {:.1} ms p99 {:.1} ms, \
         {resident} KiB resident a viewer, join p50 {:.1} ms",
        published.len(),
        milliseconds(percentile(&latencies, 50)),
        milliseconds(percentile(&latencies, 99)),
        milliseconds(percentile(&joins, 50)),
    );
    Ok(figures)
}

fn floor_run(options: &Options, published: &Published) -> Result<Figures> {
    let pictures = options.seconds * floor::PICTURES_PER_SECOND;
    let bytes_per_picture = published.bytes() / usize::try_from(pictures)?;
    let mut child = FloorProcess(
        Command::new(std::env::current_exe()?)
            .args(["--floor", &bytes_per_picture.to_string()])
            .args(["--viewers", &options.viewers.to_string()])
            .args(["--seconds", &options.seconds.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let pid = child.0.id();
    pin(pid, 0)?;
    let mut input = child.0.stdin.take().context("no input")?;
    let mut lines = BufReader::new(child.0.stdout.take().context("no output")?).lines();
    let mut line = || lines.next().context("the floor ended")?.context("the floor's output");
    let port = line()?.parse()?;
    let drained = floor::drain(port, options.viewers)?;
    ensure!(line()? == "ready");
    let before = process::cpu_seconds(pid)?;
    writeln!(input)?;
    ensure!(line()? == "done");
    let cpu_seconds = process::cpu_seconds(pid)? - before;
    writeln!(input)?;
    let bytes = drained.join().map_err(|_| anyhow::anyhow!("the floor's reader panicked"))?;
    Ok(Figures { cpu_seconds, bytes, extra: String::new() })
}

struct FloorProcess(Child);

impl Drop for FloorProcess {
    fn drop(&mut self) {
        // Both fail when it has ended by itself, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Binds all threads of a process, and what it starts later, to one core.
fn pin(pid: u32, core: usize) -> Result<()> {
    let output = Command::new("taskset")
        .args(["--all-tasks", "--pid", "--cpu-list", &core.to_string(), &pid.to_string()])
        .output()
        .context("taskset is needed to give the relay a core of its own (util-linux)")?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
