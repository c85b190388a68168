//! Peers that break the rules, on purpose or not. The server may hang up on them; a good stream, published before,
//! during and after, must not notice.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Result, ensure};
use pushpull_tests::{
    Clip, Scene, Stage, Viewer, http,
    rtmp::{self, AUDIO, COMMAND, DATA, HANDSHAKE_LEN, Peer, VIDEO},
    stage, until,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// What one abuse may cost, in bytes. The costliest of these takes a quarter of it.
const MEMORY: u64 = 32 << 20;

/// Longer than the server's own limits for silent peers.
const LETTING_GO: Duration = Duration::from_secs(60);

/// A name nobody has used: the server may not yet have seen the last publisher off.
fn another(name: &str) -> String {
    static USED: AtomicU32 = AtomicU32::new(0);
    format!("{name}{}", USED.fetch_add(1, Ordering::Relaxed))
}

fn survives(abuse: impl AsyncFnOnce(&Stage, &Scene) -> Result<()>) {
    stage(async |stage| {
        let mut scene = Scene::open(stage, &[]).await?;
        abuse(stage, &scene).await?;
        scene.is_unharmed(MEMORY).await?;
        scene.lets_go(LETTING_GO).await
    });
}

#[test]
fn peers_that_leave_inside_the_handshake() {
    survives(async |_, scene| {
        let hello = rtmp::c0_c1();
        for len in [0, 1, 2, 100, HANDSHAKE_LEN, HANDSHAKE_LEN + 1] {
            for _ in 0..20 {
                let mut peer = Peer::connect(scene.server.rtmp).await?;
                peer.throw(&hello[..len]).await;
            }
        }
        for _ in 0..20 {
            Peer::greet(scene.server.rtmp).await?;
        }
        Ok(())
    });
}

#[test]
fn peers_that_never_finish_the_handshake() {
    survives(async |_, scene| {
        let mut peers = Vec::new();
        for len in [0, 1, 1000] {
            let mut peer = Peer::connect(scene.server.rtmp).await?;
            peer.send(&rtmp::c0_c1()[..len]).await?;
            peers.push(peer);
        }
        for peer in &mut peers {
            peer.hung_up().await?;
        }
        Ok(())
    });
}

#[test]
fn what_is_not_rtmp() {
    survives(async |_, scene| {
        let noise: Vec<u8> =
            (0u32..200_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
        for bytes in [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".as_slice(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"\x06aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            &noise,
            &[0; 100_000],
            &[0xFF; 100_000],
        ] {
            let mut peer = Peer::connect(scene.server.rtmp).await?;
            peer.throw(bytes).await;
            // Noise after a proper greeting is harder.
            if let Ok(mut peer) = Peer::greet(scene.server.rtmp).await {
                peer.throw(bytes).await;
            }
            if let Ok(mut peer) = Peer::connected(scene.server.rtmp).await {
                peer.throw(bytes).await;
            }
        }
        Ok(())
    });
}

#[test]
fn amf_nested_200_000_levels_deep() {
    survives(async |_, scene| {
        let array = [0x0A, 0, 0, 0, 1].repeat(200_000);
        let object = [0x03, 0, 1, b'a'].repeat(200_000);
        let ecma = [0x08, 0, 0, 0, 1, 0, 1, b'a'].repeat(120_000);
        for value in [array, object, ecma] {
            for (name, kind) in [
                ("connect", COMMAND),
                ("unknown", COMMAND),
                ("@setDataFrame", DATA),
                ("onMetaData", DATA),
            ] {
                let payload = [rtmp::string(name), rtmp::number(1.0), value.clone()].concat();
                let mut peer = Peer::greet(scene.server.rtmp).await?;
                peer.throw(&rtmp::chunked(128, 3, 0, kind, 0, &payload)).await;
                let mut peer = Peer::publishing(scene.server.rtmp, &another("deep")).await?;
                peer.throw(&rtmp::chunked(65_536, 4, 0, kind, 1, &payload)).await;
                peer.throw(&rtmp::message(3, 0, COMMAND, 0, &goodbye())).await;
            }
        }
        Ok(())
    });
}

#[test]
fn amf_counts_of_four_billion() {
    survives(async |_, scene| {
        for marker in [0x08, 0x0A] {
            let value = [&[marker][..], &[0xFF; 4]].concat();
            for (name, kind) in
                [("connect", COMMAND), ("@setDataFrame", DATA), ("onMetaData", DATA)]
            {
                let payload = [rtmp::string(name), rtmp::number(1.0), value.clone()].concat();
                let mut peer = Peer::greet(scene.server.rtmp).await?;
                peer.throw(&rtmp::message(3, 0, kind, 0, &payload)).await;
                let mut peer = Peer::publishing(scene.server.rtmp, &another("count")).await?;
                peer.throw(&rtmp::message(4, 0, kind, 1, &payload)).await;
                peer.throw(&rtmp::message(3, 0, COMMAND, 0, &goodbye())).await;
            }
        }
        // Strings that promise more than the message holds.
        for value in [&[0x02, 0xFF, 0xFF, b'x'][..], &[0x0C, 0xFF, 0xFF, 0xFF, 0xFF, b'x']] {
            let mut peer = Peer::greet(scene.server.rtmp).await?;
            peer.throw(&rtmp::message(3, 0, COMMAND, 0, value)).await;
        }
        Ok(())
    });
}

#[test]
fn sixteen_megabytes_announced_on_a_thousand_chunk_streams() {
    survives(async |_, scene| {
        let greeted = Peer::greet(scene.server.rtmp).await?;
        let publishing = Peer::publishing(scene.server.rtmp, "announced").await?;
        for mut peer in [greeted, publishing] {
            for id in 3..1003 {
                let mut bytes = rtmp::full_header(id, 0, 0xFF_FFFF, VIDEO, 1);
                bytes.extend([0; 128]);
                peer.throw(&bytes).await;
            }
            // Whoever is still connected waits here until the test ends; so does what the server keeps for it.
            peer.throw(&rtmp::message(3, 0, COMMAND, 0, &goodbye())).await;
        }
        Ok(())
    });
}

#[test]
fn megabytes_sent_into_messages_that_never_end() {
    survives(async |_, scene| {
        let mut peer = Peer::publishing(scene.server.rtmp, "endless").await?;
        // 64 chunk streams, each one byte short of a 4 MiB message: a quarter of a gigabyte, if it is kept.
        let len = 4 << 20;
        for id in 3..67 {
            let mut bytes = rtmp::chunked(65_536, id, 0, VIDEO, 1, &vec![0x27; len]);
            bytes.pop();
            peer.throw(&bytes).await;
        }
        Ok(())
    });
}

#[test]
fn control_messages_with_impossible_numbers() {
    survives(async |_, scene| {
        for bytes in [
            rtmp::window_size(0),
            rtmp::window_size(u32::MAX),
            rtmp::message(2, 0, 6, 0, &[0, 0, 0, 0, 0]),
            rtmp::message(2, 0, 6, 0, &[0, 0, 0, 0, 9]),
            rtmp::set_chunk_size(0),
            rtmp::set_chunk_size(0x8000_0000),
            rtmp::set_chunk_size(0x7FFF_FFFF),
            rtmp::message(2, 0, 1, 0, &[]),
            rtmp::message(2, 0, 2, 0, &[0xFF; 4]),
            rtmp::message(2, 0, 3, 0, &[0xFF; 4]),
            rtmp::message(2, 0, 4, 0, &[0, 6]),
            rtmp::message(2, 0, 4, 0, &[0xFF; 100]),
            rtmp::message(2, 0, 22, 0, &[9, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0]),
            rtmp::message(2, 0, 255, 0, &[]),
            rtmp::message(2, 0, 17, 0, &[]),
            rtmp::message(2, 0, 20, 0, &[]),
        ] {
            let mut peer = Peer::greet(scene.server.rtmp).await?;
            peer.throw(&bytes).await;
            let mut peer = Peer::publishing(scene.server.rtmp, &another("numbers")).await?;
            peer.throw(&bytes).await;
            peer.throw(&rtmp::message(6, 0, VIDEO, 1, &[0x17, 1, 0, 0, 0, 1, 2, 3])).await;
            peer.throw(&rtmp::message(3, 0, COMMAND, 0, &goodbye())).await;
        }
        Ok(())
    });
}

#[test]
fn a_window_of_zero_does_not_stop_the_session() {
    survives(async |_, scene| {
        let mut peer = Peer::greet(scene.server.rtmp).await?;
        peer.send(&rtmp::window_size(0)).await?;
        let object = rtmp::object(&[
            ("app", rtmp::string("live")),
            ("tcUrl", rtmp::string("rtmp://x/live")),
        ]);
        peer.send(&rtmp::chunked(
            128,
            3,
            0,
            COMMAND,
            0,
            &[rtmp::string("connect"), rtmp::number(1.0), object].concat(),
        ))
        .await?;
        peer.answered(b"NetConnection.Connect.Success").await
    });
}

#[test]
fn chunk_headers_that_change_inside_a_message() {
    survives(async |_, scene| {
        let payload = vec![0x27; 1000];
        for format in [0, 1, 2] {
            let mut peer = Peer::publishing(scene.server.rtmp, &another("headers")).await?;
            peer.send(&rtmp::set_chunk_size(128)).await?;
            let mut bytes = rtmp::full_header(6, 0, 1000, VIDEO, 1);
            bytes.extend_from_slice(&payload[..128]);
            // A new head although 872 bytes are missing; shorter than what is there already.
            match format {
                0 => bytes.extend(rtmp::full_header(6, 0, 50, VIDEO, 1)),
                1 => {
                    bytes.extend(rtmp::basic_header(1, 6));
                    bytes.extend([0, 0, 40, 0, 0, 50, VIDEO]);
                }
                _ => {
                    bytes.extend(rtmp::basic_header(2, 6));
                    bytes.extend([0, 0, 40]);
                }
            }
            bytes.extend_from_slice(&payload);
            peer.throw(&bytes).await;
            // A chunk stream that begins without a full head has no length to go by.
            peer.throw(&[rtmp::basic_header(3, 900), payload.clone()].concat()).await;
            peer.throw(&rtmp::message(3, 0, COMMAND, 0, &goodbye())).await;
        }
        Ok(())
    });
}

#[test]
fn connects_and_names_that_make_no_sense() {
    survives(async |_, scene| {
        let server = scene.server.rtmp;
        let text = rtmp::string;
        let long = "x".repeat(60_000);
        for url in [
            "",
            "rtmp",
            "rtmp://",
            "rtmp:///",
            "://",
            "rtmp://[::1",
            "rtmp://h:99999999/live",
            "rtmp://h/../..",
            "%zz%",
            &long,
        ] {
            let mut peer = Peer::greet(server).await?;
            peer.send(&rtmp::set_chunk_size(65_536)).await?;
            peer.throw(&rtmp::connect(&rtmp::object(&[
                ("app", text("live")),
                ("tcUrl", text(url)),
            ])))
            .await;
            peer.throw(&rtmp::publish("x")).await;
            peer.throw(&rtmp::connect(&rtmp::object(&[("tcUrl", text(url))]))).await;
        }
        for object in [
            vec![],
            rtmp::null(),
            rtmp::number(f64::NAN),
            text("not an object"),
            rtmp::object(&[]),
            rtmp::object(&[("app", rtmp::number(7.0)), ("tcUrl", rtmp::null())]),
            rtmp::object(&[("app", rtmp::object(&[])), ("tcUrl", rtmp::object(&[]))]),
            // Cut off inside a property.
            vec![0x03, 0, 3, b'a', b'p', b'p', 0x02, 0, 9, b'l'],
        ] {
            let mut peer = Peer::greet(server).await?;
            peer.throw(&rtmp::connect(&object)).await;
            peer.throw(&rtmp::publish("x")).await;
        }
        for name in [
            "",
            "..",
            "../../etc/passwd",
            "a/../b",
            "\0",
            "a\r\nb",
            "?",
            "/",
            "//",
            "%2e%2e",
            &"n".repeat(300),
            &long,
        ] {
            let mut peer = Peer::connected(server).await?;
            peer.throw(&rtmp::publish(name)).await;
            peer.throw(&rtmp::message(6, 0, VIDEO, 1, &[0x17, 1, 0, 0, 0])).await;
        }
        // A name that is not a string, a publish before createStream, commands nobody knows.
        for command in [
            [text("publish"), rtmp::number(4.0), rtmp::null(), rtmp::number(5.0)].concat(),
            [text("publish"), rtmp::number(4.0), rtmp::null()].concat(),
            [text("publish")].concat(),
            [text("createStream")].concat(),
            [text("deleteStream"), rtmp::number(4.0), rtmp::null(), rtmp::number(-1e308)].concat(),
            [rtmp::number(1.0), text("publish")].concat(),
            [text(&long)].concat(),
            rtmp::long_string(&"y".repeat(100_000)),
        ] {
            let mut peer = Peer::connected(server).await?;
            peer.throw(&rtmp::chunked(65_536, 3, 0, COMMAND, 0, &command)).await;
            peer.throw(&rtmp::chunked(65_536, 8, 0, COMMAND, 1, &command)).await;
        }
        Ok(())
    });
}

#[test]
fn media_that_is_empty_cut_short_or_noise() {
    survives(async |_, scene| {
        let mut peer = Peer::publishing(scene.server.rtmp, "media").await?;
        for kind in [AUDIO, VIDEO, DATA, 22] {
            for len in 0..24 {
                for first in 0..=255u8 {
                    let payload: Vec<u8> = std::iter::once(first).chain(0..24).take(len).collect();
                    peer.send(&rtmp::message(6, u32::from(first) << 20, kind, 1, &payload)).await?;
                }
            }
        }
        // Still listened to: a publisher's odd packets are its own affair.
        peer.send(&rtmp::publish("elsewhere")).await?;
        peer.answered(b"_result").await
    });
}

#[test]
fn a_refused_publisher_reaches_nobody() {
    survives(async |_, scene| {
        let server = scene.server.rtmp;
        let marker = b"THIS IS NOT YOUR STREAM";
        let media: Vec<u8> = (0..50)
            .flat_map(|at| {
                let mut payload = vec![0x17, 1, 0, 0, 0];
                payload.extend_from_slice(marker);
                rtmp::message(6, at * 40, VIDEO, 1, &payload)
            })
            .collect();
        let mut viewer = Viewer::http(&scene.server, "/live/good.flv").await?;
        // All in one go, as encoders do that do not wait for the answer.
        let mut peer = Peer::connected(server).await?;
        peer.throw(&[rtmp::publish("good"), media.clone()].concat()).await;
        let said = peer.hung_up().await?;
        ensure!(
            find(&said, b"NetStream.Publish.BadName"),
            "it is told why: {:?}",
            String::from_utf8_lossy(&said)
        );
        ensure!(!find(&said, b"NetStream.Publish.Start"));
        for _ in 0..100 {
            let tag = viewer.next().await?;
            ensure!(
                tag.is_some_and(|tag| !find(tag.data(), marker)),
                "a stranger's picture in the stream"
            );
        }
        // The same for media without any publish.
        let mut peer = Peer::connected(server).await?;
        peer.throw(&media).await;
        Ok(())
    });
}

#[test]
fn five_hundred_connections_that_say_nothing() {
    survives(async |_, scene| {
        let mut sockets = Vec::new();
        for _ in 0..250 {
            for address in [scene.server.rtmp, scene.server.http] {
                sockets.push(TcpStream::connect(address).await?);
            }
        }
        let answer = http::get(scene.server.http, "/health").await?;
        ensure!(answer.status == 200);
        Ok(())
    });
}

#[test]
fn ten_viewers_that_do_not_read() {
    stage(async |stage| {
        let mut scene = Scene::with(stage, &[], Clip::Heavy).await?;
        let mut stalled = Vec::new();
        for _ in 0..10 {
            let socket = TcpSocket::new_v4()?;
            socket.set_recv_buffer_size(4096)?;
            let mut socket = socket.connect(scene.server.http).await?;
            socket.write_all(b"GET /live/good.flv HTTP/1.1\r\nHost: x\r\n\r\n").await?;
            socket.read_exact(&mut [0; 64]).await?;
            stalled.push(socket);
        }
        // 8 Mbit/s for some seconds would be 10 × 8 MB, if it were kept for them.
        scene.is_unharmed(MEMORY).await?;
        for _ in 0..8 {
            scene.is_unharmed(MEMORY).await?;
        }
        drop(stalled);
        scene.lets_go(LETTING_GO).await
    });
}

#[test]
fn what_is_not_http() {
    survives(async |_, scene| {
        let long =
            format!("GET /live/x.flv HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
        let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(50_000));
        for bytes in [
            b"\0\0\0\0\0\0\0\0\0\0".as_slice(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
            b"GET /%00%ff/..%2f..%2fetc%2fpasswd.flv HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /live/x.flv HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            long.as_bytes(),
            many.as_bytes(),
        ] {
            let mut socket = TcpStream::connect(scene.server.http).await?;
            // Refused early is fine.
            drop(socket.write_all(bytes).await);
        }
        for path in [
            "/../../../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/player/..%2f..%2f..%2fetc%2fpasswd",
            "//etc/passwd",
        ] {
            let mut answer = http::get(scene.server.http, path).await?;
            ensure!((400..500).contains(&answer.status), "{path}: {}", answer.status);
            ensure!(!answer.text().await?.contains("root:"));
        }
        Ok(())
    });
}

#[test]
fn a_request_head_that_never_ends() {
    survives(async |_, scene| {
        let mut socket = TcpStream::connect(scene.server.http).await?;
        socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await?;
        let mut drip = TcpStream::connect(scene.server.http).await?;
        drip.write_all(b"GET / HTTP/1.1\r\n").await?;
        // One never says another word; the other says a word now and then. Both are let go.
        until("the drip is cut", LETTING_GO, async || {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(drip.write_all(b"x").await.is_err().then_some(()))
        })
        .await?;
        let read = tokio::time::timeout(LETTING_GO, socket.read_to_end(&mut Vec::new())).await;
        ensure!(read.is_ok(), "the silent one is still connected");
        Ok(())
    });
}

#[test]
fn asking_for_a_thousand_streams_that_are_not_there() {
    survives(async |_, scene| {
        let ask = |number: usize| {
            let server = scene.server.http;
            async move {
                http::get(server, &format!("/live/missing-{number}.flv"))
                    .await
                    .map(|answer| answer.status)
            }
        };
        for round in 0..10 {
            let asked = (0..100).map(|number| ask(round * 100 + number));
            for status in futures_util::future::join_all(asked).await {
                let status = status?;
                ensure!(matches!(status, 404 | 429 | 503), "{status}");
            }
        }
        Ok(())
    });
}

/// `deleteStream` of stream 1: frees the name at once.
fn goodbye() -> Vec<u8> {
    [rtmp::string("deleteStream"), rtmp::number(9.0), rtmp::null(), rtmp::number(1.0)].concat()
}

fn find(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.windows(pattern.len()).any(|window| window == pattern)
}
