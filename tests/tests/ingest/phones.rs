//! Phones, cameras and what runs on them: one test for each habit.

use anyhow::ensure;
use pushpull_media::flv::TagKind;
use pushpull_tests::{
    Server, Viewer,
    rtmp::{self, AUDIO, COMMAND, DATA, Peer, VIDEO},
    stage,
};

use super::{
    Sent, arrives, bytes, contains, goodbye, headers, media, media_from, named, picture,
    publishing, relayed, same, watch,
};

#[test]
fn live_pusher_sound_inside_a_picture() {
    publishing(async |server, mut peer| {
        let mut sent = media("interleaved");
        peer.send(&interleaved(&sent)).await?;
        let viewer = watch(&server, "s").await?;
        // The first sound is whole before the keyframe around it, with which viewers begin.
        sent.remove(3);
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

/// Each sound inside the picture before it, in chunks of 128 bytes.
fn interleaved(sent: &[Sent]) -> Vec<u8> {
    let mut bytes = rtmp::set_chunk_size(128);
    let mut sent = sent.iter().peekable();
    while let Some(message) = sent.next() {
        let mut wire = rtmp::chunked(128, 6, message.time, message.kind, 1, &message.data);
        if message.kind == VIDEO
            && message.data.len() > 128
            && let Some(sound) = sent.next_if(|next| next.kind == AUDIO)
        {
            // All of the sound, with its own absolute time, behind the picture's first chunk.
            let first = rtmp::full_header(6, 0, 0, 0, 0).len() + 128;
            let sound = rtmp::chunked(128, 4, sound.time, sound.kind, 1, &sound.data);
            wire.splice(first..first, sound);
        }
        bytes.extend(wire);
    }
    bytes
}

#[test]
fn live_pusher_waits_for_acknowledgements() {
    publishing(async |server, mut peer| {
        const WINDOW: usize = 100_000;
        peer.send(&rtmp::window_size(WINDOW as u32)).await?;
        peer.send(&bytes(&headers(0, "w"))).await?;
        let mut acknowledged = 0;
        for number in 0..20 {
            let picture = picture(number * 40, number == 0, "w", WINDOW / 2);
            let wire = rtmp::chunked(65_536, 6, picture.time, VIDEO, 1, &picture.data);
            peer.send(&wire).await?;
            // It sends no more than a window until it hears.
            if number % 2 == 1 {
                let payload = peer.message(3).await?;
                let bytes = u32::from_be_bytes(payload[..4].try_into()?);
                ensure!(bytes > acknowledged, "{bytes} after {acknowledged}");
                acknowledged = bytes;
            }
        }
        watch(&server, "s").await?.keyframe().await.map(drop)
    });
}

#[test]
fn live_pusher_with_its_secret_in_the_key() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let key = "room_1?txSecret=0f2a9c&txTime=6553F100";
        let mut peer = Peer::publishing(server.rtmp, key).await?;
        let sent = media("secret");
        peer.send(&bytes(&sent)).await?;
        let viewer = watch(&server, "room_1").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await?;
        let log = server.process().log().text();
        ensure!(!log.contains("0f2a9c"), "the secret is in the log");
        Ok(())
    });
}

#[test]
fn live_pusher_changes_its_size_in_mid_stream() {
    publishing(async |server, mut peer| {
        let before = media("small");
        let after = media_from(800, "large");
        peer.send(&bytes(&before)).await?;
        let mut viewer = watch(&server, "s").await?;
        let mut tags = Vec::new();
        while tags.len() < before.len() - 2 {
            tags.push(viewer.next_of(TagKind::Video).await?);
            if tags.len() == 20 {
                break;
            }
        }
        peer.send(&bytes(&after)).await?;
        peer.send(&goodbye()).await?;
        let rest = viewer.rest().await?;
        let header = rest.iter().position(|tag| tag.data() == after[0].data);
        let key = rest.iter().position(|tag| tag.data() == after[2].data);
        ensure!(header.is_some() && header < key, "the new header comes first: {header:?} {key:?}");
        ensure!(rest.iter().filter(|tag| contains(tag.data(), b"large")).count() > 40);
        Ok(())
    });
}

#[test]
fn root_encoder_and_streamlabs_compare_s2_with_their_c1() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::connect(server.rtmp).await?;
        peer.send(&rtmp::c0_c1()).await?;
        peer.answered(&rtmp::c0_c1()[1..]).await
    });
}

#[test]
fn haishinkit_shared_objects_mean_nothing() {
    arrives(|sent| {
        let shared = |kind| rtmp::message(5, 0, kind, 0, b"\0\x02SO\0\0\0\0");
        [shared(19), shared(16), bytes(&sent[..9]), shared(19), bytes(&sent[9..])].concat()
    });
}

