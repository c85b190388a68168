//! A Chromium of its own for each run: no cache, no compiled code and no thread of the run before.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use pushpull_tests::{
    driver::{Kind, chromium},
    process::Process,
    webdriver::Session,
};
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
        let profile = tempfile::Builder::new().prefix("chromium-").tempdir()?;
        let mut capabilities = chromium(profile.path(), &ARGUMENTS);
        capabilities["timeouts"] = json!({ "script": 600_000, "pageLoad": 60_000 });
        let (driver, session) = Kind::Chromium.open(profile.path(), None, capabilities).await?;
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

/// Beside what every test's Chromium is started with: a player plays by itself, no page lives on behind the one that is
/// measured, and memory is told when it is asked for.
const ARGUMENTS: [&str; 3] = [
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=BackForwardCache,SpareRendererForSitePerProcess",
    "--enable-blink-features=ForceEagerMeasureMemory",
];
