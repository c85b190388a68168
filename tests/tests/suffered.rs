//! What servers of this kind have been seen to suffer from, each as a test: here those that stand in no other file.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use pushpull_media::{amf0, flv::TagKind};
use pushpull_tests::{
    Scene, Server, Viewer,
    encoder::Encoder,
    fuzzing::{Script, server_session::peer as dice},
    http,
    rtmp::{self, COMMAND, Peer, VIDEO},
    server::PATIENCE,
    stage, until,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// Memory follows what was received: a message of six bytes must not cost a hundred times as much.
#[test]
fn half_a_million_tiny_messages_in_one_gop() {
    stage(async |stage| {
        let mut scene = Scene::open(stage, &[]).await?;
        let mut peer = Peer::publishing(scene.server.rtmp, "tiny").await?;
        peer.send(&rtmp::message(6, 0, VIDEO, 1, &AVC_HEADER)).await?;
        peer.send(&rtmp::message(6, 0, VIDEO, 1, &[0x17, 1, 0, 0, 0, 1])).await?;
        peer.send(&rtmp::message(6, 0, VIDEO, 1, &[0x27, 1, 0, 0, 0, 1])).await?;
        // Fmt 3: the same head again, and the same time.
        let many = [0xC6, 0x27, 1, 0, 0, 0, 1].repeat(10_000);
        for _ in 0..50 {
            peer.send(&many).await?;
            // Answered once all before it was read.
            peer.send(&rtmp::message(3, 0, COMMAND, 0, &ping())).await?;
            peer.answered(b"_result").await?;
        }
        scene.is_unharmed(64 << 20).await
    });
}

/// Names, rings, viewers and sockets of those who have gone: after two hundred publishers with three viewers each the
/// server holds what it held after the first, and has nothing to do.
#[test]
fn publishers_and_viewers_that_come_and_go_leave_nothing() {
    stage(async |stage| {
        let server = Server::start(stage, &["--grace", "200ms"]).await?;
        let mut held = None;
        for round in 0..12 {
            try_join_all((0..20).map(|number| come_and_go(&server, round * 20 + number))).await?;
            let files = until("all have gone", PATIENCE, async || {
                let mut answer = http::get(server.http, "/api/v1/streams").await?;
                let streams: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
                ensure!(streams["streams"].as_array().is_some_and(Vec::is_empty), "{streams}");
                drop(answer);
                let files = server.open_files()?;
                Ok((held.is_none_or(|(before, _)| files <= before)).then_some(files))
            })
            .await?;
            // Two rounds make the threads' stacks and the allocator's arenas as large as they get.
            if round == 2 {
                held = Some((files + 2, server.peak_memory()?));
            }
        }
        let (_, before) = held.context("there were rounds")?;
        let grown = server.peak_memory()?.saturating_sub(before);
        ensure!(grown < 12 << 20, "memory grew by {grown} bytes");
        let worked = server.cpu_time()?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let worked = server.cpu_time()?.saturating_sub(worked);
        ensure!(worked < Duration::from_millis(500), "{worked:?} of work with nobody there");
        Ok(())
    });
}

/// Publishes some pictures, which three kinds of viewers see. Publisher and viewers leave in every way there is.
async fn come_and_go(server: &Server, number: usize) -> Result<()> {
    let name = format!("live/guest-{number}");
    let mut encoder = Encoder::start(server.rtmp, &name).await?;
    encoder.headers(1).await?;
    for picture in 0..20 {
        encoder.keyframe(picture * 40, picture, 10_000).await?;
        encoder.sound(picture * 40 + 1, picture).await?;
    }
    let path = format!("/{name}.flv");
    let mut http = Viewer::http(server, &path).await?;
    let mut websocket = Viewer::websocket(server, &path).await?;
    let mut player = Viewer::rtmp(server, &name).await?;
    for viewer in [&mut http, &mut websocket, &mut player] {
        viewer.next_of(TagKind::Video).await?;
    }
    match number % 4 {
        0 => {
            // A goodbye, which all viewers see the end of.
            encoder.stop().await?;
            for mut viewer in [http, websocket, player] {
                viewer.rest().await?;
            }
        }
        1 => {
            drop((http, websocket, player));
            encoder.stop().await?;
        }
        // Gone without a word, with viewers or before them.
        2 => drop(encoder),
        _ => {
            drop((http, websocket, player));
            drop(encoder);
        }
    }
    Ok(())
}

/// HDR in OBS, colours in ffmpeg: a metadata frame is neither a picture nor an error, and who joins late needs it as well.
#[test]
fn metadata_frames_are_passed_on_and_kept_for_those_who_join() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut encoder = Encoder::start(server.rtmp, "live/hdr").await?;
        let mut colours = b"\x94hvc1".to_vec();
        amf0::encode(&"colorInfo".into(), &mut colours);
        amf0::encode(&amf0::Value::Object(vec![("x".into(), 9.0.into())]), &mut colours);
        let (header, keyframe) = (b"\x90hvc1config".as_slice(), b"\x91hvc1\0\0\0key".as_slice());
        for (time, data) in [(0, header), (0, &colours), (0, keyframe), (600, b"\xA3hvc1picture")] {
            encoder.send(TagKind::Video, time, data).await?;
        }
        encoder.sound(601, 1).await?;
        for _ in 0..2 {
            let mut viewer = Viewer::http(&server, "/live/hdr.flv").await?;
            for expected in [header, &colours, keyframe] {
                let tag = viewer.next_of(TagKind::Video).await?;
                ensure!(tag.data() == expected, "{:02x?}", tag.data());
            }
        }
        Ok(())
    });
}

