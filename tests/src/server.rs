//! The server under test.

use std::{net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    http,
    process::Process,
    stage::{Stage, target_dir},
    usage,
    wait::until,
};

/// A `pushpull` process on free loopback ports.
pub struct Server {
    process: Process,
    /// Where RTMP is served.
    pub rtmp: SocketAddr,
    /// Where HTTP is served.
    pub http: SocketAddr,
}

impl Server {
    /// Starts the server with further `arguments` and waits until it listens.
    pub async fn start(stage: &Stage, arguments: &[&str]) -> Result<Server> {
        Server::run(stage, Command::new(binary()?), arguments).await
    }

    /// The same in a process with limits of its own: `ulimit` is what the shell's command of that name is given, such as
    /// `-n 64` for 64 open files.
    pub async fn with_ulimit(stage: &Stage, ulimit: &str, arguments: &[&str]) -> Result<Server> {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit $0 && exec \"$@\"", ulimit]).arg(binary()?);
        Server::run(stage, command, arguments).await
    }

    async fn run(stage: &Stage, mut command: Command, arguments: &[&str]) -> Result<Server> {
        command.args(["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]).args(arguments);
        // The environment is configuration; a developer's own must not reach the test.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PUSHPULL_") {
                command.env_remove(name);
            }
        }
        let process = Process::start("pushpull", command)?;
        stage.watch(&process);

        let (rtmp, http) = until("the server listens", Duration::from_secs(15), async || {
            ensure!(process.is_running().await?, "it ended: {}", process.log().text());
            let log = process.log().text();
            Ok(address_after(&log, "rtmp listening on ")
                .zip(address_after(&log, "http listening on ")))
        })
        .await?;
        Ok(Server { process, rtmp, http })
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where it listens for another protocol: `https` or `rtmps`.
    pub fn listening(&self, protocol: &str) -> Result<SocketAddr> {
        let log = self.process.log().text();
        address_after(&log, &format!("{protocol} listening on "))
            .with_context(|| format!("the server does not listen for {protocol}"))
    }

    /// `rtmp://…/live/<name>`
    pub fn push_url(&self, name: &str) -> String {
        format!("rtmp://{}/live/{name}", self.rtmp)
    }

    /// `http://…` and the path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// `ws://…` and the path.
    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.http)
    }

    /// The API's answer for one stream, `None` when it is not there.
    pub async fn stream(&self, name: &str) -> Result<Option<Value>> {
        let mut answer = http::get(self.http, "/api/v1/streams").await?;
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        let streams = answer["streams"].as_array().context("the API lists streams")?;
        Ok(streams.iter().find(|stream| stream["name"] == name).cloned())
    }

    /// Waits until a stream is live.
    pub async fn live(&self, name: &str) -> Result<Value> {
        until(&format!("{name} is live"), PATIENCE, async || {
            Ok(self.stream(name).await?.filter(|stream| stream["state"] == "live"))
        })
        .await
    }

    /// The most memory the process has had in use so far, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        usage::peak_memory(self.process.pid())
    }

    /// The memory the process has in use, in bytes.
    pub fn memory(&self) -> Result<u64> {
        usage::memory(self.process.pid())
    }

    /// How long the process has worked so far, on all cores together.
    pub fn cpu_time(&self) -> Result<Duration> {
        usage::run_time(self.process.pid())
    }

    /// One figure of `/metrics`: a line's name with its labels, as it stands there.
    pub async fn metric(&self, name: &str) -> Result<u64> {
        let text = http::get(self.http, "/metrics").await?.text().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("no {name} in /metrics"))?.parse()?)
    }

    /// How often a limit was run into.
    pub async fn hits(&self, limit: &str) -> Result<u64> {
        self.metric(&format!("pushpull_limits_hit_total{{limit=\"{limit}\"}}")).await
    }

    /// How many sockets and files the process holds open.
    pub fn open_files(&self) -> Result<usize> {
        usage::open_files(self.process.pid())
    }
}

/// How long anything the server owes a test may take; slow machines included.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// For viewers and players that wait for a publisher: on a busy machine ffmpeg takes its time to start.
pub const PATIENT: [&str; 4] = ["--missing-wait", "20s", "--grace", "30s"];

/// The server's program.
pub fn binary() -> Result<PathBuf> {
    let path = match std::env::var_os("PUSHPULL_BIN") {
        Some(path) => PathBuf::from(path),
        None => target_dir()?.join("release/pushpull"),
    };
    ensure!(
        path.is_file(),
        "{} is missing: build it with `cargo build --release`, or run `just test`",
        path.display()
    );
    Ok(path)
}

fn address_after(log: &str, label: &str) -> Option<SocketAddr> {
    log.lines().find_map(|line| line.split_once(label)?.1.trim().parse().ok())
}
