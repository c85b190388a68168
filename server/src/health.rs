//! Whether the server does what it is there for: `GET /health`.
//!
//! It *fails* (503) when peers cannot get in: a listener has ended or cannot accept, or the server stops. It *warns* (200)
//! of what hurts some of them, or soon will: descriptors that run low, a certificate that has expired, hooks that do not
//! answer, a configuration file that could not be read. A program that restarts the server when it fails mends the first;
//! a restart would mend none of the others.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    descriptors,
    hooks::Hooks,
    reload::{InForce, Outcome, Reloads},
    shutdown::Shutdown,
    time::Moment,
};

/// What is looked at when somebody asks. Clones are the same.
#[derive(Clone, Default)]
pub struct Health(Arc<RwLock<Vec<Probe>>>);

struct Probe {
    name: &'static str,
    look: Box<dyn Fn() -> Check + Send + Sync>,
}

/// What a look at one thing shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is as it should be.
    Ok,
    /// It hurts some, or soon will: in words.
    Warn(String),
    /// Peers cannot get in: in words.
    Fail(String),
}

/// The whole, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = Health))]
pub struct Report {
    /// The worst of the checks.
    pub status: Status,
    /// What is wrong; empty when nothing is.
    pub problems: Vec<Finding>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = HealthProblem))]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How bad it is.
    pub status: Status,
    /// What is wrong, in words.
    pub detail: String,
}

/// How things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = HealthStatus))]
pub enum Status {
    /// As they should be.
    Ok,
    /// Some are hurt, or soon will be.
    Warn,
    /// Peers cannot get in.
    Fail,
}

impl Health {
    /// What is looked at of a server.
    #[must_use]
    pub fn of(in_force: &InForce, hooks: Hooks, reloads: &Reloads, shutdown: &Shutdown) -> Health {
        let health = Health::default();
        let (hub, requested) = (in_force.hub.clone(), shutdown.requested().clone());
        health.add("serving", move || match hub.is_closing() || requested.is_cancelled() {
            true => Check::Fail("the server is stopping".to_owned()),
            false => Check::Ok,
        });
        health.add("descriptors", descriptors::check);
        if let Some(tls) = in_force.tls.clone() {
            health.add("certificate", move || {
                certificate(tls.expires().map(|expires| expires.0), Moment::now().0)
            });
        }
        health.add("hooks", move || {
            let dead = hooks.health().into_iter().find(|host| host.failures >= DEAD_HOOK);
            dead.map_or(Check::Ok, |host| {
                let (host, times) = (host.host, host.failures);
                Check::Warn(format!("{host} has not answered a hook {times} times in a row"))
            })
        });
        let reloads = reloads.clone();
        health.add("configuration", move || match reloads.last().map(|last| last.outcome) {
            Some(Outcome::Refused(errors)) => {
                let first = errors.first().map_or("", String::as_str);
                Check::Warn(format!("it was read again and is wrong; all is as before: {first}"))
            }
            _ => Check::Ok,
        });
        health
    }

    /// Looks at one thing more whenever somebody asks; `look` must be quick.
    pub fn add(&self, name: &'static str, look: impl Fn() -> Check + Send + Sync + 'static) {
        let mut probes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        probes.push(Probe { name, look: Box::new(look) });
    }

    /// How things are now.
    #[must_use]
    pub fn report(&self) -> Report {
        let probes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let findings = probes.iter().filter_map(|probe| {
            let (status, detail) = match (probe.look)() {
                Check::Ok => return None,
                Check::Warn(detail) => (Status::Warn, detail),
                Check::Fail(detail) => (Status::Fail, detail),
            };
            Some(Finding { check: probe.name, status, detail })
        });
        let problems: Vec<_> = findings.collect();
        let status = problems.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
        Report { status, problems }
    }

    /// The answer of `/health`. Details have paths and names of the inside in them: they are for those who may read.
    #[must_use]
    pub fn respond(&self, may_read: bool) -> Response {
        let mut report = self.report();
        if !may_read {
            report.problems.iter_mut().for_each(|problem| problem.detail = WITHHELD.to_owned());
        }
        let status = match report.status {
            Status::Ok | Status::Warn => StatusCode::OK,
            Status::Fail => StatusCode::SERVICE_UNAVAILABLE,
        };
        let no_store = (header::CACHE_CONTROL, "no-store");
        // A page may show how the server is.
        let for_all = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        (status, [no_store, for_all], Json(report)).into_response()
    }
}

/// What it means that the certificate is good until `expires`, in Unix seconds like `now`.
fn certificate(expires: Option<i64>, now: i64) -> Check {
    let left = expires.map(|expires| expires.saturating_sub(now));
    match left {
        Some(..=0) => Check::Warn("the certificate has expired".to_owned()),
        Some(left) if left < SOON => {
            Check::Warn(format!("the certificate expires in {} hours", left / 3600))
        }
        _ => Check::Ok,
    }
}

/// Whoever renews certificates has done so by then.
const SOON: i64 = 3 * 24 * 3600;

/// What those are told instead of a detail who may not read.
const WITHHELD: &str = "told to those who may read the API (api_read)";

/// One may be bad luck.
const DEAD_HOOK: u64 = 3;

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let probes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(probes.iter().map(|probe| probe.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_ends_is_a_warning() {
        let now = 1_800_000_000;
        let check = |left: i64| certificate(Some(1_800_000_000 + left), now);
        assert_eq!(check(SOON), Check::Ok);
        assert!(matches!(check(7200), Check::Warn(detail) if detail.contains("in 2 hours")));
        assert!(matches!(check(0), Check::Warn(detail) if detail.contains("has expired")));
        assert_eq!(certificate(None, now), Check::Ok);
    }

    #[test]
    fn the_worst_decides_and_everything_wrong_is_told() {
        let health = Health::default();
        health.add("listeners", || Check::Ok);
        assert_eq!(health.respond(true).status(), StatusCode::OK);
        assert_eq!(health.report(), Report { status: Status::Ok, problems: Vec::new() });

        health.add("certificate", || Check::Warn("it expired yesterday".to_owned()));
        assert_eq!(health.respond(true).status(), StatusCode::OK, "a warning is no failure");
        assert_eq!(health.report().status, Status::Warn);

        health.add("stopping", || Check::Fail("the server is stopping".to_owned()));
        assert_eq!(health.respond(true).status(), StatusCode::SERVICE_UNAVAILABLE);
        let json = serde_json::to_value(health.report()).unwrap();
        let expected = serde_json::json!({
            "status": "fail",
            "problems": [
                {"check": "certificate", "status": "warn", "detail": "it expired yesterday"},
                {"check": "stopping", "status": "fail", "detail": "the server is stopping"},
            ],
        });
        assert_eq!(json, expected);
    }
}
