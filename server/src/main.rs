//! The `pushpull` program: reads the configuration, runs the server, turns the outcome into an exit code.

use std::{
    env,
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use pushpull::{
    access::command,
    app::App,
    banner::Banner,
    config::{Errors, Loaded, Sources},
    endpoints::Endpoints,
    logs, remarks,
    signals::Signals,
};
use tokio::runtime::Runtime;
use tracing::warn;

fn main() -> ExitCode {
    if env::args_os().nth(1).is_some_and(|word| word == command::NAME) {
        return sign();
    }
    let loaded = Sources::read(env::args_os(), env::vars_os())
        .and_then(|sources| Ok((sources.load()?, sources)));
    let (loaded, sources) = match loaded {
        Ok(loaded) => loaded,
        Err(errors) => return refuse(&errors),
    };
    if sources.only_checks() {
        return match App::check(&loaded.config) {
            Ok(()) => check(&loaded),
            Err(error) => fail(error, BAD_USAGE),
        };
    }
    let log = logs::init(loaded.config.log, &loaded.config.log_level);
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    match serve(sources, loaded, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(format_args!("{error:#}"), FAILURE),
    }
}

/// `pushpull sign`: says addresses.
fn sign() -> ExitCode {
    match command::run(env::args_os(), env::vars_os()) {
        Ok(addresses) => {
            let _ = write!(io::stdout().lock(), "{addresses}");
            ExitCode::SUCCESS
        }
        Err(command::Error::Usage(error)) => usage(&error),
        Err(command::Error::Config(errors)) => refuse(&errors),
        Err(error) => fail(error, BAD_USAGE),
    }
}

/// Says what clap has to say: the help, or what it does not understand.
fn usage(error: &clap::Error) -> ExitCode {
    // With stdout or stderr closed there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS }
}

/// Says everything that is wrong with the configuration.
fn refuse(errors: &Errors) -> ExitCode {
    if let Some(error) = errors.usage() {
        return usage(error);
    }
    for error in errors.iter() {
        fail(error, BAD_USAGE);
    }
    ExitCode::from(BAD_USAGE)
}

/// `--check-config`: says what is in force, and what is odd about it.
fn check(loaded: &Loaded) -> ExitCode {
    for warning in &loaded.warnings {
        let _ = writeln!(io::stderr().lock(), "pushpull: warning: {warning}");
    }
    for remark in remarks::on(&loaded.config, &Endpoints::of(&loaded.config)) {
        let _ = writeln!(io::stderr().lock(), "pushpull: {remark}");
    }
    let _ = write!(io::stdout().lock(), "{loaded}");
    ExitCode::SUCCESS
}

fn serve(sources: Sources, loaded: Loaded, log: logs::Switch) -> anyhow::Result<()> {
    let runtime = Runtime::new().context("cannot start the runtime")?;
    let outcome = runtime.block_on(async {
        // Before anything is printed: who reads it may stop us at once.
        let mut signals = Signals::catch().context("cannot catch signals")?;
        let app = App::bind(sources, loaded)?;
        tokio::spawn(log.follow(app.log_level()));
        // A server whose output nobody reads still serves.
        let _ = write!(io::stdout().lock(), "{}", Banner(app.endpoints()));
        Ok(app.run(&mut signals).await?)
    });
    // What is left by now is not worth waiting for.
    runtime.shutdown_timeout(LAST_WAIT);
    outcome
}

fn fail(error: impl Display, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "pushpull: {error}");
    ExitCode::from(code)
}

const FAILURE: u8 = 1;
const BAD_USAGE: u8 = 2;
const LAST_WAIT: Duration = Duration::from_millis(200);
