//! Several streams on one connection, one after the other or side by side.

use anyhow::{Result, ensure};
use pushpull_tests::{
    Server, Viewer, http,
    rtmp::{self, Peer, VIDEO},
    server::PATIENCE,
    stage, until,
};

use super::{Sent, bytes, contains, goodbye, media, picture, relayed, same, sound, watch};

/// `createStream`, whose answer is taken to be `id`, and `publish` of `name` on it.
async fn publish(peer: &mut Peer, id: u32, name: &str) -> Result<()> {
    peer.send(&rtmp::command(0, "createStream", 2.0, &[])).await?;
    peer.answered(&[rtmp::null(), rtmp::number(f64::from(id))].concat()).await?;
    peer.send(&rtmp::command(id, "publish", 0.0, &[rtmp::string(name)])).await?;
    peer.answered(b"NetStream.Publish.Start").await
}

/// Messages of two streams in turns, the second on message stream 2.
fn in_turns(first: &[Sent], second: &[Sent]) -> Vec<u8> {
    first
        .iter()
        .zip(second)
        .flat_map(|(first, second)| {
            let mut wire = first.bytes();
            // The chunk streams differ, as they must.
            let id = if second.kind == VIDEO { 16 } else { 14 };
            wire.extend(rtmp::message(id, second.time, second.kind, 2, &second.data));
            wire
        })
        .collect()
}

#[test]
fn two_are_relayed_apart() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        publish(&mut peer, 1, "a").await?;
        publish(&mut peer, 2, "b").await?;
        let (first, second) = (media("first"), media("second"));
        peer.send(&in_turns(&first, &second)).await?;
        let (a, mut b) = (watch(&server, "a").await?, watch(&server, "b").await?);
        relayed(a, &mut peer, &goodbye(), &first).await?;
        // The second goes on.
        let more = Sent::new(VIDEO, 900, b"\x27\x01\0\0\0more".to_vec());
        peer.send(&more.bytes_on(2)).await?;
        peer.send(&rtmp::command(0, "FCUnpublish", 0.0, &[rtmp::string("b")])).await?;
        same(&b.rest().await?, &[second, vec![more]].concat())
    });
}

#[test]
fn one_after_the_other() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        for (id, name) in [(1, "a"), (2, "a"), (3, "b")] {
            publish(&mut peer, id, name).await?;
            let sent = media(name);
            let wire: Vec<u8> = sent.iter().flat_map(|sent| sent.bytes_on(id)).collect();
            peer.send(&wire).await?;
            let viewer = watch(&server, name).await?;
            let goodbye = rtmp::command(0, "deleteStream", 0.0, &[rtmp::number(id.into())]);
            relayed(viewer, &mut peer, &goodbye, &sent).await?;
        }
        // A connection that goes on for days must not write longer and longer lines.
        let log = server.process().log().text();
        ensure!(log.lines().all(|line| line.matches("stream=").count() < 2), "{log}");
        Ok(())
    });
}

#[test]
fn a_refused_second_leaves_the_first_alone() {
    stage(async |stage| {
        let server = Server::start(stage, &["--takeover", "reject"]).await?;
        let mut holder = Peer::publishing(server.rtmp, "taken").await?;
        let theirs = media("theirs");
        holder.send(&bytes(&theirs)).await?;
        let taken = watch(&server, "taken").await?;

        let mut peer = Peer::publishing(server.rtmp, "a").await?;
        let (first, second) = (media("first"), media("SECOND"));
        for name in ["taken", "no/../name"] {
            let publish = rtmp::command(2, "publish", 0.0, &[rtmp::string(name)]);
            peer.send(&publish).await?;
            peer.answered(b"NetStream.Publish.BadName").await?;
        }
        peer.send(&in_turns(&first, &second)).await?;
        let viewer = watch(&server, "a").await?;
        relayed(viewer, &mut peer, &goodbye(), &first).await?;
        relayed(taken, &mut holder, &goodbye(), &theirs).await
    });
}

