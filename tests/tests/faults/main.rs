//! Streams with faults, played by the real player in real browsers: does it play on?
//!
//! All players of a test run side by side on one page, each from a server of its own, with large and with tiny pieces. A
//! stream without a fault plays beside them: what the machine does to that one is not held against the others.

mod catalogue;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use catalogue::{Row, World};
use pushpull_tests::{
    Browser, Clip, Kind,
    fault::{Case, Footage, Limits, Notes, Pieces, Source, Theatre, Verdict, table},
    stage,
    stage::target_dir,
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
        let vp9 = small.with_vp9(Clip::NumberedVp9).await?;
        let world = Arc::new(World { small, large, vp9 });
        let browser = Browser::of_kind(stage, kind).await?;
        let theatre = Theatre::open(stage, browser).await?;
        let mut judged = Vec::new();
        for pieces in [Pieces::Large, Pieces::Tiny] {
            judged.extend(
                play(&theatre, &catalogue::with_controls(&world, rows(&world)), pieces).await?,
            );
        }
        let table = table(&judged);
        println!("{table}");
        ensure!(judged.iter().all(|(_, verdict)| verdict.complaints.is_empty()), "\n{table}");
        Ok(())
    });
}

/// Plays the rows side by side, again if the machine was too busy for the streams without a fault.
async fn play(theatre: &Theatre, rows: &[Row], pieces: Pieces) -> Result<Vec<(String, Verdict)>> {
    for _ in 1..ATTEMPTS {
        let judged = play_once(theatre, rows, pieces).await?;
        let controls = judged.iter().zip(rows).filter(|(_, row)| row.is_control());
        if controls
            .clone()
            .all(|((_, verdict), _)| verdict.freeze < CALM && verdict.complaints.is_empty())
        {
            return Ok(judged);
        }
    }
    play_once(theatre, rows, pieces).await
}

async fn play_once(
    theatre: &Theatre,
    rows: &[Row],
    pieces: Pieces,
) -> Result<Vec<(String, Verdict)>> {
    let mut cases = Vec::new();
    let mut sources = Vec::new();
    for row in rows {
        let script = row.script.clone();
        let source = Source::start(pieces, move |visit, now| script(visit, now)).await?;
        let name = format!("{} ({pieces:?})", row.name).to_lowercase();
        cases.push(Case { name, url: source.url(), config: row.config.clone() });
        sources.push(source);
    }
    let noted = theatre.show(&cases, SHOW).await?;
    let judge = |at: usize, limits: &Limits| -> Result<Verdict> {
        let notes = noted.get(&cases[at].name).context("notes of every case")?;
        let origin = sources[at].origin().unwrap_or(notes.begun - Source::JOINED as f64);
        Ok(Verdict::of(notes, origin, limits))
    };
    let controls = (0..rows.len()).filter(|&at| rows[at].is_control());
    let controls: Vec<_> = controls.map(|at| judge(at, &rows[at].limits)).collect::<Result<_>>()?;
    let mut judged = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let limits = match row.is_control() {
            true => row.limits,
            false => controls.iter().fold(row.limits, |limits, control| limits.beside(control)),
        };
        let verdict = judge(at, &limits)?;
        if !verdict.complaints.is_empty() {
            keep(&cases[at].name, &noted)?;
        }
        judged.push((cases[at].name.clone(), verdict));
    }
    Ok(judged)
}

/// Leaves all that was noted of a case for a person to look at.
fn keep(name: &str, noted: &HashMap<String, Notes>) -> Result<()> {
    let folder = target_dir()?.join("e2e/faults");
    std::fs::create_dir_all(&folder)?;
    let file = folder
        .join(format!("{}.json", name.replace(|letter: char| !letter.is_alphanumeric(), "-")));
    let raw = noted.get(name).map(|notes| notes.raw.to_string());
    Ok(std::fs::write(file, raw.unwrap_or_default())?)
}

/// How long each page plays: the fault, the longest stall, three seconds to recover, and a look at the end.
const SHOW: Duration = Duration::from_millis(13_500);

/// How often a page is played if the machine does not let it.
const ATTEMPTS: u32 = 3;

/// A machine that is not busy shows a stream without a fault with no longer freeze, milliseconds.
const CALM: f64 = 350.0;
