//! The program from outside: how it starts, stops and fails.

use std::{net::TcpListener, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use pushpull_tests::{
    Clip, Publisher, Server, Stage, Viewer, http,
    phone::{Phone, picture},
    process::Process,
    rtmp::{self, Peer},
    server::{PATIENCE, binary},
    stage, until,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::tungstenite::Message;

/// What the program promises.
const STOP_LIMIT: Duration = Duration::from_secs(5);

#[test]
fn sigterm_with_viewers_attached_is_a_clean_end() {
    stage(async |stage| stops_cleanly(stage, "TERM").await);
}

#[test]
fn sigint_is_a_clean_end() {
    stage(async |stage| stops_cleanly(stage, "INT").await);
}

async fn stops_cleanly(stage: &Stage, signal: &str) -> Result<()> {
    let server = Server::start(stage, &["--demo"]).await?;
    let _publisher = Publisher::looped(stage, &server, Clip::Plain, "stop").await?;
    server.live("live/stop").await?;
    let mut viewer = Viewer::http(&server, "/live/stop.flv").await?;
    viewer.keyframe().await?;
    let (mut websocket, _) =
        tokio_tungstenite::connect_async(server.ws_url("/live/stop.flv")).await?;
    let mut events = http::get(server.http, "/api/v1/events").await?;
    events.piece().await?.context("the first event comes at once")?;
    // And those who would wait for ever.
    let _greeted = Peer::greet(server.rtmp).await?;
    let _silent = TcpStream::connect(server.rtmp).await?;
    let mut stalled = TcpStream::connect(server.http).await?;
    stalled.write_all(b"GET /live/stop.flv HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let waiting = tokio::spawn(http::get(server.http, "/live/missing.flv"));

    server.process().signal(signal)?;
    let ends = async {
        let code = server.process().exit(STOP_LIMIT).await?;
        ensure!(code == Some(0), "exit code {code:?}");
        Ok(())
    };
    let last = async {
        // The end comes between two tags, and in HTTP's own form.
        viewer.rest().await?;
        loop {
            match websocket.next().await.context("a close frame comes")?? {
                Message::Close(frame) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    ensure!(code == Some(1001), "going away is 1001, not {code:?}");
                    return Ok(());
                }
                _ => continue,
            }
        }
    };
    tokio::try_join!(ends, last)?;
    waiting.abort();
    Ok(())
}

#[test]
fn stops_in_time_though_viewers_stall_and_publishers_flood() {
    stage(async |stage| {
        let server = Server::start(stage, &["--lag", "1h", "--http-stall", "1h"]).await?;
        let mut phone = Phone::start(&server, "phone", "first").await?;
        phone.word = "large".repeat(10_000);
        let gathering = async {
            // None of them reads; the kernel between takes some kilobytes.
            let mut stalled = Vec::new();
            let plain = "GET /live/phone.flv HTTP/1.1\r\nHost: x\r\n\r\n".to_owned();
            for request in [plain, http::websocket_request("/live/phone.flv")] {
                let socket = TcpSocket::new_v4()?;
                socket.set_recv_buffer_size(4096)?;
                let mut socket = socket.connect(server.http).await?;
                socket.write_all(request.as_bytes()).await?;
                stalled.push(socket);
            }
            let mut player = Peer::connected_with(server.rtmp, 4096).await?;
            player.send(&rtmp::play("phone")).await?;
            until("all three watch", PATIENCE, async || {
                let stream = server.stream("live/phone").await?;
                Ok(stream.filter(|stream| stream["viewers"] == 3))
            })
            .await?;
            let start = server.metric("pushpull_received_bytes_total").await?;
            until("they are behind", PATIENCE, async || {
                let received = server.metric("pushpull_received_bytes_total").await?;
                Ok((received > start + 4_000_000).then_some(()))
            })
            .await?;
            Ok((stalled, player))
        };
        let _stalled = phone.shooting(gathering).await?;
        // One that sends as fast as it is taken, and one that listens.
        let mut flood = Peer::publishing(server.rtmp, "flood").await?;
        let flooding = tokio::spawn(async move {
            let pictures = picture(&"flood".repeat(10_000), 0);
            while flood.send(&pictures).await.is_ok() {}
        });
        let mut listens = Peer::publishing(server.rtmp, "listens").await?;
        server.process().signal("TERM")?;
        let code = server.process().exit(STOP_LIMIT).await?;
        ensure!(code == Some(0), "exit code {code:?}");
        let said = String::from_utf8_lossy(&listens.hung_up().await?).into_owned();
        ensure!(said.contains("NetStream.Publish.Failed"), "it is told: {said:?}");
        flooding.await?;
        Ok(())
    });
}

#[test]
fn viewers_over_rtmp_are_told_that_the_server_stops() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut phone = Phone::start(&server, "phone", "first").await?;
        let playing = async {
            let mut viewer = Viewer::rtmp(&server, "live/phone").await?;
            viewer.keyframe().await?;
            Ok(viewer)
        };
        let mut viewer = phone.shooting(playing).await?;
        server.process().signal("TERM")?;
        // To its end, which is UnpublishNotify.
        viewer.rest().await?;
        let code = server.process().exit(STOP_LIMIT).await?;
        ensure!(code == Some(0), "exit code {code:?}");
        Ok(())
    });
}

#[test]
fn a_port_in_use_is_named() {
    stage(async |_| {
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let address = taken.local_addr()?.to_string();
        for arguments in [
            ["--rtmp", &address, "--http", "127.0.0.1:0"],
            ["--rtmp", "127.0.0.1:0", "--http", &address],
        ] {
            let (code, said) = run(&arguments).await?;
            ensure!(code == Some(1), "exit code {code:?}: {said}");
            ensure!(said.contains(&address), "{said}");
        }
        Ok(())
    });
}

#[test]
fn bad_usage_is_2_and_says_what() {
    stage(async |stage| {
        let file = stage.folder().join("bad.toml");
        std::fs::write(&file, "# a comment\nrtmp = \"127.0.0.1:0\"\nno_such_key = 1\n")?;
        let file = file.display().to_string();
        for (arguments, words) in [
            (vec!["--no-such-flag"], vec!["--no-such-flag"]),
            (vec!["--rtmp", "nowhere"], vec!["--rtmp", "nowhere"]),
            (vec!["--config", "/does/not/exist.toml"], vec!["/does/not/exist.toml"]),
            (vec!["--config", &file], vec!["no_such_key", "3"]),
        ] {
            let (code, said) = run(&arguments).await?;
            ensure!(code == Some(2), "{arguments:?}: exit code {code:?}: {said}");
            for word in words {
                ensure!(said.contains(word), "{arguments:?}: {word} is missing in: {said}");
            }
        }
        Ok(())
    });
}

async fn run(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(binary()?);
    command.args(arguments);
    let process = Process::start("pushpull", command)?;
    let code = process.exit(PATIENCE).await?;
    Ok((code, process.log().text()))
}
