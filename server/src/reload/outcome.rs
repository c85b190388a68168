//! How reloads went, for those who ask.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use crate::{metrics::show, time::unix};

/// How the reloads so far went. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Reloads(Arc<Mutex<Counted>>);

#[derive(Debug)]
struct Counted {
    applied: u64,
    refused: u64,
    /// When what is in force was read.
    since: SystemTime,
    last: Option<Reload>,
}

impl Default for Counted {
    fn default() -> Self {
        Self { applied: 0, refused: 0, since: SystemTime::now(), last: None }
    }
}

/// One reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// When it was.
    pub at: SystemTime,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was read is in force.
    Applied {
        /// Keys whose new values count.
        changed: Vec<&'static str>,
        /// Keys that say something else than at the start, and cannot change before the next.
        needs_restart: Vec<&'static str>,
    },
    /// There were mistakes, a sentence for each; all is as before.
    Refused(Vec<String>),
}

impl Reloads {
    /// How many were applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.lock().applied
    }

    /// How many were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    /// When what is in force was read: at the start, or by the last reload that was applied.
    #[must_use]
    pub fn since(&self) -> SystemTime {
        self.lock().since
    }

    /// The last one, if there was any.
    #[must_use]
    pub fn last(&self) -> Option<Reload> {
        self.lock().last.clone()
    }

    pub(super) fn add(&self, outcome: Outcome) {
        let (mut counted, at) = (self.lock(), SystemTime::now());
        match outcome {
            Outcome::Applied { .. } => {
                counted.applied += 1;
                counted.since = at;
            }
            Outcome::Refused(_) => counted.refused += 1,
        }
        counted.last = Some(Reload { at, outcome });
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Reloads {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Times the configuration was read again, by what came of it";
        let outcomes = [("applied", self.applied()), ("refused", self.refused())];
        show::counters(&mut encoder, "config_reloads", help, "outcome", outcomes)?;
        let is_refused =
            self.last().is_some_and(|last| matches!(last.outcome, Outcome::Refused(_)));
        let since = unix(self.since());
        let help =
            "Whether the configuration as it was read last is in force: 0 while it has a mistake";
        let name = "config_last_reload_successful";
        show::gauge(&mut encoder, name, help, i64::from(!is_refused))?;
        let help = "When the configuration in force was read, in seconds since 1970";
        let name = "config_last_reload_success_timestamp_seconds";
        show::gauge(&mut encoder, name, help, since.as_secs_f64())
    }
}
