//! What one test runs on: its processes, its temporary folder, and what is shown when it fails.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use futures_util::FutureExt;

use crate::{browser::Browser, process::Process};

/// One test's surroundings.
pub struct Stage {
    name: String,
    folder: tempfile::TempDir,
    processes: Mutex<Vec<Process>>,
    browsers: Mutex<Vec<Browser>>,
}

/// Runs `body` with a stage of its own and fails the test if it fails or takes longer than [`TEST_LIMIT`].
#[track_caller]
pub fn stage(body: impl AsyncFnOnce(&Stage) -> Result<()>) {
    stage_for(TEST_LIMIT, body);
}

/// The same with a limit of one's choice.
#[track_caller]
pub fn stage_for(limit: Duration, body: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let name = std::thread::current().name().unwrap_or("main").replace("::", "-");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.expect("a tokio runtime starts").block_on(async {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let stage = Stage { name, folder, processes: Mutex::default(), browsers: Mutex::default() };
        let body = AssertUnwindSafe(tokio::time::timeout(limit, body(&stage))).catch_unwind();
        let outcome = body.await.map(|ended| match ended {
            Ok(result) => result,
            Err(_) => Err(anyhow!("the test did not end within {limit:?}")),
        });
        if !matches!(outcome, Ok(Ok(()))) {
            stage.show().await;
        }
        let browsers = stage
            .browsers
            .lock()
            .map(|mut browsers| std::mem::take(&mut *browsers))
            .unwrap_or_default();
        for browser in browsers {
            browser.close().await;
        }
        outcome
    });
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error:#}"),
        Err(panic) => resume_unwind(panic),
    }
}

/// [`stage_for`], one after the other: of a program's tests only one of these runs at a time. For what is judged by how
/// smoothly it plays: several browsers on a small machine starve each other.
#[track_caller]
pub fn stage_alone(limit: Duration, body: impl AsyncFnOnce(&Stage) -> Result<()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed has no claim on the others.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    stage_for(limit, body);
}

impl Stage {
    /// A folder for this test's files, removed at its end.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps a process until the test has ended: one that failed shows what the process said.
    pub fn watch(&self, process: &Process) {
        if let Ok(mut processes) = self.processes.lock() {
            processes.push(process.clone());
        }
    }

    /// Keeps a browser to be pictured if the test fails, and closed at its end.
    pub fn keep(&self, browser: Browser) {
        if let Ok(mut browsers) = self.browsers.lock() {
            browsers.push(browser);
        }
    }

    async fn show(&self) {
        let processes =
            self.processes.lock().map(|processes| processes.clone()).unwrap_or_default();
        for process in processes {
            eprintln!(
                "--- {} said:
{}",
                process.name(),
                tail(&process.log().text())
            );
        }
        let browsers = self.browsers.lock().map(|browsers| browsers.clone()).unwrap_or_default();
        for (number, browser) in browsers.iter().enumerate() {
            eprintln!("--- the page's console:\n{}", browser.console_text().await);
            let picture = match target_dir() {
                Ok(target) => target.join("e2e").join(format!("{}-{number}.png", self.name)),
                Err(_) => continue,
            };
            match browser.picture(&picture).await {
                Ok(()) => eprintln!("--- the page: {}", picture.display()),
                Err(error) => eprintln!("--- no picture of the page: {error:#}"),
            }
        }
    }
}

/// Where cargo builds, found from this test's own file: `target/debug/deps/test`.
pub fn target_dir() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    Ok(test
        .ancestors()
        .nth(3)
        .context("a test is built three folders below the target directory")?
        .to_owned())
}

/// No test needs as long; what hangs fails.
pub const TEST_LIMIT: Duration = Duration::from_secs(120);

fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(MAX_SHOWN);
    let from = (from..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(from);
    &text[from..]
}

/// Bytes of each process's output that a failure prints.
const MAX_SHOWN: usize = 20_000;
