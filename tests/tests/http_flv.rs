//! HTTP-FLV from outside: the bytes, the head, and what the answers say.

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{TagKind, video};
use pushpull_tests::{
    Clip, Publisher, Server, Stage, Viewer,
    ffmpeg::relays_all_packets,
    http,
    server::{PATIENCE, PATIENT},
    stage, until,
    viewer::{is_keyframe, is_media},
};

#[test]
fn packets_are_the_source_s_bit_for_bit() {
    stage(async |stage| the_same_packets(stage, Clip::Plain).await);
}

#[test]
fn packets_and_their_times_survive_b_frames() {
    stage(async |stage| the_same_packets(stage, Clip::BFrames).await);
}

/// ffprobe reads the relayed stream to its end and finds what it finds in the file.
async fn the_same_packets(stage: &Stage, clip: Clip) -> Result<()> {
    let server = Server::start(stage, &PATIENT).await?;
    relays_all_packets(stage, &server, clip, "clip", &server.url("/live/clip.flv")).await
}

#[test]
fn a_late_viewer_starts_with_headers_and_a_keyframe() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "late").await?;
        server.live("live/late").await?;

        let mut viewer = Viewer::http(&server, "/live/late.flv").await?;
        let mut headers = Vec::new();
        let first = loop {
            let tag = viewer.next().await?.context("the stream goes on")?;
            if is_media(&tag) {
                break tag;
            }
            headers.push(tag);
        };
        ensure!(
            is_keyframe(&first),
            "the first media tag is {:?} at {}",
            first.kind(),
            first.time()
        );
        let kinds: Vec<_> = headers.iter().map(|tag| tag.kind()).collect();
        for kind in [TagKind::Script, TagKind::Video, TagKind::Audio] {
            ensure!(
                kinds.iter().filter(|&&found| found == kind).count() == 1,
                "headers: {kinds:?}"
            );
        }
        ensure!(
            headers[0].data().starts_with(b"\x02\x00\x0aonMetaData"),
            "the script is the metadata"
        );
        let header = viewer.header().context("a file header came")?;
        ensure!(header.has_audio && header.has_video);
        Ok(())
    });
}

#[test]
fn two_viewers_get_the_same_bytes() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::BFrames, "twice").await?;
        server.live("live/twice").await?;
        let mut first = Viewer::http(&server, "/live/twice.flv").await?;
        let mut second = Viewer::http(&server, "/live/twice.flv").await?;
        first.catch_up_with(&mut second).await?;
        for _ in 0..150 {
            let (first, second) = tokio::try_join!(first.next(), second.next())?;
            let (first, second) = (first.context("goes on")?, second.context("goes on")?);
            ensure!(
                first.bytes() == second.bytes(),
                "{:?} at {} differs",
                first.kind(),
                first.time()
            );
        }
        Ok(())
    });
}

#[test]
fn header_flags_tell_which_tracks_there_are() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        for (clip, name, has_video, has_audio) in [
            (Clip::Silent, "silent", true, false),
            (Clip::Blind, "blind", false, true),
            (Clip::Plain, "both", true, true),
        ] {
            let publisher = Publisher::looped(stage, &server, clip, name).await?;
            let mut viewer = Viewer::http(&server, &format!("/live/{name}.flv")).await?;
            viewer.next().await?.context("the stream goes on")?;
            let header = viewer.header().context("a file header came")?;
            ensure!(
                header.has_video == has_video && header.has_audio == has_audio,
                "{clip:?}: {header:?}"
            );
            publisher.stop().await?;
        }
        Ok(())
    });
}

#[test]
fn heads_and_preflights() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "head").await?;
        server.live("live/head").await?;

        let origin = ("Origin", "http://elsewhere.example");
        for method in ["GET", "HEAD"] {
            // A query is nobody's business but a token's.
            let mut answer =
                http::request(server.http, method, "/live/head.flv?token=x", &[origin]).await?;
            ensure!(answer.status == 200, "{method}: {}", answer.status);
            for (name, value) in [
                ("content-type", "video/x-flv"),
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("access-control-allow-origin", "*"),
            ] {
                let found = answer.header(name);
                ensure!(
                    found.is_some_and(|found| found.contains(value)),
                    "{method}: {name}: {found:?}"
                );
            }
            if method == "HEAD" {
                ensure!(answer.bytes().await?.is_empty());
            }
        }

        let asked = [
            origin,
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", "range"),
        ];
        let answer = http::request(server.http, "OPTIONS", "/live/head.flv", &asked).await?;
        ensure!(matches!(answer.status, 200 | 204), "OPTIONS: {}", answer.status);
        let methods = answer.header("access-control-allow-methods").context("methods are named")?;
        ensure!(methods.contains("GET") || methods == "*", "{methods}");
        ensure!(answer.header("access-control-allow-origin") == Some("*"));
        ensure!(answer.header("access-control-allow-headers").is_some());

        for method in ["POST", "PUT", "DELETE"] {
            let answer = http::request(server.http, method, "/live/head.flv", &[]).await?;
            ensure!(answer.status == 405, "{method}: {}", answer.status);
        }
        Ok(())
    });
}

#[test]
fn a_stream_nobody_publishes_is_a_404_with_a_reason() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let mut answer = http::get(server.http, "/live/nobody.flv").await?;
        ensure!(answer.status == 404, "{}", answer.status);
        ensure!(
            answer
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("application/problem+json"))
        );
        ensure!(
            answer.header("access-control-allow-origin") == Some("*"),
            "scripts elsewhere may read the reason"
        );
        let problem: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
        ensure!(
            problem["code"] == "stream_not_found" && problem["stream"] == "live/nobody",
            "{problem}"
        );
        ensure!(
            server.stream("live/nobody").await?.is_none(),
            "asking for a stream does not make one"
        );
        Ok(())
    });
}

#[test]
fn the_end_of_the_stream_is_the_end_of_the_answer() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let publisher = Publisher::looped(stage, &server, Clip::Plain, "ends").await?;
        let mut viewer = Viewer::http(&server, "/live/ends.flv").await?;
        let keyframe = viewer.keyframe().await?;
        ensure!(video::Head::parse(keyframe.data())?.codec == video::Codec::Avc);

        publisher.stop().await?;
        // An orderly end of the body is part of what rest() asks for.
        tokio::time::timeout(PATIENCE, viewer.rest()).await.context("the viewer is let go")??;
        until("the stream is gone", PATIENCE, async || {
            Ok(server.stream("live/ends").await?.is_none().then_some(()))
        })
        .await
    });
}

#[test]
fn viewers_survive_a_publisher_that_vanishes_and_comes_back() {
    stage(async |stage| {
        let server = Server::start(stage, &PATIENT).await?;
        let publisher = Publisher::looped(stage, &server, Clip::Plain, "back").await?;
        let mut viewer = Viewer::http(&server, "/live/back.flv").await?;
        let before = loop {
            let tag = viewer.next_of(TagKind::Video).await?;
            if tag.time() > 1000 {
                break tag.time();
            }
        };
        publisher.kill().await?;
        let _again = Publisher::looped(stage, &server, Clip::Plain, "back").await?;
        // The same answer goes on, with times that go on.
        let mut last = before;
        loop {
            let tag = tokio::time::timeout(PATIENCE, viewer.next_of(TagKind::Video))
                .await
                .context("it goes on")??;
            ensure!(
                !is_media(&tag) || tag.time() >= last,
                "time went back from {last} to {}",
                tag.time()
            );
            last = last.max(tag.time());
            if last > before + 3000 {
                return Ok(());
            }
        }
    });
}
