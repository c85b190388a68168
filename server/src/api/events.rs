//! `GET /api/v1/events`: the list of streams as server-sent events, at once and whenever it changes, and single happenings.

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
use serde::Serialize;
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Api;
use crate::{
    access::{Access, RefusalStatus},
    happenings::{Happening, Kind},
    hub::{Hub, StreamStatus},
    shutdown::Shutdown,
};

/// What goes on, as server-sent events.
///
/// `streams` brings a `Snapshot`, at once and after every change, at most four times a second and every two seconds while
/// anything is live. `event` brings a `Happening`. `lagged` brings a `Lagged`: happenings were missed by who listens slowly;
/// the next `streams` is whole again.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/events", tag = "events", operation_id = "events",
    responses(
        (status = 200, description = "Events, for as long as one listens", body = String, content_type = "text/event-stream"),
        super::openapi::NotRead,
    ),
))]
pub async fn get(State(api): State<Api>) -> Response {
    let happenings = api.happenings().listen();
    let events = events(&api.feed, happenings, api.parts.shutdown.requested().clone());
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // Behind a proxy that collects answers, events would come in lumps.
    ([(header::CACHE_CONTROL.as_str(), "no-store"), ("x-accel-buffering", "no")], sse)
        .into_response()
}

/// What `streams` brings.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// All streams, by name; the first thousand.
    streams: Vec<StreamStatus>,
    /// Who was not let in of late, the newest first; a hundred at most.
    refusals: Vec<RefusalStatus>,
}

/// What `lagged` brings.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Lagged {
    /// Happenings that were not told.
    missed: u64,
}

/// Renders the list once for all who listen.
#[derive(Clone)]
pub struct Feed {
    hub: Hub,
    access: Access,
    latest: Arc<watch::Sender<Arc<str>>>,
}

impl Feed {
    /// Starts the task that renders; it ends with `shutdown`.
    pub fn start(hub: Hub, access: Access, shutdown: &Shutdown) -> Feed {
        let feed = Feed { hub, access, latest: Arc::new(watch::Sender::new(Arc::from(""))) };
        let task = feed.clone();
        // Before the task runs: nothing from now on is missed.
        let changed = feed.hub.subscribe();
        let happenings = feed.access.sessions().happenings().listen();
        let requested = shutdown.requested().clone();
        shutdown.spawn(async move {
            requested.run_until_cancelled(task.follow(changed, happenings)).await;
        });
        feed
    }

    async fn follow(
        self,
        mut changed: watch::Receiver<u64>,
        mut happenings: broadcast::Receiver<Arc<Happening>>,
    ) {
        loop {
            let change = async {
                tokio::select! {
                    changed = changed.changed() => changed.is_ok(),
                    goes_on = refusal(&mut happenings) => goes_on,
                }
            };
            let goes_on = match self.hub.has_streams() {
                false => change.await,
                // Bitrates move without anything being said to have changed.
                true => timeout(REFRESH, change).await.unwrap_or(true),
            };
            if !goes_on {
                return;
            }
            if self.latest.receiver_count() > 0 {
                self.latest.send_replace(self.render());
            }
            sleep(MIN_GAP).await;
        }
    }

    fn render(&self) -> Arc<str> {
        let mut streams = self.hub.streams();
        streams.truncate(super::parameters::MAX_LIMIT);
        let mut refusals = self.access.refusals();
        refusals.truncate(REFUSALS);
        text(&Snapshot { streams, refusals }).into()
    }
}

/// Waits until somebody is refused; `false` if that will not be told.
async fn refusal(happenings: &mut broadcast::Receiver<Arc<Happening>>) -> bool {
    loop {
        match happenings.recv().await {
            Ok(happening) if happening.kind != Kind::Refused => {}
            // What was missed may have been one.
            Ok(_) | Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}

/// What one listener hears.
struct Listener {
    latest: watch::Receiver<Arc<str>>,
    first: Option<Arc<str>>,
    happenings: broadcast::Receiver<Arc<Happening>>,
}

impl Listener {
    /// The next event; `None` when there will be none.
    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(Event::default().event("streams").data(first));
        }
        tokio::select! {
            changed = self.latest.changed() => {
                changed.ok()?;
                let streams = self.latest.borrow_and_update().clone();
                Some(Event::default().event("streams").data(streams))
            }
            happening = self.happenings.recv() => match happening {
                Ok(happening) => Some(Event::default().event("event").data(text(&*happening))),
                Err(RecvError::Lagged(missed)) => {
                    Some(Event::default().event("lagged").data(text(&Lagged { missed })))
                }
                Err(RecvError::Closed) => None,
            },
        }
    }
}

fn events(
    feed: &Feed,
    happenings: broadcast::Receiver<Arc<Happening>>,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let latest = feed.latest.subscribe();
    // Subscribed first, rendered second: a change in between is told twice rather than never.
    let listener = Listener { latest, first: Some(feed.render()), happenings };
    stream::unfold((listener, stop), |(mut listener, stop)| async move {
        let event = stop.run_until_cancelled(listener.next()).await??;
        Some((Ok(event), (listener, stop)))
    })
}

/// Plain fields, all of them: there is nothing that could fail to serialise.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Refusals in each list: a page shows fewer, and `/api/v1/refusals` has all.
const REFUSALS: usize = 100;

/// At most four lists a second, however much happens.
const MIN_GAP: Duration = Duration::from_millis(250);

/// How often the figures of live streams are told.
const REFRESH: Duration = Duration::from_secs(2);

/// A comment so often keeps proxies from closing a quiet connection, and tells us of a peer that is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
