//! The stat page in a browser, and what the start page shows of those who are refused: used the way a person uses them.

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Browser, Clip, Publisher, Server, Viewer, http, server::PATIENCE, stage, until,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[test]
fn streams_and_viewers_are_shown_and_a_viewer_is_disconnected() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "seen").await?;
        server.live("live/seen").await?;
        let mut http = Viewer::http(&server, "/live/seen.flv").await?;
        let mut websocket = Viewer::websocket(&server, "/live/seen.flv").await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/stat")).await?;

        browser.press("live/seen").await?;
        browser.says("Viewers (2)").await?;
        for words in ["HTTP-FLV", "WS-FLV", "480×270", "AAC", "Lavf", "kbps"] {
            browser.says(words).await?;
        }
        // A line begins with its second point; the clip has 30 pictures a second.
        until("plots have lines", PATIENCE, async || {
            let plots = browser.run(PLOTS, Vec::new()).await?;
            let drawn =
                |figure: &str| plots[figure].as_str().is_some_and(|path| path.contains('L'));
            Ok((drawn("bitrate") && drawn("fps") && drawn("lag")).then_some(()))
        })
        .await?;

        browser.press("Disconnect 127.0.0.1…").await?;
        browser.press("Disconnect").await?;
        browser.says("Viewers (1)").await?;
        // The list begins with the oldest, which came by HTTP.
        while http.next().await?.is_some() {}
        ensure!(websocket.next().await?.is_some(), "the other goes on");
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn a_stream_is_stopped_and_its_name_refused_until_it_is_allowed_again() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let publisher = Publisher::looped(stage, &server, Clip::Plain, "kicked").await?;
        server.live("live/kicked").await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/stat?stream=live/kicked")).await?;

        browser.press("Stop stream…").await?;
        // Asked, and not done: nothing happens.
        browser.press("Cancel").await?;
        server.live("live/kicked").await?;
        browser.press("Stop stream…").await?;
        let ban = browser.by_role("combobox", "Refuse the name for").await?;
        ban.type_text("10 minutes").await?;
        browser.press("Stop stream").await?;
        browser.says("Nobody publishes right now").await?;
        publisher.process().exit(PATIENCE).await?;
        browser.says("live/kicked: another 9:").await?;

        let again = Publisher::looped(stage, &server, Clip::Plain, "kicked").await?;
        ensure!(again.process().exit(PATIENCE).await? != Some(0), "the name is refused");
        browser.press("Allow live/kicked again…").await?;
        browser.press("Allow again").await?;
        let _again = Publisher::looped(stage, &server, Clip::Plain, "kicked").await?;
        server.live("live/kicked").await?;
        browser.by_role("button", "live/kicked").await?;
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn a_token_is_asked_for_where_one_is_wanted_and_kept() {
    stage(async |stage| {
        let options = ["--api-tokens", "open-sesame-open-sesame", "--api-read", "token"];
        let server = Server::start(stage, &options).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "guarded").await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/stat")).await?;

        browser.says("with a token only").await?;
        browser.press("Enter the token…").await?;
        type_token(&browser, "wrong").await?;
        browser.press("Continue").await?;
        browser.says("does not accept this token").await?;
        type_token(&browser, "open-sesame-open-sesame").await?;
        browser.press("Continue").await?;

        browser.press("live/guarded").await?;
        browser.press("Stop stream…").await?;
        browser.press("Stop stream").await?;
        browser.says("Nobody publishes right now").await?;
        // The start page is in the same tab.
        browser.open(&server.url("/")).await?;
        browser.says("Server online").await?;
        browser.says("Nobody publishes right now").await?;
        browser.console_is_clean(&["401", "403"]).await
    });
}

