//! Who may publish and view, from outside: signatures as back ends make them, and what becomes of those without.
//!
//! The signatures are made by the Python of `docs/access.md`, which is what a stranger's back end starts from.

use std::{path::Path, time::SystemTime};

use anyhow::{Context, Result, bail, ensure};
use pushpull_tests::{
    Clip, Publisher, Server, Viewer,
    ffmpeg::run,
    http,
    phone::{Phone, Witness, headers, picture},
    rtmp::{self, Peer},
    server::PATIENCE,
    stage, until,
};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, Message};

const PUSH: &str = "a secret to push with";
const PLAY: &str = "a secret to play with";

/// Publishers and viewers both need a signature.
const SIGNED: [&str; 6] = ["--publish-secrets", PUSH, "--play-secrets", PLAY, "--sign-skew", "0s"];

#[test]
fn what_the_python_of_the_document_signs_is_let_in_over_every_protocol() {
    stage(async |stage| {
        let tokens = ["--publish-tokens", "push ticket", "--play-tokens", "play ticket"];
        let server = Server::start(stage, &[&SIGNED[..], &tokens].concat()).await?;
        let at = now()? + 3600;
        for (number, [push, over_rtmp, over_http]) in [
            [PUSH, PLAY, PLAY].map(|secret| python(&format!("nms('live/NAME', '{secret}', {at})"))),
            [PUSH, PLAY, PLAY]
                .map(|secret| python(&format!("tencent('live/NAME', '{secret}', {at})"))),
            [(PUSH, ""), (PLAY, ""), (PLAY, ".flv")].map(|(secret, end)| {
                python(&format!("nginx('/live/NAME{end}', '127.0.0.1', '{secret}', {at})"))
            }),
            ["push", "play", "play"].map(|what| python(&format!("'token={what}%20ticket'"))),
        ]
        .iter()
        .enumerate()
        {
            let name = format!("form{number}");
            let key = format!("{name}?{}", push.sign(&name).await?);
            let publisher = Publisher::looped(stage, &server, Clip::Plain, &key).await?;
            server.live(&format!("live/{name}")).await?;
            let (over_rtmp, over_http) =
                (over_rtmp.sign(&name).await?, over_http.sign(&name).await?);
            let path = format!("/live/{name}.flv?{over_http}");
            Viewer::http(&server, &path).await?.keyframe().await?;
            Viewer::websocket(&server, &path).await?.keyframe().await?;
            let stream = format!("live/{name}?{over_rtmp}");
            Viewer::rtmp(&server, &stream).await?.keyframe().await?;
            publisher.stop().await?;
        }
        let log = server.process().log().text();
        for secret in [PUSH, PLAY, "push ticket", "play ticket", "push%20ticket"] {
            ensure!(!log.contains(secret), "the log shows {secret:?}");
        }
        ensure!(!log.contains("refused"), "nobody was refused");
        Ok(())
    });
}

