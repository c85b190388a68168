//! RTMP players from outside: what they get, what they are told, and what they may ask for.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::{
    Clip, Encoder, Player, Publisher, Server, Stage, Viewer,
    encoder::{picture, sound},
    ffmpeg::relays_all_packets,
    http,
    rtmp::{self, COMMAND, Peer, message, null, number, string},
    server::{PATIENCE, PATIENT},
    stage, until,
    viewer::{is_keyframe, is_media},
};
use tokio::{net::TcpSocket, time::timeout};

#[test]
fn packets_are_the_source_s_bit_for_bit() {
    stage(async |stage| the_same_packets(stage, Clip::Plain).await);
}

#[test]
fn packets_and_their_times_survive_b_frames() {
    stage(async |stage| the_same_packets(stage, Clip::BFrames).await);
}

/// ffprobe plays the stream to its end, which it is told, and finds what it finds in the file.
async fn the_same_packets(stage: &Stage, clip: Clip) -> Result<()> {
    let server = Server::start(stage, &PATIENT).await?;
    relays_all_packets(stage, &server, clip, "clip", &server.push_url("clip")).await
}

#[test]
fn players_and_viewers_get_the_same_tags() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::BFrames, "same").await?;
        server.live("live/same").await?;
        let mut over_http = Viewer::http(&server, "/live/same.flv").await?;
        let mut first = Viewer::rtmp(&server, "live/same").await?;
        let mut second = Viewer::rtmp(&server, "live/same").await?;
        first.catch_up_with(&mut over_http).await?;
        second.catch_up_with(&mut over_http).await?;
        first.catch_up_with(&mut second).await?;
        over_http.catch_up_with(&mut first).await?;
        second.catch_up_with(&mut over_http).await?;
        first.catch_up_with(&mut second).await?;
        Ok(())
    });
}

#[test]
fn a_late_player_starts_with_headers_and_a_keyframe() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "late").await?;
        server.live("live/late").await?;
        let mut player = Player::start(server.rtmp, "live/late").await?;
        let mut headers = Vec::new();
        let first = loop {
            let tag = next(&mut player).await?;
            if is_media(&tag) {
                break tag;
            }
            headers.push(tag.kind());
        };
        ensure!(is_keyframe(&first), "the first media tag is {first:?}");
        ensure!(headers == [TagKind::Script, TagKind::Video, TagKind::Audio], "{headers:?}");
        Ok(())
    });
}

#[test]
fn payloads_of_every_size_and_times_arrive_as_they_were_sent() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let (mut encoder, mut player) = pair(&server, "live/sizes").await?;
        // Around the chunk size and its multiples; a keyframe of 2 MB.
        let sizes = [59_999, 60_000, 60_001, 119_999, 120_000, 120_001, 2_000_000, 9];
        let mut sent = Vec::new();
        for (mark, &size) in (1..).zip(&sizes) {
            let time = mark * 40;
            encoder.keyframe(time, mark, size).await?;
            encoder.sound(time + 3, mark).await?;
            sent.push((i64::from(time), picture(0x17, mark, size)));
            sent.push((i64::from(time) + 3, sound(mark)));
        }
        encoder.stop().await?;
        let mut received = Vec::new();
        while let Some(tag) = timeout(PATIENCE, player.next()).await.context("the end comes")?? {
            received.push((tag.time(), tag.data().to_vec()));
        }
        ensure!(received == sent, "{} of {} messages, or others", received.len(), sent.len());
        Ok(())
    });
}

#[test]
fn times_go_on_past_24_bits() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let (mut encoder, mut player) = pair(&server, "live/long").await?;
        // A keyframe each four seconds, longer than a chunk near the edge, for a good four hours and a half.
        let edge: u32 = 1 << 24;
        for step in 1..=edge / 4000 + 3 {
            let time = step * 4000;
            let size = if edge.abs_diff(time) < 10_000 { 70_000 } else { 20 };
            encoder.keyframe(time, step, size).await?;
            let tag = next(&mut player).await?;
            ensure!(
                tag.time() == i64::from(time) && tag.data() == picture(0x17, step, size),
                "{tag:?} instead of {time}"
            );
        }
        Ok(())
    });
}

