//! What only a real page shows of the player's face: promises, what is told with its picture, autoplay rules, the element.
//! The page is `pages/face.html`; it is of another origin, and nobody clicks into it.

use anyhow::{Context, Result, ensure};
use pushpull_tests::{Browser, Clip, Publisher, Server, files, server::PATIENCE, stage, until};
use serde_json::{Value, json};

#[test]
fn script_data_are_told_again_with_their_picture() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        server.live("live/demo").await?;
        let found = play(&Browser::start(stage).await?, &server, "presented").await?;
        told_with_their_picture(&found["presented"])?;
        for told in found["presented"].as_array().context("a list")? {
            ensure!(told[2].as_u64() > Some(0), "presented before it arrived: {found}");
        }
        // The demo says what the clock shows, on this machine's clock.
        ensure!(found["kind"] == "capture", "{found}");
        let latency = found["latency"].as_f64().context("a latency")?;
        ensure!(latency > 0.0 && latency < 10.0, "{found}");
        ensure!(found["info"] == json!(["High", "3.0", "4:2:0"]), "{found}");
        ensure!(found["gop"].as_f64() > Some(0.5), "{found}");
        for state in [2001, 2002, 2003, 2004, 2007, 2008] {
            let states = found["states"].as_array().context("states")?;
            ensure!(states.iter().any(|seen| *seen == state), "no {state}: {found}");
        }
        Ok(())
    });
}

#[test]
fn sei_messages_are_told_and_told_again_with_their_picture() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "sei").await?;
        server.live("live/sei").await?;
        let found = play(&Browser::start(stage).await?, &server, "sei").await?;
        told_with_their_picture(&found["presented"])?;
        let first = &found["arrived"][0];
        ensure!(first[0] == 5 && first[2] == 16, "user data with a UUID: {found}");
        ensure!(
            first[1].as_u64() == first[3].as_u64().map(|data| data + 16),
            "the UUID and the rest are all of it: {found}"
        );
        Ok(())
    });
}

#[test]
fn what_cannot_play_rejects_and_is_told() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let found = play(&Browser::start(stage).await?, &server, "refused").await?;
        let expected = |kind: &str, detail: &str, code: i64| json!({ "rejected": [kind, detail, true], "told": [kind, detail, code, true, false] });
        let missing = expected("NetworkError", "HttpStatusCodeInvalid", 404);
        let unsupported = expected("MediaError", "FormatUnsupported", -1);
        ensure!(found["missing"] == missing, "{found}");
        ensure!(found["transport"] == unsupported, "{found}");
        ensure!(found["parts"] == unsupported, "{found}");
        Ok(())
    });
}

#[test]
fn autoplay_without_a_click_is_refused_or_muted() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        server.live("live/demo").await?;
        let found = play(&Browser::start(stage).await?, &server, "autoplay").await?;
        let expected = json!([["NotAllowedError", 0, false], ["played", 1, true]]);
        ensure!(found == expected, "{found}");
        Ok(())
    });
}

/// Chromium takes long to start its sound, and shows no picture before.
#[test]
fn the_browser_gets_its_sound_ready_while_the_stream_is_on_its_way() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        server.live("live/demo").await?;
        let found = play(&Browser::start(stage).await?, &server, "sound").await?;
        ensure!(found["outcomes"] == json!([0, 1]), "not for a stream without sound: {found}");
        ensure!(found["woken"] == json!([[true, true, null]]), "{found}");
        Ok(())
    });
}

#[test]
fn the_element_plays_and_says_what_is_wrong() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        server.live("live/demo").await?;
        let found = play(&Browser::start(stage).await?, &server, "element").await?;
        // It plays without sound, and says so: the attribute follows.
        let attributes = json!(["autoplay", "latency", "muted", "src"]);
        ensure!(found["playing"]["attributes"] == attributes, "{found}");
        ensure!(found["playing"]["muted"] == true, "{found}");
        ensure!(found["playing"]["target"].as_f64() >= Some(0.4), "{found}");
        ensure!(found["playing"]["controls"] == false && found["controls"] == true, "{found}");
        ensure!(found["text"].as_str().is_some_and(|text| text.contains("nobody")), "{found}");
        for event in ["media_info", "autoplaymuted", "error"] {
            let events = found["events"].as_array().context("events")?;
            ensure!(events.iter().any(|seen| *seen == event), "no {event}: {found}");
        }
        Ok(())
    });
}

/// Opens the page and waits for what its scenario found.
async fn play(browser: &Browser, server: &Server, scenario: &str) -> Result<Value> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let address = files::serve(pages.into()).await?;
    let origin = server.url("");
    let page = format!("http://{address}/face.html?scenario={scenario}&server={origin}");
    browser.open(&page).await?;
    let outcome = until("the scenario ends", PATIENCE, async || {
        let outcome = browser.run("return window.outcome ?? null", Vec::new()).await?;
        Ok((!outcome.is_null()).then_some(outcome))
    });
    let outcome = outcome.await?;
    ensure!(outcome["error"].is_null(), "{outcome}");
    ensure!(outcome["uncaught"] == json!([]), "{outcome}");
    Ok(outcome["found"].clone())
}

/// Pairs of a message's time and its picture's.
fn told_with_their_picture(presented: &Value) -> Result<()> {
    let presented = presented.as_array().context("a list")?;
    ensure!(!presented.is_empty(), "nothing was presented");
    for told in presented {
        let (time, picture) = (told[0].as_f64(), told[1].as_f64());
        let (time, picture) = time.zip(picture).context("two times")?;
        // Never before; a picture that a busy machine leaves out makes it a little later.
        ensure!(picture > time - 0.005 && picture < time + 0.5, "{told}");
    }
    Ok(())
}