#[test]
fn haishinkit_properties_that_are_null() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::greet(server.rtmp).await?;
        peer.send(&rtmp::set_chunk_size(65_536)).await?;
        peer.send(&rtmp::connect(&rtmp::object(&[
            ("app", rtmp::string("live")),
            ("swfUrl", rtmp::null()),
            ("pageUrl", rtmp::null()),
            ("tcUrl", rtmp::null()),
            ("fourCcList", rtmp::null()),
        ])))
        .await?;
        peer.answered(b"NetConnection.Connect.Success").await?;
        peer.send(&rtmp::publish("s?query=only&in=the-key")).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        peer.send(&bytes(&media("null"))).await?;
        watch(&server, "s").await?.keyframe().await.map(drop)
    });
}

#[test]
fn root_encoder_cuts_the_url_inside_its_query() {
    named("live?x/123", "rtmp://h/live?x/123", "", "live/123");
}

#[test]
fn dji_begins_a_chunk_stream_with_type_2() {
    arrives(|sent| {
        // An empty message of no type, on chunk stream 33.
        let odd = [rtmp::basic_header(2, 33), vec![0, 0, 7]].concat();
        [bytes(&sent[..9]), odd, bytes(&sent[9..])].concat()
    });
}

#[test]
fn dji_sends_its_header_twice_pictures_without_nalus_and_no_metadata() {
    publishing(async |server, mut peer| {
        let sent = media("drone");
        let empty = Sent::new(VIDEO, 0, [0x27, 1, 0, 0, 0]);
        peer.send(
            &[bytes(&sent[..2]), bytes(&sent[..3]), empty.bytes(), bytes(&sent[3..])].concat(),
        )
        .await?;
        let mut viewer = watch(&server, "s").await?;
        peer.send(&goodbye()).await?;
        let mut tags = viewer.rest().await?;
        tags.retain(|tag| tag.data() != empty.data);
        same(&tags, &sent)
    });
}

#[test]
fn gopro_without_a_key() {
    named("live", "rtmp://h/live", "", "live/default");
}

#[test]
fn streamlabs_announces_sound_it_never_sends() {
    publishing(async |server, mut peer| {
        let sent: Vec<_> = media("silent").into_iter().filter(|sent| sent.kind == VIDEO).collect();
        let object = rtmp::object(&[("audiocodecid", rtmp::number(10.0)), ("stereo", vec![1, 1])]);
        let metadata = [rtmp::string("onMetaData"), object].concat();
        peer.send(&rtmp::message(5, 0, DATA, 1, &metadata)).await?;
        peer.send(&bytes(&sent)).await?;
        let mut viewer = watch(&server, "s").await?;
        let key = viewer.keyframe().await?;
        ensure!(key.data() == sent[1].data);
        let header = viewer.header().map(|header| (header.has_video, header.has_audio));
        ensure!(header == Some((true, false)), "{header:?}");
        Ok(())
    });
}

#[test]
fn larix_hevc_by_its_old_number() {
    publishing(async |server, mut peer| {
        let sent = [
            Sent::new(VIDEO, 0, [0x1C, 0, 0, 0, 0, 1, 2, 3]),
            Sent::new(VIDEO, 0, b"\x1C\x01\0\0\0key".to_vec()),
            Sent::new(VIDEO, 40, b"\x2C\x01\0\0\0on".to_vec()),
        ];
        peer.send(&bytes(&sent)).await?;
        let viewer = watch(&server, "s").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn flash_commands_and_data_in_amf3_messages() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut peer = Peer::greet(server.rtmp).await?;
        peer.send(&rtmp::set_chunk_size(65_536)).await?;
        let object =
            rtmp::object(&[("app", rtmp::string("live")), ("objectEncoding", rtmp::number(3.0))]);
        peer.send(&rtmp::connect(&object)).await?;
        peer.answered(&[&[0, 14][..], b"objectEncoding\0", &[0; 8]].concat()).await?;
        // The same messages, of the AMF3 types and with their format byte.
        let wrapped = |stream, name, id, arguments: &[Vec<u8>]| {
            let head = [vec![0], rtmp::string(name), rtmp::number(id), rtmp::null()].concat();
            rtmp::message(3, 0, COMMAND - 3, stream, &[head, arguments.concat()].concat())
        };
        peer.send(&wrapped(0, "createStream", 2.0, &[])).await?;
        peer.send(&wrapped(1, "publish", 3.0, &[rtmp::string("s")])).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        let width = rtmp::object(&[("width", rtmp::number(16.0))]);
        let metadata =
            [vec![0], rtmp::string("@setDataFrame"), rtmp::string("onMetaData"), width].concat();
        peer.send(&rtmp::message(5, 0, DATA - 3, 1, &metadata)).await?;
        let sent = media("AMF3");
        peer.send(&bytes(&sent)).await?;
        let mut viewer: Viewer = watch(&server, "s").await?;
        let script = viewer.next_of(TagKind::Script).await?;
        ensure!(script.data().starts_with(&rtmp::string("onMetaData")), "{script:?}");
        relayed(viewer, &mut peer, &wrapped(0, "deleteStream", 4.0, &[rtmp::number(1.0)]), &sent)
            .await
    });
}
