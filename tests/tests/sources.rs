//! Where streams come from: files in parts, servers that break off or give no parts, another address, and players that
//! come and go. The page is `web/sources`.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Browser, Clip, Kind, Publisher, Server, Stage, ffmpeg,
    server::PATIENCE,
    stage::{TEST_LIMIT, stage_alone},
    until,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// One browser after the other: a file's first seconds are judged.
#[track_caller]
fn alone(body: impl AsyncFnOnce(&Stage) -> Result<()>) {
    stage_alone(TEST_LIMIT, body);
}

#[test]
fn a_file_is_sought_by_its_index() {
    sought(Kind::Chromium, "worker", true);
}

#[test]
fn a_file_without_an_index_is_sought_by_estimate() {
    sought(Kind::Chromium, "main", false);
}

#[test]
fn a_file_is_sought_in_firefox() {
    sought(Kind::Firefox, "transmux", false);
}

#[test]
fn a_server_without_parts_is_told_and_playing_goes_on() {
    alone(async |stage| {
        let (server, browser) = open(stage, Kind::Chromium).await?;
        let files = Files { parts: false, ..Files::of(file(stage, false).await?) };
        let found = run(&browser, "whole", json!([files.serve().await?])).await?;
        ensure!(found["errors"] == json!([]), "{found}");
        ensure!(found["warnings"][0]["step"] == "seek", "{found}");
        ensure!(found["time"].as_f64() < Some(30.0), "back where it was: {found}");
        drop(server);
        Ok(())
    });
}

#[test]
fn a_file_that_breaks_off_is_gone_on_with() {
    alone(async |stage| {
        let (server, browser) = open(stage, Kind::Chromium).await?;
        let breaks = Some(Arc::new(Semaphore::new(0)));
        let files = Files { breaks, ..Files::of(file(stage, false).await?) };
        let found = run(&browser, "broken", json!([files.serve().await?, 40])).await?;
        ensure!(found["errors"] == json!([]), "{found}");
        ensure!(found["warnings"][0]["step"] == "reconnect", "{found}");
        ensure!(found["recovered"].as_u64() > Some(0), "{found}");
        ensure!(found["time"].as_f64() > Some(40.5), "{found}");
        drop(server);
        Ok(())
    });
}

#[test]
fn another_address_plays_when_the_first_is_dead() {
    alone(async |stage| {
        let (server, browser) = open(stage, Kind::Chromium).await?;
        // A port that was free a moment ago.
        let dead = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let urls = json!([format!("http://{dead}/x.flv"), [server.ws_url("/live/demo.flv")]]);
        let found = run(&browser, "alternate", urls).await?;
        ensure!(found["errors"] == json!([]), "{found}");
        ensure!(found["warnings"][0]["step"] == "reconnect", "{found}");
        ensure!(found["transport"] == "websocket", "{found}");
        Ok(())
    });
}

/// At the edge Firefox drains its decoder where pictures are reordered, and begins again at the last keyframe: it took ten
/// times as many pictures from the buffer as there were, and showed half.
#[test]
fn firefox_takes_reordered_pictures_once() {
    alone(async |stage| {
        let (server, browser) = open(stage, Kind::Firefox).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::BFrames, "reordered").await?;
        server.live("live/reordered").await?;
        let url = server.url("/live/reordered.flv");
        let found = run(&browser, "parsed", json!([url])).await?;
        ensure!(found["errors"] == json!([]), "{found}");
        let parsed = found["parsed"].as_f64().zip(found["pictures"].as_f64());
        let (parsed, pictures) = parsed.context("two numbers")?;
        ensure!(parsed > 0.7 * pictures && parsed < 3.0 * pictures, "{found}");
        Ok(())
    });
}

#[test]
fn players_that_come_and_go_leave_nothing_behind() {
    alone(async |stage| {
        let (server, browser) = open(stage, Kind::Chromium).await?;
        for seed in 1..=3 {
            let arguments = json!([server.url("/live/demo.flv"), seed, 80]);
            let found = run(&browser, "races", arguments).await?;
            ensure!(found["uncaught"] == json!([]), "seed {seed}: {found}");
        }
        until("all connections are closed", PATIENCE, async || {
            let stream = server.stream("live/demo").await?.context("the demo runs")?;
            Ok((stream["viewers"] == 0 || stream["viewers"] == json!([])).then_some(()))
        })
        .await
    });
}

