//! Whatever becomes of those who were let in: each beginning has exactly one end.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail, ensure};
use pushpull_tests::{
    Answer, HookServer, Viewer, http,
    phone::{Phone, headers, picture},
    rtmp::{self, Peer},
    server::PATIENCE,
    stage, until,
};
use serde_json::Value;
use tokio::{io::AsyncReadExt, task::JoinSet, time::timeout};

use super::{EVENTS, start};

/// What of each client was begun and ended so far; an error if anything of it cannot be.
fn account(events: &[Value], is_allowed: impl Fn(&Value) -> bool) -> Result<BTreeMap<String, i64>> {
    let mut open = BTreeMap::new();
    let mut closed = BTreeMap::<String, bool>::new();
    for event in events {
        let client = event["client_id"].to_string();
        let (kind, change) = match event["action"].as_str().unwrap_or_default() {
            "on_connect" => ("connection", 1),
            "on_close" => ("connection", -1),
            "on_publish" => ("publish", 1),
            "on_unpublish" => ("publish", -1),
            "on_play" => ("play", 1),
            "on_stop" => ("play", -1),
            other => bail!("{other}?"),
        };
        ensure!(!closed.contains_key(&client), "{event} after the end of its connection");
        if change < 0 && kind == "connection" {
            closed.insert(client.clone(), true);
        }
        if change > 0 && !is_allowed(event) {
            continue;
        }
        let session = event["session_id"].to_string();
        let balance = open.entry(format!("{client} {session} {kind}")).or_insert(0);
        *balance += change;
        ensure!((0..=1).contains(balance), "{event}: {balance} times");
    }
    open.retain(|_, balance| *balance != 0);
    Ok(open)
}

/// Waits until all that was begun has ended.
async fn all_ended(hooks: &HookServer, is_allowed: impl Fn(&Value) -> bool + Copy) -> Result<()> {
    until("all that was begun has ended", PATIENCE, async || {
        let open = account(&hooks.events(), is_allowed)?;
        ensure!(open.is_empty(), "{open:?}");
        Ok(Some(()))
    })
    .await?;
    account(&hooks.events(), is_allowed).map(drop)
}

#[test]
fn kicks_takeovers_and_lost_connections_are_ends() {
    stage(async |stage| {
        let hooks = HookServer::start(|_| Answer::Says("0")).await?;
        let more = ["--takeover", "replace"];
        let server = start(stage, hooks.flags(&EVENTS), &more).await?;
        let mut first = Phone::start(&server, "x", "first").await?;
        let (mut second, mut viewer) = {
            let others = async {
                let viewer = Viewer::rtmp(&server, "live/x").await?;
                Ok((Phone::start(&server, "x", "second").await?, viewer))
            };
            first.shooting(others).await?
        };
        hooks.action("on_unpublish", "x").await?;
        second.shooting(async { viewer.keyframe().await }).await?;
        let kicked = http::request(server.http, "DELETE", "/api/v1/streams/live/x", &[]).await?;
        ensure!(kicked.status < 300, "{}", kicked.status);
        all_ended(&hooks, |_| true).await.or_else(|error| {
            // The player's connection goes on without a stream.
            ensure!(error.to_string().contains("connection"), "{error}");
            Ok(())
        })?;
        drop((first, second, viewer));
        all_ended(&hooks, |_| true).await?;
        let events = hooks.events();
        let count = |action| events.iter().filter(|event| event["action"] == action).count();
        ensure!((count("on_publish"), count("on_unpublish")) == (2, 2));
        ensure!((count("on_connect"), count("on_close")) == (3, 3));
        Ok(())
    });
}

#[test]
fn a_connection_is_kicked_by_the_name_that_hook_servers_know_it_by() {
    stage(async |stage| {
        let hooks = HookServer::start(|_| Answer::Says("0")).await?;
        let server = start(stage, hooks.flags(&EVENTS), &[]).await?;
        let mut peer = Peer::publishing(server.rtmp, "x").await?;
        let begun = hooks.action("on_publish", "x").await?;
        let client = begun["client_id"].as_str().unwrap_or_default();
        let path = format!("/api/v1/sessions/{client}");
        let kicked = http::request(server.http, "DELETE", &path, &[]).await?;
        ensure!(kicked.status == 204, "{}", kicked.status);
        peer.hung_up().await?;
        all_ended(&hooks, |_| true).await?;
        let again = http::request(server.http, "DELETE", &path, &[]).await?;
        ensure!(again.status == 404, "{}", again.status);
        Ok(())
    });
}

