//! Which browser, and how it is started: the two drivers differ in all but the protocol.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{process::Process, server::PATIENCE, stage::Stage, wait::until, webdriver::Session};

/// A browser the tests know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Through chromedriver.
    Chromium,
    /// Through geckodriver.
    Firefox,
}

impl Kind {
    /// Starts the driver and a headless browser with an empty profile, in English, 1280 × 800.
    pub async fn start(self, stage: &Stage) -> Result<(Process, Session)> {
        let profile =
            tempfile::Builder::new().prefix("profile-").tempdir_in(stage.folder())?.keep();
        let capabilities = match self {
            Kind::Chromium => chromium(&profile, &[]),
            Kind::Firefox => firefox()?,
        };
        self.open(&profile, Some(stage), capabilities).await
    }

    /// Starts the driver and a browser with this profile and capabilities; a stage, where there is one, shows what the
    /// driver said.
    pub async fn open(
        self,
        profile: &Path,
        stage: Option<&Stage>,
        capabilities: Value,
    ) -> Result<(Process, Session)> {
        // chromedriver takes a free port of IPv6 and ends if something else has it in IPv4.
        let (driver, port) = match self.listen(profile, stage).await {
            Ok(listening) => listening,
            Err(_) => self.listen(profile, stage).await?,
        };
        let mut capabilities = capabilities;
        // A server's own certificate is one that nobody vouches for.
        capabilities["acceptInsecureCerts"] = json!(true);
        let session = Session::start(([127, 0, 0, 1], port).into(), capabilities).await;
        Ok((driver, session.with_context(|| format!("the driver starts {self:?}"))?))
    }

    /// The driver, and the port it listens on.
    async fn listen(self, profile: &Path, stage: Option<&Stage>) -> Result<(Process, u16)> {
        let (program, listens) = match self {
            Kind::Chromium => ("chromedriver", "started successfully on port "),
            Kind::Firefox => ("geckodriver", "Listening on 127.0.0.1:"),
        };
        let mut command = Command::new(program);
        command.arg("--port=0");
        if self == Kind::Firefox {
            // It writes caches and settings beside the profile too.
            command.arg("--profile-root").arg(profile).env("HOME", profile);
            command.env("MOZ_HEADLESS_WIDTH", "1280").env("MOZ_HEADLESS_HEIGHT", "800");
        }
        let driver = Process::start(program, command)?;
        if let Some(stage) = stage {
            stage.watch(&driver);
        }
        let port = until(&format!("{program} listens"), PATIENCE, async || {
            let log = driver.log().text();
            let port = |line: &str| line.split_once(listens)?.1.trim_end_matches('.').parse().ok();
            let port = log.lines().find_map(port);
            Ok((port.is_some() || !driver.is_running().await?).then_some(port))
        })
        .await?;
        Ok((driver, port.with_context(|| format!("{program} ended before it listened"))?))
    }
}

/// The capabilities of a Chromium with this profile, started with `more` arguments than the usual ones.
pub fn chromium(profile: &Path, more: &[&str]) -> Value {
    let arguments = CHROMIUM_ARGUMENTS.iter().chain(more);
    let mut arguments: Vec<_> = arguments.map(|&argument| argument.to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    json!({ "goog:chromeOptions": { "args": arguments }, "goog:loggingPrefs": { "browser": "ALL" } })
}

fn firefox() -> Result<Value> {
    let binary = ["firefox", "firefox-esr"].iter().find_map(|name| in_path(name));
    let binary =
        binary.context("firefox-esr is on PATH: `just test` installs what the tests need")?;
    Ok(json!({
        "moz:firefoxOptions": {
            "binary": binary,
            "args": ["-headless"],
            "prefs": {
                // As for a muted video; what the element is allowed is not what is tested here.
                "media.autoplay.default": 0,
                "media.autoplay.blocking_policy": 0,
                "intl.accept_languages": "en-US",
                // The page's console goes to the driver's output.
                "devtools.console.stdout.content": true,
            },
        },
    }))
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// As root and in containers Chromium has no sandbox; and it must not look for hosts of its own.
const CHROMIUM_ARGUMENTS: [&str; 11] = [
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
    "--accept-lang=en-US",
];
