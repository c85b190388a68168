//! Hook servers that are slow, dead, lying and flooding.

use std::time::{Duration, Instant};

use anyhow::ensure;
use pushpull_tests::{
    Answer, HookServer, Server, Viewer,
    hook::Request,
    http,
    phone::{Phone, Witness},
    rtmp::{self, Peer},
    server::PATIENCE,
    stage, until,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket},
    task::JoinSet,
};

use super::start;

/// What an address that is alone may ask a hook server at a time, and more than that.
const SHARE: usize = 128;
const MANY: usize = 300;

/// What the hook server answers about streams with these names; about all others it is good.
const MOODS: [(&str, Answer); 12] = [
    ("lies", Answer::Says("sure")),
    ("half-lies", Answer::Says("{\"code\":\"0\"}")),
    ("fails", Answer::Status(500)),
    ("redirects", Answer::Raw("HTTP/1.1 301 M\r\nLocation: /hooks\r\nContent-Length: 0\r\n\r\n")),
    ("mumbles", Answer::Raw("\x16\x03\x01 I am no HTTP server\r\n\r\n")),
    ("breaks-off", Answer::Raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0")),
    ("closes", Answer::Closes),
    ("is-silent", Answer::Silence),
    ("floods", Answer::Floods("HTTP/1.1 200 OK\r\n\r\n", "0000000000000000")),
    ("floods-heads", Answer::Floods("HTTP/1.1 200 OK\r\n", "X-Header: 0123456789\r\n")),
    ("floods-interim", Answer::Floods("", "HTTP/1.1 100 Continue\r\n\r\n")),
    (
        "floods-chunks",
        Answer::Floods("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n0\r\n"),
    ),
];

fn moody(request: &Request) -> Answer {
    let stream = request.text("stream");
    let mood = MOODS.iter().find(|(name, _)| *name == stream);
    mood.map_or(Answer::Says("0"), |&(_, answer)| answer)
}

#[test]
fn whoever_cannot_be_asked_about_is_refused_and_nobody_else_notices() {
    stage(async |stage| {
        let hooks = HookServer::start(moody).await?;
        let events = ["on_publish", "on_unpublish", "on_play", "on_stop"];
        let more = ["--hook-timeout", "3s", "--hook-retries", "0"];
        let server = start(stage, hooks.flags(&events), &more).await?;
        let mut phone = Phone::start(&server, "good", "before").await?;
        let watching = async { Ok(Witness::of(Viewer::http(&server, "/live/good.flv").await?)) };
        let mut witness = phone.shooting(watching).await?;
        let before = server.memory()?;
        let everybody = async {
            let mut all = JoinSet::new();
            for (name, _) in MOODS {
                for _ in 0..8 {
                    let (rtmp, http) = (server.rtmp, server.http);
                    all.spawn(async move {
                        let mut peer = Peer::connected(rtmp).await?;
                        peer.send(&rtmp::publish(name)).await?;
                        let said = String::from_utf8_lossy(&peer.hung_up().await?).into_owned();
                        ensure!(said.contains("could not be asked"), "{name}: {said:?}");
                        ensure!(!said.contains("Publish.Start"), "{name}: {said:?}");
                        let mut answer = http::get(http, &format!("/live/{name}.flv")).await?;
                        let text = answer.text().await?;
                        ensure!(answer.status == 503 && text.contains("hook_failed"), "{text}");
                        Ok(())
                    });
                }
            }
            while let Some(one) = all.join_next().await {
                one??;
            }
            Ok(())
        };
        phone.shooting(everybody).await?;
        phone.word = "after".to_owned();
        phone.shooting(witness.sees("after")).await?;
        let grown = server.memory()?.saturating_sub(before);
        ensure!(grown < 48 << 20, "{grown} bytes more");
        let text = server.process().log().text();
        let logged = text.lines().filter(|line| line.contains("a hook server failed")).count();
        ensure!(logged <= 6, "{logged} lines about it");
        let waiting =
            async || Ok((server.metric("pushpull_hooks_waiting").await? == 0).then_some(()));
        until("all is told or given up", PATIENCE, waiting).await?;
        let count = |event: &str| format!("pushpull_hooks_failed_total{{event=\"{event}\"}}");
        ensure!(server.metric(&count("on_publish")).await? == 12 * 8);
        ensure!(server.metric(&count("on_play")).await? == 12 * 8);
        Ok(())
    });
}

#[test]
fn while_some_wait_for_a_hook_server_that_is_silent_others_come_and_go() {
    stage(async |stage| {
        let hooks = HookServer::start(moody).await?;
        let events = ["on_connect", "on_publish", "on_unpublish", "on_play", "on_stop"];
        // Longer than the test takes: who waits, waits on.
        let more = ["--hook-timeout", "20s"];
        let server = start(stage, hooks.flags(&events), &more).await?;
        let (began, mut waiting) = (Instant::now(), JoinSet::new());
        for _ in 0..40 {
            let (rtmp, http) = (server.rtmp, server.http);
            waiting.spawn(async move {
                let mut peer = Peer::connected(rtmp).await?;
                peer.send(&rtmp::publish("is-silent")).await?;
                peer.hung_up().await.map(drop)
            });
            waiting.spawn(async move { http::get(http, "/live/is-silent.flv").await.map(drop) });
        }
        until("80 are asked about", PATIENCE, async || {
            let events = hooks.events();
            let asked = events.iter().filter(|event| event["stream"] == "is-silent").count();
            Ok((asked == 80).then_some(()))
        })
        .await?;
        for round in 0..3 {
            let name = format!("good{round}");
            let mut phone = Phone::start(&server, &name, "hello").await?;
            let watching = async {
                let path = format!("/live/{name}.flv");
                Witness::of(Viewer::http(&server, &path).await?).sees("hello").await?;
                Witness::of(Viewer::websocket(&server, &path).await?).sees("hello").await?;
                Witness::of(Viewer::rtmp(&server, &format!("live/{name}")).await?)
                    .sees("hello")
                    .await
            };
            phone.shooting(watching).await?;
        }
        // On a very busy machine their time may be over.
        let is_over = began.elapsed() > Duration::from_secs(20);
        ensure!(is_over || waiting.try_join_next().is_none(), "they have waited all the while");
        Ok(())
    });
}

#[test]
fn an_address_that_floods_a_hook_server_leaves_it_to_others() {
    stage(async |stage| {
        let hooks = HookServer::start(moody).await?;
        let events = ["on_publish", "on_unpublish", "on_play", "on_stop"];
        let server = start(stage, hooks.flags(&events), &["--hook-timeout", "20s"]).await?;
        let (began, mut flood) = (Instant::now(), Vec::new());
        for _ in 0..MANY {
            let socket = TcpSocket::new_v4()?;
            socket.bind("127.0.0.9:0".parse()?)?;
            let mut socket = socket.connect(server.http).await?;
            let get = b"GET /live/is-silent.flv HTTP/1.1\r\nHost: localhost\r\n\r\n";
            socket.write_all(get).await?;
            flood.push(socket);
        }
        let asked = || hooks.events().iter().filter(|event| event["ip"] == "127.0.0.9").count();
        until("some are asked about", PATIENCE, async || Ok((asked() >= SHARE).then_some(())))
            .await?;
        let mut phone = Phone::start(&server, "good", "hello").await?;
        let watching = async {
            let viewer = Viewer::http(&server, "/live/good.flv").await?;
            Witness::of(viewer).sees("hello").await
        };
        phone.shooting(watching).await?;
        // On a very busy machine the time of the first may be over.
        let is_over = began.elapsed() > Duration::from_secs(20);
        ensure!(is_over || asked() == SHARE, "{} are asked about, and no others", asked());
        Ok(())
    });
}

#[test]
fn a_hook_server_that_is_not_there_is_no_answer_until_it_is() {
    stage(async |stage| {
        // A port that nobody has.
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let url = format!("http://{address}/");
        for (policy, status) in [("closed", 503), ("open", 404)] {
            let flags = ["--on-play", &url, "--hook-fail", policy, "--missing-wait", "0s"];
            let server = Server::start(stage, &flags).await?;
            for _ in 0..20 {
                let answer = http::get(server.http, "/live/x.flv").await?;
                ensure!(answer.status == status, "{policy}: {}", answer.status);
            }
            let failed = server.metric("pushpull_hooks_failed_total{event=\"on_play\"}").await?;
            ensure!(failed == 20, "{policy}: {failed}");
            let let_in = server.metric("pushpull_hooks_let_in_total{event=\"on_play\"}").await?;
            ensure!(let_in == if policy == "open" { 20 } else { 0 }, "{let_in}");
            let log = server.process().log().text();
            let logged = log.lines().filter(|line| line.contains("a hook server failed")).count();
            ensure!(logged == 3, "{logged} lines: {log}");
            ensure!(log.contains("more of it is counted (hooks_failed) and not logged"), "{log}");
        }
        Ok(())
    });
}

#[test]
fn what_could_not_be_told_is_told_when_the_hook_server_is_back() {
    stage(async |stage| {
        let back = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let is_back = back.clone();
        let hooks = HookServer::start(move |request| {
            let has_to = request.text("action") == "on_stop";
            if has_to && !is_back.load(std::sync::atomic::Ordering::SeqCst) {
                Answer::Status(503)
            } else {
                Answer::SaysAfter(Duration::from_millis(1), "0")
            }
        })
        .await?;
        let more = ["--missing-wait", "0s"];
        let server = start(stage, hooks.flags(&["on_play", "on_stop"]), &more).await?;
        http::get(server.http, "/live/x.flv").await?;
        hooks.action("on_stop", "x").await?;
        back.store(true, std::sync::atomic::Ordering::SeqCst);
        let told = "pushpull_hooks_told_total{event=\"on_stop\"}";
        until("it is told", PATIENCE, async || Ok((server.metric(told).await? == 1).then_some(())))
            .await?;
        let requests = hooks.requests();
        let tries: Vec<_> = requests
            .iter()
            .filter(|request| request.text("action") == "on_stop")
            .map(|request| request.header("x-pushpull-delivery"))
            .collect();
        ensure!(tries.len() == 2 && tries[0] == tries[1], "{tries:?}");
        Ok(())
    });
}