#[track_caller]
fn sought(kind: Kind, mode: &str, index: bool) {
    alone(async |stage| {
        let (server, browser) = open(stage, kind).await?;
        let url = Files::of(file(stage, index).await?).serve().await?;
        let found = run(&browser, "file", json!([url, mode])).await?;
        ensure!(found["errors"] == json!([]) && found["warnings"] == json!([]), "{found}");
        ensure!(found["mode"] == mode && found["info"] == index, "{found}");
        let duration = found["duration"].as_f64().context("a duration")?;
        ensure!((duration - 120.0).abs() < 1.0, "{found}");
        for sought in found["sought"].as_array().context("a list")? {
            let (wish, now) = (sought[0].as_f64(), sought[1].as_f64());
            let (wish, now) = wish.zip(now).context("two times")?;
            ensure!(now >= wish + 1.0 && now < wish + 10.0, "{found}");
        }
        ensure!(found["tags"].as_i64() > Some(100), "the dump is FLV: {found}");
        drop(server);
        Ok(())
    });
}

async fn open(stage: &Stage, kind: Kind) -> Result<(Server, Browser)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web/sources");
    let server = Server::start(stage, &["--demo", "--web-dir", folder]).await?;
    server.live("live/demo").await?;
    let browser = Browser::of_kind(stage, kind).await?;
    browser.open(&server.url("/")).await?;
    until("the page has loaded the player", PATIENCE, async || {
        let ready = browser.run("return Boolean(window.begin)", Vec::new()).await?;
        Ok((ready == true).then_some(()))
    })
    .await?;
    Ok((server, browser))
}

/// Runs one of the page's functions and gives what it found.
async fn run(browser: &Browser, name: &str, arguments: Value) -> Result<Value> {
    let arguments = vec![json!(name), arguments];
    browser.run("begin(arguments[0], ...arguments[1])", arguments).await?;
    let outcome = until("the page has found something", SCENARIO, async || {
        let outcome = browser.run("return window.outcome", Vec::new()).await?;
        Ok((!outcome.is_null()).then_some(outcome))
    })
    .await?;
    ensure!(outcome["error"].is_null(), "{outcome}");
    Ok(outcome["found"].clone())
}

/// Two minutes of FLV, with a keyframe index or without.
async fn file(stage: &Stage, index: bool) -> Result<PathBuf> {
    let clip = Clip::Numbered.path().await?;
    let path = stage.folder().join("long.flv");
    let flags = if index { "add_keyframe_index" } else { "+no_sequence_end" };
    let arguments = format!(
        "-v error -stream_loop 3 -i {} -c copy -flvflags {flags} {}",
        clip.display(),
        path.display()
    );
    let arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
    ffmpeg::run("ffmpeg", &arguments).await?;
    Ok(path)
}

/// A server of one file, to any page.
#[derive(Clone)]
struct Files {
    bytes: Arc<Vec<u8>>,
    /// Whether it knows `Range`.
    parts: bool,
    /// Closed by the page: then an answer that is not a part breaks off, at `FAST / 2`.
    breaks: Option<Arc<Semaphore>>,
}

impl Files {
    fn of(path: PathBuf) -> Files {
        let bytes = Arc::new(std::fs::read(path).unwrap_or_default());
        Files { bytes, parts: true, breaks: None }
    }

    async fn serve(self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address: SocketAddr = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let files = self.clone();
                // A player that has seen enough hangs up.
                tokio::spawn(async move { drop(files.answer(socket).await) });
            }
        });
        Ok(format!("http://{address}/long.flv"))
    }

    /// The beginning at once, the rest at a pace that leaves something to be sought.
    async fn answer(self, mut socket: TcpStream) -> Result<()> {
        let mut head = vec![0; 8192];
        let len = socket.read(&mut head).await?;
        let head = String::from_utf8_lossy(&head[..len]).to_lowercase();
        if let Some(breaks) = self.breaks.as_ref().filter(|_| head.starts_with("get /break ")) {
            breaks.close();
            socket.write_all(NO_CONTENT).await?;
            return Ok(());
        }
        let from = head.split("range: bytes=").nth(1).filter(|_| self.parts);
        let from = from.and_then(|range| range.split('-').next()?.parse::<usize>().ok());
        let total = self.bytes.len();
        let body = self.bytes.get(from.unwrap_or(0)..).unwrap_or_default();
        let (status, range) = match from {
            Some(from) => (
                "206 Partial Content",
                format!("Content-Range: bytes {from}-{}/{total}\r\n", total - 1),
            ),
            None => ("200 OK", String::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: video/x-flv\r\nContent-Length: {}\r\n{range}\
            Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: range\r\nConnection: close\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).await?;
        for (number, piece) in body.chunks(PIECE).enumerate() {
            if let Some(breaks) = self.breaks.as_ref().filter(|_| from.is_none())
                && number * PIECE == FAST / 2
            {
                // It never gives a permit.
                drop(breaks.acquire().await);
                return Ok(());
            }
            socket.write_all(piece).await?;
            if number * PIECE > FAST {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }
}

const NO_CONTENT: &[u8] =
    b"HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n";

/// Bytes sent at once.
const PIECE: usize = 16 << 10;

/// Bytes sent before the pace begins.
const FAST: usize = 256 << 10;

/// How long what a page does may take.
const SCENARIO: Duration = Duration::from_secs(60);