#[test]
fn a_publisher_that_does_not_get_its_name_ends() {
    stage(async |stage| {
        let hooks = HookServer::start(|_| Answer::Says("0")).await?;
        let events = ["on_publish", "on_unpublish"];
        let server = start(stage, hooks.flags(&events), &["--takeover", "reject"]).await?;
        let mut phone = Phone::start(&server, "x", "mine").await?;
        let other = async {
            let mut peer = Peer::connected(server.rtmp).await?;
            peer.send(&rtmp::publish("x")).await?;
            peer.answered(b"NetStream.Publish.BadName").await?;
            hooks.action("on_unpublish", "x").await
        };
        let ended = phone.shooting(other).await?;
        let begun = hooks.events();
        ensure!(begun[1]["client_id"] == ended["client_id"], "{begun:?}");
        ensure!(server.stream("live/x").await?.is_some_and(|stream| stream["state"] == "live"));
        Ok(())
    });
}

#[test]
fn who_breaks_off_while_it_is_asked_about_ends_when_the_answer_was_yes() {
    stage(async |stage| {
        let later = Duration::from_millis(400);
        let hooks = HookServer::start(move |request| {
            let no = request.text("stream") == "no";
            match request.text("action").as_str() {
                "on_publish" | "on_play" if no => Answer::SaysAfter(later, "1"),
                "on_publish" | "on_play" => Answer::SaysAfter(later, "0"),
                _ => Answer::Says("0"),
            }
        })
        .await?;
        let server = start(stage, hooks.flags(&EVENTS), &[]).await?;
        for name in ["yes", "no"] {
            let mut peer = Peer::connected(server.rtmp).await?;
            peer.send(&[rtmp::publish(name), headers(), picture("lost", 0)].concat()).await?;
            hooks.action("on_publish", name).await?;
        }
        let allowed = |event: &Value| event["stream"] != "no";
        hooks.action("on_unpublish", "yes").await?;
        all_ended(&hooks, allowed).await?;
        let events = hooks.events();
        let ends = events.iter().filter(|event| event["action"] == "on_unpublish");
        ensure!(ends.clone().count() == 1, "{events:?}");
        ensure!(server.stream("live/yes").await?.is_none());
        Ok(())
    });
}

#[test]
fn a_server_that_stops_tells_all_ends_before_it_is_gone() {
    stage(async |stage| {
        let hooks = HookServer::start(|_| Answer::Says("0")).await?;
        let server = start(stage, hooks.flags(&EVENTS), &[]).await?;
        let mut phone = Phone::start(&server, "x", "here").await?;
        let mut viewers = Vec::new();
        for _ in 0..20 {
            let some = async {
                Ok([
                    Viewer::http(&server, "/live/x.flv").await?,
                    Viewer::websocket(&server, "/live/x.flv").await?,
                    Viewer::rtmp(&server, "live/x").await?,
                ])
            };
            viewers.extend(phone.shooting(some).await?);
        }
        server.process().signal("TERM")?;
        let exit = server.process().exit(Duration::from_secs(10)).await?;
        ensure!(exit == Some(0), "{exit:?}");
        let open = account(&hooks.events(), |_| true)?;
        ensure!(open.is_empty(), "{open:?}");
        let events = hooks.events();
        let count = |action| events.iter().filter(|event| event["action"] == action).count();
        ensure!((count("on_play"), count("on_stop")) == (60, 60));
        ensure!((count("on_connect"), count("on_close")) == (21, 21));
        Ok(())
    });
}

