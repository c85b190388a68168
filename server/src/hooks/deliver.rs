//! What a lane does: one question or notice after the other.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body as HttpBody,
    http::{Method, Request, StatusCode, header},
};
use futures_util::future::join_all;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Client, Config, Denied, Event, Inner, Outcome, Reason, Started, Stats, Turn, Url,
    client::Place,
    crowded,
    event::{Bytes, Subject},
    host::{Aim, Host},
    no_answer,
    post::{Failure, Reply},
    random_id, sign,
    style::{Body, Letter, Verdict},
    trust::Trust,
};
use crate::{accept, time::unix_now};

/// What waits in a lane.
pub(super) enum Job {
    Ask(Box<Question>),
    Tell(Box<Notice>),
}

/// Somebody waits for the answer.
pub(super) struct Question {
    pub(super) subject: Subject,
    pub(super) config: Arc<Config>,
    pub(super) deadline: Instant,
    pub(super) turn: Arc<Turn>,
    pub(super) answer: oneshot::Sender<Result<Started, Denied>>,
    pub(super) _place: accept::Place,
}

/// Nobody does.
pub(super) struct Notice {
    subject: Subject,
    config: Arc<Config>,
    bytes: Bytes,
    /// Until it is begun: it counts as dropped then.
    unsent: Option<Arc<Stats>>,
    _place: accept::Place,
}

impl Notice {
    pub(super) fn new(
        subject: Subject,
        config: Arc<Config>,
        bytes: Bytes,
        stats: Arc<Stats>,
        place: accept::Place,
    ) -> Self {
        Self { subject, config, bytes, unsent: Some(stats), _place: place }
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        if let Some(stats) = &self.unsent {
            stats.hit(self.subject.end(), Outcome::Dropped);
        }
    }
}

/// What has become of asking all who are to be asked.
struct Decision {
    /// `Ok` if all let the peer in.
    verdict: Result<(), No>,
    /// Whether one of them may believe that it has begun.
    is_heard: bool,
}

/// Why not all let a peer in.
enum No {
    /// One has said nothing of sense.
    Silence,
    /// One was not asked, for the peer's own address takes all that it may have.
    Crowd,
    /// One has said no, in these words.
    Said(String),
}

impl No {
    /// A no weighs more than silence; and silence that the peer has made, more than silence.
    fn weight(&self) -> u8 {
        match self {
            Self::Silence => 0,
            Self::Crowd => 1,
            Self::Said(_) => 2,
        }
    }
}

/// A hook server, and what it is to hear of.
struct Target<'a> {
    config: &'a Config,
    url: &'a Url,
    event: Event,
    host: Arc<Host>,
    trust: Trust<'a>,
    stats: &'a Stats,
}

impl Inner {
    /// Puts a job into its client's lane.
    pub(super) fn push(self: &Arc<Self>, client: &Client, job: Job, place: Place) {
        if !client.push(job, place) {
            return;
        }
        let (hooks, client, hold) = (self.clone(), client.clone(), self.shutdown.hold());
        self.runtime.spawn(async move {
            // The server does not stop before all was told, unless it is in a hurry.
            let _hold = hold;
            let forced = hooks.shutdown.forced().clone();
            let work = async {
                while let Some(job) = client.next() {
                    match job {
                        Job::Ask(question) => hooks.decide(&client, *question).await,
                        Job::Tell(notice) => hooks.tell(&client, *notice).await,
                    }
                }
            };
            if forced.run_until_cancelled(Box::pin(work)).await.is_none() {
                hooks.lost();
            }
        });
    }