#[test]
fn a_server_that_restarts_is_found_again_and_that_is_said() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/stat")).await?;
        browser.says("Nobody publishes right now").await?;
        // Old enough that the next one is younger beyond doubt.
        until("it has run for a while", PATIENCE, async || {
            Ok((uptime(&server).await? > 3000).then_some(()))
        })
        .await?;
        until("the page knows how long it has run", PATIENCE, async || {
            let shown = browser.run(
                "return document.querySelector('[data-figure=uptime]').textContent",
                Vec::new(),
            );
            Ok((shown.await? != "–").then_some(()))
        })
        .await?;
        server.process().signal("KILL")?;
        server.process().exit(PATIENCE).await?;
        browser.says("has not answered since").await?;

        let again = Server::start(stage, &["--http", &server.http.to_string()]).await?;
        browser.says("The server was restarted at").await?;
        browser.says("Server online").await?;
        let _publisher = Publisher::looped(stage, &again, Clip::Plain, "later").await?;
        browser.by_role("button", "live/later").await?;
        browser
            .console_is_clean(&[
                "ERR_CONNECTION_REFUSED",
                "ERR_INCOMPLETE_CHUNKED_ENCODING",
                "ERR_CONNECTION_RESET",
            ])
            .await
    });
}

#[test]
fn more_viewers_than_a_person_reads_are_counted_not_listed() {
    stage(async |stage| {
        let server = Server::start(stage, &["--missing-wait", "5m"]).await?;
        // They wait for a publisher, who is not among the first then.
        let mut crowd = Vec::new();
        for _ in 0..205 {
            let mut viewer = TcpStream::connect(server.http).await?;
            viewer.write_all(b"GET /live/crowd.flv HTTP/1.1\r\nHost: x\r\n\r\n").await?;
            crowd.push(viewer);
        }
        until("all are there", PATIENCE, async || {
            let list = http::get(server.http, "/api/v1/sessions?limit=1").await?.text().await?;
            Ok((serde_json::from_str::<Value>(&list)?["total"] == 205).then_some(()))
        })
        .await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "crowd").await?;
        server.live("live/crowd").await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/stat")).await?;
        browser.press("live/crowd").await?;
        browser.says("Viewers (205)").await?;
        browser.says("The first 200 of 205 are shown.").await?;
        let rows = browser
            .run("return document.querySelectorAll('.sessions tbody tr').length", Vec::new());
        ensure!(rows.await? == 200);
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn a_refused_publisher_is_named_on_both_pages_while_nobody_publishes() {
    stage(async |stage| {
        let server = Server::start(stage, &["--publish-secrets", "s3cret"]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?stream=unsigned")).await?;
        browser.says("Nobody publishes right now").await?;
        let refused = Publisher::looped(stage, &server, Clip::Plain, "unsigned").await?;
        ensure!(refused.process().exit(PATIENCE).await? != Some(0), "it is not signed");
        browser.says("live/unsigned: push refused").await?;
        browser.says(": not signed").await?;

        browser.open(&server.url("/stat?lang=zh")).await?;
        browser.says("拒绝推流：没有签名").await?;
        let secret = browser.text().await?.contains("s3cret");
        ensure!(!secret, "a secret stays one");
        browser.console_is_clean(&[]).await
    });
}

#[test]
fn signed_addresses_are_made_pushed_to_and_played_from() {
    stage(async |stage| {
        let options = ["--publish-secrets", "for pushing", "--play-secrets", "for playing"];
        let server = Server::start(stage, &options).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?stream=signed")).await?;
        browser.press("Make signed addresses").await?;
        browser.says("valid until").await?;
        let push = shown(&browser, "[data-guide=url]").await?;
        ensure!(push.contains("/live/signed?sign="), "{push}");
        let key = shown(&browser, "[data-guide=obsKey]").await?;
        ensure!(push.ends_with(&key), "{key} of {push}");

        // As it stands there, but for the host, which may be another of this machine.
        let key = key.strip_prefix("signed").context("the key begins with the name")?;
        let _publisher =
            Publisher::looped(stage, &server, Clip::Plain, &format!("signed{key}")).await?;
        server.live("live/signed").await?;
        ensure!(
            http::get(server.http, "/live/signed.flv").await?.status == 401,
            "viewers sign, too"
        );
        browser.press("Start").await?;
        browser.plays().await?;

        // What somebody else made is typed, and what is wrong is said.
        browser.press("Stop").await?;
        browser.click_label("HTTP-FLV").await?;
        browser
            .fill("Stream name", "live/signed?sign=4102444800-00000000000000000000000000000000")
            .await?;
        browser.press("Start").await?;
        let said = browser.alert().await?;
        // It was another that was not signed.
        ensure!(said.contains("wrong signature") && !said.contains("not signed"), "{said}");
        browser.console_is_clean(&["403", "[pushpull]"]).await
    });
}

#[test]
fn addresses_are_signed_as_nginx_does_for_who_will_use_them() {
    stage(async |stage| {
        let server = Server::start(stage, &["--publish-secrets", "for pushing"]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/?stream=linked")).await?;
        let form = browser.by_role("combobox", "Signed as").await?;
        form.type_text("nginx (secure_link)").await?;
        browser.press("Make signed addresses").await?;
        browser.says("say which").await?;
        browser.fill("For the device with the IP address", "everybody").await?;
        browser.press("Make signed addresses").await?;
        browser.says("That is not an IP address").await?;
        for (address, is_let_in) in [("192.0.2.7", false), ("127.0.0.1", true)] {
            browser.fill("For the device with the IP address", address).await?;
            let before = shown(&browser, "[data-guide=obsKey]").await?;
            browser.press("Make signed addresses").await?;
            let key = until("a new key", PATIENCE, async || {
                let key = shown(&browser, "[data-guide=obsKey]").await?;
                Ok((key != before).then_some(key))
            })
            .await?;
            ensure!(key.starts_with("linked?md5=") && key.contains("&expires="), "{key}");
            let publisher = Publisher::looped(stage, &server, Clip::Plain, &key).await?;
            if is_let_in {
                server.live("live/linked").await?;
            } else {
                ensure!(publisher.process().exit(PATIENCE).await? != Some(0), "{address}");
            }
        }
        browser.console_is_clean(&["422", "400", "[pushpull]"]).await
    });
}

#[test]
fn refusals_are_told_in_the_page_s_language() {
    stage(async |stage| {
        // What the page may not read is not in its list: it has the answer to its own request.
        let closed = ["--demo", "--play-tokens", "ticket", "--api-read", "token"];
        let closed = Server::start(stage, &closed).await?;
        let full = Server::start(stage, &["--demo", "--max-viewers", "1"]).await?;
        let browser = Browser::start(stage).await?;
        full.live("live/demo").await?;
        let _first = Viewer::http(&full, "/live/demo.flv").await?;
        for (server, words) in [(closed, "原因：没有签名"), (full, "原因：观众人数已达上限")]
        {
            browser.open(&server.url("/?stream=demo&lang=zh")).await?;
            browser.click_label("HTTP-FLV").await?;
            browser.press("开始").await?;
            let said = browser.alert().await?;
            ensure!(said.contains(words), "{said}");
        }
        browser.console_is_clean(&["401", "503", "[pushpull]"]).await
    });
}

#[test]
fn a_desk_without_secrets_is_shown_nothing_of_signing() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let browser = Browser::start(stage).await?;
        browser.open(&server.url("/")).await?;
        browser.says("Nobody publishes right now").await?;
        browser.says("/live/stream1").await?;
        ensure!(browser.find("button", "Make signed addresses").await?.is_none());
        browser.console_is_clean(&[]).await
    });
}

/// Types into the dialog's field, which is a password's and so has no role of its own.
async fn type_token(browser: &Browser, token: &str) -> Result<()> {
    browser
        .run("document.querySelector('#dialog-token').value = arguments[0]", vec![json!(token)])
        .await?;
    Ok(())
}

async fn shown(browser: &Browser, selector: &str) -> Result<String> {
    let script = "return document.querySelector(arguments[0]).textContent";
    let text = browser.run(script, vec![json!(selector)]).await?;
    Ok(text.as_str().context("it is there")?.to_owned())
}

async fn uptime(server: &Server) -> Result<u64> {
    let answer = http::get(server.http, "/api/v1/server").await?.text().await?;
    let answer: Value = serde_json::from_str(&answer)?;
    answer["uptime_ms"].as_u64().context("it tells how long it has run")
}

/// What the plots draw, by the name of the figure.
const PLOTS: &str = "
    return Object.fromEntries([...document.querySelectorAll('.plot')].map((plot) =>
        [plot.dataset.figure, plot.querySelector('.line, .bars').getAttribute('d')]));
";
