//! ffmpeg and ffprobe: the independent party that publishes and reads.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    clip::Clip,
    process::Process,
    server::{PATIENCE, Server},
    stage::Stage,
};

/// An ffmpeg that publishes a clip in real time.
pub struct Publisher(Process);

impl Publisher {
    /// Publishes `clip` as `live/<name>` in a loop, until stopped.
    pub async fn looped(
        stage: &Stage,
        server: &Server,
        clip: Clip,
        name: &str,
    ) -> Result<Publisher> {
        Publisher::start(
            stage,
            &["-stream_loop", "-1"],
            &clip.path().await?,
            &server.push_url(name),
        )
    }

    /// Publishes `clip` as `live/<name>` once, from its beginning to its end.
    pub async fn once(stage: &Stage, server: &Server, clip: Clip, name: &str) -> Result<Publisher> {
        Publisher::start(stage, &[], &clip.path().await?, &server.push_url(name))
    }

    /// Publishes `clip` once to an address.
    pub async fn once_to(stage: &Stage, clip: Clip, url: &str) -> Result<Publisher> {
        Publisher::start(stage, &[], &clip.path().await?, url)
    }

    fn start(stage: &Stage, options: &[&str], clip: &Path, url: &str) -> Result<Publisher> {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-hide_banner", "-loglevel", "warning", "-re"]).args(options);
        command.arg("-i").arg(clip).args(["-c", "copy", "-f", "flv", url]);
        let process = Process::start(&format!("ffmpeg, publishing {url},"), command)?;
        stage.watch(&process);
        Ok(Publisher(process))
    }

    /// Says goodbye as a person does who presses Ctrl-C, and waits until the process is gone.
    pub async fn stop(self) -> Result<()> {
        self.0.signal("INT")?;
        self.0.exit(Duration::from_secs(10)).await?;
        Ok(())
    }

    /// Vanishes without a word at the protocol's level: the process is killed.
    pub async fn kill(self) -> Result<()> {
        self.0.signal("KILL")?;
        self.0.exit(Duration::from_secs(10)).await?;
        Ok(())
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.0
    }
}

/// One compressed packet as ffprobe reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Presentation and decoding time in seconds, as printed.
    pub pts: Option<String>,
    /// See `pts`.
    pub dts: Option<String>,
    /// Bytes.
    pub size: String,
    /// SHA-256 of the bytes.
    pub hash: String,
}

/// Reads every packet of the first stream of `kind` (`v` or `a`) from a file or a URL, to its end.
pub async fn packets(input: &str, kind: &str) -> Result<Vec<Packet>> {
    let arguments = ["-v", "error", "-of", "json", "-show_data_hash", "sha256", "-show_packets"];
    let arguments =
        arguments.into_iter().chain(["-select_streams", kind, input]).map(str::to_owned);
    let output = run("ffprobe", &arguments.collect::<Vec<_>>()).await?;
    let output: Value = serde_json::from_str(&output)?;
    let text = |packet: &Value, key: &str| packet[key].as_str().map(str::to_owned);
    let packets =
        output["packets"].as_array().context("ffprobe lists packets")?.iter().map(|packet| {
            Some(Packet {
                pts: text(packet, "pts_time"),
                dts: text(packet, "dts_time"),
                size: text(packet, "size")?,
                hash: text(packet, "data_hash")?,
            })
        });
    packets.collect::<Option<Vec<_>>>().context("a packet has a size and a hash")
}

/// Publishes `clip` as `live/<name>` once; ffprobe reads `url` to its end, which it is told, and finds what it finds in the
/// file. The server must be [`PATIENT`](crate::server::PATIENT).
pub async fn relays_all_packets(
    stage: &Stage,
    server: &Server,
    clip: Clip,
    name: &str,
    url: &str,
) -> Result<()> {
    let source = clip.path().await?.display().to_string();
    // Both wait for the stream, so they see its beginning.
    let watch = async { tokio::try_join!(packets(url, "v"), packets(url, "a")) };
    let publish = async {
        let publisher = Publisher::once(stage, server, clip, name).await?;
        let code = publisher.process().exit(PATIENCE).await?;
        ensure!(code == Some(0), "ffmpeg ended with {code:?}");
        Ok(())
    };
    let ((video, audio), ()) = tokio::try_join!(watch, publish)?;
    same_packets("video", &packets(&source, "v").await?, &video)?;
    same_packets("audio", &packets(&source, "a").await?, &audio)
}

/// Whether the packets of a source were relayed bit for bit, their times as far apart as they were. A viewer that came
/// late has the end of them.
pub fn same_packets(what: &str, source: &[Packet], relayed: &[Packet]) -> Result<()> {
    same_packets_but(what, source, relayed, Leeway::default())
}

/// What a program does to packets before they are published, or after they were played.
#[derive(Clone, Copy, Default, Debug)]
pub struct Leeway {
    /// How many of the last packets it keeps to itself.
    pub kept: usize,
    /// It knows no times below 0.
    pub from_zero: bool,
}

/// The same with a leeway.
pub fn same_packets_but(
    what: &str,
    source: &[Packet],
    relayed: &[Packet],
    leeway: Leeway,
) -> Result<()> {
    let missing =
        source.len().checked_sub(relayed.len()).context("more packets than the source has")?;
    ensure!(
        missing <= source.len() / 2,
        "only {} of {} {what} packets came",
        relayed.len(),
        source.len()
    );
    let differs = |(source, relayed): (&Packet, &Packet)| {
        source.hash != relayed.hash || source.size != relayed.size
    };
    let all_same = |&begin: &usize| !source[begin..].iter().zip(relayed).any(differs);
    // Packets may be the same again and again: the latest place counts.
    let begin = (missing.saturating_sub(leeway.kept)..=missing).rev().find(all_same);
    let source = &source[begin.unwrap_or(missing)..];
    if let Some(at) = source.iter().zip(relayed).position(differs) {
        bail!("{what} packet {at}: {:?} became {:?}", source[at], relayed[at]);
    }
    // Times begin elsewhere and are whole milliseconds; the distances stay.
    let Some((sent, came)) = source.iter().zip(relayed).next_back() else { return Ok(()) };
    let offset = seconds(&came.pts)? - seconds(&sent.pts)?;
    for (at, (source, relayed)) in source.iter().zip(relayed).enumerate() {
        for (source, relayed) in [(&source.dts, &relayed.dts), (&source.pts, &relayed.pts)] {
            let (time, error) = (seconds(source)?, seconds(relayed)? - seconds(source)? - offset);
            ensure!(
                error.abs() < 0.0025 || (leeway.from_zero && time < 0.0),
                "{what} packet {at} is {error} s off: {source:?}, {relayed:?}"
            );
        }
    }
    Ok(())
}

fn seconds(time: &Option<String>) -> Result<f64> {
    Ok(time.as_deref().context("a packet has times")?.parse()?)
}

/// Runs a program to its end and returns what it printed; what it said on standard error is in the error.
pub async fn run(program: &str, arguments: &[String]) -> Result<String> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = command.output().await.with_context(|| {
        format!("{program} did not start: `just test` installs what the tests need")
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} {}: {}: {said}",
        arguments.join(" "),
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}
