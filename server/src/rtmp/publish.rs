//! Publishers of the hub, each fed by an RTMP message stream.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use pushpull_rtmp::StreamName;
use pushpull_rtmp::server::{Media, PublishRefusal};
use tokio::time::Instant;
use tracing::info;

use super::end::End;
use super::session::Session;
use crate::access;
use crate::hub::{Claim, ClaimError, Claimant, Identity, Publisher, Source, StopReason};
use crate::sessions::{self, Purpose};

/// The message streams of a connection that publish, by their ids.
#[derive(Default)]
pub(super) struct Publishings {
    by_stream: BTreeMap<u32, Publishing>,
    /// Those the hub has not decided about.
    claiming: BTreeMap<u32, Claiming>,
}

/// A message stream that wants to publish.
struct Claiming {
    name: StreamName,
    outcome: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

/// What was decided about somebody who wants to publish.
type Outcome = Result<Box<(Claim, sessions::Session)>, Refused>;

/// Why somebody must not publish.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// It is not let in.
    #[error(transparent)]
    Access(#[from] access::Refusal),
    /// It does not get the name.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It was let in, and had to leave while it waited for the name.
    #[error("{0}")]
    Stopped(sessions::Stop),
}

/// A message stream that publishes.
struct Publishing {
    name: StreamName,
    publisher: Publisher,
    session: sessions::Session,
    stopped: Pin<Box<dyn Future<Output = StopReason> + Send>>,
    since: Instant,
}

impl Publishings {
    pub(super) fn is_empty(&self) -> bool {
        self.by_stream.is_empty()
    }

    pub(super) fn media(&mut self, media: Media) {
        if let Some(publishing) = self.by_stream.get_mut(&media.stream_id) {
            publishing.publisher.media(media.kind, media.timestamp, media.buffer);
        }
    }

    /// When [`Publishings::flush`] has something to send.
    pub(super) fn flush_at(&self) -> Option<Instant> {
        self.by_stream.values().filter_map(|publishing| publishing.publisher.flush_at()).min()
    }

    pub(super) fn flush(&mut self) {
        for publishing in self.by_stream.values_mut() {
            publishing.publisher.flush();
        }
    }

    /// What the hub has decided about one of them; pending for ever if there is none.
    pub(super) fn poll_verdict(&mut self, context: &mut Context<'_>) -> Poll<Verdict> {
        for (&stream_id, claiming) in &mut self.claiming {
            if let Poll::Ready(outcome) = claiming.outcome.poll_unpin(context) {
                let name = claiming.name.clone();
                self.claiming.remove(&stream_id);
                return Poll::Ready(Verdict::Claimed { stream_id, name, outcome });
            }
        }
        for (&stream_id, publishing) in &mut self.by_stream {
            if let Poll::Ready(reason) = publishing.stopped.as_mut().poll(context) {
                return Poll::Ready(Verdict::Stopped { stream_id, reason });
            }
            if let Poll::Ready(stop) = publishing.session.poll_stopped(context) {
                return Poll::Ready(Verdict::Stopped { stream_id, reason: reason(stop) });
            }
        }
        Poll::Pending
    }

    /// The publisher said goodbye: ends the stream at once.
    pub(super) fn finish(&mut self, stream_id: u32) {
        if let Some(publishing) = self.by_stream.remove(&stream_id) {
            let seconds = publishing.since.elapsed().as_secs();
            info!(name = %publishing.name, stream_id, seconds, "unpublished");
            publishing.publisher.finish();
        }
    }

    /// They are all gone without a goodbye: the hub holds the viewers.
    pub(super) fn lose_all(&mut self) {
        self.claiming.clear();
        self.by_stream.clear();
    }

