//! An hour in which the configuration and the certificate change under load, and nobody is dropped: `just soak reload`, or
//! `just soak reload 5` for five minutes.
//!
//! Viewers over HTTP, WebSocket and RTMP, plain and under TLS, and over HTTP/2 watch from the beginning to the end and must
//! see every picture whole; half of the streams are published over RTMPS. Others come and go, and must be let in. Meanwhile
//! the file is replaced, written in halves, broken, asked for by signal; tokens and certificates take the place of others.
//! Each change must be in force, or refused, before the next is made. At the end the server must hold no more descriptors,
//! and not much more memory, than after the warm-up.

#![allow(missing_docs, reason = "a program, not a library")]

mod changes;
mod comers;
mod doors;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use pushpull_tests::{
    Server, Stage,
    soak::{Luck, Options},
    stage::stage_for,
    steady::Steady,
    until,
};

use changes::Changes;
use comers::Comers;
use doors::{Doors, Way};

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1), 60)?;
    let limit = options.time + WARM_UP + SLACK;
    stage_for(limit, async |stage| soak(stage, &options).await);
    Ok(())
}

async fn soak(stage: &Stage, options: &Options) -> Result<()> {
    println!("the seed of the changes is {}", options.seed);
    let mut changes = Changes::new(stage, Luck::new(options.seed, 0))?;
    let file = changes.file().to_string_lossy().into_owned();
    let listen = ["--https", "127.0.0.1:0", "--rtmps", "127.0.0.1:0"];
    let arguments = [&listen[..], &["--config", &file, "--grace", "3s"]].concat();
    let server = Server::start(stage, &arguments).await?;
    let doors = Arc::new(Doors::of(&server, changes.trust()).await?);

    let mut steady = Steady::default();
    for stream in 0..STREAMS {
        let (name, token) = (name(stream), changes.token().get());
        steady.publish(doors.publishing(stream % 2 == 1), &name).await?;
        server.live(&name).await?;
        for (way, number) in Way::ALL.into_iter().flat_map(|way| (0..EACH).map(move |n| (way, n))) {
            let viewer = doors.view(way, &name, &token).await?;
            steady.watch(viewer, format!("{number} of {name} over {}", way.name()));
        }
    }
    let comers = Comers::let_in(&doors, changes.token(), options.seed);

    println!("{HEAD}");
    let begun = Instant::now();
    let before = party(&server, &mut steady, &mut changes, &comers, begun, WARM_UP).await?;
    let after = party(&server, &mut steady, &mut changes, &comers, begun, options.time).await?;

    let (pictures, came) = (steady.pictures(), comers.end().await?);
    let ended = steady.end().await?;
    println!("\n{changes}");
    println!(
        "{ended} stayed to the end, and saw {pictures} pictures, each whole and none missing:"
    );
    println!(
        "{STREAMS} publishers, half of them over RTMPS; {} viewers over each of",
        STREAMS * EACH
    );
    println!("{}", Way::ALL.map(Way::name).join(", "));
    println!("{came}; none was refused or cut off");
    println!("after the warm-up: {before:?}\nat the end:        {after:?}");
    let everybody = usize::try_from(STREAMS + VIEWERS)?;
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
        let more = seen + 25 * VIEWERS;
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

/// Viewers of each stream, in each way.
const EACH: u64 = 4;

const VIEWERS: u64 = STREAMS * EACH * Way::ALL.len() as u64;

/// Long enough for every kind of change, and for the media that is held for viewers to be as much as it will be: more than
/// a minute of it, by the largest `lag`.
const WARM_UP: Duration = Duration::from_secs(150);

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(30);

/// For starting, and for ending.
const SLACK: Duration = Duration::from_secs(120);

/// Descriptors of those who may be coming and going at one moment.
const COMING: usize = 40;

/// What an allocator keeps for the next peak differs from one peak to the other; a leak goes on for an hour.
const GROWTH_MAX_KIB: u64 = 8 << 10;
