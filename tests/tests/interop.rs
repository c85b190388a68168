//! Programs of others publish, and programs of others play: what comes out is what went in, packet by packet.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Clip, Server, Stage,
    ffmpeg::{Leeway, packets, same_packets_but},
    process::Process,
    server::PATIENCE,
    stage, until,
};
use serde_json::{Value, json};

#[test]
fn ffmpeg_publishes_to_all_players() {
    stage(async |stage| interoperate(stage, Publisher::Ffmpeg, Clip::Plain, &ALL).await);
}

#[test]
fn ffmpeg_publishes_b_frames_to_all_players() {
    stage(async |stage| interoperate(stage, Publisher::Ffmpeg, Clip::BFrames, &ALL).await);
}

#[test]
fn ffmpeg_publishes_mp3() {
    let players = [Player::FfprobeRtmp, Player::FfprobeHttp, Player::Rtmpdump, Player::MpvRtmp];
    stage(async |stage| interoperate(stage, Publisher::Ffmpeg, Clip::Mp3, &players).await);
}

#[test]
fn ffmpeg_publishes_pictures_alone() {
    let players = [Player::FfprobeRtmp, Player::FfprobeHttp, Player::Rtmpdump, Player::MpvHttp];
    stage(async |stage| interoperate(stage, Publisher::Ffmpeg, Clip::Silent, &players).await);
}

#[test]
fn ffmpeg_publishes_sound_alone() {
    let players = [Player::FfprobeRtmp, Player::FfprobeHttp, Player::Rtmpdump];
    stage(async |stage| interoperate(stage, Publisher::Ffmpeg, Clip::Blind, &players).await);
}

#[test]
fn gstreamer_publishes() {
    stage(async |stage| interoperate(stage, GSTREAMER, Clip::Plain, &FFPROBES).await);
}

#[test]
fn gstreamer_publishes_b_frames() {
    stage(async |stage| interoperate(stage, GSTREAMER, Clip::BFrames, &FFPROBES).await);
}

#[test]
fn librtmp_publishes() {
    stage(async |stage| interoperate(stage, LIBRTMP, Clip::Plain, &FFPROBES).await);
}

#[test]
fn librtmp_publishes_b_frames() {
    stage(async |stage| interoperate(stage, LIBRTMP, Clip::BFrames, &FFPROBES).await);
}

/// OBS draws an empty scene; its pictures and its silence have to come as it says it encodes them.
#[test]
fn obs_publishes() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let obs = Process::start("OBS", obs(stage.folder(), server.rtmp)?)?;
        stage.watch(&obs);
        let stream = until("OBS is live", 4 * PATIENCE, async || {
            ensure!(obs.is_running().await?, "it ended: {}", obs.log().text());
            let is_live =
                |stream: &Value| stream["state"] == "live" && stream["audio"] != Value::Null;
            Ok(server.stream("live/obs").await?.filter(is_live))
        })
        .await?;
        let (video, audio) = (&stream["video"], &stream["audio"]);
        ensure!(
            video["codec"] == "H.264" && video["width"] == 640 && video["height"] == 360,
            "{video}"
        );
        ensure!(audio["codec"] == "AAC" && audio["sample_rate"] == 48_000, "{audio}");
        for url in [server.push_url("obs"), server.url("/live/obs.flv")] {
            let decode =
                ["-nostdin", "-v", "error", "-i", &url, "-frames:v", "60", "-f", "null", "-"];
            quietly("ffmpeg", &decode).await?;
        }
        Ok(())
    });
}

/// OBS without a screen and without questions.
fn obs(folder: &Path, server: SocketAddr) -> Result<Command> {
    let config = folder.join("config/obs-studio");
    let (profile, scenes) = (config.join("basic/profiles/test"), config.join("basic/scenes"));
    std::fs::create_dir_all(&profile)?;
    std::fs::create_dir_all(&scenes)?;
    std::fs::write(
        config.join("global.ini"),
        "[General]\nFirstRun=true\nEnableAutoUpdates=false\n\
         [Basic]\nProfile=test\nProfileDir=test\nSceneCollection=test\nSceneCollectionFile=test\n",
    )?;
    std::fs::write(
        profile.join("basic.ini"),
        "[General]\nName=test\n[Output]\nMode=Simple\n\
         [SimpleOutput]\nStreamEncoder=x264\nVBitrate=500\nABitrate=96\nPreset=ultrafast\n\
         [Video]\nBaseCX=640\nBaseCY=360\nOutputCX=640\nOutputCY=360\nFPSCommon=30\n\
         [Audio]\nSampleRate=48000\n",
    )?;
    let settings =
        json!({ "server": format!("rtmp://{server}/live"), "key": "obs", "use_auth": false });
    let service = json!({ "type": "rtmp_custom", "settings": settings });
    std::fs::write(profile.join("service.json"), service.to_string())?;
    let scene = json!({ "id": "scene", "versioned_id": "scene", "name": "Scene", "settings": { "items": [] } });
    let scene = json!({
        "name": "test", "current_scene": "Scene", "current_program_scene": "Scene",
        "scene_order": [{ "name": "Scene" }], "sources": [scene],
    });
    std::fs::write(scenes.join("test.json"), scene.to_string())?;

    let mut command = Command::new("xvfb-run");
    command.args(["-a", "-s", "-screen 0 1024x768x24", "obs", "--multi", "--startstreaming"]);
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder.join("config"));
    command.env("XDG_RUNTIME_DIR", folder);
    Ok(command)
}