#[test]
fn a_publisher_is_refused_for_every_reason_before_a_byte_of_it_passes() {
    stage(async |stage| {
        let server = Server::start(stage, &SIGNED).await?;
        let at = now()?;
        let good = nms("live/x", PUSH, at + 3600).await?;
        let other = nms("live/y", PUSH, at + 3600).await?;
        let refused = [
            (String::new(), "signature_missing", "a signature is needed: sign="),
            (
                good.replace(&(at + 3600).to_string(), &(at + 3601).to_string()),
                "signature_wrong",
                "wrong signature",
            ),
            (other, "signature_wrong", "wrong signature"),
            (nms("live/x", PLAY, at + 3600).await?, "signature_wrong", "wrong signature"),
            (nms("live/x", PUSH, at - 10).await?, "signature_expired", "signature expired 1"),
            (format!("{good}&{good}"), "signature_wrong", "sign= is there twice"),
        ];
        // Somebody waits for the stream all the while.
        let play = nms("live/x", PLAY, at + 3600).await?;
        let viewer = tokio::spawn(async move {
            http::get(server.http, &format!("/live/x.flv?{play}")).await.map(|answer| answer.status)
        });
        for (query, code, words) in &refused {
            let mut peer = Peer::connected(server.rtmp).await?;
            let key = format!("x?{query}");
            peer.throw(&[rtmp::publish(&key), headers(), picture("not to be seen", 0)].concat())
                .await;
            let said = String::from_utf8_lossy(&peer.hung_up().await?).into_owned();
            ensure!(said.contains("NetStream.Publish.BadAuth"), "{code}: {said:?}");
            ensure!(said.contains(words), "{code}: {said:?}");
            ensure!(!said.contains("NetStream.Publish.Start"), "{code}: {said:?}");
        }
        ensure!(viewer.await?? == 404, "nobody has published it");
        let count = refused_of(&server, "publish", "signature_wrong").await?;
        ensure!(count == 4, "{count} are counted");
        ensure!(refused_of(&server, "publish", "signature_expired").await? == 1);
        let log = server.process().log().text();
        ensure!(log.contains("code=\"signature_expired\""), "it is logged: {log}");
        for (query, ..) in refused.iter().filter(|(query, ..)| !query.is_empty()) {
            ensure!(!log.contains(query), "the log shows a query");
        }
        // ffmpeg is told the same, and gives up.
        let key = format!("x?{}", nms("live/x", PUSH, at - 10).await?);
        let publisher = Publisher::once(stage, &server, Clip::Plain, &key).await?;
        ensure!(publisher.process().exit(PATIENCE).await? != Some(0), "ffmpeg is refused");
        let said = publisher.process().log().text();
        ensure!(said.contains("signature expired"), "ffmpeg shows why: {said}");
        Ok(())
    });
}

#[test]
fn a_signature_may_stand_in_any_part_of_an_rtmp_address() {
    stage(async |stage| {
        let server = Server::start(stage, &SIGNED).await?;
        let sign = nms("live/x", PUSH, now()? + 3600).await?;
        let (plain, signed) = (format!("rtmp://{}/live", server.rtmp), format!("live?{sign}"));
        let tc_url = format!("{plain}?{sign}");
        for (app, tc_url, key) in [
            (signed.as_str(), plain.as_str(), "x"),
            ("live", &tc_url, "x"),
            // The same in two places is one; of two the one that is nearer to the key counts.
            (&signed, &tc_url, "x"),
            ("live?sign=1-0", &plain, &format!("x?{sign}")),
        ] {
            let mut peer = Peer::connected_to(server.rtmp, app, tc_url).await?;
            peer.send(&rtmp::publish(key)).await?;
            peer.answered(b"NetStream.Publish.Start").await?;
            peer.send(&rtmp::command(1, "closeStream", 0.0, &[])).await?;
            until("the name is free", PATIENCE, async || {
                Ok(server.stream("live/x").await?.is_none().then_some(()))
            })
            .await?;
        }
        Ok(())
    });
}

#[test]
fn who_is_refused_cannot_push_a_publisher_aside() {
    stage(async |stage| {
        let server =
            Server::start(stage, &["--publish-secrets", PUSH, "--takeover", "replace"]).await?;
        let key = format!("x?{}", nms("live/x", PUSH, now()? + 3600).await?);
        let mut phone = Phone::start(&server, &key, "mine").await?;
        let watching = async { Ok(Witness::of(Viewer::http(&server, "/live/x.flv").await?)) };
        let mut witness = phone.shooting(watching).await?;
        let strangers = async {
            for key in ["x", "x?sign=1-80c1d1ad2e0c2ab63eebb50eed64201a"] {
                let mut stranger = Peer::connected(server.rtmp).await?;
                stranger
                    .throw(&[rtmp::publish(key), headers(), picture("stranger", 0)].concat())
                    .await;
                let said = String::from_utf8_lossy(&stranger.hung_up().await?).into_owned();
                ensure!(said.contains("NetStream.Publish.BadAuth"), "{said:?}");
            }
            Ok(())
        };
        phone.shooting(strangers).await?;
        phone.word = "still mine".to_owned();
        phone.shooting(witness.sees("still mine")).await?;
        ensure!(!witness.words().contains("stranger"), "{:?}", witness.words());
        Ok(())
    });
}

