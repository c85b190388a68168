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
        for tag in recorded.iter().filter(|tag| !is_media(tag)) {
            peer.send(&rtmp::chunked(128, 4, 0, tag.kind() as u8, 1, tag.data())).await?;
        }
        // A picture and a sound at a time, chunk by chunk in turns, on chunk streams of two- and three-byte ids.
        let of_kind = |kind| recorded.iter().filter(move |tag| tag.kind() == kind && is_media(tag));
        let (pictures, sounds) = (of_kind(TagKind::Video), of_kind(TagKind::Audio));
        let woven: Vec<_> = pictures.zip(sounds).map(|(picture, sound)| [picture, sound]).collect();
        for pair in &woven {
            let mut parts = [(pair[0], 70), (pair[1], 1000)].map(|(tag, id)| {
                let head = rtmp::full_header(
                    id,
                    tag.time() as u32,
                    tag.data().len() as u32,
                    tag.kind() as u8,
                    1,
                );
                (id, Some(head), tag.data().chunks(128))
            });
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
        let woven: Vec<_> = woven.into_iter().flatten().cloned().collect();
        relayed_as(&server, peer, "woven", &woven, 0).await
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

/// What ffmpeg sends, as relayed: headers, a keyframe, and what follows it up to the next.
async fn recorded(stage: &Stage, server: &Server) -> Result<Vec<Tag>> {
    let _publisher = Publisher::looped(stage, server, Clip::Plain, "recorded").await?;
    let mut viewer = Viewer::http(server, "/live/recorded.flv").await?;
    let mut tags: Vec<Tag> = Vec::new();
    loop {
        let tag = viewer.next().await?.context("the stream goes on")?;
        if is_keyframe(&tag) && tags.iter().any(is_keyframe) {
            return Ok(tags);
        }
        tags.push(tag);
    }
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

    ensure!(
        relayed.iter().find(|tag| is_media(tag)).is_some_and(is_keyframe),
        "it starts with a keyframe"
    );
    let mut offset = None;
    for kind in [TagKind::Video, TagKind::Audio] {
        // The metadata tells what the server found out, not what it was told; the media is untouched.
        let of_kind = |tags: &[Tag]| -> Vec<Tag> {
            tags.iter().filter(|tag| tag.kind() == kind && is_media(tag)).cloned().collect()
        };
        let (sent, relayed) = (of_kind(tags), of_kind(&relayed));
        // Sound from before the first picture may be left out.
        let missing = sent.len().checked_sub(relayed.len()).context("more tags than were sent")?;
        ensure!(
            missing == 0 || kind == TagKind::Audio && missing < 10,
            "{missing} {kind:?} tags are missing"
        );
        for (at, (sent, relayed)) in sent[missing..].iter().zip(&relayed).enumerate() {
            ensure!(sent.data() == relayed.data(), "{kind:?} tag {at}: other bytes");
            let shifted = relayed.time() - sent.time() - shift;
            let offset = *offset.get_or_insert(shifted);
            ensure!(
                shifted == offset,
                "{kind:?} tag {at}: shifted by {shifted} ms, others by {offset}"
            );
        }
    }
    Ok(())
}
