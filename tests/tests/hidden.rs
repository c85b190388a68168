//! A page that is hidden while a live stream goes on, and comes back: in Chromium, behind another tab.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::{
    Browser, Clip,
    fault::{After, Case, FRAME_MS, Footage, Notes, Pieces, Plan, Source, Theatre},
    server::PATIENCE,
    stage::{TEST_LIMIT, stage_alone},
    until,
};
use serde_json::json;

#[test]
fn with_sound() {
    comes_back(true);
}

#[test]
fn pictures_alone() {
    comes_back(false);
}

#[track_caller]
fn comes_back(with_sound: bool) {
    stage_alone(TEST_LIMIT, async |stage| {
        let mut footage = Footage::of(Clip::Numbered).await?;
        if !with_sound {
            let pictures = |tag: &Tag| tag.kind() != TagKind::Audio;
            footage.heads.retain(pictures);
            footage.media.retain(pictures);
        }
        let footage = Arc::new(footage);
        let script = move |_, now| After::Stream(Plan::live(&footage, now));
        let source = Source::start(Pieces::Tiny, script).await?;
        let theatre = Theatre::open(stage, Browser::start(stage).await?).await?;
        let case = Case { name: "hidden".into(), url: source.url(), config: json!({}) };
        theatre.play(&case).await?;
        tokio::time::sleep(BEFORE).await;
        let before = notes(&theatre).await?;
        let usual = lateness(&before, &source, before.now - 1500.0)?;

        theatre.browser().devtools("Target.createTarget", json!({ "url": "about:blank" })).await?;
        is(&theatre, "hidden").await?;
        tokio::time::sleep(HIDDEN).await;
        let hidden = notes(&theatre).await?;
        theatre.browser().devtools("Page.bringToFront", json!({})).await?;
        is(&theatre, "visible").await?;
        let back = notes(&theatre).await?.now;

        until("it is as late as before", PATIENCE, async || {
            let after = notes(&theatre).await?;
            // Before, what was shown while it was hidden would count.
            let late = lateness(&after, &source, (after.now - 500.0).max(back));
            Ok(late.is_ok_and(|late| late < usual + LATER).then_some(()))
        })
        .await?;
        let after = notes(&theatre).await?;
        let story = format!("{:?}", after.events);
        ensure!(after.event("error", 0.0).is_none(), "{story}");
        let ahead = hidden.playhead.iter().map(|(_, _, ahead)| *ahead).fold(0.0, f64::max);
        ensure!(ahead < MOST_AHEAD, "{ahead:.1} s are buffered while it is hidden: {story}");
        let first = after.pictures.iter().find(|picture| picture.at > back);
        let first = first.context("pictures come when it is shown again")?.at - back;
        ensure!(first < FIRST, "the first picture came after {first:.0} ms: {story}");
        println!(
            "as late as before {:.0} ms after it is shown again; first picture {first:.0} ms, {ahead:.1} s ahead: {story}",
            after.now - back
        );
        Ok(())
    });
}

async fn notes(theatre: &Theatre) -> Result<Notes> {
    theatre.notes().await?.remove("hidden").context("notes of the player")
}

/// Waits until the page knows that it is hidden, or visible.
async fn is(theatre: &Theatre, state: &str) -> Result<()> {
    until(&format!("the page is {state}"), PATIENCE, async || {
        let found = theatre.browser().run("return document.visibilityState", Vec::new()).await?;
        Ok((found == state).then_some(()))
    })
    .await
}

/// How late the pictures presented from `from` on are, milliseconds.
fn lateness(notes: &Notes, source: &Source, from: f64) -> Result<f64> {
    let origin = source.origin().context("somebody came")?;
    let shown = notes.pictures.iter().filter(|picture| picture.at >= from && picture.number >= 0);
    let mut late: Vec<f64> =
        shown.map(|picture| picture.at - origin - (picture.number * FRAME_MS) as f64).collect();
    late.sort_by(f64::total_cmp);
    late.get(late.len() / 2).copied().context("pictures whose number can be read")
}

/// What plays before.
const BEFORE: Duration = Duration::from_secs(4);

/// What goes on without anybody.
const HIDDEN: Duration = Duration::from_secs(5);

/// A hidden player gets about eight seconds.
const MOST_AHEAD: f64 = 10.0;

/// A picture after being shown again, milliseconds.
const FIRST: f64 = 1500.0;

/// How much later than before pictures may be in the end, milliseconds: far less than it was hidden for.
const LATER: f64 = 150.0;