#[test]
fn a_viewer_is_refused_with_the_status_of_the_reason_over_every_protocol() {
    stage(async |stage| {
        let server =
            Server::start(stage, &[&SIGNED[..], &["--sign-max-life", "24h"]].concat()).await?;
        let at = now()?;
        for (query, status, code) in [
            (String::new(), 401, "signature_missing"),
            (nms("live/x", PUSH, at + 3600).await?, 403, "signature_wrong"),
            (nms("live/x", PLAY, at - 10).await?, 410, "signature_expired"),
            (nms("live/x", PLAY, at + 90_000).await?, 403, "signature_too_long"),
        ] {
            let path = format!("/live/x.flv?{query}");
            let mut answer = http::get(server.http, &path).await?;
            ensure!(answer.status == status, "{code}: {}", answer.status);
            ensure!(answer.header("content-type") == Some("application/problem+json"), "{code}");
            ensure!(answer.header("access-control-allow-origin") == Some("*"), "pages may read it");
            let problem: Value = serde_json::from_str(&answer.text().await?)?;
            ensure!(problem["code"] == code && problem["stream"] == "live/x", "{problem}");
            let words = problem["detail"].as_str().context("it is said in words")?.to_owned();

            match tokio_tungstenite::connect_async(server.ws_url(&path)).await {
                Err(tungstenite::Error::Http(answer)) => {
                    ensure!(answer.status() == status, "{code}: {}", answer.status());
                }
                other => bail!("{code}: not refused: {other:?}"),
            }
            let head = http::request(server.http, "HEAD", &path, &[]).await?;
            ensure!(head.status == status, "{code}: {}", head.status);
            let said = head.header("x-problem-detail").context("HEAD tells it, too")?;
            ensure!(said.split(' ').next() == words.split(' ').next(), "{said}, {words}");

            let mut player = Peer::connected(server.rtmp).await?;
            player.send(&rtmp::play(&format!("x?{query}"))).await?;
            player.answered(b"NetStream.Play.Failed").await?;
            let first: String = words.chars().take(17).collect();
            player.answered(first.as_bytes()).await?;
            ensure!(refused_of(&server, "play", code).await? >= 4, "{code} is counted");
        }
        Ok(())
    });
}

#[test]
fn addresses_decide_before_anything_else() {
    stage(async |stage| {
        let server = Server::start(
            stage,
            &["--deny-publish", "127.0.0.0/8", "--allow-play", "192.0.2.0/24"],
        )
        .await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.throw(&rtmp::publish("x")).await;
        let said = String::from_utf8_lossy(&peer.hung_up().await?).into_owned();
        ensure!(said.contains("NetStream.Publish.Denied"), "{said:?}");
        ensure!(said.contains("the address 127.0.0.1 may not publish"), "{said:?}");
        let mut answer = http::get(server.http, "/live/x.flv").await?;
        ensure!(answer.status == 403, "{}", answer.status);
        let problem: Value = serde_json::from_str(&answer.text().await?)?;
        ensure!(problem["code"] == "address_denied", "{problem}");
        Ok(())
    });
}

#[test]
fn the_built_in_stream_needs_no_signature() {
    stage(async |stage| {
        let server = Server::start(stage, &["--publish-secrets", PUSH, "--demo"]).await?;
        Viewer::http(&server, "/live/demo.flv").await?.keyframe().await?;
        Ok(())
    });
}

#[test]
fn an_address_may_be_used_again_until_it_expires_and_not_after() {
    stage(async |stage| {
        let server = Server::start(stage, &SIGNED).await?;
        let at = now()? + 4;
        let key = format!("x?{}", nms("live/x", PUSH, at).await?);
        for word in ["first", "again"] {
            // A phone that loses its network comes back with what it has.
            let mut phone = Phone::start(&server, &key, word).await?;
            phone.shoot().await?;
            phone.peer.send(&rtmp::command(1, "closeStream", 0.0, &[])).await?;
        }
        until("it has expired", PATIENCE, async || Ok((now()? > at).then_some(()))).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.throw(&rtmp::publish(&key)).await;
        let said = String::from_utf8_lossy(&peer.hung_up().await?).into_owned();
        ensure!(said.contains("NetStream.Publish.BadAuth"), "{said:?}");
        ensure!(said.contains("signature expired"), "{said:?}");
        Ok(())
    });
}

