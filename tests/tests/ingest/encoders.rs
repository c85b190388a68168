//! Encoders and servers that push: one test for each habit.

use anyhow::ensure;
use pushpull_media::flv::TagKind;
use pushpull_tests::{
    Server,
    rtmp::{self, DATA, HANDSHAKE_LEN, Peer, VIDEO},
    stage,
};

use super::{
    Sent, arrives, bytes, contains, goodbye, headers, media, media_from, named, picture,
    publishing, relayed, sound, watch,
};

#[test]
fn obs_with_the_whole_url_in_the_server_field() {
    named("live/s", "rtmp://h/live/s", "", "live/s");
}

#[test]
fn obs_with_a_slash_at_the_servers_end() {
    named("live/", "rtmp://h/live/", "s", "live/s");
}

#[test]
fn obs_before_2024_without_extended_timestamps() {
    publishing(async |server, mut peer| {
        // The times pass 2^24 ms; later chunks of a message do not repeat them.
        let sent = media_from(0xFF_FFFF - 400, "late");
        peer.send(&rtmp::set_chunk_size(128)).await?;
        for message in &sent {
            let (time, id) = (message.time, if message.kind == VIDEO { 6 } else { 4 });
            let field = time.min(0xFF_FFFF);
            let len = message.data.len() as u32;
            let mut wire = rtmp::full_header(id, field, len, message.kind, 1);
            if field == 0xFF_FFFF {
                wire.extend(time.to_be_bytes());
            }
            for (number, piece) in message.data.chunks(128).enumerate() {
                if number > 0 {
                    wire.extend(rtmp::basic_header(3, id));
                }
                wire.extend_from_slice(piece);
            }
            peer.send(&wire).await?;
        }
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn obs_end_of_sequence_is_not_a_header() {
    publishing(async |server, mut peer| {
        let mut sent = media("before the end");
        sent.push(Sent::new(VIDEO, 800, [0x17, 2, 0, 0, 0]));
        peer.send(&bytes(&sent)).await?;
        let mut viewer = watch(&server, "s").await?;
        let header = viewer.next_of(TagKind::Video).await?;
        ensure!(header.data() == sent[0].data, "a joiner gets {header:?} for a header");
        Ok(())
    });
}

#[test]
fn obs_vod_track_is_left_out() {
    arrives(|sent| {
        // A second sound track for the archive, in a byte array of AMF3.
        let vod = [
            &rtmp::string("additionalMedia")[..],
            &[0x03, 0, 5],
            b"media",
            &[0x11, 0x0C, 0x09, 0xAF, 1, 2, 3, 0, 0, 9],
        ]
        .concat();
        sent.iter()
            .flat_map(|message| [rtmp::message(5, message.time, DATA, 1, &vod), message.bytes()])
            .flatten()
            .collect()
    });
}

#[test]
fn obs_xsplit_prism_codec_ids_of_any_type() {
    // 7, a fourCC as a number, and as a string.
    let ids = [rtmp::number(7.0), rtmp::number(f64::from(0x6176_6331)), rtmp::string("avc1")];
    for id in ids {
        publishing(async |server, mut peer| {
            let width = rtmp::number(16.0);
            let object = rtmp::object(&[("videocodecid", id.clone()), ("width", width)]);
            let metadata = [rtmp::string("@setDataFrame"), rtmp::string("onMetaData"), object];
            peer.send(&rtmp::message(5, 0, DATA, 1, &metadata.concat())).await?;
            let sent = media("codec id");
            peer.send(&bytes(&sent)).await?;
            let mut viewer = watch(&server, "s").await?;
            let script = viewer.next_of(TagKind::Script).await?;
            ensure!(contains(script.data(), b"onMetaData") && contains(script.data(), b"width"));
            relayed(viewer, &mut peer, &goodbye(), &sent).await
        });
    }
}

#[test]
fn ffmpeg_junk_data_of_four_bytes() {
    arrives(|sent| {
        let junk = rtmp::message(5, 0, DATA, 1, &[0, 1, 2, 3]);
        [junk.clone(), bytes(&sent[..9]), junk, bytes(&sent[9..])].concat()
    });
}

#[test]
fn ffmpeg_and_haivision_calls_are_all_answered() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        let key = || rtmp::string("s");
        for (id, name) in
            ["releaseStream", "FCPublish", "createStream", "_checkbw", "FCUnpublish", "whatever"]
                .into_iter()
                .enumerate()
        {
            let id = id as f64 + 20.0;
            peer.send(&rtmp::command(0, name, id, &[key()])).await?;
            peer.answered(&[rtmp::string("_result"), rtmp::number(id)].concat()).await?;
        }
        Ok(())
    });
}

#[test]
fn livestream_studio_wants_its_transaction_id_in_on_fc_publish() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.send(&rtmp::command(0, "FCPublish", 77.0, &[rtmp::string("s")])).await?;
        peer.answered(&[rtmp::string("onFCPublish"), rtmp::number(77.0)].concat()).await
    });
}