#[test]
fn a_paused_player_gets_nothing_and_goes_on_at_the_newest_keyframe() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let (mut encoder, mut player) = pair(&server, "live/pause").await?;
        player.pause(true).await?;
        until_status(&mut player, "NetStream.Pause.Notify").await?;
        for mark in 1..=20 {
            if mark % 5 == 0 {
                encoder.keyframe(mark * 40, mark, 100).await?;
            } else {
                encoder.picture(mark * 40, mark).await?;
            }
        }
        seen(&server, "live/pause", 20 * 40).await?;
        encoder.picture(21 * 40, 21).await?;
        player.pause(false).await?;
        until_status(&mut player, "NetStream.Unpause.Notify").await?;
        let mut kinds = Vec::new();
        let first = loop {
            let tag = next(&mut player).await?;
            if is_media(&tag) {
                break tag;
            }
            kinds.push(tag.kind());
        };
        ensure!(kinds == [TagKind::Video, TagKind::Audio], "the headers come again: {kinds:?}");
        ensure!(first.data() == picture(0x17, 20, 100), "{first:?}");
        let second = next(&mut player).await?;
        ensure!(second.data() == picture(0x27, 21, 40), "{second:?}");
        ensure!(player.statuses().is_empty());
        Ok(())
    });
}

#[test]
fn tracks_are_left_out_and_come_back_with_their_headers() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let (mut encoder, mut player) = pair(&server, "live/tracks").await?;
        let mut other = Player::start(server.rtmp, "live/tracks").await?;

        player.receive_audio(false).await?;
        player.receive_video(false).await?;
        // The answer to this says that those have been heard.
        player.receive_audio(true).await?;
        until_status(&mut player, "NetStream.Seek.Notify").await?;
        encoder.picture(40, 1).await?;
        encoder.sound(50, 2).await?;
        encoder.keyframe(80, 3, 50).await?;
        // Sound comes back at once, behind its header; pictures are left out.
        let header = next(&mut player).await?;
        ensure!(header.kind() == TagKind::Audio && !is_media(&header), "{header:?}");
        encoder.sound(90, 8).await?;
        // The second comes behind the keyframe: that has been left out by then.
        for mark in [2, 8] {
            let tag = next(&mut player).await?;
            ensure!(tag.data() == sound(mark), "{tag:?}");
        }

        player.receive_audio(false).await?;
        player.receive_video(true).await?;
        until_status(&mut player, "NetStream.Seek.Notify").await?;
        // Pictures come back with the next keyframe, behind their header.
        encoder.picture(120, 4).await?;
        encoder.sound(130, 5).await?;
        encoder.keyframe(160, 6, 50).await?;
        encoder.picture(200, 7).await?;
        let header = next(&mut player).await?;
        ensure!(header.kind() == TagKind::Video && !is_media(&header), "{header:?}");
        for expected in [picture(0x17, 6, 50), picture(0x27, 7, 40)] {
            let tag = next(&mut player).await?;
            ensure!(tag.data() == expected, "{tag:?}");
        }
        // Nobody else has noticed.
        let mut media = Vec::new();
        while media.len() < 8 {
            let tag = next(&mut other).await?;
            if is_media(&tag) && tag.time() > 30 {
                media.push(tag.data().to_vec());
            }
        }
        ensure!(media[1] == sound(2) && media[5] == sound(5), "in order, with nothing left out");
        Ok(())
    });
}

#[test]
fn a_stream_nobody_publishes_is_not_found_after_the_wait() {
    stage(async |stage| {
        let server = Server::start(stage, &["--missing-wait", "500ms"]).await?;
        let mut player = Player::ask(server.rtmp, "live/nobody").await?;
        let code = timeout(PATIENCE, player.refused()).await.context("an answer comes")??;
        ensure!(code.as_deref() == Some("NetStream.Play.StreamNotFound"), "{code:?}");
        let mut player = Player::ask(server.rtmp, "live/nobody?start=later").await?;
        let code = timeout(PATIENCE, player.refused()).await.context("an answer comes")??;
        ensure!(code.as_deref() == Some("NetStream.Play.Failed"), "{code:?}");
        for reason in ["not_found", "bad_parameter"] {
            let line = format!("pushpull_players_refused_total{{reason=\"{reason}\"}} 1");
            let metrics = metrics(&server).await?;
            ensure!(metrics.contains(&line), "{metrics}");
        }
        ensure!(server.stream("live/nobody").await?.is_none(), "asking does not make a stream");
        Ok(())
    });
}

