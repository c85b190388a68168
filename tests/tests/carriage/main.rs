//! Every codec of legacy FLV and Enhanced RTMP, relayed: each payload and each time as they were published, over HTTP,
//! WebSocket and RTMP.

mod made;

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Header, Tag, TagKind, audio, video};
use pushpull_tests::{
    Encoder, Server, Viewer,
    encoder::tags_of,
    ffmpeg::{packets, run},
    server::PATIENCE,
    stage, until,
    viewer::is_keyframe,
};
use serde_json::Value;

/// What ffmpeg 5.1 can read: the codecs that FLV knew before Enhanced RTMP.
const LEGACY: [&str; 12] = [
    "aac-many",
    "aac-quad",
    "aac-surround",
    "g711a",
    "g711u",
    "length-2",
    "mp3",
    "pcm16",
    "pcm8",
    "sei",
    "size-by-header",
    "size-in-band",
];

#[test]
fn every_file_is_carried_bit_for_bit() {
    stage(async |stage| {
        let server = Server::start(stage, &["--lag", "1h", "--gop", "1h"]).await?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/codecs");
        for file in std::fs::read_dir(folder)? {
            let path = file?.path();
            let name =
                path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.extension().is_none_or(|extension| extension != "flv") {
                continue;
            }
            let tags = tags_of(&path)?;
            let relayed = carried(&server, &name, &tags).await.context(name.clone())?;
            if LEGACY.contains(&name.as_str()) {
                let file = stage.folder().join(format!("{name}.flv"));
                std::fs::write(&file, relayed)?;
                for kind in ["v", "a"] {
                    let (source, relayed) =
                        (path.display().to_string(), file.display().to_string());
                    let expected = packets(&source, kind).await?;
                    ensure!(
                        expected.len() > 10,
                        "{name}: ffprobe reads {} packets",
                        expected.len()
                    );
                    ensure!(
                        packets(&relayed, kind).await? == expected,
                        "{name}: other {kind} packets"
                    );
                }
            }
        }
        Ok(())
    });
}

#[test]
fn what_no_encoder_here_makes_is_carried_bit_for_bit() {
    stage(async |stage| {
        let server = Server::start(stage, &["--lag", "1h", "--gop", "1h"]).await?;
        for (name, tags) in made::streams() {
            carried(&server, name, &tags).await.context(name)?;
        }
        Ok(())
    });
}

#[test]
fn codecs_are_named_truthfully() {
    stage(async |stage| {
        let server = Server::start(stage, &["--lag", "1h", "--gop", "1h"]).await?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/codecs");
        for (file, video, audio) in [
            ("hevc", "H.265 hvc1.1.6.L30.90 192x108", "AAC mp4a.40.2 48000 2"),
            ("hevc-id12", "H.265 hvc1.1.6.L30.90 192x108", "AAC mp4a.40.2 48000 2"),
            ("av1-opus", "AV1 av01.0.00M.08 192x108", "Opus opus 48000 2"),
            ("av1-ts", "AV1 av01.0.00M.08 192x108", "AAC mp4a.40.2 48000 2"),
            ("vp9-opus", "VP9 vp09.00.10.08 192x108", "Opus opus 48000"),
            ("flac", "H.264 avc1.64000b 192x108", "FLAC flac 16000 1"),
            ("ac3", "H.264 avc1.64000b 192x108", "AC-3 ac-3 48000 2"),
            ("eac3", "H.264 avc1.64000b 192x108", "E-AC-3 ec-3 48000 2"),
            ("mp3", "H.264 avc1.64000b 192x108", "MP3 mp3 48000 2"),
            ("mp3-enhanced", "H.264 avc1.64000b 192x108", "MP3 mp3 22050 1"),
            ("g711a", "H.264 avc1.64000b 192x108", "G.711 A-law 8000 1"),
        ] {
            let tags = tags_of(&folder.join(format!("{file}.flv")))?;
            let mut encoder = Encoder::start(server.rtmp, &format!("live/{file}")).await?;
            encoder.send_all(&tags).await?;
            let expected = format!("{video}, {audio}");
            until(&format!("{file} is {expected}"), PATIENCE, async || {
                let stream = server.stream(&format!("live/{file}")).await?;
                Ok(stream.filter(|stream| described(stream) == expected))
            })
            .await?;
            encoder.stop().await?;
        }
        Ok(())
    });
}

