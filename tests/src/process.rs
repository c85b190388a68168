//! A child process whose output is kept, and which does not outlive its test.

use std::{
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    task::JoinHandle,
};

/// What a process printed, standard output and standard error together, by line.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    /// Everything so far.
    pub fn text(&self) -> String {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn push(&self, line: &str) {
        let mut text = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        text.push_str(line);
        text.push('\n');
    }

    fn follow(&self, output: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                log.push(&line);
            }
        })
    }
}

/// A running program, in a process group of its own, which is killed when the last clone is dropped.
#[derive(Clone)]
pub struct Process(Arc<Inner>);

struct Inner {
    name: String,
    pid: u32,
    log: Log,
    running: tokio::sync::Mutex<Running>,
}

struct Running {
    child: tokio::process::Child,
    outputs: [JoinHandle<()>; 2],
}

impl Process {
    /// Starts `command` with no input and its output kept.
    pub fn start(name: &str, mut command: Command) -> Result<Process> {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = tokio::process::Command::from(command).spawn().with_context(|| {
            format!("{program} did not start: `just test` installs what the tests need")
        })?;
        let log = Log::default();
        let outputs = [
            log.follow(child.stdout.take().context("standard output is piped")?),
            log.follow(child.stderr.take().context("standard error is piped")?),
        ];
        let pid = child.id().context("a process that was just started has an id")?;
        let running = tokio::sync::Mutex::new(Running { child, outputs });
        Ok(Process(Arc::new(Inner { name: name.to_owned(), pid, log, running })))
    }

    /// The name given at the start.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.0.pid
    }

    /// What it has printed.
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Whether it still runs.
    pub async fn is_running(&self) -> Result<bool> {
        Ok(self.0.running.lock().await.child.try_wait()?.is_none())
    }

    /// Sends a signal by name: `TERM`, `INT`, `KILL`, `STOP`, `CONT`.
    pub fn signal(&self, signal: &str) -> Result<()> {
        send(signal, &self.0.pid.to_string())
    }

    /// Waits for the process to end and its output to be in the log. Returns its exit code, `None` when a signal
    /// ended it.
    pub async fn exit(&self, limit: Duration) -> Result<Option<i32>> {
        let ended = async {
            let mut running = self.0.running.lock().await;
            let status = running.child.wait().await?;
            for output in &mut running.outputs {
                if !output.is_finished() {
                    output.await?;
                }
            }
            Ok(status.code())
        };
        match tokio::time::timeout(limit, ended).await {
            Ok(code) => code,
            Err(_) => bail!("{} still runs after {limit:?}", self.0.name),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Once waited for, the number may belong to somebody else.
        if self.running.get_mut().child.id().is_some() {
            // The group: chromedriver's browsers go with it. It may be gone already.
            drop(send("KILL", &format!("-{}", self.pid)));
        }
    }
}

fn send(signal: &str, target: &str) -> Result<()> {
    let done = Command::new("sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", signal, target])
        .stderr(Stdio::null())
        .status()?;
    if !done.success() {
        bail!("no process {target} to send SIG{signal}");
    }
    Ok(())
}