#[test]
fn a_signature_that_is_replayed_is_refused_if_that_is_wanted() {
    stage(async |stage| {
        let once = ["--sign-once", "everybody"];
        let server = Server::start(stage, &[&SIGNED[..], &once].concat()).await?;
        let at = now()? + 3600;
        let key = format!("x?{}", nms("live/x", PUSH, at).await?);
        let mut phone = Phone::start(&server, &key, "first").await?;
        phone.shoot().await?;
        let mut thief = Peer::connected(server.rtmp).await?;
        thief.throw(&rtmp::publish(&key)).await;
        let said = String::from_utf8_lossy(&thief.hung_up().await?).into_owned();
        ensure!(said.contains("NetStream.Publish.BadAuth"), "{said:?}");
        ensure!(said.contains("signature was used"), "{said:?}");
        ensure!(refused_of(&server, "publish", "signature_used").await? == 1);

        // The same secret and second for another stream, or a second later, is another signature.
        let second = format!("y?{}", nms("live/y", PUSH, at).await?);
        Phone::start(&server, &second, "second").await?;
        let path = format!("/live/x.flv?{}", nms("live/x", PLAY, at).await?);
        let viewer = Viewer::http(&server, &path).await?;
        match tokio_tungstenite::connect_async(server.ws_url(&path)).await {
            Err(tungstenite::Error::Http(answer)) => ensure!(answer.status() == 410),
            other => bail!("not refused: {other:?}"),
        }
        drop(viewer);
        let head = http::request(server.http, "HEAD", &path, &[]).await?;
        ensure!(head.status == 410, "HEAD tells it, too: {}", head.status);
        let mut answer = http::get(server.http, &path).await?;
        ensure!(answer.status == 410, "{}", answer.status);
        let problem: Value = serde_json::from_str(&answer.text().await?)?;
        ensure!(problem["code"] == "signature_used", "{problem}");
        let later = format!("/live/x.flv?{}", nms("live/x", PLAY, at + 1).await?);
        let head = http::request(server.http, "HEAD", &later, &[]).await?;
        ensure!(head.status == 200, "it is asked about, and not used: {}", head.status);
        Viewer::http(&server, &later).await?;
        Ok(())
    });
}

#[test]
fn sessions_end_with_their_signatures_if_that_is_wanted() {
    stage(async |stage| {
        let server =
            Server::start(stage, &[&SIGNED[..], &["--sign-ends-sessions"]].concat()).await?;
        let at = now()?;
        let long = nms("live/x", PUSH, at + 3600).await?;
        let mut phone = Phone::start(&server, &format!("x?{long}"), "word").await?;
        let short = nms("live/x", PLAY, at + 6).await?;
        let path = format!("/live/x.flv?{short}");
        let endings = async {
            let over_http = async { Viewer::http(&server, &path).await?.rest().await };
            let over_websocket = async {
                use futures_util::StreamExt;
                let (mut socket, _) =
                    tokio_tungstenite::connect_async(server.ws_url(&path)).await?;
                while let Some(message) = socket.next().await {
                    if let Message::Close(Some(close)) = message? {
                        return Ok((u16::from(close.code), close.reason.to_string()));
                    }
                }
                bail!("no close frame came")
            };
            let over_rtmp =
                async { Viewer::rtmp(&server, &format!("live/x?{short}")).await?.rest().await };
            tokio::try_join!(over_http, over_websocket, over_rtmp)
        };
        let (over_http, closed, over_rtmp) = phone.shooting(endings).await?;
        ensure!(!over_http.is_empty() && !over_rtmp.is_empty(), "both had seen something");
        ensure!(closed == (1008, "signature expired".to_owned()), "{closed:?}");
        ensure!(now()? >= at + 6, "not before");

        let short = nms("live/y", PUSH, now()? + 3).await?;
        let mut other = Phone::start(&server, &format!("y?{short}"), "other").await?;
        let ends = async {
            let told = other.peer.hung_up().await?;
            Ok(String::from_utf8_lossy(&told).into_owned())
        };
        let told = phone.shooting(ends).await?;
        ensure!(told.contains("NetStream.Publish.BadAuth"), "{told:?}");
        ensure!(told.contains("has expired"), "{told:?}");
        phone.shoot().await?;
        ensure!(server.stream("live/x").await?.is_some(), "others go on");
        Ok(())
    });
}

