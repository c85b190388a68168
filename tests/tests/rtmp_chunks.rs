//! Legal chunk streams that real encoders seldom or sometimes write: what is relayed is what was meant.

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::{
    Clip, Publisher, Server, Stage, Viewer,
    rtmp::{self, COMMAND, Peer},
    server::PATIENCE,
    stage,
    viewer::{is_keyframe, is_media},
};

#[test]
fn audio_and_video_interleaved_inside_their_messages() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let recorded = recorded(stage, &server).await?;
        let mut peer = Peer::publishing(server.rtmp, "woven").await?;
        peer.send(&rtmp::set_chunk_size(128)).await?;
        // Two messages at a time, chunk by chunk in turns, on chunk streams of two- and three-byte ids.
        for pair in recorded.chunks(2) {
            let mut parts: Vec<_> = pair
                .iter()
                .zip([70, 1000])
                .map(|(tag, id)| {
                    let head = rtmp::full_header(
                        id,
                        tag.time() as u32,
                        tag.data().len() as u32,
                        tag.kind() as u8,
                        1,
                    );
                    (id, Some(head), tag.data().chunks(128))
                })
                .collect();
            let mut bytes = Vec::new();
            let mut more = true;
            while more {
                more = false;
                for (id, head, pieces) in &mut parts {
                    if let Some(piece) = pieces.next() {
                        bytes.extend(head.take().unwrap_or_else(|| rtmp::basic_header(3, *id)));
                        bytes.extend_from_slice(piece);
                        more = true;
                    }
                }
            }
            peer.send(&bytes).await?;
        }
        relayed_as(&server, peer, "woven", &recorded, 0).await
    });
}

#[test]
fn extended_timestamps_repeated_on_every_chunk() {
    stage(async |stage| extended_timestamps(stage, true).await);
}

#[test]
fn extended_timestamps_left_out_of_later_chunks() {
    stage(async |stage| extended_timestamps(stage, false).await);
}

/// Times from 0xFFFFFF on stand behind the head, and behind the head of every further chunk of the message, says the
/// specification; some encoders leave the further ones out.
async fn extended_timestamps(stage: &Stage, repeated: bool) -> Result<()> {
    const START: i64 = 0x0123_4567;
    let server = Server::start(stage, &[]).await?;
    let recorded = recorded(stage, &server).await?;
    let mut peer = Peer::publishing(server.rtmp, "late").await?;
    peer.send(&rtmp::set_chunk_size(128)).await?;
    for tag in &recorded {
        let time = ((tag.time() + START) as u32).to_be_bytes();
        let mut bytes = Vec::new();
        for (number, piece) in tag.data().chunks(128).enumerate() {
            match number {
                0 => bytes.extend(rtmp::full_header(
                    6,
                    0xFF_FFFF,
                    tag.data().len() as u32,
                    tag.kind() as u8,
                    1,
                )),
                _ => bytes.extend(rtmp::basic_header(3, 6)),
            }
            if number == 0 || repeated {
                bytes.extend_from_slice(&time);
            }
            bytes.extend_from_slice(piece);
        }
        peer.send(&bytes).await?;
    }
    relayed_as(&server, peer, "late", &recorded, START).await
}

#[test]
fn a_type_3_chunk_that_starts_a_message_repeats_the_delta() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let recorded = recorded(stage, &server).await?;
        let mut peer = Peer::publishing(server.rtmp, "delta").await?;
        let mut expected = Vec::new();
        for tag in recorded.iter().filter(|tag| !is_media(tag)) {
            peer.send(&rtmp::message(6, 0, tag.kind() as u8, 1, tag.data())).await?;
            expected.push(tag.clone());
        }
        let key =
            recorded.iter().find(|tag| is_keyframe(tag)).context("a keyframe was recorded")?;
        peer.send(&rtmp::message(6, 0, TagKind::Video as u8, 1, key.data())).await?;
        expected.push(Tag::new(TagKind::Video, 0, key.data())?);

        // Pictures of one length, 40 ms apart: only the second says so.
        let picture = |number: u8| [0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x41, number];
        let mut bytes = rtmp::message(6, 40, TagKind::Video as u8, 1, &picture(1));
        bytes.extend(rtmp::basic_header(2, 6));
        bytes.extend([0, 0, 40]);
        bytes.extend(picture(2));
        for number in 3..20 {
            bytes.extend(rtmp::basic_header(3, 6));
            bytes.extend(picture(number));
        }
        peer.send(&bytes).await?;
        for number in 1..20 {
            expected.push(Tag::new(TagKind::Video, i64::from(number) * 40, &picture(number))?);
        }
        relayed_as(&server, peer, "delta", &expected, 0).await
    });
}

/// About a second of what ffmpeg sends, as relayed, from a keyframe on.
async fn recorded(stage: &Stage, server: &Server) -> Result<Vec<Tag>> {
    let _publisher = Publisher::looped(stage, server, Clip::Plain, "recorded").await?;
    let mut viewer = Viewer::http(server, "/live/recorded.flv").await?;
    let mut tags = Vec::new();
    while tags.len() < 80 {
        tags.push(viewer.next().await?.context("the stream goes on")?);
    }
    Ok(tags)
}

/// Fails unless a viewer gets exactly these tags; their times may all be shifted alike.
async fn relayed_as(
    server: &Server,
    mut peer: Peer,
    name: &str,
    tags: &[Tag],
    shift: i64,
) -> Result<()> {
    server.live(&format!("live/{name}")).await?;
    let mut viewer = Viewer::http(server, &format!("/live/{name}.flv")).await?;
    let first = viewer.next().await?.context("the stream is there")?;
    let goodbye =
        [rtmp::string("deleteStream"), rtmp::number(9.0), rtmp::null(), rtmp::number(1.0)].concat();
    peer.send(&rtmp::message(3, 0, COMMAND, 0, &goodbye)).await?;
    let mut relayed = vec![first];
    relayed
        .extend(tokio::time::timeout(PATIENCE, viewer.rest()).await.context("the stream ends")??);

    // The metadata tells what the server found out, not what it was told; the media is untouched.
    let sent: Vec<_> = tags.iter().filter(|tag| is_media(tag)).collect();
    let relayed: Vec<_> = relayed.iter().filter(|tag| is_media(tag)).collect();
    let missing = sent.len().checked_sub(relayed.len()).context("more tags than were sent")?;
    ensure!(is_keyframe(relayed.first().context("media was relayed")?));
    let sent = &sent[missing..];
    ensure!(sent.len() >= 19, "{} tags", sent.len());
    let offset = relayed[0].time() - sent[0].time() - shift;
    for (at, (sent, relayed)) in sent.iter().zip(&relayed).enumerate() {
        ensure!(
            sent.kind() == relayed.kind() && sent.data() == relayed.data(),
            "tag {at}: other bytes"
        );
        let (from, to) = (sent.time() + shift + offset, relayed.time());
        ensure!(from == to, "tag {at}: at {to} ms, not at {from}");
    }
    Ok(())
}
