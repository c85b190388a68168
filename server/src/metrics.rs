//! `/metrics`: what the server counts, in the OpenMetrics text format that Prometheus scrapes.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        gauge::{ConstGauge, Gauge},
    },
    registry::Registry,
};

use crate::hub::{Hub, State, StreamStatus};

/// Everything counted outside the hub, and the registry of all of it.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// HTTP connections accepted.
    pub http_connections: Counter,
    /// HTTP connections turned away because there were too many.
    pub http_connections_refused: Counter,
    http_connections_open: Gauge,
    next_connection: AtomicU64,
}

impl Metrics {
    /// All counts at zero; those of `hub` are read when they are asked for.
    pub fn new(hub: Hub) -> Metrics {
        let mut registry = Registry::with_prefix("pushpull");
        registry.register_collector(Box::new(HubMetrics(hub)));
        let http_connections = Counter::default();
        let http_connections_refused = Counter::default();
        let http_connections_open = Gauge::default();
        registry.register(
            "http_connections",
            "HTTP connections accepted",
            http_connections.clone(),
        );
        registry.register(
            "http_connections_refused",
            "HTTP connections turned away because http_max_connections was reached",
            http_connections_refused.clone(),
        );
        registry.register(
            "http_connections_open",
            "HTTP connections at present",
            http_connections_open.clone(),
        );
        Metrics {
            registry,
            http_connections,
            http_connections_refused,
            http_connections_open,
            next_connection: AtomicU64::new(1),
        }
    }

    /// Counts an HTTP connection as open until the guard is dropped.
    pub fn open_http_connection(&self) -> OpenConnection {
        self.http_connections.inc();
        self.http_connections_open.inc();
        OpenConnection {
            id: self.next_connection.fetch_add(1, Ordering::Relaxed),
            open: self.http_connections_open.clone(),
        }
    }

    /// The text of `/metrics`.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The answer of `/metrics`.
    pub fn respond(&self) -> Response {
        match self.encode() {
            Ok(text) => {
                ([(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], text)
                    .into_response()
            }
            // Writing to a string does not fail.
            Err(fmt::Error) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// An open connection, while it lives.
#[derive(Debug)]
pub struct OpenConnection {
    /// Its number in the log.
    pub id: u64,
    open: Gauge,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.open.dec();
    }
}

/// Reads the hub at every scrape.
#[derive(Debug)]
struct HubMetrics(Hub);

impl Collector for HubMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let HubMetrics(hub) = self;
        let stats = hub.stats();
        let counters = [
            ("publishes", "Publishers that went live", stats.publishes()),
            ("viewers_joined", "Viewers that were given a stream", stats.viewers()),
            ("received_bytes", "Bytes of media received", stats.bytes_in()),
            ("sent_bytes", "Bytes of FLV tags handed to viewers", stats.bytes_out()),
            ("messages_ignored", "Messages that held nothing to relay", stats.ignored()),
            (
                "viewer_jumps",
                "Times a viewer had fallen behind and jumped to a later keyframe",
                stats.jumps(),
            ),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        let streams = hub.streams();
        let live = streams.iter().filter(|stream| stream.state == State::Live).count();
        let viewers = streams.iter().map(|stream| stream.viewers).sum();
        let gauges = [
            ("streams", "Streams whose publisher is there", live),
            (
                "streams_waiting",
                "Streams that are held for a publisher that was lost",
                streams.len() - live,
            ),
            ("viewers", "Viewers at present", viewers),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(as_gauge(value));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        encode_per_stream(
            &mut encoder,
            &streams,
            "stream_viewers",
            "Viewers of a stream",
            |stream| as_gauge(stream.viewers),
        )?;
        encode_per_stream(
            &mut encoder,
            &streams,
            "stream_bitrate_kbps",
            "Kilobits of media per second that a stream receives",
            |stream| i64::try_from(stream.bitrate_kbps).unwrap_or(i64::MAX),
        )
    }
}

/// One gauge with a label per stream; the number of streams is bounded by `max_streams`.
fn encode_per_stream(
    encoder: &mut DescriptorEncoder<'_>,
    streams: &[StreamStatus],
    name: &str,
    help: &str,
    value: impl Fn(&StreamStatus) -> i64,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for stream in streams {
        let labels = [("stream", stream.name.as_str())];
        ConstGauge::new(value(stream)).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
