//! An hour in which the configuration and the certificate change under load, and nobody is dropped: `just soak reload`, or
//! `just soak reload 5` for five minutes.
//!
//! Viewers over HTTP, WebSocket, RTMP and HTTPS watch from the beginning to the end and must see every picture whole;
//! others come and go, and must be let in. Meanwhile the file is replaced, written in halves, broken, asked for by signal;
//! tokens and certificates take the place of others. Each change must be in force, or refused, before the next is made.
//! At the end the server must hold no more descriptors, and not much more memory, than after the warm-up.

#![allow(missing_docs, reason = "a program, not a library")]

mod changes;
mod comers;
#[path = "../soak_relay/luck.rs"]
mod luck;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{Server, Stage, Viewer, stage::stage_for, steady::Steady, until};
use tokio::process::Command;

use changes::Changes;
use comers::Comers;
use luck::Luck;

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let limit = options.time + WARM_UP + SLACK;
    stage_for(limit, async |stage| soak(stage, &options).await);
    Ok(())
}

struct Options {
    time: Duration,
    /// Decides what changes when.
    seed: u64,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let (mut minutes, mut seed) = (60, u64::from(std::process::id()));
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--minutes" => minutes = value()?.parse()?,
                "--seed" => seed = value()?.parse()?,
                // What `cargo bench` adds by itself.
                "--bench" => {}
                _ => anyhow::bail!("unknown option {word}"),
            }
        }
        ensure!(minutes > 0, "no time");
        Ok(Self { time: Duration::from_secs(minutes * 60), seed })
    }
}

async fn soak(stage: &Stage, options: &Options) -> Result<()> {
    println!("the seed of the changes is {}", options.seed);
    let mut changes = Changes::new(stage, Luck::new(options.seed, 0))?;
    let file = changes.file().to_string_lossy().into_owned();
    let arguments = ["--config", &file, "--https", "127.0.0.1:0", "--grace", "3s"];
    let server = Server::start(stage, &arguments).await?;
    changes.serve(&server)?;

    let mut steady = Steady::default();
    for stream in 0..STREAMS {
        steady.publish(server.rtmp, &name(stream)).await?;
        server.live(&name(stream)).await?;
        let token = changes.token().get();
        for number in 0..EACH {
            let path = format!("/{}.flv?token={token}", name(stream));
            let who = |protocol| format!("{number} of {} over {protocol}", name(stream));
            steady.watch(Viewer::http(&server, &path).await?, who("HTTP"));
            steady.watch(Viewer::websocket(&server, &path).await?, who("WebSocket"));
            let play = format!("{}?token={token}", name(stream));
            steady.watch(Viewer::rtmp(&server, &play).await?, who("RTMP"));
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--insecure", "--no-buffer", "--http1.1"]);
            curl.arg(format!("https://{}{path}", changes.https()?));
            steady.watch(Viewer::program(curl)?, who("HTTPS"));
        }
    }
    let comers = Comers::let_in(&server, changes.token(), options.seed);

    println!("{HEAD}");
    let begun = Instant::now();
    let before = party(&server, &mut steady, &mut changes, &comers, begun, WARM_UP).await?;
    let after = party(&server, &mut steady, &mut changes, &comers, begun, options.time).await?;

    let (pictures, came) = (steady.pictures(), comers.end().await?);
    let ended = steady.end().await?;
    println!("\n{changes}");
    println!("{} viewers and publishers stayed to the end, and saw {pictures} pictures", ended);
    println!("{came} viewers came and went; none was refused or cut off");
    println!("after the warm-up: {before:?}\nat the end:        {after:?}");
    let everybody = usize::try_from(STREAMS * (1 + 4 * EACH))?;
    ensure!(ended == everybody, "{ended} of {everybody} stayed to the end");
    ensure!(after.descriptors <= before.descriptors + COMING, "descriptors are left open");
    let grown = after.resident_kib.saturating_sub(before.resident_kib);
    ensure!(grown <= GROWTH_MAX_KIB, "{grown} KiB more than after the warm-up");
    Ok(())
}

/// One look at the server.
#[derive(Clone, Copy, Debug)]
struct Sample {
    descriptors: usize,
    resident_kib: u64,
}

/// Makes changes for some time, and looks at what the server takes then.
async fn party(
    server: &Server,
    steady: &mut Steady,
    changes: &mut Changes,
    comers: &Comers,
    begun: Instant,
    time: Duration,
) -> Result<Sample> {
    let (end, mut next) = (Instant::now() + time, Instant::now());
    while Instant::now() < end {
        changes.make(server).await?;
        steady.check().await?;
        comers.check()?;
        if Instant::now() >= next {
            next += PERIOD;
            let sample = sample(server)?;
            println!(
                "{:>6} {:>12} {:>13} {:>8} {:>8} {:>12}",
                begun.elapsed().as_secs(),
                sample.descriptors,
                sample.resident_kib,
                changes.made(),
                changes.certificates(),
                steady.pictures(),
            );
        }
    }
    let seen = steady.pictures();
    until("everybody sees more", Duration::from_secs(20), async || {
        let more = seen + 25 * STREAMS * EACH * 4;
        Ok((steady.pictures() >= more).then_some(()))
    })
    .await?;
    sample(server)
}

fn sample(server: &Server) -> Result<Sample> {
    Ok(Sample { descriptors: server.open_files()?, resident_kib: server.memory()? >> 10 })
}

fn name(stream: u64) -> String {
    format!("live/steady{stream}")
}

const HEAD: &str = "     s  descriptors  resident KiB  changes    certs     pictures";

const STREAMS: u64 = 4;

/// Viewers of each stream, of each protocol.
const EACH: u64 = 4;

/// Long enough for every kind of change.
const WARM_UP: Duration = Duration::from_secs(60);

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(30);

/// For starting, and for ending.
const SLACK: Duration = Duration::from_secs(120);

/// Descriptors of those who may be coming and going at one moment.
const COMING: usize = 40;

/// What an allocator keeps for the next peak differs from one peak to the other; a leak goes on for an hour.
const GROWTH_MAX_KIB: u64 = 8 << 10;
