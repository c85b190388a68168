//! Hook servers: how many connections each may have, where it is, and whether it is alive.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{body::Body, http::Request};
use tokio::{
    net::lookup_host,
    time::{Instant, timeout_at},
};
use tracing::{info, warn};

use super::{
    config::{Scheme, Url, bare},
    post::{self, Bounded, Failure, Reply},
    secure::secure,
    slots::{Slot, Slots},
    trust::Trust,
};

/// Why somebody talks to a hook server. Each has its own connections: the one is never kept waiting by the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// Somebody waits for the answer.
    Ask,
    /// Nobody does.
    Tell,
}

/// The hook servers there are.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<Known>);

type Known = HashMap<(Scheme, String, u16), Arc<Host>>;

/// One hook server.
#[derive(Debug)]
pub(super) struct Host {
    scheme: Scheme,
    name: String,
    port: u16,
    asking: Slots,
    telling: Slots,
    health: Mutex<Health>,
    /// Held by whoever looks the name up: one at a time, for as long as that takes.
    addresses: Arc<tokio::sync::Mutex<Option<Addresses>>>,
}

#[derive(Debug)]
struct Addresses {
    found: Vec<SocketAddr>,
    until: Instant,
}

#[derive(Debug, Default)]
struct Health {
    /// In a row.
    failures: u64,
    /// In a row, of connections.
    unreached: u64,
    /// While it cannot be reached: when it is tried again.
    next_try: Option<Instant>,
    /// What the log was told of late.
    told: Told,
    /// When it was told last that a question was not asked in time.
    crowded: Option<Instant>,
}

/// What the log was told of a hook server within [`QUIET`]: one that fails now and then must not fill it.
#[derive(Debug, Default)]
struct Told {
    since: Option<Instant>,
    failures: u64,
    recoveries: u64,
}

impl Told {
    fn renew(&mut self) {
        let now = Instant::now();
        if self.since.is_none_or(|since| now >= since + QUIET) {
            *self = Self { since: Some(now), ..Self::default() };
        }
    }
}

/// How a hook server is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostHealth {
    /// Its name or address, with the port.
    pub host: String,
    /// Times in a row that it could not be reached or made no sense; 0 is well.
    pub failures: u64,
}

impl Hosts {
    pub(super) fn of(&self, url: &Url) -> Arc<Host> {
        let mut hosts = self.lock();
        if hosts.len() >= MAX_HOSTS {
            // Of configurations that are not in force any more.
            hosts.retain(|_, host| Arc::strong_count(host) > 1);
        }
        let key = (url.scheme().clone(), url.host().to_owned(), url.port());
        hosts.entry(key).or_insert_with(|| Arc::new(Host::new(url))).clone()
    }

    pub(super) fn health(&self) -> Vec<HostHealth> {
        let hosts = self.lock();
        let health = hosts.values().map(|host| {
            let failures = host.health().failures;
            HostHealth { host: host.authority(), failures }
        });
        health.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    fn new(url: &Url) -> Self {
        Self {
            scheme: url.scheme().clone(),
            name: url.host().to_owned(),
            port: url.port(),
            asking: Slots::new(MAX_ASKING),
            telling: Slots::new(MAX_TELLING),
            health: Mutex::default(),
            addresses: Arc::default(),
        }
    }

    /// A connection for `aim`, for an event of somebody at `address`, when it is its turn.
    pub(super) async fn slot(&self, aim: Aim, address: IpAddr) -> Slot<'_> {
        let slots = match aim {
            Aim::Ask => &self.asking,
            Aim::Tell => &self.telling,
        };
        slots.take(address).await
    }

