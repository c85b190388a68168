//! The server of the benchmark: pages, players, files, and live streams that begin where in a GOP the address says.
//!
//! Pictures are sent at their time, the sound since the last one with them, as a relay does. It knows what wall clock
//! time each moment of a stream has, so that a page can tell how old a picture is when it is shown.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::clip::Clip;

/// What is served.
#[derive(Default)]
pub struct Content {
    /// By name.
    pub clips: HashMap<&'static str, Clip>,
    /// Addresses below `/file/`, in memory.
    pub files: HashMap<String, Bytes>,
    /// Player packages by name: folders.
    pub packages: HashMap<String, PathBuf>,
    /// Where `scripts/bench` put the peers.
    pub peers: PathBuf,
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    content: Content,
    /// By a stream's id: unix time of its media time 0, ms.
    walls: Mutex<HashMap<String, f64>>,
    /// Every path asked for, and how many bytes it has.
    asked: Mutex<Vec<(String, usize)>>,
}

impl Server {
    /// Starts to serve on a free port.
    pub async fn start(content: Content) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { content, walls: Mutex::default(), asked: Mutex::default() });
        let server = Self { address, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                // A browser that hangs up in the middle is no fault of the server's.
                tokio::spawn(async move { drop(shared.serve(socket).await) });
            }
        });
        Ok(server)
    }

    /// Unix time of media time 0 of the stream that was asked for with this id, ms.
    pub fn wall(&self, id: &str) -> Result<f64> {
        let walls = self.shared.walls.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        walls.get(id).copied().with_context(|| format!("nobody asked for stream {id}"))
    }

    /// Paths asked for since the last time, each once, and their bytes.
    pub fn take_asked(&self) -> Vec<(String, usize)> {
        let mut asked = self.shared.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut taken = std::mem::take(&mut *asked);
        taken.sort();
        taken.dedup();
        taken
    }

    /// Where the peers are.
    pub fn peers(&self) -> &Path {
        &self.shared.content.peers
    }

    /// A clip by name.
    pub fn clip(&self, name: &str) -> Result<&Clip> {
        self.shared.content.clips.get(name).with_context(|| format!("no clip {name}"))
    }
}

/// An address: path and query.
struct Target {
    path: String,
    query: Vec<(String, String)>,
}

impl Target {
    fn parse(text: &str) -> Self {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let query = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), decode(value)))
            .collect();
        Self { path: path.to_owned(), query }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }
}

