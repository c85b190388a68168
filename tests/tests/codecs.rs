//! Every codec the player knows, played: the files of `fixtures/codecs`, sent at their pace.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use pushpull_tests::{
    Browser, Kind,
    fault::{After, Case, Notes, Pieces, Plan, Source, Theatre},
    server::PATIENCE,
    stage,
};
use serde_json::json;

/// What a browser makes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// Pictures and sound.
    Both,
    /// Pictures; that the sound cannot be played is a warning.
    Pictures,
    /// Depends on the machine: pictures, or an error that names the codec.
    PicturesOrError,
}

use Outcome::{Both, Pictures as Silent, PicturesOrError as Maybe};

/// The file, and what Chromium and Firefox make of it.
#[rustfmt::skip]
const FILES: [(&str, Outcome, Outcome); 28] = [
    ("aac-many", Silent, Both),
    ("aac-quad", Both, Both),
    ("aac-surround", Both, Both),
    ("ac3", Silent, Silent),
    ("annex-b", Both, Both),
    ("av1-opus", Both, Both),
    ("av1-ts", Both, Both),
    ("codec-change", Both, Both),
    ("eac3", Silent, Silent),
    ("flac", Both, Both),
    ("g711a", Both, Both),
    ("g711u", Both, Both),
    ("hevc", Maybe, Maybe),
    ("hevc-hdr", Maybe, Maybe),
    ("hevc-id12", Maybe, Maybe),
    ("length-2", Both, Both),
    ("mp3", Both, Both),
    ("mp3-enhanced", Both, Both),
    ("multitrack", Both, Both),
    ("nanoseconds", Both, Both),
    ("pcm16", Both, Both),
    ("pcm8", Both, Both),
    ("sei", Both, Both),
    ("size-by-header", Both, Both),
    ("size-in-band", Both, Both),
    ("sound-change", Both, Both),
    ("vp9-opus", Both, Both),
    ("xhe-aac", Silent, Silent),
];

#[test]
fn chromium_plays_every_codec() {
    plays_every_codec(Kind::Chromium, |(_, chromium, _)| *chromium);
}

#[test]
fn firefox_plays_every_codec() {
    plays_every_codec(Kind::Firefox, |(_, _, firefox)| *firefox);
}

#[test]
fn every_file_is_played() {
    let mut names: Vec<_> = fs::read_dir(folder())
        .expect("the folder can be read")
        .filter_map(|file| Some(file.ok()?.file_name().to_str()?.strip_suffix(".flv")?.to_owned()))
        .collect();
    names.sort();
    assert_eq!(names, FILES.map(|(name, ..)| name));
}

#[track_caller]
fn plays_every_codec(kind: Kind, expected: fn(&(&str, Outcome, Outcome)) -> Outcome) {
    stage(async |stage| {
        let browser = Browser::of_kind(stage, kind).await?;
        let theatre = Theatre::open(stage, browser).await?;
        let mut wrong = Vec::new();
        for rows in FILES.chunks(AT_ONCE) {
            let mut cases = Vec::new();
            let mut sources = Vec::new();
            for (name, ..) in rows {
                let plan = Plan::file(&fs::read(folder().join(format!("{name}.flv")))?)?;
                // It ends, and whoever comes again is told that it is gone.
                let script = move |visit, _| match visit {
                    0 => After::Stream(plan.clone()),
                    _ => After::Status(404),
                };
                let source = Source::start(Pieces::Large, script).await?;
                let (name, config) = (name.to_string(), json!({}));
                cases.push(Case { name, url: source.url(), config });
                sources.push(source);
            }
            let ended = |_: &str, notes: &Notes| {
                ["error", "ended"].iter().any(|event| notes.event(event, 0.0).is_some())
            };
            let noted = theatre.show_until(&cases, PATIENCE, ended).await?;
            for row in rows {
                let notes = noted.get(row.0).context("notes of every file")?;
                if let Err(why) = check(notes, expected(row)) {
                    wrong.push(format!("{}: {why:#}; {:?}", row.0, notes.events));
                }
            }
        }
        ensure!(wrong.is_empty(), "{kind:?}:\n{}", wrong.join("\n"));
        Ok(())
    });
}

fn check(notes: &Notes, expected: Outcome) -> Result<()> {
    let sounds = || match notes.audio_bytes {
        Some(bytes) => bytes > 0,
        None => notes.media["hasAudio"] == true,
    };
    if let Some((.., why)) = notes.event("error", 0.0) {
        ensure!(expected == Maybe && why.contains("CodecUnsupported"), "{why}");
        return Ok(());
    }
    ensure!(notes.event("complete", 0.0).is_some(), "loaded to the end");
    ensure!(notes.event("ended", 0.0).is_some(), "played to the end");
    let pictures = notes.pictures.len();
    ensure!(pictures >= PICTURES, "{pictures} pictures");
    match expected {
        Both => ensure!(sounds(), "no sound is decoded"),
        Silent => {
            let Some((.., why)) = notes.event("warning", 0.0) else { bail!("no warning") };
            ensure!(why.contains("CodecUnsupported"), "{why}");
        }
        Maybe => {}
    }
    Ok(())
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/codecs")
}

/// Of the two seconds of each file; the first ones and, where much plays at once, some others are left out.
const PICTURES: usize = 10;

/// Software decoders and two cores: more would leave pictures out.
const AT_ONCE: usize = 8;
