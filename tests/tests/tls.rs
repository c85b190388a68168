//! HTTPS, WSS and RTMPS from outside: the same bytes as without, and certificates that come and go.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Browser, Clip, Publisher, Server, Stage, Viewer,
    ffmpeg::{packets, relays_all_packets},
    http,
    rtmp::Peer,
    server::{PATIENCE, PATIENT},
    stage,
    tls::{Certificate, connect},
    until,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

const LISTEN: [&str; 4] = ["--https", "127.0.0.1:0", "--rtmps", "127.0.0.1:0"];

/// A server with this certificate, which it finds in the stage's folder.
async fn serving(stage: &Stage, certificate: &Certificate, more: &[&str]) -> Result<Server> {
    let files = certificate.put(stage.folder())?;
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    Server::start(stage, &[&LISTEN, &files[..], more].concat()).await
}

/// Watches with curl over HTTP/2; the answer must be 200.
fn over_http2(server: &Server, path: &str) -> Result<Viewer> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--insecure", "--no-buffer", "--http2"]);
    curl.arg(format!("https://{}{path}", server.listening("https")?));
    Viewer::program(curl)
}

#[test]
fn a_refusal_reaches_a_client_that_still_uploads() {
    stage(async |stage| {
        let server = serving(stage, &Certificate::new()?, &[]).await?;
        let file = stage.folder().join("large");
        std::fs::write(&file, vec![0; 8 << 20])?;
        let (http, https) = (server.http, server.listening("https")?);
        for (version, base) in [
            ("--http1.1", format!("http://{http}")),
            ("--http1.1", format!("https://{https}")),
            ("--http2", format!("https://{https}")),
        ] {
            for path in ["/index.html", "/live/x.flv", "/api/v1/streams"] {
                let mut curl = Command::new("curl");
                // It would else ask first whether it may send so much.
                curl.args([
                    "--silent",
                    "--show-error",
                    "--insecure",
                    "--header",
                    "Expect:",
                    version,
                ]);
                curl.args([
                    "--output",
                    "/dev/null",
                    "--write-out",
                    "%{http_code}",
                    "--data-binary",
                ]);
                curl.arg(format!("@{}", file.display())).arg(format!("{base}{path}"));
                let output = curl.output().await.context("curl")?;
                let (said, wrong) =
                    (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
                ensure!(said == "405", "{version} {base}{path}: {said} {wrong}");
            }
        }
        Ok(())
    });
}

#[test]
fn viewers_under_tls_get_the_bytes_of_those_without() {
    stage(async |stage| {
        let certificate = Certificate::new()?;
        let server = serving(stage, &certificate, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::BFrames, "same").await?;
        server.live("live/same").await?;
        let https = certificate.tunnel(server.listening("https")?).await?;
        let rtmps = certificate.tunnel(server.listening("rtmps")?).await?;
        let mut others = [
            Viewer::http_at(https, "/live/same.flv").await?,
            Viewer::websocket_at(https, "/live/same.flv").await?,
            Viewer::rtmp_at(rtmps, "live/same").await?,
            over_http2(&server, "/live/same.flv")?,
        ];
        for other in &mut others {
            let mut plain = Viewer::http(&server, "/live/same.flv").await?;
            plain.catch_up_with(other).await?;
            for _ in 0..150 {
                let (plain, other) = tokio::try_join!(plain.next(), other.next())?;
                let (plain, other) = (plain.context("goes on")?, other.context("goes on")?);
                ensure!(plain.bytes() == other.bytes(), "{} differs", plain.time());
            }
        }
        Ok(())
    });
}

#[test]
fn ffmpeg_publishes_and_reads_over_rtmps() {
    stage(async |stage| {
        let server = serving(stage, &Certificate::new()?, &PATIENT).await?;
        let url = format!("rtmps://{}/live/sealed", server.listening("rtmps")?);
        let clip = Clip::Plain;
        let source = clip.path().await?.display().to_string();
        let watch = async { tokio::try_join!(packets(&url, "v"), packets(&url, "a")) };
        let publish = async {
            let publisher = Publisher::once_to(stage, clip, &url).await?;
            let code = publisher.process().exit(PATIENCE).await?;
            ensure!(code == Some(0), "ffmpeg ended with {code:?}");
            Ok(())
        };
        let ((video, audio), ()) = tokio::try_join!(watch, publish)?;
        let whole = (packets(&source, "v").await?, packets(&source, "a").await?);
        for (source, relayed) in [(whole.0, video), (whole.1, audio)] {
            pushpull_tests::ffmpeg::same_packets("sealed", &source, &relayed)?;
        }
        let reading = format!("https://{}/live/read.flv", server.listening("https")?);
        relays_all_packets(stage, &server, clip, "read", &reading).await
    });
}

#[test]
fn a_new_certificate_is_shown_to_newcomers_and_nobody_is_dropped() {
    stage(async |stage| {
        let (old, new) = (Certificate::new()?, Certificate::new()?);
        let server = serving(stage, &old, &[]).await?;
        let (https, rtmps) = (server.listening("https")?, server.listening("rtmps")?);
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "on").await?;
        server.live("live/on").await?;
        let mut plain = Viewer::http(&server, "/live/on.flv").await?;
        let mut others = [
            Viewer::http_at(old.tunnel(https).await?, "/live/on.flv").await?,
            Viewer::rtmp_at(old.tunnel(rtmps).await?, "live/on").await?,
            over_http2(&server, "/live/on.flv")?,
        ];
        for other in &mut others {
            plain.catch_up_with(other).await?;
        }
        // All of them stand behind the same keyframe.
        let time = plain.keyframe().await?.time();
        for other in &mut others {
            while other.keyframe().await?.time() < time {}
        }
        ensure!(new.connect(https).await.is_err(), "the new one is in force too early");

        // A pair of which only one half is new is of no use.
        let (half, key) = (Certificate::new()?, stage.folder().join("key.pem"));
        let kept = std::fs::read(&key)?;
        half.put(stage.folder())?;
        std::fs::write(&key, kept)?;
        let failed = "pushpull_tls_certificate_reloads_total{outcome=\"failed\"}";
        let mut swapped = false;
        for round in 0..100_000 {
            let tag = plain.next().await?.context("goes on")?;
            for other in &mut others {
                let other = other.next().await?.context("goes on")?;
                ensure!(tag.bytes() == other.bytes(), "{} differs", tag.time());
            }
            if round % 20 > 0 {
                continue;
            }
            if !swapped && server.metric(failed).await? == 1 {
                old.connect(https).await.context("the old one stays in force")?;
                new.put(stage.folder())?;
                swapped = true;
            } else if swapped && new.connect(https).await.is_ok() {
                new.connect(rtmps).await?;
                ensure!(old.connect(https).await.is_err(), "the old one is still shown");
                let log = server.process().log().text();
                ensure!(log.contains("does not belong to the first certificate"), "{log}");
                ensure!(log.contains("a new TLS certificate is in force"), "{log}");
                return Ok(());
            }
        }
        anyhow::bail!("the new certificate never came into force")
    });
}

