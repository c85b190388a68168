//! A publisher of the hub, fed by an RTMP message stream.

use std::pin::Pin;

use pushpull_rtmp::StreamName;
use pushpull_rtmp::server::{Media, PublishRefusal};
use tokio::time::Instant;

use crate::hub::{Claim, ClaimError, Publisher, StopReason};

/// A message stream that publishes.
pub(super) struct Publishing {
    stream_id: u32,
    publisher: Publisher,
    stopped: Pin<Box<dyn Future<Output = StopReason> + Send>>,
    name: StreamName,
    since: Instant,
}

impl Publishing {
    pub(super) fn new(stream_id: u32, name: StreamName, claim: Claim) -> Self {
        let publisher = claim.go_live();
        let stopped = Box::pin(publisher.stopped());
        Self { stream_id, publisher, stopped, name, since: Instant::now() }
    }

    pub(super) fn stream_id(&self) -> u32 {
        self.stream_id
    }

    pub(super) fn name(&self) -> &StreamName {
        &self.name
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn media(&mut self, media: Media) {
        self.publisher.media(media.kind, media.timestamp, media.buffer);
    }

    pub(super) fn flush_at(&self) -> Option<Instant> {
        self.publisher.flush_at()
    }

    pub(super) fn flush(&mut self) {
        self.publisher.flush();
    }

    /// Waits until the hub wants no more of it. Cancelling it loses nothing.
    pub(super) async fn stopped(&mut self) -> StopReason {
        self.stopped.as_mut().await
    }

    /// The publisher said goodbye: ends the stream at once. Dropping it instead holds the viewers.
    pub(super) fn finish(self) {
        self.publisher.finish();
    }
}

/// How a refusal of the hub is told to an RTMP peer.
pub(super) fn refusal(error: ClaimError) -> PublishRefusal {
    match error {
        ClaimError::Busy => PublishRefusal::BadName,
        _ => PublishRefusal::Failed,
    }
}

/// How a stop by the hub is told to an RTMP peer, and logged.
pub(super) fn stop(reason: StopReason) -> (PublishRefusal, &'static str) {
    match reason {
        StopReason::Replaced => (PublishRefusal::BadName, "another publisher took the stream over"),
        StopReason::ServerStopping => (PublishRefusal::Failed, "the server is stopping"),
    }
}