    async fn decide(self: &Arc<Self>, client: &Client, question: Question) {
        let Question { subject, config, deadline, turn, answer, _place } = question;
        // Who has left before anybody heard of it need not be heard of.
        if answer.is_closed() || !turn.begin() {
            return;
        }
        let Decision { verdict, is_heard } =
            self.ask_all(&config, client, &subject, deadline).await;
        let event = subject.start();
        let decided = match verdict {
            Ok(()) => Ok(self.started(client.clone(), subject)),
            Err(No::Said(words)) => {
                self.stats.hit(event, Outcome::Denied);
                if is_heard {
                    self.started(client.clone(), subject).end_next();
                }
                let text = match words.as_str() {
                    "" => "the hook server does not allow it".to_owned(),
                    words => format!("the hook server does not allow it: {words}"),
                };
                Err(Denied { reason: Reason::Refused, text })
            }
            Err(No::Crowd) => {
                if is_heard {
                    self.started(client.clone(), subject).end_next();
                }
                // Else who asks often enough would be let in where hooks are open.
                Err(crowded("address"))
            }
            Err(No::Silence) => match self.undecided(&config, client.clone(), subject.clone()) {
                Err(_) if is_heard => {
                    self.started(client.clone(), subject).end_next();
                    Err(no_answer())
                }
                decided => decided,
            },
        };
        // Who has left meanwhile has begun, and ends here.
        if let Err(Ok(started)) = answer.send(decided) {
            started.end_next();
        }
    }

    /// Asks all hook servers at once: all have to agree, and have the same time.
    async fn ask_all(
        &self,
        config: &Config,
        client: &Client,
        subject: &Subject,
        deadline: Instant,
    ) -> Decision {
        let event = subject.start();
        let bodies = self.bodies(config, client, subject, event, Bytes::default());
        let answers = config.urls(event).iter().map(|url| {
            let bodies = bodies.iter();
            async move {
                let mut is_heard = false;
                for body in bodies {
                    let verdict = self.ask(config, client, url, event, body, deadline).await;
                    match verdict {
                        Ok(Verdict::Allowed) => is_heard = true,
                        Ok(Verdict::Denied(words)) => {
                            return Decision { verdict: Err(No::Said(words)), is_heard };
                        }
                        Ok(Verdict::Senseless(_)) | Err(Failure::Unanswered(_)) => {
                            return Decision { verdict: Err(No::Silence), is_heard: true };
                        }
                        Err(Failure::Unreached(_)) => {
                            return Decision { verdict: Err(No::Silence), is_heard };
                        }
                        Err(Failure::Crowded) => {
                            return Decision { verdict: Err(No::Crowd), is_heard };
                        }
                    }
                }
                Decision { verdict: Ok(()), is_heard }
            }
        });
        let mut all = Decision { verdict: Ok(()), is_heard: false };
        for one in join_all(answers).await {
            all.is_heard |= one.is_heard;
            if let Err(no) = one.verdict
                && all.verdict.as_ref().err().is_none_or(|known| no.weight() > known.weight())
            {
                all.verdict = Err(no);
            }
        }
        all
    }

    async fn ask(
        &self,
        config: &Config,
        client: &Client,
        url: &Url,
        event: Event,
        body: &Body,
        deadline: Instant,
    ) -> Result<Verdict, Failure> {
        let target = Target::new(self, config, url, event);
        let address = client.address();
        let Ok(_slot) = timeout_at(deadline, target.host.slot(Aim::Ask, address)).await else {
            self.stats.hit(event, Outcome::Failed);
            target.host.is_crowded(url, event, address);
            return Err(if target.host.is_kept_by_its_own(address) {
                Failure::Crowded
            } else {
                Failure::Unreached("it was not asked in time".to_owned())
            });
        };
        let answer = target.send(&random_id(), body, deadline).await;
        let verdict = answer.map(|reply| match &reply.body {
            Some(body) => config.style.read(reply.status, body),
            None => Verdict::Senseless("its answer is too long or broken off".to_owned()),
        });
        match &verdict {
            Ok(Verdict::Allowed | Verdict::Denied(_)) => target.host.is_well(),
            Ok(Verdict::Senseless(reason)) => target.failed(reason),
            Err(failure) => target.failed(failure.reason()),
        }
        verdict
    }

    async fn tell(&self, client: &Client, mut notice: Notice) {
        notice.unsent = None;
        let Notice { subject, config, bytes, .. } = &notice;
        let event = subject.end();
        let bodies = self.bodies(config, client, subject, event, *bytes);
        let told = config.urls(event).iter().flat_map(|url| {
            let tell = move |body| self.tell_one(config, client, url, event, body);
            bodies.iter().map(tell)
        });
        join_all(told).await;
    }