#[test]
fn librtmp_pings_with_type_1_on_a_fresh_chunk_stream_and_sends_another_c2() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connect(server.rtmp).await?;
        peer.send(&rtmp::c0_c1()).await?;
        peer.send(&[0xC2; HANDSHAKE_LEN]).await?;
        // Chunk stream 2 begins with a header that has no message stream id.
        peer.send(&[0x42, 0, 0, 5, 0, 0, 6, 4, 0, 6, 0, 0, 0, 9]).await?;
        peer.answered(&[0, 7, 0, 0, 0, 9]).await
    });
}

#[test]
fn gstreamer_begins_messages_with_type_3() {
    publishing(async |server, mut peer| {
        let mut sent = headers(60_000, "t3");
        sent.push(picture(60_000, true, "t3", 300));
        sent.push(sound(60_000, "00"));
        let mut wire = bytes(&sent);
        // Of one length, type and time: no header but the chunk stream's.
        for number in 1..10 {
            let sound = sound(60_000, &format!("{number:02}"));
            wire.extend(rtmp::basic_header(3, 4));
            wire.extend_from_slice(&sound.data);
            sent.push(sound);
        }
        peer.send(&wire).await?;
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn vmix_doubles_slashes() {
    named("live//", "rtmp://h/live//", "/s", "live/s");
}

#[test]
fn neko_quotes_its_url() {
    named("\"live", "\"rtmp://h/live", "s", "live/s");
}

#[test]
fn wirecast_publish_false() {
    publishing(async |server, mut peer| {
        for round in ["first", "second"] {
            let sent = media(round);
            peer.send(&bytes(&sent)).await?;
            let viewer = watch(&server, "s").await?;
            let stop = rtmp::command(1, "publish", 0.0, &[vec![1, 0]]);
            relayed(viewer, &mut peer, &stop, &sent).await?;
            peer.answered(b"NetStream.Unpublish.Success").await?;
            peer.send(&rtmp::command(1, "publish", 0.0, &[rtmp::string("s")])).await?;
            peer.answered(b"NetStream.Publish.Start").await?;
        }
        Ok(())
    });
}

#[test]
fn extron_publishes_without_a_type_or_with_another() {
    for kind in [&[][..], &["test"], &["record"], &["append"], &["LIVE"]] {
        stage(async |stage| {
            let server = Server::start(stage, &[]).await?;
            let mut peer = Peer::connected(server.rtmp).await?;
            let mut arguments = vec![rtmp::string("s")];
            arguments.extend(kind.iter().map(|kind| rtmp::string(kind)));
            peer.send(&rtmp::command(0, "createStream", 2.0, &[])).await?;
            peer.send(&rtmp::command(1, "publish", 3.0, &arguments)).await?;
            peer.answered(b"NetStream.Publish.Start").await
        });
    }
}

#[test]
fn dahua_sends_control_messages_on_other_chunk_streams_and_sound_first() {
    publishing(async |server, mut peer| {
        peer.send(&rtmp::message(7, 0, 1, 0, &200u32.to_be_bytes())).await?;
        peer.send(&rtmp::message(8, 0, 5, 0, &100_000u32.to_be_bytes())).await?;
        peer.send(&rtmp::message(9, 0, 4, 0, &[0, 6, 0, 0, 0, 9])).await?;
        peer.answered(&[0, 7, 0, 0, 0, 9]).await?;
        let sent = media("camera");
        let chunked = |sent: &Sent| {
            let id = if sent.kind == VIDEO { 6 } else { 4 };
            rtmp::chunked(200, id, sent.time, sent.kind, 1, &sent.data)
        };
        peer.send(&chunked(&sent[1])).await?;
        peer.send(&chunked(&sent[3])).await?;
        for message in sent.iter().enumerate().filter(|(at, _)| ![1, 3].contains(at)) {
            peer.send(&chunked(message.1)).await?;
        }
        let viewer = watch(&server, "s").await?;
        // The first sound came before the first picture: viewers begin with the picture.
        let later: Vec<_> = sent
            .iter()
            .enumerate()
            .filter(|&(at, _)| at != 3)
            .map(|(_, sent)| sent.clone())
            .collect();
        relayed(viewer, &mut peer, &goodbye(), &later).await
    });
}

#[test]
fn nginx_rtmp_and_srs_send_everything_before_they_are_answered() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let sent = media("in a hurry");
        let object = rtmp::object(&[("app", rtmp::string("live"))]);
        let all = [
            rtmp::c0_c1(),
            vec![0; HANDSHAKE_LEN],
            rtmp::set_chunk_size(65_536),
            rtmp::connect(&object),
            rtmp::publish("s"),
            bytes(&sent),
        ];
        let mut peer = Peer::connect(server.rtmp).await?;
        peer.send(&all.concat()).await?;
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn acknowledgements_of_any_value_decide_nothing() {
    arrives(|sent| {
        let acknowledge = |bytes: u32| rtmp::message(2, 0, 3, 0, &bytes.to_be_bytes());
        sent.iter()
            .zip([0, u32::MAX, 5, 1 << 31, 4].into_iter().cycle())
            .flat_map(|(message, bytes)| [message.bytes(), acknowledge(bytes)])
            .flatten()
            .collect()
    });
}
