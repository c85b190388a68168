//! Clocks of publishers that wrap, jump, pause and begin anew: what viewers get is one line that goes on.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::{
    Encoder, Server, Viewer,
    encoder::{picture, sound, tags_of},
    ffmpeg::packets,
    server::PATIENCE,
    stage, until,
    viewer::is_media,
};

const HOUR: i64 = 3_600_000;

/// What is sent faster than it plays must not make viewers fall behind.
const ROOMY: [&str; 4] = ["--lag", "1h", "--gop", "1h"];

#[test]
fn every_edge_of_the_32_bits_is_crossed() {
    stage(async |stage| {
        let server = Server::start(stage, &ROOMY).await?;
        for (name, edge) in [("24", 1 << 24), ("31", 1 << 31), ("32", 1_i64 << 32)] {
            let sent = frames(0..100, edge - 2_000);
            for (by, seen) in relayed(&server, name, &sent, &[]).await? {
                ensure!(seen == times(&sent, 2_000 - edge), "2^{name} over {by}: {seen:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn times_of_a_stream_of_weeks_are_written_modulo_2_32() {
    stage(async |stage| {
        let server = Server::start(stage, &ROOMY).await?;
        // Pictures further and further apart, and some close together at each edge.
        let (mut times, mut now, mut step) = (vec![0], 0, 10_000);
        for edge in [0xFF_FFFF, 1 << 31, 1 << 32, (1 << 32) + 0xFF_FFFF] {
            while now + step < edge - 80 {
                now += step;
                times.push(now);
                step = (step * 3 / 2).min(1 << 29);
            }
            times.extend((-2..3).map(|number| edge + number * 40));
            now = edge + 80;
            // A step may be twice as long as those before it, and these were short.
            step /= 8;
        }
        let key = |(number, time): (u32, &i64)| {
            let first = if number == 0 { 0x17 } else { 0x27 };
            Tag::new(TagKind::Video, *time, &picture(first, number, 2_000))
        };
        let sent = (0..).zip(&times).map(key).collect::<Result<Vec<_>, _>>()?;
        for (by, seen) in relayed(&server, "weeks", &sent, &[]).await? {
            let expected: Vec<_> =
                times.iter().map(|time| (TagKind::Video, time & 0xFFFF_FFFF)).collect();
            ensure!(seen == expected, "over {by}: {seen:?}");
        }
        Ok(())
    });
}

#[test]
fn jumps_of_the_clock_are_closed_once_for_both_tracks() {
    stage(async |stage| {
        let server = Server::start(stage, &ROOMY).await?;
        for jump in [10_000, HOUR, 24 * HOUR, -10_000, -HOUR, -24 * HOUR] {
            let start = 25 * HOUR;
            let (before, after) = (frames(0..50, start), frames(50..100, start + jump));
            for (by, seen) in relayed(&server, &format!("{jump}"), &before, &after).await? {
                ensure!(seen == times(&frames(0..100, 0), 0), "{jump} over {by}: {seen:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_track_that_jumps_alone_leaves_the_other_where_it_is() {
    stage(async |stage| {
        let server = Server::start(stage, &ROOMY).await?;
        for (name, kind) in [("video", TagKind::Video), ("audio", TagKind::Audio)] {
            let mut after = frames(50..100, HOUR);
            for tag in after.iter_mut().filter(|tag| tag.kind() == kind) {
                *tag = Tag::new(kind, tag.time() + HOUR, tag.data())?;
            }
            for (by, seen) in relayed(&server, name, &frames(0..50, HOUR), &after).await? {
                ensure!(seen == times(&frames(0..100, 0), 0), "{name} over {by}: {seen:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn honest_pauses_and_slow_pictures_stay_as_they_are() {
    stage(async |stage| {
        let server = Server::start(stage, &ROOMY).await?;
        let of = |tag: &&Tag, kind| tag.kind() == kind;
        // A minute without pictures, and without sound; a picture in ten seconds.
        for name in ["no-video", "no-audio", "slow"] {
            let sent: Vec<Tag> = frames(0..1_750, HOUR)
                .into_iter()
                .filter(|tag| {
                    let at = tag.time() - HOUR;
                    let in_pause = (3_000..63_000).contains(&at);
                    match name {
                        "no-video" => !in_pause || of(&tag, TagKind::Audio),
                        "no-audio" => !in_pause || of(&tag, TagKind::Video),
                        _ => at.rem_euclid(10_000) < 40 || of(&tag, TagKind::Audio),
                    }
                })
                .collect();
            for (by, seen) in relayed(&server, name, &sent, &[]).await? {
                ensure!(seen == times(&sent, -HOUR), "{name} over {by}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_publisher_that_begins_anew_goes_on_for_its_viewers() {
    stage(async |stage| {
        let server = Server::start(stage, &["--takeover", "replace"]).await?;
        for (name, clock, is_lost) in [
            ("lost-0", 0, true),
            ("lost-later", 30 * HOUR, true),
            ("replaced-0", 0, false),
            ("replaced-later", 30 * HOUR, false),
        ] {
            let stream = format!("live/{name}");
            let mut first = Encoder::start(server.rtmp, &stream).await?;
            first.send_all(&frames(0..50, HOUR)).await?;
            let mut viewer = Viewer::http(&server, &format!("/{stream}.flv")).await?;
            let mut seen = Vec::new();
            while seen.len() < 100 {
                seen.extend(viewer.next().await?.filter(is_media));
            }
            let first = Some(first).filter(|_| !is_lost);
            if is_lost {
                until("the publisher is missed", PATIENCE, async || {
                    Ok(server.stream(&stream).await?.filter(|stream| stream["state"] == "waiting"))
                })
                .await?;
            }
            let mut second = Encoder::start(server.rtmp, &stream).await?;
            second.send_all(&frames(50..100, clock)).await?;
            second.stop().await?;
            drop(first);
            seen.extend(viewer.rest().await?.into_iter().filter(is_media));
            let seen: Vec<_> = seen.iter().map(|tag| (tag.kind(), tag.time())).collect();
            ensure!(seen.len() == 200, "{name}: {} frames", seen.len());
            // 40 ms behind the last sound, which is 7 ms behind the last picture.
            let mut expected = times(&frames(0..100, 0), 0);
            expected[100..].iter_mut().for_each(|(_, time)| *time += 7);
            ensure!(seen == expected, "{name}: {seen:?}");
        }
        Ok(())
    });
}

#[test]
fn ffmpeg_reads_a_stream_whose_clock_jumps_as_one() {
    stage(async |stage| {
        let server = Server::start(stage, &ROOMY).await?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/codecs");
        let clip: Vec<Tag> = tags_of(&folder.join("sei.flv"))?;
        let mut encoder = Encoder::start(server.rtmp, "live/clip").await?;
        encoder.send_all(clip.get(..20).context("a clip")?).await?;
        server.live("live/clip").await?;
        let mut viewer = Viewer::http(&server, "/live/clip.flv").await?;
        encoder.send_all(clip.get(20..).context("a clip")?).await?;
        for clock in [5 * HOUR, 0, 40_000] {
            for tag in &clip {
                let tag = Tag::new(tag.kind(), tag.time() + clock, tag.data())?;
                encoder.send_all(&[tag]).await?;
            }
        }
        encoder.stop().await?;
        let mut bytes = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
        viewer.rest().await?.iter().for_each(|tag| bytes.extend_from_slice(tag.bytes()));
        let file = stage.folder().join("jumps.flv");
        std::fs::write(&file, bytes)?;
        for kind in ["v", "a"] {
            let packets = packets(&file.display().to_string(), kind).await?;
            ensure!(packets.len() >= 4 * 50, "{} packets", packets.len());
            let times = packets
                .iter()
                .map(|packet| Ok(packet.dts.as_deref().context("a time")?.parse()?));
            let times: Vec<f64> = times.collect::<Result<_>>()?;
            for pair in times.windows(2) {
                let step = pair[1] - pair[0];
                ensure!((0.001..0.2).contains(&step), "{kind}: from {} to {}", pair[0], pair[1]);
            }
        }
        Ok(())
    });
}

/// Pictures of these numbers, 40 ms apart, and sounds 7 ms behind them. The first of all is a keyframe.
fn frames(numbers: std::ops::Range<u32>, clock: i64) -> Vec<Tag> {
    numbers
        .flat_map(|number| {
            let time = clock + i64::from(number) * 40;
            let first = if number.is_multiple_of(50) { 0x17 } else { 0x27 };
            [
                Tag::new(TagKind::Video, time, &picture(first, number, 40)),
                Tag::new(TagKind::Audio, time + 7, &sound(number)),
            ]
        })
        .flatten()
        .collect()
}

type Times = Vec<(TagKind, i64)>;

fn times(tags: &[Tag], shift: i64) -> Times {
    tags.iter().map(|tag| (tag.kind(), tag.time() + shift)).collect()
}

/// Publishes frames, `more` behind them, and returns what viewers see from the first on.
async fn relayed(
    server: &Server,
    name: &str,
    sent: &[Tag],
    more: &[Tag],
) -> Result<Vec<(&'static str, Times)>> {
    let stream = format!("live/{name}");
    let mut encoder = Encoder::start(server.rtmp, &stream).await?;
    let (first, rest) = sent.split_at(2);
    encoder.headers(1).await?;
    encoder.send_all(first).await?;
    server.live(&stream).await?;
    let viewers = [
        ("HTTP", Viewer::http(server, &format!("/{stream}.flv")).await?),
        ("WebSocket", Viewer::websocket(server, &format!("/{stream}.flv")).await?),
        ("RTMP", Viewer::rtmp(server, &stream).await?),
    ];
    encoder.send_all(rest).await?;
    encoder.send_all(more).await?;
    encoder.stop().await?;
    let mut seen = Vec::new();
    for (by, mut viewer) in viewers {
        let tags = viewer.rest().await.with_context(|| format!("over {by}"))?;
        let media = tags.iter().filter(|tag| is_media(tag));
        seen.push((by, media.map(|tag| (tag.kind(), tag.time())).collect()));
    }
    Ok(seen)
}