#[test]
fn a_chosen_track_is_a_plain_stream_for_players_that_know_of_one() {
    stage(async |stage| {
        let server = Server::start(stage, &["--lag", "1h", "--gop", "1h"]).await?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/codecs");
        let tags = tags_of(&folder.join("multitrack.flv"))?;
        let (beginning, rest) = tags.split_at(beginning_of(&tags)?);
        let mut encoder = Encoder::start(server.rtmp, "live/tracks").await?;
        encoder.send_all(beginning).await?;
        server.live("live/tracks").await?;
        let mut first = Viewer::http(&server, "/live/tracks.flv?track=0").await?;
        let mut second = Viewer::websocket(&server, "/live/tracks.flv?videoTrack=1").await?;
        let mut third = Viewer::rtmp(&server, "live/tracks?track=1").await?;
        until("three viewers watch", PATIENCE, async || {
            let stream = server.stream("live/tracks").await?;
            Ok(stream.filter(|stream| stream["viewers"] == 3))
        })
        .await?;
        encoder.send_all(rest).await?;
        encoder.stop().await?;
        let viewers = [(&mut first, "192"), (&mut second, "128"), (&mut third, "128")];
        for (viewer, width) in viewers {
            let both = Header { has_audio: true, has_video: true };
            let file = stage.folder().join(format!("{width}.flv"));
            std::fs::write(&file, bytes_of(&both, &viewer.rest().await?))?;
            let file = file.display().to_string();
            let asked = ["-v", "error", "-select_streams", "v", "-of", "csv=p=0"];
            let asked = asked.into_iter().chain(["-show_entries", "stream=width", &file]);
            let told = run("ffprobe", &asked.map(str::to_owned).collect::<Vec<_>>()).await?;
            ensure!(told.trim() == width, "the pictures are {told} wide, not {width}");
            let (video, audio) = (packets(&file, "v").await?, packets(&file, "a").await?);
            ensure!(video.len() == 50 && audio.len() > 90, "{} and {}", video.len(), audio.len());
        }
        Ok(())
    });
}

/// The codecs of a stream as the API tells them.
fn described(stream: &Value) -> String {
    let words = |kind: &str, keys: &[&str]| {
        let told = keys.iter().map(|key| &stream[kind][*key]).filter(|value| !value.is_null());
        let told: Vec<_> =
            told.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
        told
    };
    let pictures = words("video", &["codec", "codec_string"]).join(" ");
    let size = words("video", &["width", "height"]).join("x");
    let sound = words("audio", &["codec", "codec_string", "sample_rate", "channels"]).join(" ");
    format!("{pictures} {size}, {sound}")
}

/// Publishes tags and compares what viewers get with them, from the first keyframe on. Returns what came over HTTP.
async fn carried(server: &Server, name: &str, tags: &[Tag]) -> Result<Vec<u8>> {
    let (beginning, rest) = tags.split_at(beginning_of(tags)?);
    let mut encoder = Encoder::start(server.rtmp, &format!("live/{name}")).await?;
    encoder.send_all(beginning).await?;
    server.live(&format!("live/{name}")).await?;
    let path = format!("/live/{name}.flv");
    let viewers = [
        ("HTTP", Viewer::http(server, &path).await?),
        ("WebSocket", Viewer::websocket(server, &path).await?),
        ("RTMP", Viewer::rtmp(server, &format!("live/{name}")).await?),
    ];
    encoder.send_all(rest).await?;
    // One that comes late begins at the newest keyframe.
    let last = tags.last().context("tags")?.clone();
    let key = tags.iter().rposition(is_main_keyframe).context("a keyframe")?;
    let mut present = Vec::new();
    for (by, mut viewer) in viewers {
        let first = tokio::time::timeout(PATIENCE, viewer.next()).await??.context("a first tag")?;
        present.push((by, viewer, first));
    }
    let mut over_http = None;
    let mut late = None;
    let mut encoder = Some(encoder);
    for (by, mut viewer, first) in present {
        let mut seen = vec![first];
        if late.is_none() {
            // When one viewer has the newest keyframe, it is in the ring.
            while !seen.iter().any(|tag| tag.data() == tags[key].data()) {
                seen.push(viewer.next().await?.context("the stream goes on")?);
            }
            late = Some(Viewer::http(server, &path).await?);
        }
        if let Some(encoder) = encoder.take() {
            encoder.stop().await?;
        }
        let ended = tokio::time::timeout(PATIENCE, viewer.rest()).await;
        seen.extend(ended.with_context(|| format!("{by}: the stream ends"))??);
        compare(tags, &seen).with_context(|| format!("over {by}"))?;
        if by == "HTTP" {
            let header = *viewer.header().context("an FLV header")?;
            over_http = Some(bytes_of(&header, &seen));
        }
    }
    let late = late.context("a late viewer")?.rest().await?;
    ensure!(late.last().is_some_and(|tag| tag.data() == last.data()), "the late one has the end");
    headers_come_first(tags, key, &late).context("a late viewer")?;
    over_http.context("a viewer over HTTP")
}