#[test]
fn one_that_is_kicked_or_silent_leaves_the_others_alone() {
    stage(async |stage| {
        let server = Server::start(stage, &["--first-media", "1s"]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        publish(&mut peer, 1, "a").await?;
        publish(&mut peer, 2, "kicked").await?;
        publish(&mut peer, 3, "silent").await?;
        let (first, second) = (media("first"), media("second"));
        peer.send(&in_turns(&first, &second)).await?;
        let (a, mut b) = (watch(&server, "a").await?, watch(&server, "kicked").await?);
        let kick = http::request(server.http, "DELETE", "/api/v1/streams/live/kicked", &[]).await?;
        ensure!(kick.status == 204, "{}", kick.status);
        peer.answered(b"NetStream.Publish.Denied").await?;
        // What was held for the next picture is not waited for.
        let kicked = b.rest().await?;
        ensure!(kicked.iter().all(|tag| second.iter().any(|sent| sent.data == tag.data())));
        // Nothing was sent on the third.
        peer.answered(b"NetStream.Publish.Failed").await?;
        relayed(a, &mut peer, &goodbye(), &first).await
    });
}

#[test]
fn one_that_waits_for_its_name_holds_nobody_up() {
    stage(async |stage| {
        // Longer than all of this takes: the name is not given away meanwhile.
        let server = Server::start(stage, &["--takeover-idle", "20s"]).await?;
        let mut holder = Peer::publishing(server.rtmp, "taken").await?;
        holder.send(&bytes(&media("theirs"))).await?;
        watch(&server, "taken").await?;

        let mut peer = Peer::publishing(server.rtmp, "a").await?;
        let (first, second) = (media("first"), media("second"));
        let publish = rtmp::command(2, "publish", 0.0, &[rtmp::string("taken")]);
        let pinged = rtmp::message(2, 0, 4, 0, &[0, 6, 0, 0, 0, 9]);
        peer.send(&[publish, in_turns(&first, &second), pinged].concat()).await?;
        peer.answered(&[0, 7, 0, 0, 0, 9]).await?;
        let viewer = watch(&server, "a").await?;
        relayed(viewer, &mut peer, &goodbye(), &first).await?;

        // The holder's goodbye frees the name; what was sent meanwhile is all there.
        holder.send(&goodbye()).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        let mut viewer: Viewer = watch(&server, "taken").await?;
        peer.send(&rtmp::command(0, "deleteStream", 0.0, &[rtmp::number(2.0)])).await?;
        same(&viewer.rest().await?, &second)
    });
}

#[test]
fn media_on_another_message_stream_is_nobodys() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::publishing(server.rtmp, "a").await?;
        let (own, foreign) = (media("own"), media("FOREIGN"));
        peer.send(&in_turns(&own, &foreign)).await?;
        let wire: Vec<u8> = foreign.iter().flat_map(|sent| sent.bytes_on(0)).collect();
        peer.send(&wire).await?;
        let viewer = watch(&server, "a").await?;
        relayed(viewer, &mut peer, &goodbye(), &own).await?;
        drop(peer);
        let stray = format!("rtmp_ignored_total{{reason=\"stray_media\"}} {}\n", 2 * foreign.len());
        until("strays are counted", PATIENCE, async || {
            let metrics = http::get(server.http, "/metrics").await?.text().await?;
            Ok(metrics.contains(&stray).then_some(()))
        })
        .await
    });
}

#[test]
fn one_that_waits_loses_nothing_of_what_it_sends() {
    stage(async |stage| {
        // Several times what is held here: the network holds the rest.
        let server = Server::start(stage, &["--takeover-idle", "20s"]).await?;
        let mut holder = Peer::publishing(server.rtmp, "a").await?;
        holder.send(&bytes(&media("theirs"))).await?;
        watch(&server, "a").await?;

        let mut peer = Peer::connected(server.rtmp).await?;
        let mut sent = media("waiting");
        for number in 20..120 {
            sent.push(picture(number * 40, false, "large", 60_000));
            sent.push(sound(number * 40, "small"));
        }
        peer.send(&rtmp::publish("a")).await?;
        // The holder leaves when more has been sent than the server holds.
        let mut len = 0;
        for message in &sent {
            let wire = message.bytes();
            len += wire.len();
            if len > 2_200_000 && len - wire.len() <= 2_200_000 {
                holder.send(&goodbye()).await?;
            }
            peer.send(&wire).await?;
        }
        ensure!(len > 4_000_000, "{len} bytes");
        peer.answered(b"NetStream.Publish.Start").await?;
        let viewer = watch(&server, "a").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn media_after_the_goodbye_is_nobodys() {
    for name in ["closeStream", "deleteStream"] {
        stage(async |stage| {
            let server = Server::start(stage, &[]).await?;
            let mut peer = Peer::publishing(server.rtmp, "a").await?;
            let sent = media("before");
            peer.send(&bytes(&sent)).await?;
            let viewer = watch(&server, "a").await?;
            let goodbye = rtmp::command(1, name, 0.0, &[rtmp::number(1.0)]);
            relayed(viewer, &mut peer, &[goodbye, bytes(&media("AFTER"))].concat(), &sent).await?;
            ensure!(server.stream("live/a").await?.is_none());
            // And the connection is still good for another.
            peer.send(&rtmp::publish("b")).await?;
            peer.answered(b"NetStream.Publish.Start").await
        });
    }
}

#[test]
fn a_refused_publisher_is_told_and_cut_off() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        let refused = rtmp::publish("a\u{1}b");
        peer.throw(&[refused, bytes(&media("refused"))].concat()).await;
        let said = peer.hung_up().await?;
        ensure!(contains(&said, b"NetStream.Publish.BadName"));
        Ok(())
    });
}
