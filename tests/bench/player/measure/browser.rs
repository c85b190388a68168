//! A Chromium of its own for each run: no cache, no compiled code and no thread of the run before.

use std::{net::SocketAddr, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{process::Process, until, webdriver::Session};
use serde_json::{Value, json};

/// A browser with one page, closed when dropped.
pub struct Chromium {
    session: Session,
    driver: Process,
    server: SocketAddr,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts it; pages are those of `server`.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0");
        let driver = Process::start("chromedriver", command)?;
        let port: u16 = until("chromedriver listens", START_LIMIT, async || {
            ensure!(driver.is_running().await?, "it ended");
            let log = driver.log().text();
            let told = log.split_once("started successfully on port ");
            Ok(told.and_then(|(_, rest)| rest.split('.').next()?.trim().parse().ok()))
        })
        .await?;
        let profile = tempfile::Builder::new().prefix("chromium-").tempdir()?;
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": 600_000, "pageLoad": 60_000 },
        });
        let session = Session::start(([127, 0, 0, 1], port).into(), capabilities)
            .await
            .context("chromedriver starts Chromium")?;
        Ok(Self { session, driver, server, _profile: profile })
    }

    /// Opens a page of the server in a fresh renderer.
    pub async fn open(&self, path: &str) -> Result<()> {
        // Another site in between, or the old page's process would be used again.
        let port = self.server.port();
        for url in
            [format!("http://localhost:{port}/blank"), format!("http://{}{path}", self.server)]
        {
            self.session.post("url", json!({ "url": url })).await?;
        }
        Ok(())
    }

    /// Runs JavaScript in the page and waits for what it returns or promises.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.session.post("execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// The console so far, for a person.
    pub async fn console(&self) -> String {
        let log = self.session.post("se/log", json!({ "type": "browser" })).await;
        let lines = log.unwrap_or_default();
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| format!("  {}\n", line["message"])).collect()
    }

    /// The process above all of the browser's.
    pub fn root(&self) -> u32 {
        self.driver.pid()
    }

    /// Ends it.
    pub async fn close(self) {
        // The driver's end takes a stuck one with it.
        drop(tokio::time::timeout(Duration::from_secs(10), self.session.close()).await);
    }
}

const START_LIMIT: Duration = Duration::from_secs(30);

/// As root and in containers Chromium has no sandbox; nothing of its own may run beside the measurement.
const ARGUMENTS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,800",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=BackForwardCache,SpareRendererForSitePerProcess",
    "--enable-blink-features=ForceEagerMeasureMemory",
];