#[test]
fn strangers_are_not_given_tokens_though_anybody_may_have_addresses_made() {
    stage(async |stage| {
        let flags = ["--sign-maker", "anybody", "--play-tokens", "hunter2hunter2"];
        let server = Server::start(stage, &flags).await?;
        let body = br#"{"stream":"live/x","purpose":"play"}"#;
        let kind = ("Content-Type", "application/json");
        for (far, status, says) in [("", 200, "hunter2"), ("192.0.2.1", 403, "token_withheld")] {
            // What a proxy passes on is a stranger's.
            let headers = [kind, ("X-Forwarded-For", far)];
            let headers = if far.is_empty() { &headers[..1] } else { &headers[..] };
            let mut made = http::send(server.http, "POST", "/api/v1/sign", headers, body).await?;
            let text = made.text().await?;
            ensure!(made.status == status && text.contains(says), "{} {text}", made.status);
            ensure!(status == 200 || !text.contains("hunter2"), "{text}");
        }
        let log = server.process().log().text();
        ensure!(log.contains("sign_maker is `anybody`") && !log.contains("hunter2"), "{log}");
        Ok(())
    });
}

#[test]
fn addresses_that_the_server_makes_are_good_and_refusals_are_told() {
    stage(async |stage| {
        let life = ["--sign-max-life", "1h"];
        let server = Server::start(stage, &[&SIGNED[..], &life].concat()).await?;
        let made = async |purpose: &str| -> Result<Value> {
            let body = format!(r#"{{"stream":"live/x","purpose":"{purpose}","expires_in":"24h"}}"#);
            let kind = [("Content-Type", "application/json")];
            let mut answer =
                http::send(server.http, "POST", "/api/v1/sign", &kind, body.as_bytes()).await?;
            let text = answer.text().await?;
            ensure!(answer.status == 200, "{} {text}", answer.status);
            Ok(serde_json::from_str(&text)?)
        };
        let push = made("publish").await?;
        let expires = push["expires_at"].as_u64().context("they expire")?;
        ensure!(expires <= now()? + 3600, "not later than is accepted: {push}");
        let key = push["urls"][0]["key"].as_str().context("there is a key")?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, key).await?;
        server.live("live/x").await?;
        let play = made("play").await?;
        let urls = play["urls"].as_array().context("there are addresses")?;
        for (protocol, scheme) in [("http-flv", "http"), ("ws-flv", "ws"), ("rtmp", "rtmp")] {
            let url = urls.iter().find(|url| url["protocol"] == protocol);
            let url = url.and_then(|url| url["url"].as_str()).context("every protocol")?;
            let (found, rest) = url.split_once("://").context("a URL")?;
            ensure!(found == scheme, "{url}");
            let (_, path) = rest.split_once('/').context("a path")?;
            let mut viewer = match protocol {
                "http-flv" => Viewer::http(&server, &format!("/{path}")).await?,
                "ws-flv" => Viewer::websocket(&server, &format!("/{path}")).await?,
                _ => Viewer::rtmp(&server, path).await?,
            };
            viewer.keyframe().await?;
        }

        for _ in 0..2 {
            ensure!(http::get(server.http, "/live/x.flv?sign=1-2").await?.status == 403);
        }
        let mut answer = http::get(server.http, "/api/v1/refusals?stream=live/x").await?;
        let told: Value = serde_json::from_str(&answer.text().await?)?;
        let refusal = &told["refusals"][0];
        ensure!(refusal["code"] == "signature_wrong" && refusal["times"] == 2, "{told}");
        ensure!(refusal["purpose"] == "play" && refusal["stream"] == "live/x", "{told}");
        ensure!(
            refusal["detail"].as_str().is_some_and(|text| text.contains("sign= is not")),
            "{told}"
        );
        Ok(())
    });
}

