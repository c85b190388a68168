//! The server stops while viewers wait, or take nothing.

use super::*;
use crate::hooks::{self, Event, Hooks};

#[tokio::test]
async fn who_is_still_asked_about_is_told_and_does_not_hold_up_the_stop() {
    // A hook server that takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let mut config = hooks::Config { timeout: FOREVER, ..hooks::Config::default() };
    config.set_urls(Event::OnPlay, vec![hooks::Url::parse(&url).unwrap()]);
    for upgrade in ["", ws::UPGRADE] {
        // What is still to be told to the hook server is waited for, and not what this is about.
        let hooks = Hooks::new(config.clone().into(), Shutdown::new());
        let access = Access::default().with_hooks(hooks.clone());
        let (hub, shutdown) = (Hub::new(Config::default()), Shutdown::new());
        let server = Server::asking(access, hub, shutdown, Limits::default()).await;
        let mut client = server.send("GET", "/live/x.flv", upgrade).await;
        let _asked = silent.accept().await.unwrap();
        server.hub.close();
        assert_eq!(server.shutdown.finish(Duration::from_secs(60)).await, 0);
        client.read_head().await;
        assert_eq!(client.status(), 503);
        assert!(client.text().await.contains("server_stopping"));
    }
}

#[tokio::test]
async fn who_takes_nothing_of_a_stream_that_has_ended_is_ended_by_the_stop() {
    let limits = Limits { stall: FOREVER, ..slow::tight() };
    for upgrade in ["", ws::UPGRADE] {
        let server = Server::with(Config::default(), limits.clone()).await;
        let mut feed = server.publish("live/x");
        feed.open();
        let _stalled = server.request("GET", "/live/x.flv", upgrade).await;
        server.viewers(1).await;
        slow::pictures_until(&mut feed, || server.hub.streams()[0].lag_bytes > 1 << 20).await;
        feed.finish();
        assert_eq!(server.access.sessions().list().len(), 1, "it has not had all");
        server.hub.close();
        until(|| server.access.sessions().list().is_empty()).await;
        server.shutdown.finish(Duration::ZERO).await;
        until(|| server.shutdown.running() == 0).await;
    }
}

const FOREVER: Duration = Duration::from_secs(3600);