#[test]
fn a_live_start_waits_for_the_next_keyframe() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let (mut encoder, mut player) = pair(&server, "live/start").await?;
        encoder.picture(40, 1).await?;
        next(&mut player).await?;
        let mut late = Player::ask(server.rtmp, "live/start?start=live").await?;
        let late = tokio::spawn(async move { late.accepted().await.map(|()| late) });
        // It is in the stream before the next keyframe comes.
        until("it waits", PATIENCE, async || {
            let stream = server.stream("live/start").await?.context("it is live")?;
            Ok((stream["viewers"] == 2).then_some(()))
        })
        .await?;
        encoder.keyframe(80, 2, 30).await?;
        let mut late = late.await??;
        loop {
            let tag = next(&mut late).await?;
            if is_media(&tag) {
                ensure!(tag.data() == picture(0x17, 2, 30), "{tag:?}");
                return Ok(());
            }
        }
    });
}

#[test]
fn a_player_that_takes_nothing_jumps_to_a_keyframe_and_nobody_else_notices() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let mut encoder = Encoder::start(server.rtmp, "live/slow").await?;
        encoder.headers(1).await?;
        encoder.keyframe(0, 0, 100).await?;
        encoder.sound(0, 0).await?;
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(16 << 10)?;
        let mut slow = Player::over(socket.connect(server.rtmp).await?, "live/slow")?;
        let mut fast = Player::start(server.rtmp, "live/slow").await?;
        slow.accepted().await?;

        // Twenty seconds of 20 kB a picture, a keyframe in each second.
        for mark in 1..=500 {
            let first = if mark % 25 == 0 { 0x17 } else { 0x27 };
            encoder.send(TagKind::Video, mark * 40, &picture(first, mark, 20_000)).await?;
            loop {
                let tag = next(&mut fast).await?;
                if tag.time() == i64::from(mark) * 40 {
                    ensure!(tag.data() == picture(first, mark, 20_000), "{tag:?}");
                    break;
                }
            }
        }
        let mut last = 0;
        let mut jumps = 0;
        while last < 500 * 40 {
            let tag = next(&mut slow).await?;
            if !is_media(&tag) || tag.kind() != TagKind::Video {
                continue;
            }
            if tag.time() > last + 40 {
                jumps += 1;
                ensure!(is_keyframe(&tag), "the jump ends at {tag:?}");
            }
            let mark = u32::try_from(tag.time() / 40)?;
            if mark > 0 {
                let first = if mark % 25 == 0 { 0x17 } else { 0x27 };
                ensure!(tag.data() == picture(first, mark, 20_000), "{tag:?} is damaged");
            }
            last = tag.time();
        }
        ensure!(jumps == 1, "{jumps} jumps");
        Ok(())
    });
}

#[test]
fn players_are_bounded() {
    stage(async |stage| {
        let arguments = [&PATIENT[..], &["--rtmp-max-players", "1"]].concat();
        let server = Server::start(stage, &arguments).await?;
        let (_encoder, player) = pair(&server, "live/full").await?;
        let mut second = Player::ask(server.rtmp, "live/full").await?;
        let code = timeout(PATIENCE, second.refused()).await.context("an answer comes")??;
        ensure!(code.as_deref() == Some("NetStream.Play.Failed"), "{code:?}");
        drop(player);
        until("there is room again", PATIENCE, async || {
            let mut third = Player::ask(server.rtmp, "live/full").await?;
            Ok(third.refused().await?.is_none().then_some(()))
        })
        .await
    });
}

