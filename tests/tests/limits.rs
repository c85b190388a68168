//! What a peer can make the server hold: measured from outside, on the real program.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Server, Stage, Viewer, http,
    phone::{Phone, watched},
    rtmp::{self, COMMAND, Peer, VIDEO},
    server::PATIENCE,
    stage::{self, stage},
    until,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Connections that say nothing more.
const IDLE: usize = 2000;

/// What one of them may cost.
const IDLE_COST: u64 = 24 * KIB;

/// A server with times that no test runs into, which has allocated what it allocates once.
async fn patient(stage: &Stage, more: &[&str]) -> Result<Server> {
    let arguments = [
        "--rtmp-handshake-timeout",
        "1h",
        "--rtmp-setup-timeout",
        "1h",
        "--rtmp-idle-timeout",
        "1h",
        "--rtmp-ping-after",
        "1h",
        "--http-head-timeout",
        "1h",
    ];
    let server = Server::start(stage, &[&arguments, more].concat()).await?;
    for _ in 0..20 {
        Peer::connected(server.rtmp).await?;
        http::get(server.http, "/health").await?.bytes().await?;
    }
    Ok(server)
}

/// Opens [`IDLE`] connections with `open` and fails if one costs more than [`IDLE_COST`].
fn idle_is_cheap<T>(open: impl AsyncFn(&Server) -> Result<T>) {
    stage(async |stage| {
        let server = patient(stage, &[]).await?;
        let before = server.memory()?;
        let mut open_ones = Vec::new();
        for _ in 0..IDLE {
            open_ones.push(open(&server).await?);
        }
        until("every connection was accepted", PATIENCE, async || {
            Ok((server.open_files()? >= IDLE).then_some(()))
        })
        .await?;
        let each = server.memory()?.saturating_sub(before) / IDLE as u64;
        println!("{each} bytes each");
        ensure!(each < IDLE_COST, "an idle connection costs {each} bytes");
        Ok(())
    });
}

#[test]
fn two_thousand_connections_that_have_not_shaken_hands() {
    idle_is_cheap(async |server| Ok(TcpStream::connect(server.rtmp).await?));
}

#[test]
fn two_thousand_connections_in_the_middle_of_the_handshake() {
    idle_is_cheap(async |server| {
        let mut peer = Peer::connect(server.rtmp).await?;
        peer.send(&rtmp::c0_c1()[..1000]).await?;
        Ok(peer)
    });
}

#[test]
fn two_thousand_connections_that_have_shaken_hands_and_connected() {
    idle_is_cheap(async |server| Peer::connected(server.rtmp).await);
}