    /// Tells one hook server, again and again if need be. When the server stops, each gets one last try.
    async fn tell_one(
        &self,
        config: &Config,
        client: &Client,
        url: &Url,
        event: Event,
        body: &Body,
    ) {
        let target = Target::new(self, config, url, event);
        let mut fate = Fate { stats: &self.stats, event, outcome: Outcome::Dropped };
        // The same for all tries: who has got it twice can tell.
        let delivery = random_id();
        for attempt in 0..=config.retries {
            let is_last = attempt == config.retries || self.shutdown.requested().is_cancelled();
            let answer = {
                let _slot = target.host.slot(Aim::Tell, client.address()).await;
                target.send(&delivery, body, Instant::now() + config.timeout).await
            };
            let reason = match answer {
                Ok(Reply { status, .. }) if status.is_success() => {
                    target.host.is_well();
                    fate.outcome = Outcome::Told;
                    return;
                }
                Ok(Reply { status, .. }) => {
                    let reason = format!("it answers {status}");
                    if is_final(status) {
                        return target.failed(&reason);
                    }
                    reason
                }
                Err(failure) => failure.reason().to_owned(),
            };
            target.failed(&reason);
            if is_last {
                return;
            }
            self.stats.hit(event, Outcome::Retried);
            tokio::select! {
                () = sleep(backoff(attempt)) => {}
                () = self.shutdown.requested().cancelled() => {}
            }
        }
    }

    fn bodies(
        &self,
        config: &Config,
        client: &Client,
        subject: &Subject,
        event: Event,
        bytes: Bytes,
    ) -> Vec<Body> {
        let (client, service) = (client.facts(), &self.service);
        config.style.write(&Letter { event, client, subject, bytes, service })
    }
}

impl<'a> Target<'a> {
    fn new(hooks: &'a Inner, config: &'a Config, url: &'a Url, event: Event) -> Self {
        let trust = Trust::new(config.authorities.as_ref(), &hooks.system);
        Self { config, url, event, host: hooks.hosts.of(url), trust, stats: &hooks.stats }
    }

    async fn send(&self, delivery: &str, body: &Body, deadline: Instant) -> Result<Reply, Failure> {
        let text = body.text.clone();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.url.target())
            .header(header::HOST, self.url.authority())
            .header(header::USER_AGENT, AGENT)
            .header(header::CONNECTION, "close")
            .header(header::CONTENT_TYPE, body.content_type)
            .header("x-pushpull-event", self.event.name())
            .header("x-pushpull-delivery", delivery);
        if let Some(secret) = &self.config.secret {
            let timestamp = unix_now().as_secs().to_string();
            let signature = sign::signature(secret, &timestamp, text.as_bytes());
            request = request
                .header("x-pushpull-timestamp", timestamp)
                .header("x-pushpull-signature", signature);
        }
        let request = request
            .body(HttpBody::from(text))
            .map_err(|error| Failure::Unreached(error.to_string()))?;
        self.host.exchange(request, self.trust, deadline).await
    }

    fn failed(&self, reason: &str) {
        self.stats.hit(self.event, Outcome::Failed);
        self.host.is_unwell(self.url, self.event, reason);
    }
}

/// What becomes of a notice, counted when it is dropped.
struct Fate<'a> {
    stats: &'a Stats,
    event: Event,
    outcome: Outcome,
}

impl Drop for Fate<'_> {
    fn drop(&mut self) {
        self.stats.hit(self.event, self.outcome);
    }
}

/// Whether the same request will get the same answer.
fn is_final(status: StatusCode) -> bool {
    let may_change = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    (status.is_client_error() && !may_change.contains(&status)) || status.is_redirection()
}

/// 1 s, and twice as long after every try, up to 30 s; each up to a quarter more or less, so that many do not come at once.
fn backoff(attempt: u32) -> Duration {
    let mut random = [0];
    // Without random bytes, they do.
    let _ = getrandom::fill(&mut random);
    let seconds = 1_u32 << attempt.min(5);
    Duration::from_secs(u64::from(seconds.min(30))).mul_f64(0.75 + f64::from(random[0]) / 512.0)
}

const AGENT: &str = concat!("pushpull/", env!("CARGO_PKG_VERSION"));