#[test]
fn one_connection_plays_two_streams_and_publishes_a_third() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let (mut one, mut witness) = pair(&server, "live/one").await?;
        let (mut two, _) = pair(&server, "live/two").await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.send(&play(2, "one")).await?;
        peer.answered(b"NetStream.Play.Start").await?;
        peer.send(&play(3, "two")).await?;
        peer.answered(b"NetStream.Play.Start").await?;
        peer.send(&rtmp::publish("three")).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        one.sound(40, 0x1111).await?;
        one.picture(40, 0x1111).await?;
        peer.answered(&sound(0x1111)).await?;
        two.picture(40, 0x2222).await?;
        peer.answered(&picture(0x27, 0x2222, 40)).await?;

        // The end of one is not the end of the other, nor of the publisher.
        one.stop().await?;
        peer.answered(b"NetStream.Play.UnpublishNotify").await?;
        while next_or_end(&mut witness).await?.is_some() {}
        two.picture(80, 0x3333).await?;
        peer.answered(&picture(0x27, 0x3333, 40)).await?;
        server.live("live/three").await?;

        // And its place can be used for something else.
        let publish = [string("publish"), number(0.0), null(), string("four")].concat();
        peer.send(&message(8, 0, COMMAND, 2, &publish)).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        // A live stream cannot be searched, and says so.
        let seek = [string("seek"), number(0.0), null(), number(1000.0)].concat();
        peer.send(&message(8, 0, COMMAND, 3, &seek)).await?;
        peer.answered(b"NetStream.Seek.Failed").await
    });
}

#[test]
fn players_are_told_when_the_server_stops_and_a_stalled_one_delays_nothing() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let (mut encoder, mut player) = pair(&server, "live/stop").await?;
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(16 << 10)?;
        let mut stalled = Player::over(socket.connect(server.rtmp).await?, "live/stop")?;
        stalled.accepted().await?;
        let mut waiting = Player::ask(server.rtmp, "live/nobody").await?;
        let waiting = tokio::spawn(async move { waiting.refused().await });
        until("it waits", PATIENCE, async || {
            Ok(metrics(&server).await?.contains("pushpull_rtmp_players 3\n").then_some(()))
        })
        .await?;
        for mark in 1..=20 {
            encoder.keyframe(mark * 40, mark, 200_000).await?;
            next(&mut player).await?;
        }
        server.process().signal("TERM")?;
        let ends = async {
            let code = server.process().exit(Duration::from_secs(5)).await?;
            ensure!(code == Some(0), "exit code {code:?}");
            Ok(())
        };
        let told = async {
            while next_or_end(&mut player).await?.is_some() {}
            let code = waiting.await??;
            ensure!(code.as_deref() == Some("NetStream.Play.Failed"), "{code:?}");
            Ok(())
        };
        tokio::try_join!(ends, told)?;
        Ok(())
    });
}

/// A publisher that has sent its headers, a keyframe and a sound, and a player that has got them.
async fn pair(server: &Server, stream: &str) -> Result<(Encoder, Player)> {
    let mut player = Player::ask(server.rtmp, stream).await?;
    let mut encoder = Encoder::start(server.rtmp, stream).await?;
    encoder.headers(1).await?;
    encoder.keyframe(0, 0, 100).await?;
    encoder.sound(0, 0).await?;
    player.accepted().await?;
    let mut media = 0;
    while media < 2 {
        media += usize::from(is_media(&next(&mut player).await?));
    }
    Ok((encoder, player))
}

/// The next tag, which must come.
async fn next(player: &mut Player) -> Result<Tag> {
    next_or_end(player).await?.context("the stream goes on")
}

async fn next_or_end(player: &mut Player) -> Result<Option<Tag>> {
    timeout(PATIENCE, player.next()).await.context("nothing comes")?
}

/// Reads until the player was told `code`; tags that come before it are let go.
async fn until_status(player: &mut Player, code: &str) -> Result<()> {
    let wait = async {
        while !player.statuses().iter().any(|status| status == code) {
            player.listen().await?;
        }
        Ok(())
    };
    timeout(PATIENCE, wait).await.with_context(|| format!("{code} does not come"))?
}

/// Waits until another player has got what was sent at `time`: all before it has passed the hub.
async fn seen(server: &Server, stream: &str, time: i64) -> Result<()> {
    let mut witness = Player::start(server.rtmp, stream).await?;
    while next(&mut witness).await?.time() < time {}
    Ok(())
}

/// The command `play` of a stream in the application `live`.
fn play(stream_id: u32, name: &str) -> Vec<u8> {
    let command = [string("play"), number(0.0), null(), string(name)].concat();
    message(8, 0, COMMAND, stream_id, &command)
}

async fn metrics(server: &Server) -> Result<String> {
    http::get(server.http, "/metrics").await?.text().await
}
