//! `GET /api/v1/events`: the list of streams as server-sent events, at once and whenever it changes.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::header,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Api, streams::Streams};
use crate::{hub::Hub, shutdown::Shutdown};

pub async fn get(State(api): State<Api>) -> Response {
    let events = events(&api.feed, api.shutdown.requested().clone());
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // Behind a proxy that collects answers, events would come in lumps.
    ([(header::CACHE_CONTROL.as_str(), "no-store"), ("x-accel-buffering", "no")], sse)
        .into_response()
}

/// Renders the list once for all who listen.
#[derive(Clone)]
pub struct Feed {
    hub: Hub,
    latest: Arc<watch::Sender<Arc<str>>>,
}

impl Feed {
    /// Starts the task that renders; it ends with `shutdown`.
    pub fn start(hub: Hub, shutdown: &Shutdown) -> Feed {
        let feed = Feed { hub, latest: Arc::new(watch::Sender::new(Arc::from(""))) };
        let task = feed.clone();
        let requested = shutdown.requested().clone();
        shutdown.spawn(async move {
            requested.run_until_cancelled(task.follow()).await;
        });
        feed
    }

    async fn follow(self) {
        let mut changed = self.hub.subscribe();
        loop {
            let change = changed.changed();
            let is_over = match self.hub.streams().is_empty() {
                true => change.await.is_err(),
                // Bitrates move without anything being said to have changed.
                false => matches!(timeout(REFRESH, change).await, Ok(Err(_))),
            };
            if is_over {
                return;
            }
            if self.latest.receiver_count() > 0 {
                self.latest.send_replace(self.render());
            }
            sleep(MIN_GAP).await;
        }
    }

    fn render(&self) -> Arc<str> {
        // Plain fields, all of them: there is nothing that could fail to serialise.
        serde_json::to_string(&Streams::now(&self.hub)).unwrap_or_default().into()
    }
}

fn events(
    feed: &Feed,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let receiver = feed.latest.subscribe();
    // Subscribed first, rendered second: a change in between is told twice rather than never.
    let first = Some(feed.render());
    stream::unfold((receiver, first, stop), |(mut receiver, first, stop)| async move {
        let text = match first {
            Some(text) => text,
            None => {
                stop.run_until_cancelled(receiver.changed()).await?.ok()?;
                receiver.borrow_and_update().clone()
            }
        };
        let event = Event::default().event("streams").data(text);
        Some((Ok(event), (receiver, None, stop)))
    })
}

/// At most four lists a second, however much happens.
const MIN_GAP: Duration = Duration::from_millis(250);

/// How often the figures of live streams are told.
const REFRESH: Duration = Duration::from_secs(2);

/// A comment so often keeps proxies from closing a quiet connection, and tells us of a peer that is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