/// Fails unless `seen` is `sent` from the first keyframe on, times included, with nothing but headers before.
fn compare(sent: &[Tag], seen: &[Tag]) -> Result<()> {
    let start = sent.iter().position(is_main_keyframe).context("a keyframe was sent")?;
    let begins = seen.iter().position(is_main_keyframe).context("a keyframe came")?;
    let zero = sent.iter().filter(|tag| is_frame(tag)).map(Tag::time).min().unwrap_or(0);
    let (sent, seen) = (&sent[start..], &seen[begins..]);
    for (at, (sent, seen)) in sent.iter().zip(seen).enumerate() {
        ensure!(sent.kind() == seen.kind(), "tag {at}: {sent:?} became {seen:?}");
        ensure!(sent.data() == seen.data(), "tag {at}, {sent:?}: other bytes");
        let time = (sent.time() - zero) & 0xFFFF_FFFF;
        ensure!(seen.time() == time, "tag {at}, {sent:?}: at {}", seen.time());
    }
    ensure!(sent.len() == seen.len(), "{} tags of {}", seen.len(), sent.len());
    Ok(())
}

/// Fails unless the last configuration of every track that was sent before the keyframe comes before it.
fn headers_come_first(sent: &[Tag], key: usize, seen: &[Tag]) -> Result<()> {
    let mut headers = BTreeMap::new();
    for tag in &sent[..key] {
        match tag.kind() {
            TagKind::Video => {
                if let Ok(head) = video::Head::parse(tag.data())
                    && head.is_sequence_header()
                {
                    headers.insert((9, head.track), tag);
                }
            }
            TagKind::Audio => {
                if let Ok(head) = audio::Head::parse(tag.data())
                    && head.is_sequence_header()
                    && tag.data().len() > head.body
                {
                    headers.insert((8, head.track), tag);
                }
            }
            TagKind::Script => {}
        }
    }
    let begins = seen.iter().position(|tag| tag.data() == sent[key].data());
    let before = &seen[..begins.context("the newest keyframe came")?];
    for (track, header) in headers {
        // A track whose frames are of another codec now needs none.
        let is_there = before.iter().any(|tag| tag.data() == header.data());
        let is_outdated = sent[..key].iter().any(|tag| is_other_codec(header, tag));
        ensure!(is_there || is_outdated, "the header of track {track:?} is missing: {before:?}");
    }
    Ok(())
}

fn is_other_codec(header: &Tag, frame: &Tag) -> bool {
    header.kind() == TagKind::Audio
        && frame.kind() == TagKind::Audio
        && match (audio::Head::parse(header.data()), audio::Head::parse(frame.data())) {
            (Ok(header), Ok(frame)) => {
                header.codec != frame.codec && frame.packet == audio::Packet::Frames
            }
            _ => false,
        }
}

/// How many tags it takes until viewers can be let in: the first keyframe, and a sound if there is any.
fn beginning_of(tags: &[Tag]) -> Result<usize> {
    let key = tags.iter().position(is_main_keyframe).context("a keyframe")?;
    let sound = tags.iter().position(|tag| tag.kind() == TagKind::Audio && is_frame(tag));
    Ok(sound.unwrap_or(key).max(key) + 1)
}

fn is_main_keyframe(tag: &Tag) -> bool {
    let track = |tag: &Tag| video::Head::parse(tag.data()).ok().and_then(|head| head.track);
    is_keyframe(tag) && track(tag).unwrap_or(0) == 0
}

fn is_frame(tag: &Tag) -> bool {
    match tag.kind() {
        TagKind::Video => {
            video::Head::parse(tag.data()).is_ok_and(|head| head.packet == video::Packet::Frames)
        }
        TagKind::Audio => {
            audio::Head::parse(tag.data()).is_ok_and(|head| head.packet == audio::Packet::Frames)
        }
        TagKind::Script => false,
    }
}

fn bytes_of(header: &Header, tags: &[Tag]) -> Vec<u8> {
    let mut bytes = header.to_bytes().to_vec();
    tags.iter().for_each(|tag| bytes.extend_from_slice(tag.bytes()));
    bytes
}