#[test]
fn the_page_plays_under_tls_made_here() {
    stage(async |stage| {
        let file = stage.folder().join("self-signed.pem").display().to_string();
        let flags = ["--tls-self-signed", "--tls-self-signed-file", &file];
        let server = Server::start(stage, &[&LISTEN[..], &flags].concat()).await?;
        let https = server.listening("https")?;
        let pem = std::fs::read_to_string(&file)?;
        connect(https, &pem).await?;
        // The phone that is accepted once is the same after a restart.
        let again = Server::start(stage, &[&LISTEN[..], &flags].concat()).await?;
        connect(again.listening("https")?, &pem).await?;

        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "stream1").await?;
        server.live("live/stream1").await?;
        let browser = Browser::start(stage).await?;
        let page = format!("https://localhost:{}/?stream=stream1", https.port());
        browser.open(&page).await?;
        let is_secure = browser.run("return window.isSecureContext", vec![]).await?;
        ensure!(is_secure == true, "cameras are for secure contexts");
        for transport in ["WebSocket", "HTTP-FLV"] {
            browser.click_label(transport).await?;
            browser.press("Start").await?;
            browser.plays().await.with_context(|| transport.to_owned())?;
            browser.press("Stop").await?;
            browser.by_role("button", "Start").await?;
        }
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn who_speaks_the_wrong_language_is_told_and_logged() {
    stage(async |stage| {
        let certificate = Certificate::new()?;
        let server = serving(stage, &certificate, &[]).await?;
        let (https, rtmps) = (server.listening("https")?, server.listening("rtmps")?);
        let answer = http::get(https, "/?stream=x").await?;
        ensure!(answer.status == 308, "{}", answer.status);
        let there = format!("https://{https}/?stream=x");
        ensure!(answer.header("location") == Some(&there), "{:?}", answer.headers);

        ensure!(certificate.connect(server.http).await.is_err());
        ensure!(certificate.connect(server.rtmp).await.is_err());
        ensure!(Peer::connected(rtmps).await.is_err());
        for words in ["TLS on the port for plain HTTP", "no TLS on the port for rtmps"] {
            until(words, PATIENCE, async || {
                Ok(server.process().log().text().contains(words).then_some(()))
            })
            .await?;
        }
        let plain = "pushpull_tls_handshakes_total{outcome=\"plain\"}";
        ensure!(server.metric(plain).await? == 2);
        Ok(())
    });
}

#[test]
fn handshakes_that_go_nowhere_keep_nobody_waiting_and_end() {
    stage(async |stage| {
        let certificate = Certificate::new()?;
        let more = ["--tls-handshake-timeout", "3s", "--tls-handshakes", "1"];
        let server = serving(stage, &certificate, &more).await?;
        let (https, rtmps) = (server.listening("https")?, server.listening("rtmps")?);
        let mut idle = Vec::new();
        for at in 0..300 {
            let mut socket = TcpStream::connect([https, rtmps][at % 2]).await?;
            // Silence, or the beginning of a greeting.
            let words =
                [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"][at % 3];
            socket.write_all(words).await?;
            idle.push(socket);
        }
        let mut served = certificate.connect(https).await?;
        served.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        served.read_to_string(&mut answer).await?;
        ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        for mut socket in idle {
            let mut end = Vec::new();
            tokio::time::timeout(PATIENCE, socket.read_to_end(&mut end)).await??;
        }
        ensure!(server.hits("tls_handshake_timeout").await? == 300);
        ensure!(server.metric("pushpull_http_connections_open").await? <= 2);
        Ok(())
    });
}

#[test]
fn a_certificate_that_is_of_no_use_is_said_at_the_start() {
    stage(async |stage| {
        let files = Certificate::new()?.put(stage.folder())?;
        Certificate::new()?.put(stage.folder())?;
        std::fs::write(&files[3], "my key, somewhere else")?;
        let mut server = std::process::Command::new(pushpull_tests::server::binary()?);
        server.args(["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]).args(LISTEN).args(&files);
        let process = pushpull_tests::process::Process::start("pushpull", server)?;
        ensure!(process.exit(Duration::from_secs(10)).await? == Some(1));
        let said = process.log().text();
        let expected = format!("{}: there is no key in it", files[3]);
        ensure!(said.contains(&expected), "{said}");
        Ok(())
    });
}
