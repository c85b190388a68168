//! Where the player does its work: each mode, in each browser that has it.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Browser, Clip, Kind, Stage,
    fault::{After, Case, Footage, Notes, Pieces, Plan, Source, Theatre},
    server::PATIENCE,
    stage,
};
use serde_json::json;

#[test]
fn chromium_plays_in_every_mode() {
    stage(async |stage| {
        let (theatre, notes) = play(stage, Kind::Chromium, "/", &MODES).await?;
        for (mode, (notes, websocket)) in MODES.iter().zip(&notes) {
            let runs = if *mode == "auto" { "worker" } else { mode };
            plays(notes, runs).with_context(|| format!("{mode}, HTTP"))?;
            plays(websocket, runs).with_context(|| format!("{mode}, WebSocket"))?;
            ensure!(notes.audio_bytes > Some(0), "{mode}: sound is decoded");
        }
        theatre.browser().console_is_clean(&[]).await
    });
}

/// Firefox has no MediaSource in workers.
#[test]
fn firefox_plays_in_every_mode_it_has() {
    stage(async |stage| {
        let (theatre, notes) =
            play(stage, Kind::Firefox, "/", &["auto", "transmux", "main"]).await?;
        for (mode, (notes, websocket)) in ["transmux", "transmux", "main"].iter().zip(&notes) {
            plays(notes, mode).with_context(|| format!("{mode}, HTTP"))?;
            plays(websocket, mode).with_context(|| format!("{mode}, WebSocket"))?;
        }
        theatre.browser().console_is_clean(&[]).await
    });
}

/// A worker is refused by the page's policy: everything on the page's thread then.
#[test]
fn chromium_plays_where_a_policy_forbids_workers() {
    forbidden(Kind::Chromium);
}

#[test]
fn firefox_plays_where_a_policy_forbids_workers() {
    forbidden(Kind::Firefox);
}

#[test]
fn chromium_plays_with_a_shim_of_managed_media_source() {
    managed(Kind::Chromium);
}

#[test]
fn firefox_plays_with_a_shim_of_managed_media_source() {
    managed(Kind::Firefox);
}

#[track_caller]
fn forbidden(kind: Kind) {
    stage(async |stage| {
        let (_, notes) = play(stage, kind, "/no-workers.html", &["auto"]).await?;
        plays(&notes[0].0, "main")
    });
}

#[track_caller]
fn managed(kind: Kind) {
    stage(async |stage| {
        let modes = ["transmux", "main"];
        let (theatre, notes) = play(stage, kind, "/managed.html", &modes).await?;
        for (mode, (notes, websocket)) in modes.iter().zip(&notes) {
            plays(notes, mode).with_context(|| format!("{mode}, HTTP"))?;
            plays(websocket, mode).with_context(|| format!("{mode}, WebSocket"))?;
        }
        let counts = theatre.browser().run(COUNTS, Vec::new()).await?;
        ensure!(counts["made"].as_u64() >= Some(4), "{counts}");
        ensure!(counts["starts"].as_u64() >= Some(8), "it wanted media twice each: {counts}");
        ensure!(counts["unwanted"] == 0, "nothing is appended while it wants nothing: {counts}");
        ensure!(counts["remote"] == 0, "elements allow no remote playback: {counts}");
        Ok(())
    });
}

/// Plays the same stream in these modes side by side, over HTTP and over WebSocket.
async fn play(
    stage: &Stage,
    kind: Kind,
    page: &str,
    modes: &[&str],
) -> Result<(Theatre, Vec<(Notes, Notes)>)> {
    let footage = Arc::new(Footage::of(Clip::Numbered).await?);
    let browser = Browser::of_kind(stage, kind).await?;
    let theatre = Theatre::page(stage, browser, page).await?;
    let (mut cases, mut sources) = (Vec::new(), Vec::new());
    for mode in modes {
        for websocket in [false, true] {
            let footage = footage.clone();
            let live = move |_, now| After::Stream(Plan::live(&footage, now));
            let source = Source::start(Pieces::Tiny, live).await?;
            let url = if websocket { source.ws_url() } else { source.url() };
            let (name, config) = (format!("{mode} {websocket}"), json!({ "mode": mode }));
            cases.push(Case { name, url, config });
            sources.push(source);
        }
    }
    let goes_on = |_: &str, notes: &Notes| notes.event("error", 0.0).is_some() || lasts(notes);
    let mut notes = theatre.show_until(&cases, PATIENCE, goes_on).await?;
    let mut of = |websocket: bool, mode: &str| {
        notes.remove(&format!("{mode} {websocket}")).context("notes of every case")
    };
    let pairs = modes.iter().map(|mode| Ok((of(false, mode)?, of(true, mode)?)));
    Ok((theatre, pairs.collect::<Result<_>>()?))
}

/// Fails unless pictures went on to be presented, nothing went wrong, and this mode was in force.
fn plays(notes: &Notes, mode: &str) -> Result<()> {
    ensure!(notes.event("error", 0.0).is_none(), "{:?}", notes.events);
    ensure!(lasts(notes), "{} pictures: {:?}", notes.pictures.len(), notes.events);
    ensure!(notes.statistics["mode"] == mode, "the mode is {}", notes.statistics["mode"]);
    Ok(())
}

/// Whether there are pictures, and still are some after a while.
fn lasts(notes: &Notes) -> bool {
    let last = notes.pictures.last();
    notes.pictures.len() > 40 && last.is_some_and(|last| last.at - notes.begun > LASTS)
}

const MODES: [&str; 4] = ["auto", "worker", "transmux", "main"];

/// Longer than the shim of ManagedMediaSource wants media twice, and than what comes at once at the beginning lasts.
const LASTS: f64 = 4000.0;

const COUNTS: &str = "return { made: ManagedMediaSource.made, starts: ManagedMediaSource.starts, \
    unwanted: ManagedMediaSource.unwanted, remote: theatre.remotely }";
