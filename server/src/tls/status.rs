//! What is counted about TLS, for the metrics.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::{Refused, Tls};
use crate::{metrics::show, net::Socket};

/// Handshakes by their outcome, and new certificates.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    made: AtomicU64,
    plain: AtomicU64,
    timed_out: AtomicU64,
    failed: AtomicU64,
    reloads: AtomicU64,
    bad_reloads: AtomicU64,
}

impl Counters {
    pub(super) fn shaken(&self, outcome: &Result<Socket, Refused>) {
        let counter = match outcome {
            Ok(_) => &self.made,
            Err(Refused::Plain(_)) => &self.plain,
            Err(Refused::TimedOut) => &self.timed_out,
            Err(Refused::Failed(_)) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reloaded(&self) {
        self.reloads.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.bad_reloads.fetch_add(1, Ordering::Relaxed);
    }
}

impl Collector for Tls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Counters { made, plain, timed_out, failed, reloads, bad_reloads } = self.counters();
        let families = [
            (
                "tls_handshakes",
                "TLS handshakes, by outcome",
                vec![("ok", made), ("plain", plain), ("timeout", timed_out), ("failed", failed)],
            ),
            (
                "tls_certificate_reloads",
                "New TLS certificates found in the files, by whether they could be used",
                vec![("ok", reloads), ("failed", bad_reloads)],
            ),
        ];
        for (name, help, counters) in families {
            let counts =
                counters.into_iter().map(|(of, count)| (of, count.load(Ordering::Relaxed)));
            show::counters(&mut encoder, name, help, "outcome", counts)?;
        }
        let Some(expires) = self.expires() else { return Ok(()) };
        let help = "When the TLS certificate in force expires, in seconds since 1970";
        show::gauge(&mut encoder, "tls_certificate_expiry_timestamp_seconds", help, expires.0)
    }
}
