//! `/metrics`: what the server counts, in OpenMetrics for those who ask for it, as Prometheus does, and else in the older text
//! format.
//!
//! Names end with their unit, which is a base unit (seconds, bytes), and counters with `_total`. What carries labels has a
//! bounded number of them: fixed words, or `metrics_streams` streams. docs/api.md has the list, which a test compares.

mod process;
pub mod show;
mod streams;
#[cfg(test)]
mod tests;
mod text;

use std::{
    fmt,
    sync::Arc,
    time::{Instant, SystemTime},
};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    access, api,
    config::Live,
    hub::{Hub, State},
    limits::{Hits, Limit},
    reload::Reloads,
    sessions::Sessions,
    tls::Tls,
};

/// Everything counted outside the hub, and the registry of all of it.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    process: Registry,
    /// When the server began.
    pub started: Instant,
    /// HTTP connections.
    pub http: Connections,
    /// RTMP connections.
    pub rtmp: Connections,
    /// RTMP connections that ended because the peer broke the protocol or one of its limits.
    pub rtmp_errors: Counter,
    /// Limits that were run into.
    pub hits: Arc<Hits>,
    /// Publishers and viewers that were not let in.
    pub access_refused: access::Counted,
    /// How the configuration was read again.
    pub reloads: Reloads,
    publishers_refused: Family<Refusal, Counter>,
    players: Gauge,
    players_refused: Family<Refusal, Counter>,
    rtmp_ignored: Family<Refusal, Counter>,
}

impl Metrics {
    /// All counts at zero; those of `hub` are read when they are asked for.
    pub fn new(hub: Hub) -> Metrics {
        let mut registry = Registry::with_prefix("pushpull");
        let hits = hub.stats().hits().clone();
        registry.register_collector(Box::new(HubMetrics(hub)));
        // Its names are those that others have for the same.
        let mut process = Registry::default();
        process.register_collector(Box::new(process::Process { started: SystemTime::now() }));
        let build = Family::<Build, Gauge>::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "Always 1; the version is in the label", build);
        let http = Connections::register(&mut registry, "http", "HTTP");
        let rtmp = Connections::register(&mut registry, "rtmp", "RTMP");
        let rtmp_errors = Counter::default();
        let help =
            "RTMP connections that ended because the peer broke the protocol or one of its limits";
        registry.register("rtmp_errors", help, rtmp_errors.clone());
        let access_refused = access::Counted::default();
        let help = "Publishers and viewers that were not let in, by what they wanted and why";
        registry.register("access_refused", help, access_refused.clone());
        let reloads = Reloads::default();
        registry.register_collector(Box::new(reloads.clone()));
        let publishers_refused = Family::default();
        registry.register(
            "publishers_refused",
            "RTMP peers that were refused, by reason",
            publishers_refused.clone(),
        );
        let players = Gauge::default();
        let help = "Streams that RTMP peers play, or wait for, at present";
        registry.register("rtmp_players", help, players.clone());
        let players_refused = Family::default();
        let help = "Streams that RTMP peers wanted to play and did not get, by reason";
        registry.register("players_refused", help, players_refused.clone());
        let rtmp_ignored = Family::default();
        let help = "RTMP messages that nobody gets, by reason";
        registry.register("rtmp_ignored", help, rtmp_ignored.clone());
        Metrics {
            registry,
            process,
            started: Instant::now(),
            http,
            rtmp,
            rtmp_errors,
            hits,
            access_refused,
            reloads,
            publishers_refused,
            players,
            players_refused,
            rtmp_ignored,
        }
    }

    /// Shows streams one by one, and who publishes and views.
    pub fn add_streams(&mut self, hub: Hub, sessions: Sessions, config: Live<api::Config>) {
        self.add(Box::new(streams::Streams { hub, sessions, config }));
    }

    /// Has what `tls` counts among the metrics.
    pub fn add_tls(&mut self, tls: Tls) {
        self.registry.register_collector(Box::new(tls));
    }

    /// Shows what somebody else counts, too.
    pub fn add(&mut self, collector: Box<dyn Collector>) {
        self.registry.register_collector(collector);
    }

    /// Counts a publisher that was refused; `reason` is one of a few fixed words.
    pub fn publisher_refused(&self, reason: &'static str) {
        self.publishers_refused.get_or_create(&Refusal { reason }).inc();
    }

    /// Counts an RTMP player, until what is returned is dropped.
    pub fn player(&self) -> OpenPlayer {
        self.players.inc();
        OpenPlayer(self.players.clone())
    }

    /// Counts an RTMP player that did not get its stream; `reason` is one of a few fixed words.
    pub fn player_refused(&self, reason: &'static str) {
        self.players_refused.get_or_create(&Refusal { reason }).inc();
    }

    /// Counts RTMP messages that nobody gets; `reason` is one of a few fixed words.
    pub fn rtmp_ignored(&self, reason: &'static str, messages: u64) {
        if messages > 0 {
            self.rtmp_ignored.get_or_create(&Refusal { reason }).inc_by(messages);
        }
    }

    /// The text of `/metrics`.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &self.process)?;
        encode_eof(&mut text)?;
        Ok(text)
    }

    /// The answer of `/metrics` to who accepts the formats in `accept`.
    pub fn respond(&self, accept: Option<&HeaderValue>) -> Response {
        let is_open = accept
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("application/openmetrics-text"));
        match self.encode() {
            Ok(text) => {
                let (kind, text) = match is_open {
                    true => (OPEN_METRICS, text),
                    false => (TEXT, text::older(&text)),
                };
                ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text)
                    .into_response()
            }
            // Writing to a string does not fail.
            Err(fmt::Error) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// The connections of one protocol.
