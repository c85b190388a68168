//! Plays a page full of cases and judges them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Browser, Clip, Kind,
    fault::{Case, Footage, Limits, Notes, Pieces, Source, Theatre, Verdict, table},
    stage::{stage_alone, target_dir},
};

use crate::catalogue::{self, Row, World};

/// Plays these faults, with large and tiny pieces, in a browser; with `FAULTS=restart` in the environment only those
/// that have this in their name.
#[track_caller]
pub fn passes(kind: Kind, rows: fn(&Arc<World>) -> Vec<Row>) {
    // One page full of players is as much as a small machine can do.
    stage_alone(LIMIT, async |stage| {
        let small = Footage::of(Clip::Numbered).await?;
        let large = Footage::of(Clip::NumberedLarge).await?;
        let vp9 = small.with_vp9(Clip::NumberedVp9).await?;
        let world = Arc::new(World { small, large, vp9 });
        let browser = Browser::of_kind(stage, kind).await?;
        let theatre = Theatre::open(stage, browser).await?;
        let only = std::env::var("FAULTS").ok();
        let mut judged = Vec::new();
        for pieces in [Pieces::Large, Pieces::Tiny] {
            let mut rows = rows(&world);
            rows.retain(|row| only.as_ref().is_none_or(|only| row.name.contains(only)));
            judged.extend(play(&theatre, &world, rows, pieces).await?);
        }
        let fails = |(_, verdict): &&(String, Verdict)| !verdict.complaints.is_empty();
        let told = |(name, verdict): &(String, Verdict)| {
            format!("{name}: {}", verdict.complaints.join(", "))
        };
        let wrong: Vec<_> = judged.iter().filter(fails).map(told).collect();
        let table = table(&judged);
        println!("{table}");
        ensure!(wrong.is_empty(), "{}\n\n{table}", wrong.join("\n"));
        Ok(())
    });
}

/// Plays the rows side by side. What fails is played again, with fewer others beside it: a machine that is busy with
/// something else fails too, but not every time.
async fn play(
    theatre: &Theatre,
    world: &Arc<World>,
    rows: Vec<Row>,
    pieces: Pieces,
) -> Result<Vec<(String, Verdict)>> {
    let all = catalogue::with_controls(world, rows);
    let mut judged = play_once(theatre, &all.iter().collect::<Vec<_>>(), pieces).await?;
    for _ in 1..ATTEMPTS {
        let failed = |at: &usize| !judged[*at].1.complaints.is_empty();
        let again: Vec<usize> =
            (0..all.len()).filter(|at| failed(at) || all[*at].is_control()).collect();
        if !(0..all.len()).any(|at| failed(&at)) {
            break;
        }
        let rows: Vec<_> = again.iter().map(|&at| &all[at]).collect();
        for (at, anew) in again.into_iter().zip(play_once(theatre, &rows, pieces).await?) {
            judged[at] = anew;
        }
    }
    Ok(judged)
}

async fn play_once(
    theatre: &Theatre,
    rows: &[&Row],
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
        keep(&cases[at].name, &noted)?;
        judged.push((cases[at].name.clone(), verdict));
    }
    Ok(judged)
}

/// Leaves all that was noted of a case for a person to look at.
fn keep(name: &str, noted: &HashMap<String, Notes>) -> Result<()> {
    let folder = target_dir()?.join("e2e/faults");
    std::fs::create_dir_all(&folder)?;
    let file = name.replace(|letter: char| !letter.is_alphanumeric(), "-");
    let raw = noted.get(name).map(|notes| notes.raw.to_string());
    Ok(std::fs::write(folder.join(format!("{file}.json")), raw.unwrap_or_default())?)
}

/// How long each page plays: the fault, the longest stall, three seconds to recover, and a look at the end.
const SHOW: Duration = Duration::from_millis(13_500);

/// How often a case may be played.
const ATTEMPTS: u32 = 4;

/// For all attempts, the browser's start and the clips.
const LIMIT: Duration = Duration::from_secs(200);
