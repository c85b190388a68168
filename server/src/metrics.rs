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
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

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
    /// All counts at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("pushpull");
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

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
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

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
