//! Half an hour of publishers and viewers that come and go: does the relay keep anything of them? `just soak relay`, or
//! `just soak relay 5` for five minutes.
//!
//! Publishers say goodbye, vanish, fall silent; viewers of every protocol watch, leave at once, or take nothing. After a
//! warm-up all of them leave, and what the quiet server then holds is what it must hold at the end: descriptors and
//! resident memory. Whoever reads what it is sent must be sent whole tags, from a keyframe on, until the stream's end.

#![allow(missing_docs, reason = "a program, not a library")]

mod guests;
mod sample;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use pushpull_tests::{Server, Stage, soak::Options, stage::stage_for, until};

use guests::Guests;
use sample::Sample;

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1), 30)?;
    let limit = options.time + WARM_UP + 2 * QUIET_WITHIN + SLACK;
    stage_for(limit, async |stage| soak(stage, &options).await);
    Ok(())
}

async fn soak(stage: &Stage, options: &Options) -> Result<()> {
    println!("the guests' seed is {}", options.seed);
    let server = Arc::new(Server::start(stage, &["--grace", "3s"]).await?);
    let guests = Guests::new(Arc::clone(&server), options.seed);
    println!("{}", Sample::HEAD);
    let begun = Instant::now();
    let before = party(&server, &guests, begun, WARM_UP).await?;
    let after = party(&server, &guests, begun, options.time).await?;

    println!("\n{}", guests.count);
    println!("quiet after the warm-up: {before}\nquiet at the end:        {after}");
    let errors = guests.count.errors();
    ensure!(errors.is_empty(), "guests that did nothing wrong were let down: {errors:#?}");
    ensure!(after.descriptors <= before.descriptors, "descriptors are left open");
    let grown = after.resident_kib.saturating_sub(before.resident_kib);
    ensure!(grown <= GROWTH_MAX_KIB, "{grown} KiB more than after the warm-up");
    Ok(())
}

/// Lets the guests in for some time, sees all of them out, and looks at what is left.
async fn party(server: &Server, guests: &Guests, begun: Instant, time: Duration) -> Result<Sample> {
    let end = Instant::now() + time;
    let present = guests.let_in();
    while Instant::now() < end {
        tokio::time::sleep(PERIOD.min(end.saturating_duration_since(Instant::now()))).await;
        println!("{}", Sample::take(server, begun).await?);
    }
    present.abort_all().await;
    let quiet = until("nobody is left", QUIET_WITHIN, async || {
        let sample = Sample::take(server, begun).await?;
        Ok((sample.streams == 0 && sample.connections == 0).then_some(sample))
    });
    quiet.await?;
    // What is freed a little later, such as by a timer of a stream that has ended.
    tokio::time::sleep(SETTLE).await;
    Sample::take(server, begun).await
}

/// Long enough for every kind of guest to have been there, and for the memory that comes and goes with them.
const WARM_UP: Duration = Duration::from_secs(60);

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(10);

/// Until the server has found out that all are gone.
const QUIET_WITHIN: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(2);

/// For starting.
const SLACK: Duration = Duration::from_secs(60);

/// What an allocator keeps for the next peak differs from one peak to the other; a leak goes on for half an hour.
const GROWTH_MAX_KIB: u64 = 8 << 10;