/// Two lengths for one body: whoever stands in front may have read another end of the request than we did, and what
/// follows must not be taken for a request of its own.
#[test]
fn a_request_of_two_lengths_is_the_last_of_its_connection() {
    stage(async |stage| {
        let server = Server::start(stage, &["--missing-wait", "10ms"]).await?;
        let paths = ["/health", "/live/none.flv"].into_iter();
        let lengths = [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
        ];
        for (path, lengths) in paths.flat_map(|path| lengths.map(|lengths| (path, lengths))) {
            let mut socket = TcpStream::connect(server.http).await?;
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\n{lengths}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
            );
            socket.write_all(request.as_bytes()).await?;
            let mut answers = Vec::new();
            let read = socket.read_to_end(&mut answers);
            // A reset is a way to hang up, too.
            drop(tokio::time::timeout(PATIENCE, read).await.context("it hangs up")?);
            let answers = String::from_utf8_lossy(&answers);
            let count = answers.matches("HTTP/1.1 ").count();
            ensure!(count <= 1, "{path} {lengths:?}: {answers}");
        }
        Ok(())
    });
}

/// Answers that are not read are not kept without end.
#[test]
fn viewers_that_ping_and_read_nothing() {
    stage(async |stage| {
        let mut scene = Scene::open(stage, &[]).await?;
        let mut viewers = Vec::new();
        for _ in 0..4 {
            let mut socket = TcpSocket::new_v4()?.connect(scene.server.http).await?;
            let request = "GET /live/good.flv HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            socket.write_all(request.as_bytes()).await?;
            socket.read_exact(&mut [0; 12]).await?;
            // Ping, masked, empty.
            let pings = [0x89, 0x80, 0, 0, 0, 0].repeat(200_000);
            // It may be shown out.
            drop(socket.write_all(&pings).await);
            viewers.push(socket);
        }
        scene.is_unharmed(24 << 20).await
    });
}

/// A command that has an answer and does nothing.
fn ping() -> Vec<u8> {
    [rtmp::string("_checkbw"), rtmp::number(9.0), rtmp::null()].concat()
}

/// Peers that publish and play the same few names, several on a connection, in any order, and leave in the middle: what the
/// fuzzer knows of the protocol, against the whole server.
#[test]
fn peers_that_follow_the_dice() {
    stage(async |stage| {
        let mut scene = Scene::open(stage, &["--grace", "300ms"]).await?;
        for round in 0..8 {
            let peers = (0..16).map(|number| throw_dice(&scene, round * 16 + number));
            try_join_all(peers).await?;
        }
        let log = scene.server.process().log().text();
        ensure!(!log.contains("panicked") && !log.contains("task failed"), "a task failed");
        ensure!(log.contains("publishing"), "the dice got nowhere");
        scene.is_unharmed(64 << 20).await?;
        scene.lets_go(Duration::from_secs(60)).await
    });
}

async fn throw_dice(scene: &Scene, seed: u32) -> Result<()> {
    let mut dice = seed.wrapping_mul(0x9E37_79B9) | 1;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        (dice >> 8) as u8
    })
    .take(3000)
    .collect();
    let mut socket = TcpStream::connect(scene.server.rtmp).await?;
    let mut peer = dice::Peer::new();
    let mut script = Script::new(&bytes);
    // Connects, makes a message stream, and plays on it what is there: nothing much happens without.
    let mut start = Script::new(&[0, 0, 0, 0, 1, 3, 9, 0]);
    socket.write_all(&peer.handshake()).await?;
    for _ in 0..2 + seed % 2 {
        peer.act(&mut start);
    }
    while !script.is_over() {
        peer.act(&mut script);
        // It may be shown out at any time.
        if socket.write_all(&peer.take()).await.is_err() {
            return Ok(());
        }
    }
    // Some hear out what they are told; the others reset the connection, with all that was still on its way.
    if !seed.is_multiple_of(3) {
        let mut told = Vec::new();
        drop(socket.shutdown().await);
        drop(tokio::time::timeout(PATIENCE, socket.read_to_end(&mut told)).await);
    }
    Ok(())
}

/// An AVC configuration record with a sequence parameter set of 64 × 64 pictures.
const AVC_HEADER: [u8; 30] = [
    0x17, 0, 0, 0, 0, 1, 0x42, 0xC0, 0x0A, 0xFF, 0xE1, 0, 9, 0x67, 0x42, 0xC0, 0x0A, 0xD9, 0x01,
    0x0E, 0x88, 0xC8, 1, 0, 4, 0x68, 0xCE, 0x3C, 0x80, 0,
];