    fn begin(
        &mut self,
        stream_id: u32,
        name: StreamName,
        claim: Claim,
        session: sessions::Session,
    ) {
        let publisher = claim.go_live();
        session.watch(publisher.probe());
        let stopped = Box::pin(publisher.stopped());
        let publishing = Publishing { name, publisher, session, stopped, since: Instant::now() };
        self.by_stream.insert(stream_id, publishing);
    }
}

/// What the hub has decided about a message stream.
pub(super) enum Verdict {
    /// Whether it may publish.
    Claimed { stream_id: u32, name: StreamName, outcome: Outcome },
    /// It must not publish any more.
    Stopped { stream_id: u32, reason: StopReason },
}

impl Session {
    /// Asks to be let in, and the hub for a name. It may have to find out first whether another publisher is still there; meanwhile the
    /// connection goes on.
    pub(super) fn publish(
        &mut self,
        stream_id: u32,
        name: StreamName,
        query: String,
    ) -> Result<(), End> {
        self.name_in_log(&name);
        let source = Source {
            protocol: "rtmp",
            peer: self.peer.to_string(),
            agent: self.agent.clone().unwrap_or_default(),
        };
        let request = self.request(Purpose::Publish, name.clone(), query.clone());
        let identity = Some(Identity { address: self.peer.ip(), query });
        let (access, hub) = (self.host.access.clone(), self.host.hub.clone());
        let mut outcome: Pin<Box<dyn Future<Output = Outcome> + Send>> = Box::pin(async move {
            // Who is not let in must not push anybody aside.
            let name = request.name.clone();
            let mut session = access.admit(request).await?;
            let claim = hub.claim_in_turn(&name, Claimant { source, identity });
            let claim = session.unless_stopped(claim).await.map_err(Refused::Stopped)??;
            Ok(Box::new((claim, session)))
        });
        // As a rule it is decided at once, and what the peer sends next can be read as media.
        match (&mut outcome).now_or_never() {
            Some(outcome) => self.obey(Verdict::Claimed { stream_id, name, outcome }),
            None => {
                self.publishings.claiming.insert(stream_id, Claiming { name, outcome });
                Ok(())
            }
        }
    }

    /// Tells a publisher what the hub has decided. The end of the connection is an error.
    pub(super) fn obey(&mut self, verdict: Verdict) -> Result<(), End> {
        match verdict {
            Verdict::Claimed { stream_id, name, outcome: Ok(admitted) } => {
                let (claim, session) = *admitted;
                info!(%name, stream_id, "publishing");
                self.publishings.begin(stream_id, name, claim, session);
                // Media that came along with the command is read now.
                self.rtmp.accept_publish(stream_id).map_err(End::Protocol)
            }
            Verdict::Claimed { stream_id, name, outcome: Err(error) } => {
                let (refusal, text) = (refusal(&error), error.to_string());
                let told = self.rtmp.reject_publish(stream_id, refusal, &text);
                self.refused(Some(&name), End::Refused(error))?;
                told.map_err(End::Protocol)
            }
            Verdict::Stopped { stream_id, reason } => {
                let name = self.stop(stream_id, reason);
                self.refused(name.as_ref(), End::Stopped(reason))
            }
        }
    }

    /// Tells every publisher of this connection that it has to stop.
    pub(super) fn stop_all(&mut self, reason: StopReason) {
        let (refusal, text) = stop(reason);
        while let Some((stream_id, _)) = self.publishings.claiming.pop_first() {
            // What was held for it is of no interest any more.
            let _ = self.rtmp.reject_publish(stream_id, refusal, text);
        }
        while let Some((&stream_id, _)) = self.publishings.by_stream.first_key_value() {
            self.stop(stream_id, reason);
        }
    }

    /// Tells a publisher that it has to stop. Its stream's name.
    fn stop(&mut self, stream_id: u32, reason: StopReason) -> Option<StreamName> {
        let (refusal, text) = stop(reason);
        self.rtmp.stop_publish(stream_id, refusal, text);
        // Without a goodbye: the hub knows what to do with the viewers.
        self.publishings.by_stream.remove(&stream_id).map(|publishing| publishing.name)
    }
}

/// How a refusal is told to an RTMP peer.
pub(super) fn refusal(error: &Refused) -> PublishRefusal {
    match error {
        Refused::Claim(ClaimError::Busy) => PublishRefusal::BadName,
        Refused::Claim(ClaimError::Banned { .. }) => PublishRefusal::Denied,
        Refused::Access(refusal) => refusal.publish_refusal(),
        Refused::Claim(_) => PublishRefusal::Failed,
        Refused::Stopped(stop) => self::stop(reason(*stop)).0,
    }
}

/// What the end of a session is to its stream.
fn reason(stop: sessions::Stop) -> StopReason {
    match stop {
        sessions::Stop::Kicked => StopReason::Kicked,
        sessions::Stop::Expired => StopReason::Expired,
    }
}

/// How a stop by the hub is told to an RTMP peer, and logged.
pub(super) fn stop(reason: StopReason) -> (PublishRefusal, &'static str) {
    match reason {
        StopReason::Replaced => (PublishRefusal::BadName, "another publisher took the stream over"),
        StopReason::Kicked => (PublishRefusal::Denied, "the server's operator stopped this stream"),
        StopReason::Expired => {
            (PublishRefusal::BadAuth, "the signature that let this publisher in has expired")
        }
        StopReason::Silent => (PublishRefusal::Failed, "nothing was published for too long"),
        StopReason::ServerStopping => (PublishRefusal::Failed, "the server is stopping"),
    }
}
