//! A page on which many players play side by side, and what it notes of each.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    server::{PATIENCE, Server},
    stage::Stage,
    wait::until,
};

/// A browser with the page in it.
pub struct Theatre {
    browser: Browser,
    _server: Server,
}

/// How the page asks for a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// `fetch`
    Http,
    /// A WebSocket.
    WebSocket,
}

/// What one player is to play.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unlike every other's on the page.
    pub name: String,
    /// The stream.
    pub url: String,
    /// `createPlayer`'s second argument.
    pub config: Value,
}

/// A picture the browser presented.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Picture {
    /// When, Unix milliseconds.
    pub at: f64,
    /// Which one of the footage; −1 when the number could not be read.
    pub number: i64,
}

/// What was noted of one player.
#[derive(Clone, Debug)]
pub struct Notes {
    /// When it was created, Unix milliseconds.
    pub begun: f64,
    /// When the notes were taken.
    pub now: f64,
    /// Every picture presented.
    pub pictures: Vec<Picture>,
    /// Time, name and text of events of player and element.
    pub events: Vec<(f64, String, String)>,
    /// Time, playhead, and seconds buffered ahead, ten times a second.
    pub playhead: Vec<(f64, f64, f64)>,
    /// The last `statistics_info`.
    pub statistics: Value,
    /// The last `media_info`.
    pub media: Value,
    /// Bytes of sound decoded; `None` where the browser does not tell.
    pub audio_bytes: Option<u64>,
    /// All of it as the page told it.
    pub raw: Value,
}

impl Theatre {
    /// Starts the server and opens the page in this browser.
    pub async fn open(stage: &Stage, browser: Browser) -> Result<Theatre> {
        Theatre::page(stage, browser, "/").await
    }

    /// The same with another page beside it.
    pub async fn page(stage: &Stage, browser: Browser, page: &str) -> Result<Theatre> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/watch");
        let folder = folder.display().to_string();
        let server = Server::start(stage, &["--web-dir", &folder]).await?;
        browser.open(&server.url(page)).await?;
        until("the page has loaded the player", PATIENCE, async || {
            let ready = browser.run("return Boolean(window.theatre)", Vec::new()).await?;
            Ok((ready == true).then_some(()))
        })
        .await?;
        Ok(Theatre { browser, _server: server })
    }

    /// The browser.
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// Begins to play.
    pub async fn play(&self, case: &Case) -> Result<()> {
        let what = json!({ "source": { "url": case.url }, "config": case.config });
        let arguments = vec![json!(case.name), what];
        self.browser.run("theatre.open(...arguments)", arguments).await.map(drop)
    }

    /// Plays all of them side by side for this long, and ends them.
    pub async fn show(&self, cases: &[Case], time: Duration) -> Result<HashMap<String, Notes>> {
        self.play_all(cases).await?;
        tokio::time::sleep(time).await;
        self.end().await
    }

    /// Plays all of them side by side until each has been seen to do what it should, or `limit` has passed, and ends them.
    pub async fn show_until(
        &self,
        cases: &[Case],
        limit: Duration,
        seen: impl Fn(&str, &Notes) -> bool,
    ) -> Result<HashMap<String, Notes>> {
        self.play_all(cases).await?;
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            if self.notes().await?.iter().all(|(name, notes)| seen(name, notes)) {
                break;
            }
        }
        self.end().await
    }

    async fn play_all(&self, cases: &[Case]) -> Result<()> {
        for case in cases {
            self.play(case).await?;
            // Everybody's worker and first pictures at once is a test of the machine.
            tokio::time::sleep(STAGGER).await;
        }
        Ok(())
    }

    async fn end(&self) -> Result<HashMap<String, Notes>> {
        let notes = self.notes().await?;
        self.browser.run("theatre.close()", Vec::new()).await?;
        Ok(notes)
    }

    /// What was noted so far, by the cases' names.
    pub async fn notes(&self) -> Result<HashMap<String, Notes>> {
        Notes::by_name(&self.browser.run("return theatre.notes()", Vec::new()).await?)
    }
}

impl Notes {
    /// What `theatre.notes()` gives.
    pub fn by_name(notes: &Value) -> Result<HashMap<String, Notes>> {
        let notes = notes.as_object().context("notes by name")?.iter();
        notes.map(|(name, notes)| Ok((name.clone(), Notes::read(notes)?))).collect()
    }

    fn read(notes: &Value) -> Result<Notes> {
        let number = |value: &Value| value.as_f64().context("a number");
        let rows = |name: &str| notes[name].as_array().with_context(|| format!("a list of {name}"));
        let picture = |row: &Value| {
            let number = row[1].as_i64().context("a picture has a number")?;
            Ok(Picture { at: row[0].as_f64().context("a picture has a time")?, number })
        };
        let event = |row: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            Ok((number(&row[0])?, text(&row[1]), text(&row[2])))
        };
        let sample = |row: &Value| Ok((number(&row[0])?, number(&row[1])?, number(&row[2])?));
        Ok(Notes {
            begun: number(&notes["begun"])?,
            now: number(&notes["now"])?,
            pictures: rows("pictures")?.iter().map(picture).collect::<Result<_>>()?,
            events: rows("events")?.iter().map(event).collect::<Result<_>>()?,
            playhead: rows("playhead")?.iter().map(sample).collect::<Result<_>>()?,
            statistics: notes["statistics"].clone(),
            media: notes["media"].clone(),
            audio_bytes: notes["audioBytes"].as_u64(),
            raw: notes.clone(),
        })
    }

    /// The first event of this name at or after a time, Unix milliseconds.
    pub fn event(&self, name: &str, from: f64) -> Option<&(f64, String, String)> {
        self.events.iter().find(|(at, found, _)| *at >= from && found == name)
    }
}

const STAGGER: Duration = Duration::from_millis(60);

/// Between two looks at what was noted: taking all of it costs the page some.
const LOOK: Duration = Duration::from_millis(400);