#[test]
fn a_new_secret_counts_after_a_reload_and_who_is_in_stays() {
    stage(async |stage| {
        let file = stage.folder().join("pushpull.toml");
        let secrets =
            |secrets: &str| std::fs::write(&file, format!("publish_secrets = {secrets}\n"));
        secrets("[\"old\"]")?;
        let path = file.to_str().context("a folder has a name")?;
        let server = Server::start(stage, &["--config", path, "--config-watch=false"]).await?;
        let at = now()? + 3600;
        let (old, new) = (nms("live/x", "old", at).await?, nms("live/y", "new", at).await?);
        let mut phone = Phone::start(&server, &format!("x?{old}"), "before").await?;
        let watching = async { Ok(Witness::of(Viewer::http(&server, "/live/x.flv").await?)) };
        let mut witness = phone.shooting(watching).await?;
        ensure!(Phone::start(&server, &format!("y?{new}"), "").await.is_err(), "not known yet");

        // A time of both, then the old one goes.
        for (now_known, works) in [("[\"new\", \"old\"]", true), ("[\"new\"]", false)] {
            secrets(now_known)?;
            server.process().signal("HUP")?;
            let decided = until("the file is read", PATIENCE, async || {
                let new = Phone::start(&server, &format!("y?{new}"), "").await.is_ok();
                let old = nms("live/z", "old", at).await?;
                let old = Phone::start(&server, &format!("z?{old}"), "").await.is_ok();
                Ok((new && old == works).then_some(()))
            });
            phone.shooting(decided).await?;
        }
        phone.word = "after".to_owned();
        phone.shooting(witness.sees("after")).await?;
        Ok(())
    });
}

#[test]
fn a_flood_of_refusals_leaves_few_lines_in_the_log() {
    stage(async |stage| {
        let server = Server::start(stage, &SIGNED).await?;
        for number in 0..600 {
            let answer = http::get(server.http, &format!("/live/{number}.flv")).await?;
            ensure!(answer.status == 401, "{}", answer.status);
        }
        ensure!(refused_of(&server, "play", "signature_missing").await? == 600);
        let lines = server.process().log().text().matches("signature_missing").count();
        ensure!((100..500).contains(&lines), "{lines} lines");
        Ok(())
    });
}

#[test]
fn the_start_says_that_a_server_is_open_to_others() {
    stage(async |stage| {
        let says = |server: &Server| {
            server.process().log().text().contains("whoever reaches this server may")
        };
        // The test's own addresses are this machine's; the last one said counts.
        let open = Server::start(stage, &["--http", "0.0.0.0:0"]).await?;
        ensure!(says(&open), "{}", open.process().log().text());
        let closed = Server::start(stage, &["--http", "0.0.0.0:0", "--play-secrets", PLAY]).await?;
        ensure!(!says(&closed), "viewers need a signature");
        let desk = Server::start(stage, &[]).await?;
        ensure!(!says(&desk), "nobody else reaches it");
        Ok(())
    });
}

/// A line of Python that makes a query, for a stream called `NAME`.
struct Python(String);

fn python(line: &str) -> Python {
    Python(line.to_owned())
}

impl Python {
    /// What it makes with the functions of the document.
    async fn sign(&self, name: &str) -> Result<String> {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/access.md");
        let document = std::fs::read_to_string(document)?;
        let (_, code) = document.split_once("```python\n").context("the document has Python")?;
        let (code, _) = code.split_once("```").context("the Python ends")?;
        let code = format!("{code}\nprint({})", self.0.replace("NAME", name));
        let said = run("python3", &["-c".to_owned(), code]).await?;
        Ok(said.lines().last().context("it prints a query")?.to_owned())
    }
}

async fn nms(name: &str, secret: &str, expires: u64) -> Result<String> {
    python(&format!("nms('{name}', '{secret}', {expires})")).sign("").await
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

async fn refused_of(server: &Server, purpose: &str, code: &str) -> Result<u64> {
    let labels = format!("purpose=\"{purpose}\",code=\"{code}\"");
    server.metric(&format!("pushpull_access_refused_total{{{labels}}}")).await
}
