//! Reading the configuration again while the server runs: when it is told to by SIGHUP, and when a file has changed.
//!
//! What is wrong is refused as a whole, and everything stays as it is. Nobody who is connected is dropped either way.

mod in_force;
mod notify;
mod outcome;
mod watch;

#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use crate::{
    config::{Changes, Errors, Loaded, Setting, Sources},
    happenings::{Happening, Happenings, Kind},
    remarks::Remarks,
};

pub use in_force::InForce;
pub use notify::Notify;
pub use outcome::{Outcome, Reload, Reloads};

use watch::Watch;

/// Reads the configuration again, and puts it in force.
#[derive(Debug)]
pub struct Reloader {
    sources: Arc<Sources>,
    /// As the server was started.
    started: Vec<Setting>,
    /// As it is now.
    settings: Vec<Setting>,
    watch: Watch,
    in_force: InForce,
    reloads: Reloads,
    notify: Notify,
    remarks: Remarks,
    happenings: Happenings,
}

impl Reloader {
    /// For a server that was started with what was `loaded` from `sources`, and has put it in force in `in_force`; how the reloads go is told
    /// to `reloads` and `notify`, and what is odd to `remarks`.
    #[must_use]
    pub fn new(
        sources: Sources,
        loaded: Loaded,
        in_force: InForce,
        reloads: Reloads,
        notify: Notify,
        remarks: Remarks,
    ) -> Reloader {
        let Loaded { settings, files, .. } = loaded;
        Reloader {
            sources: Arc::new(sources),
            started: settings.clone(),
            settings,
            watch: Watch::new(files),
            in_force,
            reloads,
            notify,
            remarks,
            happenings: Happenings::default(),
        }
    }

    /// It is told to `happenings`, too.
    #[must_use]
    pub fn telling(self, happenings: Happenings) -> Reloader {
        Reloader { happenings, ..self }
    }

    /// Reloads whenever `asked` is notified or a file has changed, for ever.
    pub async fn run(mut self, asked: Arc<tokio::sync::Notify>) {
        let mut looks = interval(PERIOD);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = asked.notified() => self.reload("SIGHUP").await,
                _ = looks.tick(), if *self.in_force.watch.get() && !self.watch.is_empty() => {
                    if self.has_changed().await {
                        self.reload("a file has changed").await;
                    }
                }
            }
        }
    }

    /// A file system may take its time to answer: the server does not wait for it.
    async fn has_changed(&mut self) -> bool {
        let mut watch = std::mem::take(&mut self.watch);
        let looked = tokio::task::spawn_blocking(move || {
            let changed = watch.has_changed();
            (watch, changed)
        });
        // It is lost only when the server stops.
        let Ok((watch, changed)) = looked.await else { return false };
        self.watch = watch;
        changed
    }

    /// Reads everything; puts it in force if nothing is wrong with it.
    pub async fn reload(&mut self, why: &'static str) {
        self.notify.reloading();
        let sources = self.sources.clone();
        let Ok(loaded) = tokio::task::spawn_blocking(move || sources.load_again()).await else {
            return;
        };
        let outcome = match loaded {
            Ok(loaded) => self.apply(why, loaded),
            Err(errors) => self.refuse(why, errors),
        };
        self.happenings.tell(|| {
            let (code, detail) = match &outcome {
                Outcome::Applied { changed, .. } => ("applied", changed.join(" ")),
                Outcome::Refused(errors) => ("refused", errors.join("; ")),
            };
            Happening::new(Kind::Reloaded).because(code, detail)
        });
        self.reloads.add(outcome);
        self.notify.ready();
    }

    fn apply(&mut self, why: &'static str, loaded: Loaded) -> Outcome {
        self.in_force.replace(&loaded.config);
        let differ = |before: &[Setting], restart: bool| -> Vec<&'static str> {
            let pairs = before.iter().zip(&loaded.settings);
            pairs
                .filter(|(before, now)| !before.is_same(now))
                .map(|(_, now)| now.key)
                .filter(|key| (key.changes == Changes::Restart) == restart)
                .map(|key| key.name)
                .collect()
        };
        let changed = differ(&self.settings, false);
        let needs_restart = differ(&self.started, true);
        if changed.is_empty() {
            info!(why, "configuration read again: nothing to change");
        } else {
            info!(why, changed = changed.join(" "), "configuration reloaded");
        }
        if !needs_restart.is_empty() {
            let keys = needs_restart.join(" ");
            warn!(keys, "these keys change only when the server is started again");
        }
        self.remarks.tell(&loaded.config);
        self.notify.status("serving");
        self.settings = loaded.settings;
        self.watch = Watch::new(loaded.files);
        Outcome::Applied { changed, needs_restart }
    }

    fn refuse(&mut self, why: &'static str, errors: Errors) -> Outcome {
        let said: Vec<String> = errors.iter().take(ERRORS_TOLD).map(ToString::to_string).collect();
        for error in &said {
            error!(why, "configuration not reloaded: {error}");
        }
        let first = said.first().map_or("", String::as_str);
        self.notify.status(&format!("serving as before: the configuration is wrong: {first}"));
        self.watch = Watch::new(errors.into_files());
        Outcome::Refused(said)
    }
}

/// Between two looks at the files. A change is read when it has been there for two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// A file that is no configuration at all may be wrong in every line.
const ERRORS_TOLD: usize = 10;
