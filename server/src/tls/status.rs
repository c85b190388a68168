//! What is counted about TLS, for the metrics.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::{Refused, Tls};
use crate::net::Socket;

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
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (outcome, counter) in counters {
                let labels = [("outcome", outcome)];
                let counter = ConstCounter::new(counter.load(Ordering::Relaxed));
                counter.encode(family.encode_family(&labels)?)?;
            }
        }
        let Some(expires) = self.expires() else { return Ok(()) };
        let gauge = ConstGauge::new(expires.0);
        gauge.encode(encoder.encode_descriptor(
            "tls_certificate_expiry_timestamp_seconds",
            "When the TLS certificate in force expires, in seconds since 1970",
            None,
            gauge.metric_type(),
        )?)
    }
}