    /// Sends `request` and waits for the answer, no longer than until `deadline`.
    pub(super) async fn exchange(
        &self,
        request: Request<Body>,
        trust: Trust<'_>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        if !self.may_be_tried() {
            return Err(Failure::Unreached(
                "it cannot be reached, and is tried once a second".into(),
            ));
        }
        let socket = self.connect(deadline).await;
        let Scheme::Https(name) = &self.scheme else {
            self.reached(socket.is_ok());
            return post::exchange(socket?, request, deadline).await;
        };
        let socket = match socket {
            Ok(socket) => secure(socket, name, trust, deadline).await,
            Err(failure) => Err(failure),
        };
        // With whom there is no TLS, nobody can talk.
        self.reached(socket.is_ok());
        post::exchange(socket?, request, deadline).await
    }

    async fn connect(&self, deadline: Instant) -> Result<Bounded, Failure> {
        match timeout_at(deadline, self.addresses()).await {
            Ok(Ok(addresses)) => post::connect(&addresses, deadline).await,
            Ok(Err(reason)) => Err(Failure::Unreached(reason)),
            Err(_) => Err(Failure::Unreached(format!("{} is not found in time", self.name))),
        }
    }

    /// Notes that it has answered, and with sense.
    pub(super) fn is_well(&self) {
        let mut health = self.health();
        let before = std::mem::take(&mut health.failures);
        if before < LOGGED {
            return;
        }
        health.told.renew();
        health.told.recoveries += 1;
        if health.told.recoveries == 1 {
            drop(health);
            info!(host = self.authority(), failures = before, "the hook server answers again");
        }
    }

    /// Notes that it has not. The first few times are told; that it goes on like this, for however long, is told once.
    pub(super) fn is_unwell(&self, url: &Url, event: super::Event, reason: &str) {
        let told = {
            let mut health = self.health();
            health.failures = health.failures.saturating_add(1);
            if health.failures == 1 {
                health.told.renew();
            }
            health.told.failures = health.told.failures.saturating_add(1);
            health.told.failures
        };
        if told < LOGGED {
            warn!(%url, %event, reason, "a hook server failed");
        } else if told == LOGGED {
            warn!(
                %url, %event, reason,
                "a hook server failed again; more of it is counted (hooks_failed) and not logged"
            );
        }
    }

    /// Whether a question about somebody at `address` has to wait for others of that address, and for nothing else: the
    /// server answers.
    pub(super) fn is_kept_by_its_own(&self, address: IpAddr) -> bool {
        self.health().failures == 0 && self.asking.has_any(address)
    }

    /// Notes that a question about somebody at `address` was not asked in its time, since it was not its turn before. What
    /// is under way tells how the server is; this is told once in a while.
    pub(super) fn is_crowded(&self, url: &Url, event: super::Event, address: IpAddr) {
        let now = Instant::now();
        let crowded = &mut self.health().crowded;
        if crowded.is_none_or(|told| now >= told + QUIET) {
            *crowded = Some(now);
            warn!(
                %url, %event, %address,
                "too many questions are under way to a hook server, in all or of this address: one was not asked in time"
            );
        }
    }

    fn authority(&self) -> String {
        format!("{}:{}", self.name, self.port)
    }

    /// Whether there is a point in trying: one that was out of reach several times is tried once a second, and everybody
    /// else does not wait for it.
    fn may_be_tried(&self) -> bool {
        let now = Instant::now();
        let mut health = self.health();
        if health.unreached < MAX_UNREACHED || health.next_try.is_none_or(|at| at <= now) {
            health.next_try = Some(now + TRY_AGAIN);
            return true;
        }
        false
    }

    fn reached(&self, is_reached: bool) {
        let unreached = &mut self.health().unreached;
        *unreached = if is_reached { 0 } else { unreached.saturating_add(1) };
    }

    /// Where it is. A name is looked up by one at a time, and a look-up that hangs is waited for by nobody and not begun
    /// again: the system has a thread for each.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        if let Ok(address) = bare(&self.name).parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        let mut known = self.addresses.clone().lock_owned().await;
        if let Some(Addresses { found, .. }) =
            known.as_ref().filter(|known| known.until > Instant::now())
        {
            return Ok(found.clone());
        }
        let (name, port) = (self.name.clone(), self.port);
        let lookup = tokio::spawn(async move {
            let found = lookup_host((name.as_str(), port)).await;
            let found = found.map(|found| found.take(MAX_ADDRESSES).collect::<Vec<_>>());
            if let Ok(found) = &found {
                let until = Instant::now() + KNOWN_FOR;
                *known = Some(Addresses { found: found.clone(), until });
            }
            found
        });
        match lookup.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(format!("{} is not found: {error}", self.name)),
            Err(error) => Err(format!("{} is not found: {error}", self.name)),
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Questions to one hook server at a time: half of them for one address, if it is alone.
const MAX_ASKING: usize = 256;

/// Notices to one hook server at a time.
const MAX_TELLING: usize = 64;

/// Hook servers that are remembered: more than a configuration has, unless somebody means it.
const MAX_HOSTS: usize = 64;

/// Failures that are logged, of those in a row and of those within [`QUIET`].
const LOGGED: u64 = 3;

/// How long the log is left in peace by a hook server that fails now and then.
const QUIET: Duration = Duration::from_secs(60);

/// Failed connections in a row, after which a hook server is tried now and then only.
const MAX_UNREACHED: u64 = 5;
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// How long a name is not looked up again.
const KNOWN_FOR: Duration = Duration::from_secs(10);
const MAX_ADDRESSES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_out_of_reach_is_tried_once_a_second() {
        let host = Host::new(&Url::parse("http://192.0.2.1/").unwrap());
        for _ in 0..MAX_UNREACHED {
            assert!(host.may_be_tried());
            host.reached(false);
        }
        assert!(!host.may_be_tried());
        tokio::time::advance(TRY_AGAIN).await;
        assert!(host.may_be_tried() && !host.may_be_tried());
        host.reached(true);
        assert!(host.may_be_tried() && host.may_be_tried());
    }

    #[tokio::test]
    async fn addresses_need_no_lookup_and_names_are_looked_up() {
        let of = |text| Host::new(&Url::parse(text).unwrap());
        let is = |text: &str| Ok(vec![text.parse().unwrap()]);
        assert_eq!(of("http://[::1]:80/").addresses().await, is("[::1]:80"));
        assert_eq!(of("http://127.0.0.1:81/").addresses().await, is("127.0.0.1:81"));
        let host = of("http://localhost:82/");
        let found = host.addresses().await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()) && !found.is_empty());
        assert_eq!(host.addresses().await, Ok(found));
        assert!(of("http://nowhere.invalid/").addresses().await.is_err());
    }
}
