//! Which browser, and how it is started: the two drivers differ in all but the protocol.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
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
        // chromedriver takes a free port of IPv6 and ends if something else has it in IPv4.
        let (driver, port) = match self.listen(stage, &profile).await {
            Ok(listening) => listening,
            Err(_) => self.listen(stage, &profile).await?,
        };
        let capabilities = match self {
            Kind::Chromium => chromium(&profile),
            Kind::Firefox => firefox()?,
        };
        let session = Session::start(([127, 0, 0, 1], port).into(), capabilities).await;
        Ok((driver, session.with_context(|| format!("the driver starts {self:?}"))?))
    }

    /// The driver, and the port it listens on.
    async fn listen(self, stage: &Stage, profile: &Path) -> Result<(Process, u16)> {
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
        stage.watch(&driver);
        let port = until(&format!("{program} listens"), PATIENCE, async || {
            ensure!(driver.is_running().await?, "it ended");
            let log = driver.log().text();
            let port = |line: &str| line.split_once(listens)?.1.trim_end_matches('.').parse().ok();
            Ok(log.lines().find_map(port))
        })
        .await?;
        Ok((driver, port))
    }
}

fn chromium(profile: &Path) -> Value {
    let mut arguments = CHROMIUM_ARGUMENTS.map(str::to_owned).to_vec();
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