/// All `players` watch what `publisher` sends of `clip`, once.
async fn interoperate(
    stage: &Stage,
    publisher: Publisher,
    clip: Clip,
    players: &[Player],
) -> Result<()> {
    let server = Server::start(stage, &["--missing-wait", "20s", "--grace", "30s"]).await?;
    let show = Show {
        source: clip.path().await?.display().to_string(),
        rtmp: server.push_url("clip"),
        http: server.url("/live/clip.flv"),
        leeway: publisher.leeway(),
    };
    // They wait for the stream, so they see its beginning.
    let watch = players.iter().map(async |player| {
        let folder = stage.folder().join(format!("{player:?}"));
        std::fs::create_dir(&folder)?;
        let played = tokio::time::timeout(3 * PATIENCE, show.play(*player, &folder)).await;
        played.context("it did not end").flatten().with_context(|| format!("{player:?}"))
    });
    let publish = async {
        let process = Process::start("the publisher", publisher.command(&show))?;
        stage.watch(&process);
        let code = process.exit(2 * PATIENCE).await?;
        ensure!(code == Some(0), "the publisher ended with {code:?}");
        let said = process.log().text();
        ensure!(said.is_empty(), "the publisher said {said}");
        Ok(())
    };
    tokio::try_join!(futures_util::future::try_join_all(watch), publish)?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Publisher {
    Ffmpeg,
    /// With this sink behind `flvmux`.
    Gstreamer(&'static str),
}

const GSTREAMER: Publisher = Publisher::Gstreamer("rtmp2sink");
const LIBRTMP: Publisher = Publisher::Gstreamer("rtmpsink");

impl Publisher {
    fn command(self, show: &Show) -> Command {
        let Show { source, rtmp, .. } = show;
        match self {
            Publisher::Ffmpeg => {
                let mut command = Command::new("ffmpeg");
                command.args(["-nostdin", "-v", "error", "-re", "-i", source]);
                command.args([
                    "-c",
                    "copy",
                    "-flvflags",
                    "no_duration_filesize",
                    "-f",
                    "flv",
                    rtmp,
                ]);
                command
            }
            Publisher::Gstreamer(sink) => {
                let pipeline = pipeline(
                    "-q filesrc location=SOURCE ! qtdemux name=in \
                     in.video_0 ! queue ! h264parse ! flvmux name=out streamable=true \
                     in.audio_0 ! queue ! aacparse ! out. out. ! SINK sync=true location=RTMP",
                    &[("SOURCE", source), ("SINK", sink), ("RTMP", rtmp)],
                );
                let mut command = Command::new(GST_LAUNCH);
                command.args(pipeline);
                command
            }
        }
    }

    fn leeway(self) -> Leeway {
        match self {
            Publisher::Ffmpeg => Leeway::default(),
            Publisher::Gstreamer(_) => Leeway { kept: 2, from_zero: true },
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Player {
    FfprobeRtmp,
    FfprobeHttp,
    /// librtmp, into a file.
    Rtmpdump,
    /// Decodes.
    MpvRtmp,
    MpvHttp,
    GstreamerRtmp,
    GstreamerHttp,
}

const FFPROBES: [Player; 2] = [Player::FfprobeRtmp, Player::FfprobeHttp];

const ALL: [Player; 7] = [
    Player::FfprobeRtmp,
    Player::FfprobeHttp,
    Player::Rtmpdump,
    Player::MpvRtmp,
    Player::MpvHttp,
    Player::GstreamerRtmp,
    Player::GstreamerHttp,
];

/// What is published, where it is played, and what its publisher does to it.
struct Show {
    source: String,
    rtmp: String,
    http: String,
    leeway: Leeway,
}

impl Show {
    async fn play(&self, player: Player, folder: &Path) -> Result<()> {
        match player {
            Player::FfprobeRtmp => self.same_packets(&self.rtmp).await,
            Player::FfprobeHttp => self.same_packets(&self.http).await,
            Player::Rtmpdump => {
                let file = path(folder, "dump.flv");
                quietly("rtmpdump", &["--quiet", "--live", "--rtmp", &self.rtmp, "--flv", &file])
                    .await?;
                self.same_packets(&file).await
            }
            Player::MpvRtmp => self.same_pictures(&self.rtmp, folder).await,
            Player::MpvHttp => self.same_pictures(&self.http, folder).await,
            Player::GstreamerRtmp => self.same_bytes("rtmp2src", &self.rtmp, folder).await,
            Player::GstreamerHttp => self.same_bytes("souphttpsrc", &self.http, folder).await,
        }
    }

    /// ffprobe finds in `input` what it finds in the source, times as well.
    async fn same_packets(&self, input: &str) -> Result<()> {
        let (video, audio) = tokio::try_join!(packets(input, "v"), packets(input, "a"))?;
        let source = &self.source;
        same_packets_but("video", &packets(source, "v").await?, &video, self.leeway)?;
        same_packets_but("audio", &packets(source, "a").await?, &audio, self.leeway)?;
        ensure!(!video.is_empty() || !audio.is_empty(), "nothing came");
        Ok(())
    }

    /// mpv decodes the pictures that ffmpeg decodes from the source.
    async fn same_pictures(&self, url: &str, folder: &Path) -> Result<()> {
        let hashes = path(folder, "pictures");
        let output = format!("--o={hashes}");
        let log = format!("--log-file={}", path(folder, "log"));
        let options = ["--no-config", "--no-terminal", "--of=framemd5", "--ovc=rawvideo"];
        let codec = ["--oac=pcm_s16le", &output, &log, url];
        quietly("mpv", &[&options[..], &codec[..]].concat()).await?;
        let expected = path(folder, "expected");
        let from = ["-nostdin", "-v", "error", "-i", &self.source];
        let to = ["-map", "0:v", "-pix_fmt", "yuv420p", "-f", "framemd5", &expected];
        quietly("ffmpeg", &[&from[..], &to[..]].concat()).await?;

        let (expected, played) = (picture_hashes(&expected)?, picture_hashes(&hashes)?);
        let (of, came) = (expected.len(), played.len());
        ensure!(came > of / 2, "{came} of {of} pictures");
        ensure!(expected.ends_with(&played), "{came} of {of} pictures, others than published");
        Ok(())
    }

    /// GStreamer takes the source's bytes out of it, picture by picture and sound by sound.
    async fn same_bytes(&self, element: &str, url: &str, folder: &Path) -> Result<()> {
        let (video, audio) = (path(folder, "video"), path(folder, "audio"));
        let pipeline = pipeline(
            "-q SRC location=URL ! flvdemux name=in in.video ! queue ! filesink location=VIDEO \
             in.audio ! queue ! filesink location=AUDIO",
            &[("SRC", element), ("URL", url), ("VIDEO", &video), ("AUDIO", &audio)],
        );
        quietly(GST_LAUNCH, &pipeline).await?;
        for (kind, file) in [("0:v", &video), ("0:a", &audio)] {
            let expected = path(folder, "expected");
            let options = ["-nostdin", "-v", "error", "-y", "-i", &self.source, "-map", kind];
            let to = ["-c", "copy", "-f", "data", &expected];
            quietly("ffmpeg", &[&options[..], &to[..]].concat()).await?;
            let (expected, played) = (std::fs::read(&expected)?, std::fs::read(file)?);
            let (of, came) = (expected.len(), played.len());
            ensure!(came > of / 2, "{kind}: {came} of {of} bytes");
            // The last packet stays in its queues when the stream ends.
            let is_part = (of.saturating_sub(came + PACKET)..=of - came)
                .any(|at| expected.get(at..).is_some_and(|rest| rest.starts_with(&played)));
            ensure!(is_part, "{kind}: {came} of {of} bytes, others than published");
        }
        Ok(())
    }
}

/// The hashes in the output of the format `framemd5`, of the pictures alone.
fn picture_hashes(file: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().filter(|line| line.starts_with("0,"));
    Ok(lines.filter_map(|line| Some(line.rsplit(',').next()?.trim().to_owned())).collect())
}

/// The words of a pipeline, some of them replaced; what takes their place may hold spaces.
fn pipeline(words: &str, replaced: &[(&str, &str)]) -> Vec<String> {
    let replace = |word: &str| {
        let replace = |word: String, (from, to): &(&str, &str)| word.replace(from, to);
        replaced.iter().fold(word.to_owned(), replace)
    };
    words.split_whitespace().map(replace).collect()
}

/// Runs a program to its end: it must not complain.
async fn quietly(program: &str, arguments: &[impl AsRef<OsStr>]) -> Result<()> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.with_context(|| {
        format!("{program} did not start: `just test` installs what the tests need")
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && said.is_empty(), "{program}: {}: {said}", output.status);
    Ok(())
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

const GST_LAUNCH: &str = "gst-launch-1.0";

/// Bytes of the largest of the last packets.
const PACKET: usize = 4 << 10;