#[test]
fn a_dead_hook_server_does_not_keep_the_server_from_stopping() {
    stage(async |stage| {
        let hooks = HookServer::start(|request| match request.text("action").as_str() {
            "on_stop" => Answer::Silence,
            _ => Answer::Says("0"),
        })
        .await?;
        let more = ["--missing-wait", "0s", "--hook-timeout", "20s"];
        let server = start(stage, hooks.flags(&["on_play", "on_stop"]), &more).await?;
        for _ in 0..10 {
            http::get(server.http, "/live/x.flv").await?;
        }
        hooks.action("on_stop", "x").await?;
        server.process().signal("TERM")?;
        let exit = server.process().exit(Duration::from_secs(10)).await?;
        ensure!(exit == Some(0), "{exit:?}");
        let log = server.process().log().text();
        ensure!(log.contains("were not told of all that has ended"), "{log}");
        Ok(())
    });
}

/// A hook server that takes its time and sometimes says no; a crowd that comes, goes, breaks off and is kicked. In the end
/// the books balance, whatever has happened.
#[test]
fn over_many_beginnings_and_ends_the_books_balance() {
    stage(async |stage| {
        let hooks = HookServer::start(|request| {
            let word = if request.text("param").contains("no") { "1" } else { "0" };
            // A delay that differs, and is the same in every run.
            let millis = request.body.len() as u64 * 7 % 40;
            Answer::SaysAfter(Duration::from_millis(millis), word)
        })
        .await?;
        let more = ["--takeover", "replace", "--missing-wait", "100ms", "--grace", "0s"];
        let server = start(stage, hooks.flags(&EVENTS), &more).await?;
        let mut crowd = JoinSet::new();
        for seed in 0..24 {
            let (rtmp, http) = (server.rtmp, server.http);
            crowd.spawn(async move { wander(rtmp, http, seed).await });
        }
        while let Some(one) = crowd.join_next().await {
            one??;
        }
        let allowed = |event: &Value| !event["param"].to_string().contains("no");
        all_ended(&hooks, allowed).await?;
        let events = hooks.events();
        ensure!(events.len() > 500, "{} events", events.len());
        for kind in ["asked", "denied", "told"] {
            let count = EVENTS.iter().map(|event| {
                let name = format!("pushpull_hooks_{kind}_total{{event=\"{event}\"}}");
                async { server.metric(&{ name }).await }
            });
            let mut sum = 0;
            for one in count {
                sum += one.await?;
            }
            ensure!(sum > 0, "nobody was {kind}");
        }
        let dropped = server.metric("pushpull_hooks_dropped_total{event=\"on_stop\"}").await?;
        ensure!(dropped == 0);
        Ok(())
    });
}

/// One of a crowd: comes forty times, and does each time what dice say.
async fn wander(rtmp: std::net::SocketAddr, http: std::net::SocketAddr, seed: u64) -> Result<()> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut dice = move |sides: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % sides
    };
    for _ in 0..40 {
        let name = format!("s{}", dice(3));
        let answer = if dice(4) == 0 { "no" } else { "yes" };
        let pause = Duration::from_millis(dice(60));
        match dice(5) {
            0 => {
                // A publisher that may leave at any moment, also before it was let in.
                let mut peer = Peer::connected(rtmp).await?;
                let key = format!("{name}?{answer}");
                peer.throw(&[rtmp::publish(&key), headers(), picture("x", 0)].concat()).await;
                tokio::time::sleep(pause).await;
                if dice(2) == 0 {
                    peer.throw(&rtmp::command(1, "closeStream", 0.0, &[])).await;
                    tokio::time::sleep(pause).await;
                }
            }
            1 => {
                // A player that changes its mind.
                let mut peer = Peer::connected(rtmp).await?;
                peer.throw(&rtmp::play(&format!("{name}?{answer}"))).await;
                tokio::time::sleep(pause).await;
                peer.throw(&rtmp::command(1, "play", 0.0, &[rtmp::string(&name)])).await;
                tokio::time::sleep(pause).await;
            }
            2 | 3 => {
                let path = format!("/live/{name}.flv?{answer}");
                let mut socket = tokio::net::TcpStream::connect(http).await?;
                let request = if dice(2) == 0 {
                    http::websocket_request(&path)
                } else {
                    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
                };
                tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await?;
                let _ = timeout(pause, async {
                    while socket.read(&mut [0; 4096]).await? > 0 {}
                    Ok::<_, std::io::Error>(())
                })
                .await;
            }
            _ => {
                let path = format!("/api/v1/streams/live/{name}");
                http::request(http, "DELETE", &path, &[]).await?;
            }
        }
    }
    Ok(())
}
