//! `/api/v1`: what programs, the page above all, can ask the server, and `/api` in Node-Media-Server's shape ([`nms`]).
//!
//! Every error is a problem (`application/problem+json`). `openapi.json` beside this file, which is served, is made from the
//! types and handlers here by the tests of [`openapi`].

pub mod authority;
mod bans;
mod events;
mod nms;
mod openapi;
mod parameters;
mod qr;
mod refusals;
mod server;
mod sessions;
mod sign;
mod streams;

#[cfg(test)]
mod tests;

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRef, Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use serde::Serialize;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::{
    access::Access,
    config::{Live, Secret},
    endpoints::Endpoints,
    happenings::Happenings,
    health::Health,
    hub::Hub,
    metrics::Metrics,
    problem::Problem,
    reload::InForce,
    shutdown::Shutdown,
};

pub use authority::{Authority, Readers, authority};
use events::Feed;

/// Where the routes are.
pub const PREFIX: &str = "/api/v1";

/// Who may ask for what.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Whoever has one of these may change things.
    pub tokens: Vec<Secret>,
    /// Who may read.
    pub read: Readers,
    /// Streams that have figures of their own in the metrics.
    pub metrics_streams: usize,
}

/// What the handlers share.
#[derive(Clone)]
pub struct Api {
    parts: Arc<Parts>,
    feed: Feed,
}

/// What the answers are about.
pub struct Parts {
    /// The streams.
    pub hub: Hub,
    /// Who publishes and views.
    pub access: Access,
    /// The listeners.
    pub endpoints: Arc<Endpoints>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What may be wrong.
    pub health: Health,
    /// What the server is told.
    pub in_force: InForce,
    /// Ends the events.
    pub shutdown: Shutdown,
}

impl Api {
    /// Answers about `parts`. Must be called in a runtime: it starts the task behind the events.
    pub fn new(parts: Parts) -> Api {
        let feed = Feed::start(parts.hub.clone(), parts.access.clone(), &parts.shutdown);
        Api { parts: Arc::new(parts), feed }
    }

    /// Where single happenings are told.
    fn happenings(&self) -> &Happenings {
        self.parts.access.sessions().happenings()
    }

    /// All routes: those below [`PREFIX`], and those that others look for elsewhere. Pages of any origin may ask: this one may
    /// come from elsewhere. What they may not is pass for a program of this machine because a browser of it shows them;
    /// see [`mod@authority`].
    pub fn router(self) -> Router {
        let only = |allow| MethodRouter::new().fallback(only(allow));
        let read = || only("GET, HEAD, OPTIONS");
        let change = || only("GET, HEAD, DELETE, OPTIONS");
        let one_session = || change().get(sessions::get).delete(sessions::delete);
        let v1 = Router::new()
            .route("/server", read().get(server::get))
            .route("/streams", read().get(streams::list))
            .route("/streams/{*name}", change().get(streams::get).delete(streams::delete))
            .route("/sessions", read().get(sessions::list))
            .route("/clients", read().get(sessions::list))
            .route("/sessions/{id}", one_session())
            .route("/clients/{id}", one_session())
            .route("/bans", read().get(bans::list))
            .route("/bans/{*name}", only("DELETE, OPTIONS").delete(bans::delete))
            .route("/refusals", read().get(refusals::list))
            .route("/events", read().get(events::get))
            .fallback(not_found);
        let readers = Router::new()
            .nest(PREFIX, v1)
            .route("/api/server", read().get(nms::server))
            .route("/api/streams", read().get(nms::streams))
            .route("/api/streams/{*name}", read().get(nms::stream))
            .route("/metrics", read().get(metrics))
            .route_layer(from_fn_with_state(self.clone(), authority::let_readers_in));
        readers
            .route(&format!("{PREFIX}/qr"), read().get(qr::get))
            .route(&format!("{PREFIX}/openapi.json"), read().get(openapi::get))
            .route(
                &format!("{PREFIX}/sign"),
                only("POST, OPTIONS").post(sign::post).layer(DefaultBodyLimit::max(sign::MAX_BODY)),
            )
            .route("/health", read().get(health))
            .layer(from_fn_with_state(self.clone(), authority::know))
            .layer(cors())
            .with_state(self)
    }
}

impl FromRef<Api> for Live<Config> {
    fn from_ref(api: &Api) -> Self {
        api.parts.in_force.api.clone()
    }
}

/// What browsers are told that pages of other origins may do.
pub fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        // `*` would not stand for `Authorization`.
        .allow_headers(AllowHeaders::mirror_request())
        .allow_private_network(true)
}

/// How the server is: 200 while peers can get in, 503 when they cannot. For everybody, whatever `api_read` says.
#[cfg_attr(test, utoipa::path(
    get, path = "/health", tag = "server", operation_id = "health",
    responses(
        (status = 200, description = "Peers can get in; what is wrong all the same is told", body = crate::health::Report),
        (status = 503, description = "Peers cannot get in", body = crate::health::Report),
    ),
))]
async fn health(State(api): State<Api>, request: Request) -> Response {
    let reads = api.parts.in_force.api.get().read;
    api.parts.health.respond(reads.include(authority(&request)))
}

/// Handlers see the path without the prefix.
async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(&format!("{PREFIX}{}", uri.path()))
}

async fn metrics(State(api): State<Api>, headers: HeaderMap) -> Response {
    api.parts.metrics.respond(headers.get(header::ACCEPT))
}

/// What answers to other methods than those of `allow`.
fn only(allow: &'static str) -> impl Fn() -> Ready<Problem> + Clone + Send + Sync + 'static {
    move || ready(Problem::method_not_allowed(allow))
}

/// JSON that is true now and may be wrong in a moment.
fn fresh_json(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
