//! Half an hour of playback: does anything grow? `just soak`, or `just soak 5` for five minutes.
//!
//! The built-in demo stream plays in a worker and on the page's thread, side by side in Chromium. Every fifteen seconds:
//! the page's JavaScript heap after a collection, the WebAssembly's memory on the page's thread, the private memory of
//! the renderer (with the worker's heap and memory in it), and how far behind each player is.

#![allow(missing_docs, reason = "a program, not a library")]

mod sample;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Browser, Server, Stage,
    fault::{Case, Theatre},
    stage::stage_for,
};
use sample::{Sample, flat};
use serde_json::json;

fn main() -> Result<()> {
    let minutes = minutes(std::env::args().skip(1))?;
    let time = Duration::from_secs(minutes * 60);
    stage_for(time + SLACK, async |stage| soak(stage, time).await);
    Ok(())
}

fn minutes(mut words: impl Iterator<Item = String>) -> Result<u64> {
    let mut minutes = 30;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => minutes = words.next().context("--minutes needs a value")?.parse()?,
            // What `cargo bench` adds by itself.
            "--bench" => {}
            _ => anyhow::bail!("unknown option {word}"),
        }
    }
    ensure!(minutes >= 2, "two minutes at least: the first one is not judged");
    Ok(minutes)
}

async fn soak(stage: &Stage, time: Duration) -> Result<()> {
    let server = Server::start(stage, &["--demo"]).await?;
    server.live("live/demo").await?;
    let browser = Browser::start(stage).await?;
    let theatre = Theatre::open(stage, browser).await?;
    for mode in MODES {
        let url = server.url("/live/demo.flv");
        let config = json!({ "mode": mode });
        theatre.play(&Case { name: mode.to_owned(), url, config }).await?;
    }
    println!("{}", Sample::HEAD);
    let begun = Instant::now();
    let mut samples = Vec::new();
    while begun.elapsed() < time {
        tokio::time::sleep(PERIOD).await;
        let sample = Sample::take(&theatre, begun.elapsed()).await?;
        println!("{sample}");
        samples.push(sample);
    }
    flat(&samples)
}

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(15);

/// For starting and for the last sample.
const SLACK: Duration = Duration::from_secs(120);

/// One player each; the first one's memory is the renderer's, the second one's the page's.
const MODES: [&str; 2] = ["worker", "main"];