#[derive(Debug)]
pub struct Connections {
    accepted: Counter,
    open: Gauge,
    refused: Counter,
}

impl Connections {
    fn register(registry: &mut Registry, prefix: &str, name: &str) -> Connections {
        let connections = Connections {
            accepted: Counter::default(),
            open: Gauge::default(),
            refused: Counter::default(),
        };
        let Connections { accepted, open, refused } = &connections;
        let metric = |suffix: &str| format!("{prefix}_connections{suffix}");
        registry.register(metric(""), format!("{name} connections accepted"), accepted.clone());
        registry.register(metric("_open"), format!("{name} connections at present"), open.clone());
        let help = format!("{name} connections turned away because there were too many");
        registry.register(metric("_refused"), help, refused.clone());
        connections
    }

    /// Counts a connection that is accepted, as open until what is returned is dropped.
    pub fn open(&self) -> OpenConnection {
        self.open.inc();
        OpenConnection { id: self.accepted.inc() + 1, open: self.open.clone() }
    }

    /// Counts a connection that is turned away.
    pub fn refuse(&self) {
        self.refused.inc();
    }

    /// How many there are at present.
    pub fn present(&self) -> u64 {
        u64::try_from(self.open.get()).unwrap_or_default()
    }

    /// How many were accepted so far.
    pub fn accepted(&self) -> u64 {
        self.accepted.get()
    }

    /// How many were turned away.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }
}

/// A connection that is open, for as long as this lives.
#[derive(Debug)]
pub struct OpenConnection {
    /// Its number in the log: counted from 1, for each protocol.
    pub id: u64,
    open: Gauge,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.open.dec();
    }
}

/// An RTMP player, for as long as this lives.
#[derive(Debug)]
pub struct OpenPlayer(Gauge);

impl Drop for OpenPlayer {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
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
                "messages_unknown",
                "Messages of an unknown codec or type, relayed as they are",
                stats.unknown(),
            ),
            (
                "publisher_clock_jumps",
                "Times a publisher's clock jumped, which viewers do not see",
                stats.clock_jumps(),
            ),
            (
                "viewer_jumps",
                "Times a viewer had fallen behind and jumped to a later keyframe",
                stats.jumps(),
            ),
        ];
        for (name, help, value) in counters {
            show::counter(&mut encoder, name, help, value)?;
        }
        let help = "Times a limit was run into, by the limit; docs/relay.md has the table of them";
        let hits = Limit::ALL.into_iter().map(|limit| (limit.label(), stats.hits().of(limit)));
        show::counters(&mut encoder, "limits_hit", help, "limit", hits)?;
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
            (
                "media_bytes",
                "Memory taken by the media held for viewers, in bytes",
                hub.media_bytes(),
            ),
        ];
        for (name, help, value) in gauges {
            show::gauge(&mut encoder, name, help, show::count(value))?;
        }
        Ok(())
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What browsers show, and what everything understands that scrapes.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