#[test]
fn two_thousand_http_connections_kept_alive() {
    idle_is_cheap(async |server| {
        let mut socket = TcpStream::connect(server.http).await?;
        socket.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await?;
        read_until(&mut socket, br#""problems":[]}"#).await?;
        Ok(socket)
    });
}

#[test]
fn two_thousand_http_connections_that_say_nothing() {
    idle_is_cheap(async |server| Ok(TcpStream::connect(server.http).await?));
}

/// Fails if `abuse` makes the server's memory grow beyond `limit`, even for a moment.
async fn grows_less(
    server: &Server,
    limit: u64,
    abuse: impl AsyncFnOnce(&Server) -> Result<()>,
) -> Result<()> {
    let before = server.memory()?;
    abuse(server).await?;
    let grown = server.peak_memory()?.saturating_sub(before);
    println!("{} KiB", grown / KIB);
    ensure!(grown < limit, "memory grew by {grown} bytes");
    Ok(())
}

#[test]
fn forty_six_gigabytes_announced_on_three_thousand_chunk_streams() {
    stage(async |stage| {
        // The most that a message can announce, and all of it allowed.
        let server = patient(stage, &["--rtmp-max-message", "16777215"]).await?;
        grows_less(&server, 24 * MIB, async |server| {
            let mut peers = Vec::new();
            for number in 0..24 {
                let mut peer = Peer::publishing(server.rtmp, &format!("announced{number}")).await?;
                let mut bytes = rtmp::set_chunk_size(128);
                for id in 10..135 {
                    bytes.extend(rtmp::full_header(id, 0, 0xFF_FFFF, VIDEO, 1));
                    bytes.extend([0; 128]);
                }
                // The answer tells that everything before it was read.
                bytes.extend(rtmp::message(3, 0, COMMAND, 0, &ask()));
                peer.send(&bytes).await?;
                peer.answered(b"_result").await?;
                peers.push(peer);
            }
            Ok(())
        })
        .await
    });
}

#[test]
fn five_hundred_halves_of_messages() {
    stage(async |stage| {
        let server = patient(stage, &[]).await?;
        // What was received is kept until the peer leaves, with room for as much again; 500 times 32 KiB are 16 MiB.
        grows_less(&server, 2 * 16 * MIB + 500 * IDLE_COST, async |server| {
            let mut peers = Vec::new();
            for _ in 0..500 {
                let mut peer = Peer::connected(server.rtmp).await?;
                let chunks = rtmp::chunked(4096, 9, 0, rtmp::DATA, 1, &[0; 64 << 10]);
                peer.send(&rtmp::set_chunk_size(4096)).await?;
                // Eight chunks of sixteen: the first has a head of 12 bytes, the others of 1.
                peer.send(&chunks[..12 + 7 + 8 * 4096]).await?;
                peer.send(&rtmp::message(3, 0, COMMAND, 0, &ask())).await?;
                peer.answered(b"_result").await?;
                peers.push(peer);
            }
            Ok(())
        })
        .await
    });
}

/// What a hundred viewers that never read may make the server hold.
const STALLED: u64 = 48 * MIB;

/// A hundred viewers join with `join`, on a socket with little room, and read nothing while 200 MB pass.
fn stalled_viewers_are_cheap(join: impl AsyncFn(&Server) -> Result<TcpStream>) {
    stage::stage_for(Duration::from_secs(300), async |stage| {
        let server = patient(stage, &[]).await?;
        let mut phone = Phone::start(&server, "heavy", &"heavy".repeat(10_000)).await?;
        phone.shoot().await?;
        server.live("live/heavy").await?;
        grows_less(&server, STALLED, async |server| {
            let mut stalled = Vec::new();
            for _ in 0..100 {
                stalled.push(join(server).await?);
            }
            until("all of them watch", PATIENCE, async || {
                phone.shoot().await?;
                Ok((server.metric("pushpull_viewers").await? == 100).then_some(()))
            })
            .await?;
            let passed = "pushpull_received_bytes_total";
            let end = server.metric(passed).await? + 200_000_000;
            while server.metric(passed).await? < end {
                for _ in 0..100 {
                    phone.shoot().await?;
                }
            }
            Ok(())
        })
        .await
    });
}

/// A connection whose kernel takes only a few kilobytes of what nobody reads.
async fn narrow(server: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    Ok(socket.connect(server).await?)
}

#[test]
fn a_hundred_viewers_that_never_read_while_200_megabytes_pass() {
    stalled_viewers_are_cheap(async |server| {
        let mut socket = narrow(server.http).await?;
        socket.write_all(b"GET /live/heavy.flv HTTP/1.1\r\nHost: x\r\n\r\n").await?;
        Ok(socket)
    });
}

#[test]
fn a_hundred_websockets_that_never_read_while_200_megabytes_pass() {
    stalled_viewers_are_cheap(async |server| {
        let mut socket = narrow(server.http).await?;
        socket.write_all(http::websocket_request("/live/heavy.flv").as_bytes()).await?;
        Ok(socket)
    });
}

#[test]
fn a_hundred_players_that_never_read_while_200_megabytes_pass() {
    stalled_viewers_are_cheap(async |server| {
        let mut player = Peer::connected_with(server.rtmp, 4096).await?;
        player.send(&rtmp::play("heavy")).await?;
        Ok(player.into_socket())
    });
}

#[test]
fn each_limit_of_rtmp_is_counted() {
    stage(async |stage| {
        let arguments = ["--rtmp-max-message", "65536", "--rtmp-max-chunk-streams", "16"];
        let server = patient(stage, &arguments).await?;
        let publishing = async |name| Peer::publishing(server.rtmp, name).await;
        // Fifteen chunks of sixteen: the first has a head of 12 bytes, the others of 1.
        let half = |id: u32| {
            let mut half = rtmp::chunked(4096, id, 0, VIDEO, 1, &[0x27; 64 << 10]);
            half.truncate(12 + 14 + 15 * 4096);
            half
        };
        let halves = [rtmp::set_chunk_size(4096), (5..9).flat_map(half).collect()].concat();
        let many =
            |count: u32| (20..20 + count).flat_map(|id| rtmp::message(id, 0, VIDEO, 1, b"x"));
        let setup = rtmp::full_header(9, 0, (64 << 10) + 1, rtmp::DATA, 1);
        let abuses: [(&str, Peer, Vec<u8>); 5] = [
            ("rtmp_max_message", Peer::connected(server.rtmp).await?, setup),
            (
                "rtmp_max_message",
                publishing("large").await?,
                rtmp::full_header(9, 0, (64 << 10) + 1, VIDEO, 1),
            ),
            ("rtmp_partial", Peer::connected(server.rtmp).await?, halves),
            ("rtmp_max_chunk_streams", Peer::connected(server.rtmp).await?, many(16).collect()),
            ("rtmp_max_chunk_streams", publishing("many").await?, many(16).collect()),
        ];
        for (limit, mut peer, bytes) in abuses {
            let before = server.hits(limit).await?;
            peer.throw(&bytes).await;
            peer.hung_up().await?;
            until(&format!("{limit} is counted"), PATIENCE, async || {
                Ok((server.hits(limit).await? == before + 1).then_some(()))
            })
            .await?;
        }
        Ok(())
    });
}

#[test]
fn a_peer_without_a_purpose_is_let_go() {
    stage(async |stage| {
        let server = Server::start(stage, &["--rtmp-setup-timeout", "500ms"]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.hung_up().await?;
        ensure!(server.hits("rtmp_setup_timeout").await? == 1);
        Ok(())
    });
}

#[test]
fn players_over_rtmp_are_bounded() {
    stage(async |stage| {
        let server = Server::start(stage, &["--rtmp-max-players", "1"]).await?;
        let mut phone = Phone::start(&server, "phone", "first").await?;
        let playing = async {
            let mut first = Viewer::rtmp(&server, "live/phone").await?;
            first.next().await?;
            let refused = Viewer::rtmp(&server, "live/phone").await.err();
            let refused = refused.context("the second is refused")?.to_string();
            ensure!(refused.contains("NetStream.Play.Failed"), "{refused}");
            ensure!(server.hits("rtmp_max_players").await? == 1);
            drop(first);
            until("its place is free", PATIENCE, async || {
                Ok(Viewer::rtmp(&server, "live/phone").await.ok())
            })
            .await
        };
        phone.shooting(playing).await?;
        Ok(())
    });
}

#[test]
fn a_player_that_takes_nothing_is_closed_and_counted() {
    stage(async |stage| {
        let server = Server::start(stage, &["--rtmp-write-timeout", "1s", "--lag", "1h"]).await?;
        let mut phone = Phone::start(&server, "phone", "first").await?;
        let stalled = async {
            let mut player = Peer::connected_with(server.rtmp, 4096).await?;
            player.send(&rtmp::play("phone")).await?;
            until("it is counted", PATIENCE, async || {
                Ok((server.hits("rtmp_write_timeout").await? == 1).then_some(()))
            })
            .await?;
            drop(player);
            Ok(())
        };
        // Large pictures, more than the buffers between the two take.
        phone.word = "large".repeat(10_000);
        phone.shooting(stalled).await
    });
}

#[test]
fn the_limit_on_open_files_is_raised_at_the_start() {
    stage(async |stage| {
        let server = Server::with_ulimit(stage, "-S -n 64", &[]).await?;
        let mut sockets = Vec::new();
        for _ in 0..200 {
            let mut socket = TcpStream::connect(server.http).await?;
            socket.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await?;
            read_until(&mut socket, br#""problems":[]}"#).await?;
            sockets.push(socket);
        }
        Ok(())
    });
}

#[test]
fn at_the_limit_of_descriptors_viewers_are_unharmed_and_accepting_recovers() {
    stage(async |stage| {
        let server = Server::with_ulimit(stage, "-n 64", &[]).await?;
        let (mut phone, mut witnesses) = watched(&server, "phone").await?;
        let errors = || server.process().log().text().matches("cannot accept a connection").count();
        let flood = async {
            let mut sockets = Vec::new();
            // The kernel takes them, the server cannot.
            for _ in 0..100 {
                for address in [server.rtmp, server.http] {
                    sockets.push(TcpStream::connect(address).await?);
                }
            }
            until("accepting fails", PATIENCE, async || Ok((errors() > 0).then_some(()))).await?;
            Ok(sockets)
        };
        let sockets = phone.shooting(flood).await?;
        // Some fifty pictures later the viewers are still there, and nothing has gone round in circles.
        let before = errors();
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            phone.shoot().await?;
        }
        phone.word = "still there".to_owned();
        let seeing = async {
            for witness in &mut witnesses {
                witness.sees("still there").await?;
            }
            Ok(())
        };
        phone.shooting(seeing).await?;
        let more = errors() - before;
        ensure!(more < 100, "accepting failed {more} times while 50 pictures passed");
        drop(sockets);
        let recovering = until("accepting goes on", PATIENCE, async || {
            Ok((http::get(server.http, "/health").await?.status == 200).then_some(()))
        });
        phone.shooting(recovering).await?;
        ensure!(server.hits("open_files").await? > 0);
        Ok(())
    });
}

/// A command that is answered and does nothing.
fn ask() -> Vec<u8> {
    [rtmp::string("_checkbw"), rtmp::number(9.0), rtmp::null()].concat()
}

async fn read_until(socket: &mut TcpStream, pattern: &[u8]) -> Result<()> {
    let mut read = Vec::new();
    while !read.windows(pattern.len()).any(|window| window == pattern) {
        let more = tokio::time::timeout(PATIENCE, socket.read_buf(&mut read)).await;
        ensure!(more.context("an answer in time")?? > 0, "the server hung up");
    }
    Ok(())
}
