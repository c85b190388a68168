//! What the specification allows and hardly anybody does.

use anyhow::{Result, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::{
    Server,
    rtmp::{self, AUDIO, HANDSHAKE_LEN, Peer, VIDEO},
    server::PATIENCE,
    stage, until,
};

use super::{
    Sent, arrives, bytes, goodbye, headers, media, media_from, picture, publishing, relayed, watch,
};

#[test]
fn aggregates_take_the_time_they_are_sent_at() {
    publishing(async |server, mut peer| {
        let sent = media("aggregate");
        peer.send(&bytes(&sent[..2])).await?;
        // The times inside begin anywhere; only their distances count.
        for pair in sent[2..].chunks(2) {
            let inner: Vec<u8> = pair
                .iter()
                .map(|sent| Tag::new(sent.kind(), i64::from(sent.time) + 70_000, &sent.data))
                .collect::<Result<Vec<_>, _>>()?
                .iter()
                .flat_map(|tag| tag.bytes().to_vec())
                .collect();
            peer.send(&rtmp::message(6, pair[0].time, 22, 1, &inner)).await?;
        }
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn an_aborted_message_is_none() {
    arrives(|sent| {
        let half = [rtmp::full_header(6, 400, 100_000, VIDEO, 1), vec![0x17; 65_536]].concat();
        let abort = rtmp::message(2, 0, 2, 0, &6u32.to_be_bytes());
        let unknown = rtmp::message(2, 0, 2, 0, &9999u32.to_be_bytes());
        let cut_short = rtmp::message(2, 0, 2, 0, &[0, 0]);
        [bytes(&sent[..9]), half, abort, unknown, cut_short, bytes(&sent[9..])].concat()
    });
}

#[test]
fn the_chunk_size_changes_inside_a_message() {
    publishing(async |server, mut peer| {
        let mut sent = headers(0, "sizes");
        sent.push(picture(0, true, "sizes", 5000));
        sent.push(picture(40, false, "next", 300));
        peer.send(&bytes(&sent[..2])).await?;
        let data = &sent[2].data;
        let mut wire = rtmp::set_chunk_size(1000);
        wire.extend(rtmp::full_header(6, 0, 5000, VIDEO, 1));
        wire.extend(&data[..1000]);
        // Smaller, as small as can be, and as large as can be.
        let mut at = 1000;
        let mut in_force = 1000;
        for (size, chunks) in [(7, 3), (1, 2), (0x7FFF_FFFF, 1)] {
            wire.extend(rtmp::chunked(in_force, 2, 0, 1, 0, &(size as u32).to_be_bytes()));
            in_force = size;
            for _ in 0..chunks {
                let end = data.len().min(at + size);
                wire.extend(rtmp::basic_header(3, 6));
                wire.extend(&data[at..end]);
                at = end;
            }
        }
        ensure!(at == data.len());
        wire.extend(sent[3].bytes());
        peer.send(&wire).await?;
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn chunk_streams_of_every_number() {
    publishing(async |server, mut peer| {
        let sent = media("numbers");
        let ids = [3, 63, 64, 65, 319, 320, 1000, 0x1234 + 64, 65_598, 65_599];
        for (message, id) in sent.iter().zip(ids.into_iter().cycle()) {
            peer.send(&rtmp::message(id, message.time, message.kind, 1, &message.data)).await?;
        }
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn every_type_of_header_on_a_fresh_chunk_stream() {
    publishing(async |server, mut peer| {
        let sent = media("fresh");
        peer.send(&bytes(&sent)).await?;
        // Type 1 has no message stream: what it brings is on none. Types 2 and 3 have no length: they bring nothing.
        let mut wire = rtmp::basic_header(1, 50);
        wire.extend([0, 0, 0, 0, 0, 6, VIDEO, 0x27, 1, 0, 0, 0, 9]);
        wire.extend(rtmp::basic_header(2, 51));
        wire.extend([0, 0, 40]);
        wire.extend(rtmp::basic_header(3, 52));
        peer.send(&wire).await?;
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn messages_without_a_payload_are_left_out() {
    arrives(|sent| {
        let empty =
            |kind| [rtmp::message(6, 0, kind, 1, &[]), rtmp::message(4, 0, kind, 1, &[])].concat();
        let all: Vec<u8> = [AUDIO, VIDEO, rtmp::DATA, rtmp::COMMAND, 22].map(empty).concat();
        [all.clone(), bytes(&sent[..9]), all, bytes(&sent[9..])].concat()
    });
}

#[test]
fn sound_alone_with_times_past_the_end() {
    publishing(async |server, mut peer| {
        let sent: Vec<Sent> = media_from(u32::MAX - 300, "wrap")
            .into_iter()
            .filter(|sent| sent.kind == AUDIO)
            .collect();
        let mut wire = Vec::new();
        for message in &sent {
            let len = message.data.len() as u32;
            let field = message.time.min(0xFF_FFFF);
            wire.extend(rtmp::full_header(4, field, len, AUDIO, 1));
            if field == 0xFF_FFFF {
                wire.extend(message.time.to_be_bytes());
            }
            wire.extend(&message.data);
        }
        peer.send(&wire).await?;
        let mut viewer = watch(&server, "s").await?;
        peer.send(&goodbye()).await?;
        let tags: Vec<_> = viewer
            .rest()
            .await?
            .into_iter()
            .filter(|tag| tag.kind() == TagKind::Audio && super::is_media(tag))
            .collect();
        // With sound alone a viewer may begin at any packet.
        let heard = &sent[sent.len() - tags.len()..];
        super::same(&tags, heard)
    });
}

#[test]
fn the_handshake_in_single_bytes() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connect(server.rtmp).await?;
        for byte in rtmp::c0_c1() {
            peer.send(&[byte]).await?;
        }
        for _ in 0..HANDSHAKE_LEN {
            peer.send(&[0x55]).await?;
        }
        let object = rtmp::object(&[("app", rtmp::string("live"))]);
        for byte in rtmp::connect(&object) {
            peer.send(&[byte]).await?;
        }
        peer.answered(b"NetConnection.Connect.Success").await
    });
}

#[test]
fn another_version_of_rtmp_is_closed_at_once() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        for version in [0, 1, 2, 4, 6, 8, 31, 0xFF] {
            let mut peer = Peer::connect(server.rtmp).await?;
            peer.throw(&[version]).await;
            let said = peer.hung_up().await?;
            ensure!(said.is_empty(), "version {version} is answered");
        }
        let log = server.process().log().text();
        ensure!(log.contains("RTMPE"), "{log}");
        Ok(())
    });
}

/// The timer of keepalive runs on the server's end of the connection. Linux tells.
#[test]
fn a_publishers_socket_asks_whether_the_peer_is_there() {
    publishing(async |server, peer| {
        let ours = format!(":{:04X} ", server.rtmp.port());
        let theirs = format!(":{:04X} ", peer.address()?.port());
        until("the timer runs", PATIENCE, async || {
            let table = std::fs::read_to_string("/proc/net/tcp")?;
            let line = table.lines().find(|line| {
                line.find(&ours).zip(line.find(&theirs)).is_some_and(|(ours, theirs)| ours < theirs)
            });
            // Local and remote address, state, queues, and the timer: 02 is that of keepalive.
            let timer = line.and_then(|line| line.split_whitespace().nth(5));
            Ok(timer.filter(|timer| timer.starts_with("02:")).map(drop))
        })
        .await
    });
}
