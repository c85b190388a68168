//! Streams with faults, played by the real player in real browsers: does it play on?
//!
//! All players of a test run side by side on one page, each from a server of its own, with large and with tiny pieces. A
//! stream without a fault plays beside them: what the machine does to that one is not held against the others.

mod catalogue;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use catalogue::{Row, World};
use pushpull_tests::{
    Browser, Clip, Kind,
    fault::{Case, Footage, Pieces, Source, Theatre, Verdict, table},
    stage,
};

#[test]
fn network() {
    matrix(Kind::Chromium, catalogue::network);
}

#[test]
fn clocks() {
    matrix(Kind::Chromium, catalogue::clocks);
}

#[test]
fn tracks() {
    matrix(Kind::Chromium, catalogue::tracks);
}

#[test]
fn damage() {
    matrix(Kind::Chromium, catalogue::damage);
}

/// The core of the matrix.
#[test]
fn firefox() {
    matrix(Kind::Firefox, catalogue::core);
}

/// Plays these faults, with large and tiny pieces, in a browser.
#[track_caller]
fn matrix(kind: Kind, rows: fn(&Arc<World>) -> Vec<Row>) {
    // One page full of players is as much as a small machine can do.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    stage(async |stage| {
        let small = Footage::of(Clip::Numbered).await?;
        let large = Footage::of(Clip::NumberedLarge).await?;
        let world = Arc::new(World { small, large });
        let browser = Browser::of_kind(stage, kind).await?;
        let theatre = Theatre::open(stage, browser).await?;
        let mut judged = Vec::new();
        for pieces in [Pieces::Large, Pieces::Tiny] {
            let mut all = vec![catalogue::control(&world)];
            all.extend(rows(&world));
            judged.extend(play(&theatre, all, pieces).await?);
        }
        let table = table(&judged);
        println!("{table}");
        ensure!(judged.iter().all(|(_, verdict)| verdict.complaints.is_empty()), "\n{table}");
        Ok(())
    });
}

/// Plays the rows side by side; the first one is the control.
async fn play(theatre: &Theatre, rows: Vec<Row>, pieces: Pieces) -> Result<Vec<(String, Verdict)>> {
    let mut cases = Vec::new();
    let mut sources = Vec::new();
    for row in &rows {
        let script = row.script.clone();
        let source = Source::start(pieces, move |visit, now| script(visit, now)).await?;
        let name = format!("{} ({pieces:?})", row.name).to_lowercase();
        cases.push(Case { name, url: source.url(), config: row.config.clone() });
        sources.push(source);
    }
    let notes = theatre.show(&cases, SHOW).await?;
    let mut judged: Vec<(String, Verdict)> = Vec::new();
    for ((row, case), source) in rows.iter().zip(&cases).zip(&sources) {
        let notes = notes.get(&case.name).context("notes of every case")?;
        let origin = source.origin().unwrap_or(notes.begun - Source::JOINED as f64);
        let limits = match judged.first() {
            Some((_, control)) => row.limits.beside(control),
            None => row.limits,
        };
        judged.push((case.name.clone(), Verdict::of(notes, origin, &limits)));
    }
    Ok(judged)
}

/// How long each page plays: the fault, the longest stall, three seconds to recover, and a look at the end.
const SHOW: Duration = Duration::from_millis(13_500);
