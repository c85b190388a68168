//! The page in a browser, used the way a person uses it.

use anyhow::{Context, ensure};
use pushpull_tests::{Browser, Clip, Kind, Publisher, Server, server::PATIENCE, stage, until};

#[test]
fn a_pushed_stream_is_typed_started_watched_and_stopped() {
    typed_started_watched_and_stopped(Kind::Chromium);
}

#[test]
fn the_same_in_firefox() {
    typed_started_watched_and_stopped(Kind::Firefox);
}

#[track_caller]
fn typed_started_watched_and_stopped(kind: Kind) {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "stream1").await?;
        server.live("live/stream1").await?;

        let browser = Browser::of_kind(stage, kind).await?;
        browser.open(&server.url("/")).await?;
        browser.by_role("region", "Player").await?;
        browser.fill("Stream name", "stream1").await?;
        browser.press("Start").await?;
        let look = browser.plays().await?;
        ensure!(look.width == 480, "{look:?}");
        browser.says("480").await?;
        browser.says("H.264").await?;
        browser.says("AAC").await?;
        // The stream does not tell the time: what is known is the time since it was received.
        browser.says("Buffer latency").await?;

        browser.press("Stop").await?;
        browser.by_role("button", "Start").await?;
        until("the server is left alone", PATIENCE, async || {
            Ok(server.stream("live/stream1").await?.filter(|stream| stream["viewers"] == 0))
        })
        .await?;
        // And again: nothing of the first time is in the way.
        browser.press("Start").await?;
        browser.plays().await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn b_frames_over_http() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::BFrames, "reordered").await?;
        server.live("live/reordered").await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?stream=reordered")).await?;
        browser.click_label("HTTP-FLV").await?;
        browser.press("Start").await?;
        browser.plays().await?;
        // A stream that loops has a seam in its times; playback goes on over it.
        let start = browser.look().await?;
        until("six seconds are played", PATIENCE, async || {
            let look = browser.look().await?;
            ensure!(!look.paused && look.time > start.time + 6.0, "from {start:?} to {look:?}");
            Ok(Some(()))
        })
        .await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn autostart_plays_and_the_end_is_said() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let publisher = Publisher::looped(stage, &server, Clip::Plain, "auto").await?;
        server.live("live/auto").await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?stream=auto&autostart=1")).await?;
        browser.plays().await?;

        publisher.stop().await?;
        browser.says("Stream ended").await?;
        // Whoever comes back is watched again, without a click.
        let _again = Publisher::looped(stage, &server, Clip::Plain, "auto").await?;
        browser.plays().await?;
        browser.press("Stop").await
    });
}

#[test]
fn a_stream_without_sound_and_one_without_a_picture() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _silent = Publisher::looped(stage, &server, Clip::Silent, "silent").await?;
        let _blind = Publisher::looped(stage, &server, Clip::Blind, "blind").await?;
        server.live("live/silent").await?;
        server.live("live/blind").await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?stream=silent&autostart=1")).await?;
        browser.plays().await?;
        browser.console_is_clean(&[]).await?;

        browser.open(&server.url("/?stream=blind&autostart=1")).await?;
        until("sound plays", PATIENCE, async || {
            let look = browser.look().await?;
            ensure!(look.time > 1.0 && !look.paused, "{look:?}");
            Ok(Some(()))
        })
        .await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn a_stream_nobody_publishes_is_an_alert() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let browser = Browser::start(stage).await?;
        for transport in ["WebSocket", "HTTP-FLV"] {
            browser.open(&server.url("/")).await?;
            browser.click_label(transport).await?;
            browser.fill("Stream name", "nobody").await?;
            browser.press("Start").await?;
            let said = browser.alert().await?;
            ensure!(said.contains("nobody"), "{transport}: the alert names the stream: {said:?}");
            browser.press("Stop").await?;
        }
        // The browser notes that a request was answered with 404 or a socket refused, the player that it gave up.
        browser.console_is_clean(&["404", "WebSocket connection to", "[pushpull]"]).await
    });
}

#[test]
fn a_name_that_cannot_be_one_is_an_alert() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/")).await?;
        browser.fill("Stream name", "../etc").await?;
        browser.press("Start").await?;
        browser.alert().await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn the_list_of_live_streams_follows_without_reload() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/")).await?;
        browser.says("Nobody publishes right now").await?;

        let publisher = Publisher::looped(stage, &server, Clip::Plain, "listed").await?;
        let list = browser.by_role("list", "Live streams").await?;
        until("the list names the stream", PATIENCE, async || {
            Ok(list.text().await?.contains("listed").then_some(()))
        })
        .await?;
        browser.press("live/listed…").await?;
        browser.plays().await?;
        browser.press("Stop").await?;

        publisher.stop().await?;
        browser.says("Nobody publishes right now").await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn the_demo_is_offered_and_plays() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/")).await?;
        browser.press("Play the demo stream").await?;
        let start = browser.plays().await?;
        browser.says("Capture → screen latency").await?;
        // Longer than the clip: its end and its beginning meet.
        until("twelve seconds are played", PATIENCE * 2, async || {
            let look = browser.look().await?;
            ensure!(!look.paused && look.time > start.time + 12.0, "from {start:?} to {look:?}");
            Ok(Some(()))
        })
        .await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn chinese_by_address_and_by_button() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?lang=zh")).await?;
        browser.fill("流名称", "demo").await?;
        browser.press("开始").await?;
        browser.plays().await?;
        let language = browser.run("return document.documentElement.lang", Vec::new()).await?;
        ensure!(language == "zh-CN", "{language}");

        browser.press("English").await?;
        browser.by_role("button", "Stop").await?;
        browser.plays().await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn a_new_user_is_told_where_to_push() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?stream=phone")).await?;
        let port = server.rtmp.port().to_string();
        browser.says(&format!(":{port}/live/phone")).await?;
        let drawn = until("the QR code is drawn", PATIENCE, async || {
            let width = browser
                .run("return document.querySelector('#qr').naturalWidth", Vec::new())
                .await?;
            Ok(width.as_u64().filter(|&width| width > 0))
        });
        drawn.await.context("the picture loads")?;
        // A command too long for its line goes on in the next one, and no option is torn from its hyphen.
        let options = browser.run(OPTIONS, Vec::new()).await?;
        let options = options.as_array().context("the options of ffmpeg")?;
        ensure!(options.iter().any(|option| option[0] == "-c:v"), "{options:?}");
        ensure!(options.iter().all(|option| option[1] == 1), "{options:?}");
        browser.says("-c:v libx264 -preset").await?;
        browser.console_is_clean(&[]).await
    });
}

/// The options of the command for ffmpeg, and on how many lines each of them stands.
const OPTIONS: &str = "
    document.querySelector('#tab-ffmpeg').click();
    const command = document.querySelector('[data-guide=ffmpegFile]');
    return [...command.querySelectorAll('span')]
        .map((option) => [option.textContent, option.getClientRects().length]);
";
