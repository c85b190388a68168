//! Publishers of the hub, each fed by an RTMP message stream.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use pushpull_rtmp::StreamName;
use pushpull_rtmp::server::{Media, PublishRefusal};
use tokio::time::Instant;
use tracing::info;

use super::end::End;
use super::session::Session;
use crate::hub::{Claim, ClaimError, Publisher, Source, StopReason};

/// The message streams of a connection that publish, by their ids.
#[derive(Default)]
pub(super) struct Publishings {
    by_stream: BTreeMap<u32, Publishing>,
}

/// A message stream that publishes.
struct Publishing {
    publisher: Publisher,
    stopped: Pin<Box<dyn Future<Output = StopReason> + Send>>,
    name: StreamName,
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

    /// Waits until the hub wants no more of one of them; for ever if there is none. Cancelling it loses nothing.
    pub(super) async fn stopped(&mut self) -> (u32, StopReason) {
        poll_fn(|context| {
            for (&stream_id, publishing) in &mut self.by_stream {
                if let Poll::Ready(reason) = publishing.stopped.as_mut().poll(context) {
                    return Poll::Ready((stream_id, reason));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The publisher said goodbye: ends the stream at once.
    pub(super) fn finish(&mut self, stream_id: u32) {
        if let Some(publishing) = self.by_stream.remove(&stream_id) {
            let seconds = publishing.since.elapsed().as_secs();
            info!(seconds, "unpublished");
            publishing.publisher.finish();
        }
    }

    /// They are gone without a goodbye: the hub holds the viewers.
    pub(super) fn lose(&mut self) {
        self.by_stream.clear();
    }

    fn begin(&mut self, stream_id: u32, name: StreamName, claim: Claim) {
        let publisher = claim.go_live();
        let stopped = Box::pin(publisher.stopped());
        let publishing = Publishing { publisher, stopped, name, since: Instant::now() };
        self.by_stream.insert(stream_id, publishing);
    }
}

impl Session {
    pub(super) fn publish(&mut self, stream_id: u32, name: StreamName) -> Result<(), End> {
        if let Some(publishing) = self.publishings.by_stream.values().next() {
            let text = format!("this connection publishes {} already", publishing.name);
            self.rtmp.reject_publish(PublishRefusal::Denied, &text);
            return Err(End::OneStream);
        }
        self.span.record("stream", name.as_str());
        let source = Source {
            protocol: "rtmp",
            peer: self.peer.to_string(),
            agent: self.agent.clone().unwrap_or_default(),
        };
        match self.host.hub.claim(&name, source) {
            Ok(claim) => {
                info!("publishing");
                self.publishings.begin(stream_id, name, claim);
                // Media that came along with the command is read now.
                self.rtmp.accept_publish().map_err(End::Protocol)
            }
            Err(error) => {
                self.rtmp.reject_publish(refusal(error), &error.to_string());
                Err(End::Refused(error))
            }
        }
    }

    /// Tells a publisher that it has to stop.
    pub(super) fn stop(&mut self, stream_id: u32, reason: StopReason) {
        let (refusal, text) = stop(reason);
        self.rtmp.stop_publish(stream_id, refusal, text);
    }

    /// Tells every publisher of this connection that it has to stop.
    pub(super) fn stop_all(&mut self, reason: StopReason) {
        for &stream_id in self.publishings.by_stream.keys() {
            let (refusal, text) = stop(reason);
            self.rtmp.stop_publish(stream_id, refusal, text);
        }
    }
}

/// How a refusal of the hub is told to an RTMP peer.
pub(super) fn refusal(error: ClaimError) -> PublishRefusal {
    match error {
        ClaimError::Busy => PublishRefusal::BadName,
        ClaimError::Banned { .. } => PublishRefusal::Denied,
        _ => PublishRefusal::Failed,
    }
}

/// How a stop by the hub is told to an RTMP peer, and logged.
pub(super) fn stop(reason: StopReason) -> (PublishRefusal, &'static str) {
    match reason {
        StopReason::Replaced => (PublishRefusal::BadName, "another publisher took the stream over"),
        StopReason::Kicked => (PublishRefusal::Denied, "the server's operator stopped this stream"),
        StopReason::Silent => (PublishRefusal::Failed, "nothing was published for too long"),
        StopReason::ServerStopping => (PublishRefusal::Failed, "the server is stopping"),
    }
}
