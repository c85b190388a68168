//! `/api/v1`: what programs, the page above all, can ask the server.

mod events;
mod kick;
mod qr;
mod server;
mod streams;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{Method, Uri, header},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::Serialize;
use tower_http::cors::{Any, CorsLayer};

use crate::{endpoints::Endpoints, hub::Hub, problem::Problem, shutdown::Shutdown};

use events::Feed;

/// Where the routes are.
pub const PREFIX: &str = "/api/v1";

/// What the handlers share.
#[derive(Clone)]
pub struct Api {
    hub: Hub,
    endpoints: Arc<Endpoints>,
    feed: Feed,
    shutdown: Shutdown,
}

impl Api {
    /// Answers about `hub` and the listeners `endpoints`. Must be called in a runtime: it starts the task behind the
    /// events.
    pub fn new(hub: Hub, endpoints: Arc<Endpoints>, shutdown: Shutdown) -> Api {
        let feed = Feed::start(hub.clone(), &shutdown);
        Api { hub, endpoints, feed, shutdown }
    }

    /// The routes below [`PREFIX`]. Any origin may read them: the page may come from elsewhere, and nothing here is secret.
    /// No origin may change anything: a browser asks before it sends a DELETE, and is not told that it may.
    pub fn router(self) -> Router {
        let cors = CorsLayer::new()
            .allow_origin(Any)
            .allow_methods([Method::GET, Method::HEAD])
            .allow_headers(Any)
            .allow_private_network(true);
        Router::new()
            .route("/server", get(server::get))
            .route("/streams", get(streams::get))
            .route("/streams/{*name}", delete(kick::delete).fallback(only_delete))
            .route("/events", get(events::get))
            .route("/qr", get(qr::get))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(cors)
            .with_state(self)
    }
}

/// Handlers see the path without the prefix.
async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(&format!("{PREFIX}{}", uri.path()))
}

async fn method_not_allowed() -> Problem {
    Problem::method_not_allowed("GET, HEAD, OPTIONS")
}

async fn only_delete() -> Problem {
    Problem::method_not_allowed("DELETE")
}

/// JSON that is true now and may be wrong in a moment.
fn fresh_json(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