impl Shared {
    async fn serve(&self, socket: TcpStream) -> Result<()> {
        socket.set_nodelay(true)?;
        let mut socket = BufReader::new(socket);
        loop {
            let mut line = String::new();
            if socket.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let mut words = line.split(' ');
            let (method, target) =
                (words.next().unwrap_or_default(), words.next().context("a target")?);
            let (is_head, target) = (method == "HEAD", Target::parse(target));
            let mut header = String::new();
            while socket.read_line(&mut header).await? > 2 {
                header.clear();
            }
            if let Some(clip) = target.path.strip_prefix("/live/").filter(|_| !is_head) {
                return self.stream(socket.get_mut(), clip, &target).await;
            }
            let (status, kind, body) = match self.body(&target) {
                Ok((kind, body)) => ("200 OK", kind, body),
                Err(error) => ("404 Not Found", "text/plain", Bytes::from(format!("{error:#}"))),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\n{COMMON_HEADERS}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            socket.get_mut().write_all(head.as_bytes()).await?;
            if !is_head {
                socket.get_mut().write_all(&body).await?;
            }
        }
    }

    fn body(&self, target: &Target) -> Result<(&'static str, Bytes)> {
        let path = target.path.as_str();
        let (kind, body): (_, Bytes) = match path {
            "/page/" => ("text/html", include_str!("../page/index.html").into()),
            "/page/bench.js" => ("text/javascript", include_str!("../page/bench.js").into()),
            "/page/count.js" => ("text/javascript", include_str!("../page/count.js").into()),
            "/page/swallow.js" => ("text/javascript", include_str!("../page/swallow.js").into()),
            "/blank" => ("text/html", "<!doctype html><title>blank</title>".into()),
            "/clock" => ("text/plain", unix_ms().to_string().into()),
            "/wrap" => ("text/javascript", wrapper(target).into()),
            _ => self.other(path)?,
        };
        let mut asked = self.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        asked.push((path.to_owned(), body.len()));
        Ok((kind, body))
    }

    fn other(&self, path: &str) -> Result<(&'static str, Bytes)> {
        if let Some(peer) = peer(path) {
            let path = self.content.peers.join(peer);
            let script = std::fs::read(&path).with_context(|| path.display().to_string())?;
            return Ok(("text/javascript", script.into()));
        }
        if let Some(name) = path.strip_prefix("/file/") {
            let file = self.content.files.get(name).context("no such file")?;
            return Ok(("video/x-flv", file.clone()));
        }
        if let Some(name) = path.strip_prefix("/mp4/") {
            let clip = self.content.clips.get(name).context("no such clip")?;
            return Ok(("video/mp4", std::fs::read(&clip.mp4)?.into()));
        }
        if let Some((name, file)) = path.strip_prefix("/pkg/").and_then(|rest| rest.split_once('/'))
            && let Some(folder) = self.content.packages.get(name)
            && !file.split('/').any(|part| part == "..")
        {
            let kind = match file.rsplit_once('.') {
                Some((_, "wasm")) => "application/wasm",
                Some((_, "js")) => "text/javascript",
                _ => bail!("neither JavaScript nor WebAssembly"),
            };
            return Ok((kind, std::fs::read(folder.join(file))?.into()));
        }
        bail!("not found")
    }

    /// A live stream, of which `into` ms of the GOP have passed; at `stall_at` ms nothing comes for `stall` ms.
    async fn stream(&self, socket: &mut TcpStream, clip: &str, target: &Target) -> Result<()> {
        let clip = self.content.clips.get(clip).context("no such clip")?;
        let into = target.number("into").unwrap_or_default();
        let stall_at = target.number("stall_at").unwrap_or(u64::MAX);
        let stall = target.number("stall").unwrap_or_default();
        let mut index = clip.keyframe_from(1);
        let live_from = clip.tag(index).1.at(0) + into;
        let start = Instant::now();
        if let Some(id) = target.get("id") {
            let mut walls = self.walls.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            walls.insert(id.to_owned(), unix_ms() - live_from as f64);
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\n{COMMON_HEADERS}Content-Type: video/x-flv\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await?;
        let mut chunk = clip.head.clone();
        loop {
            // Everything up to the picture that is due.
            let elapsed = u64::try_from(start.elapsed().as_millis())?;
            let is_stalled = (stall_at..stall_at.saturating_add(stall)).contains(&elapsed);
            let due = loop {
                let (round, tag) = clip.tag(index);
                if tag.is_video && (is_stalled || tag.at(round) > live_from + elapsed) {
                    break tag.at(round) - live_from.min(tag.at(round));
                }
                tag.write(round, &mut chunk);
                index += 1;
            };
            if !chunk.is_empty() {
                let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
                framed.append(&mut chunk);
                framed.extend_from_slice(b"\r\n");
                socket.write_all(&framed).await?;
            }
            let due = if is_stalled { stall_at + stall } else { due };
            tokio::time::sleep_until(start + Duration::from_millis(due.max(elapsed + 1))).await;
        }
    }
}

/// The file of the peer at this address, below [`Content::peers`].
pub fn peer(path: &str) -> Option<&'static str> {
    Some(match path {
        "/peers/flv.js" => "node_modules/flv.js/dist/flv.min.js",
        "/peers/mpegts.js" => "node_modules/mpegts.js/dist/mpegts.js",
        "/peers/xgplayer-flv.js" => "xgplayer-flv.js",
        _ => return None,
    })
}

/// A worker's script that runs the hooks and then the worker's own.
fn wrapper(target: &Target) -> String {
    let scripts = target.query.iter().filter(|(key, _)| key == "hook" || key == "url");
    let is_module = target.get("module").is_some();
    let lines = scripts.map(|(_, url)| match is_module {
        true => format!("import {url:?};\n"),
        false => format!("importScripts({url:?});\n"),
    });
    lines.collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let value = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let (b'%', Some(value)) = (first, value) {
            bytes.push(value);
            rest = &after[2..];
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Unix time, ms.
pub fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}

/// Nothing is kept, and the page is isolated so that it may measure its memory.
const COMMON_HEADERS: &str = "Cache-Control: no-store\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\n\
    Cross-Origin-Embedder-Policy: require-corp\r\n\
    Cross-Origin-Resource-Policy: cross-origin\r\n";
