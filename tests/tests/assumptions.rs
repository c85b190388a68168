//! What the player believes of browsers, found out anew: a browser that changes is noticed here first, not by users.
//!
//! Not pinned, because it depends on the machine or takes too long: HEVC, AC-3 in other builds, the quota.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{Browser, Kind, Server, Stage, ffmpeg, server::PATIENCE, stage, until};

/// What is asked, and what Chromium and Firefox say.
#[rustfmt::skip]
const EXPECTED: [(&str, &str, &str); 29] = [
    ("MediaSource in a worker", "yes, yes", "none, no"),
    ("avc1 avc3 av01 vp09 in mp4", "yes yes yes yes", "yes yes yes yes"),
    ("vp08 vvc1 in mp4", "no no", "no no"),
    ("AAC .2 .5 .29", "yes yes yes", "yes yes yes"),
    ("opus Opus flac fLaC in mp4", "yes yes yes yes", "yes yes yes yes"),
    ("MP3: audio/mpeg, mp3 and mp4a.6B in mp4", "yes no no", "no yes no"),
    ("ac-3 ec-3 ipcm ulaw alaw in mp4", "no no no no no", "no no no no no"),
    ("requestVideoFrameCallback changeType preservesPitch", "yes yes yes", "yes yes yes"),
    ("latencyHint appendEncodedChunks ManagedMediaSource", "no no no", "no no no"),
    ("SharedArrayBuffer without isolation", "no", "no"),
    ("playbackRate 0.05 and 17", "NotSupportedError, NotSupportedError", "works, works"),
    ("a SourceBuffer added after metadata", "QuotaExceededError", "works"),
    ("a SourceBuffer that gets no init segment", "stands; removed: stands", "stands; removed: stands"),
    ("the audio buffer removed while playing", "plays", "plays"),
    ("one picture missing, two", "one range, 2 ranges", "one range, 2 ranges"),
    ("two pictures missing, twice as long durations", "one range", "one range"),
    ("sound with a hole of 20 ms, 40 ms", "one range, 2 ranges", "one range, 2 ranges"),
    ("a fragment in pieces", "yes, yes", "yes, yes"),
    ("AV1 as ffmpeg writes it", "plays", "plays"),
    ("another size by a new init segment", "one range, 480", "one range, 480"),
    ("another sample rate by a new init segment", "one range, open", "one range, open"),
    ("samples that last 0", "0.00, 0.00", "0.00, 0.00"),
    ("a sample that lasts for days", "yes", "yes"),
    ("duration stays Infinity after an init segment with one", "Infinity", "Infinity"),
    ("endOfStream before metadata", "error 4", "harmless"),
    ("appended from WebAssembly memory, then overwritten and grown", "plays", "plays"),
    ("BYOB read into WebAssembly memory, its transfer", "10, TypeError, TypeError", "10, TypeError, TypeError"),
    ("one picture is enough to start: no duration, a duration", "yes, no", "yes, yes"),
    ("a second of media starts: autoplay, play()", "plays, plays", "stands, plays"),
];

#[test]
fn chromium_is_as_believed() {
    is_as_believed(Kind::Chromium, |(_, chromium, _)| chromium);
}

#[test]
fn firefox_is_as_believed() {
    is_as_believed(Kind::Firefox, |(_, _, firefox)| firefox);
}

#[track_caller]
fn is_as_believed(kind: Kind, believed: fn(&(&str, &'static str, &'static str)) -> &'static str) {
    stage(async |stage| {
        let folder = site(stage).await?;
        let server = Server::start(stage, &["--web-dir", &folder.display().to_string()]).await?;
        let browser = Browser::of_kind(stage, kind).await?;
        browser.open(&server.url("/")).await?;
        until("the page is ready", PATIENCE, async || {
            Ok((browser.run("return 'findings' in window", Vec::new()).await? == true)
                .then_some(()))
        })
        .await?;
        let found = browser.run("return findings()", Vec::new()).await?;
        let found = found.as_object().context("findings by name")?;
        let mut wrong = Vec::new();
        for row in &EXPECTED {
            let said = found.get(row.0).and_then(|said| said.as_str()).unwrap_or("nothing");
            if said != believed(row) {
                wrong.push(format!("{}: {said:?}, believed {:?}", row.0, believed(row)));
            }
        }
        for name in found.keys().filter(|name| EXPECTED.iter().all(|row| row.0 != name.as_str())) {
            wrong.push(format!("{name}: {}, and nothing is believed", found[name]));
        }
        ensure!(wrong.is_empty(), "{kind:?} says otherwise:\n{}", wrong.join("\n"));
        Ok(())
    });
}

/// The page, with media drawn for it.
async fn site(stage: &Stage) -> Result<std::path::PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/assumptions");
    let to = stage.folder().join("site");
    fs::create_dir(&to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    let pictures = |size: &str| format!("-f lavfi -i testsrc2=size={size}:rate=25 -t 3 {H264}");
    let sound = |rate: &str| {
        format!("-f lavfi -i sine=frequency=440:sample_rate={rate} -t 3 -c:a aac -b:a 64k")
    };
    let sample = "frag_every_frame";
    for (name, source, fragments) in [
        ("pictures", pictures("320x180"), sample),
        ("large", pictures("480x270"), sample),
        ("group", pictures("320x180"), "frag_keyframe"),
        (
            "av1",
            format!("-f lavfi -i testsrc2=size=320x180:rate=25 -t 2 {AV1}"),
            "frag_every_frame+delay_moov",
        ),
        ("sound", sound("48000"), sample),
        ("sound44", sound("44100"), sample),
    ] {
        let file = to.join(format!("{name}.mp4"));
        let flags = format!("empty_moov+default_base_moof+{fragments}");
        let arguments = format!("-v error {source} -movflags {flags} -use_editlist 0");
        let mut arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
        arguments.push(file.display().to_string());
        ffmpeg::run("ffmpeg", &arguments).await?;
    }
    Ok(to)
}

const AV1: &str =
    "-c:v libaom-av1 -cpu-used 8 -crf 50 -b:v 0 -g 25 -pix_fmt yuv420p -lag-in-frames 0 -strict -2";

const H264: &str = "-c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -bf 0 -g 25 -sc_threshold 0 -video_track_timescale 90000";
