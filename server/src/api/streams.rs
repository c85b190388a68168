//! `GET /api/v1/streams`: every stream as it is now.

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{Api, fresh_json};
use crate::hub::{Hub, StreamStatus};

pub async fn get(State(api): State<Api>) -> Response {
    fresh_json(Streams::now(&api.hub))
}

/// The list, as it is also sent with every event.
#[derive(Serialize)]
pub struct Streams {
    pub streams: Vec<StreamStatus>,
}

impl Streams {
    pub fn now(hub: &Hub) -> Streams {
        Streams { streams: hub.streams() }
    }
}
