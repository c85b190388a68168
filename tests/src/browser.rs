//! A headless browser, driven the way a person uses a page: by the roles and names of its elements.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    driver::Kind,
    process::Process,
    server::PATIENCE,
    stage::Stage,
    wait::until,
    webdriver::{Element, Session},
};

/// A browser with one page.
#[derive(Clone)]
pub struct Browser {
    kind: Kind,
    driver: Process,
    session: Session,
    console: Arc<Mutex<Vec<Message>>>,
}

/// One line of the page's console, the browser's own complaints (network, content security policy) included.
#[derive(Clone, Debug)]
pub struct Message {
    /// `SEVERE`, `WARNING`, `INFO`, `DEBUG`
    pub level: String,
    /// What it says.
    pub text: String,
}

impl Message {
    /// What Firefox prints: of our log `console.<level>: <text>`, and the page's errors that nobody caught.
    fn of_firefox(line: &str) -> Option<Message> {
        // Its own pages say things too.
        let (level, text) = match line.strip_prefix("console.") {
            Some(rest) => rest.split_once(':').filter(|(_, text)| text.contains("[pushpull]"))?,
            None => ("error", line.strip_prefix("JavaScript error: http://127.0.0.1")?),
        };
        let level = match level {
            "error" => "SEVERE",
            "warn" => "WARNING",
            _ => "INFO",
        };
        Some(Message { level: level.to_owned(), text: text.trim().to_owned() })
    }
}

/// What a `<video>` shows at one moment.
#[derive(Clone, Debug)]
pub struct Look {
    /// Playback position, seconds.
    pub time: f64,
    /// Frames presented or dropped so far.
    pub frames: u64,
    /// Whether it stands still because nobody plays it.
    pub paused: bool,
    /// Width of the picture, pixels; 0 before there is one.
    pub width: u64,
    /// A hash of the picture's pixels.
    pub picture: i64,
    /// Difference between the brightest and the darkest value: 0 means a blank picture.
    pub contrast: u64,
}

impl Browser {
    /// Starts a Chromium.
    pub async fn start(stage: &Stage) -> Result<Browser> {
        Browser::of_kind(stage, Kind::Chromium).await
    }

    /// Starts a browser with an empty profile, in English, 1280 × 800.
    pub async fn of_kind(stage: &Stage, kind: Kind) -> Result<Browser> {
        let (driver, session) = kind.start(stage).await?;
        let browser = Browser { kind, driver, session, console: Arc::default() };
        stage.keep(browser.clone());
        Ok(browser)
    }

    /// Which browser it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Opens an address and waits until the page has loaded.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.session.post("url", json!({ "url": url })).await?;
        Ok(())
    }

    /// Waits for an element with this role and, unless it is empty, this accessible name. A name that ends in `…` is the
    /// beginning of one.
    pub async fn by_role(&self, role: &str, name: &str) -> Result<Element> {
        until(&format!("a {role} named {name:?}"), PATIENCE, async || self.find(role, name).await)
            .await
    }

    /// The same without waiting: an element that is there and can be seen now.
    pub async fn find(&self, role: &str, name: &str) -> Result<Option<Element>> {
        for element in self.session.find_all(candidates(role)?).await? {
            if !element.is_displayed().await? || element.role().await? != role {
                continue;
            }
            let label = element.label().await?;
            let fits = match name.strip_suffix('…') {
                Some(beginning) => label.starts_with(beginning),
                None => name.is_empty() || label == name,
            };
            if fits {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// Clicks the button with this name once it is there.
    pub async fn press(&self, button: &str) -> Result<()> {
        self.by_role("button", button).await?.click().await
    }

    /// Clicks the label that reads `text`: how a radio button is chosen.
    pub async fn click_label(&self, text: &str) -> Result<()> {
        let label = until(&format!("a label {text:?}"), PATIENCE, async || {
            for label in self.session.find_all("label").await? {
                if label.text().await?.trim() == text {
                    return Ok(Some(label));
                }
            }
            Ok(None)
        })
        .await?;
        label.click().await
    }

    /// Replaces the text of the textbox with this name.
    pub async fn fill(&self, textbox: &str, text: &str) -> Result<()> {
        let element = self.by_role("textbox", textbox).await?;
        element.clear().await?;
        element.type_text(text).await
    }

    /// Waits until an alert says something and returns it.
    pub async fn alert(&self) -> Result<String> {
        until("an alert", PATIENCE, async || {
            for element in self.session.find_all("[role=alert]").await? {
                let text = element.text().await?;
                if !text.trim().is_empty() {
                    return Ok(Some(text));
                }
            }
            Ok(None)
        })
        .await
    }

    /// The text a person sees on the page.
    pub async fn text(&self) -> Result<String> {
        let value = self.run("return document.body.innerText", Vec::new()).await?;
        Ok(value.as_str().context("a page has text")?.to_owned())
    }

    /// Waits until a person sees these words on the page.
    pub async fn says(&self, words: &str) -> Result<()> {
        until(&format!("the page says {words:?}"), PATIENCE, async || {
            let text = self.text().await?;
            ensure!(text.contains(words), "it says: {text}");
            Ok(Some(()))
        })
        .await
    }

    /// Runs JavaScript in the page; what it returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.session.post("execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// A command of Chromium's own protocol; what it answers.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        self.session.post("goog/cdp/execute", body).await
    }

    /// The driver's process; the browser's are below it.
    pub fn driver(&self) -> &Process {
        &self.driver
    }

    /// What the page's first video shows. Fails when there is none.
    pub async fn look(&self) -> Result<Look> {
        let value = self.run(LOOK, Vec::new()).await?;
        ensure!(value.is_object(), "the page has no video");
        Ok(Look {
            time: value["time"].as_f64().context("a position")?,
            frames: value["frames"].as_u64().context("a count")?,
            paused: value["paused"].as_bool().context("a state")?,
            width: value["width"].as_u64().context("a width")?,
            picture: value["picture"].as_i64().context("a hash")?,
            contrast: value["contrast"].as_u64().context("a contrast")?,
        })
    }

    /// Waits until the video plays: its position moves, frames are presented, and the pixels change and are not blank.
    pub async fn plays(&self) -> Result<Look> {
        let mut first: Option<Look> = None;
        until("the video plays", PATIENCE, async || {
            let look = self.look().await?;
            let Some(before) = &first else {
                if look.width > 0 && look.contrast > 0 {
                    first = Some(look);
                }
                return Ok(None);
            };
            let moved = look.time > before.time + 0.5
                && look.frames > before.frames
                && look.picture != before.picture;
            ensure!(moved && !look.paused, "from {before:?} to {look:?}");
            Ok(Some(look))
        })
        .await
    }

    /// The console as text, for a person.
    pub async fn console_text(&self) -> String {
        match tokio::time::timeout(CLOSING, self.console()).await {
            Ok(Ok(console)) => {
                console.iter().map(|line| format!("{} {}\n", line.level, line.text)).collect()
            }
            Ok(Err(error)) => format!("not to be had: {error:#}"),
            Err(_) => "not to be had: the browser does not answer".to_owned(),
        }
    }

    /// Every line of the console so far.
    pub async fn console(&self) -> Result<Vec<Message>> {
        if self.kind == Kind::Firefox {
            return Ok(self.driver.log().text().lines().filter_map(Message::of_firefox).collect());
        }
        let new = self.session.post("se/log", json!({ "type": "browser" })).await?;
        let mut console = self.console.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for entry in new.as_array().context("a list of messages")? {
            console.push(Message {
                level: entry["level"].as_str().unwrap_or_default().to_owned(),
                text: entry["message"].as_str().unwrap_or_default().to_owned(),
            });
        }
        Ok(console.clone())
    }

    /// Fails if the console holds an error or anything about the content security policy, but for lines that contain
    /// one of `expected`.
    pub async fn console_is_clean(&self, expected: &[&str]) -> Result<()> {
        let console = self.console().await?;
        let bad: Vec<_> = console
            .iter()
            .filter(|message| {
                message.level == "SEVERE" || message.text.contains("Content Security Policy")
            })
            .filter(|message| !expected.iter().any(|expected| message.text.contains(expected)))
            .collect();
        ensure!(bad.is_empty(), "the console says: {bad:#?}");
        Ok(())
    }

    /// Saves a picture of the page as PNG.
    pub async fn picture(&self, path: &Path) -> Result<()> {
        let picture = tokio::time::timeout(CLOSING, self.session.picture()).await??;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, picture)?)
    }

    /// Ends the browser.
    pub async fn close(self) {
        // A browser that is gone already is as good as closed; the driver's end takes a stuck one with it.
        drop(tokio::time::timeout(CLOSING, self.session.close()).await);
    }
}

/// Elements that can have a role; WebDriver then tells the one they have.
fn candidates(role: &str) -> Result<&'static str> {
    Ok(match role {
        "button" => "button, [role=button], input[type=button], input[type=submit]",
        "combobox" => "select, [role=combobox]",
        "link" => "a",
        "list" => "ul, ol, [role=list]",
        "radio" => "input[type=radio], [role=radio]",
        "region" => "section, [role=region]",
        "textbox" => "input, textarea, [role=textbox]",
        _ => bail!("no selector for the role {role:?} yet"),
    })
}

/// How long a browser may take to be pictured or closed; a stuck one is left to be killed.
const CLOSING: Duration = Duration::from_secs(10);

const LOOK: &str = r#"
    const video = document.querySelector("video");
    if (!video) return null;
    const canvas = document.createElement("canvas");
    canvas.width = 96;
    canvas.height = 54;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    let picture = 0, least = 255, most = 0;
    context.getImageData(0, 0, canvas.width, canvas.height).data.forEach((value, at) => {
        if (at % 4 === 3) return;
        picture = (Math.imul(picture, 31) + value) | 0;
        least = Math.min(least, value);
        most = Math.max(most, value);
    });
    return {
        time: video.currentTime,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        paused: video.paused,
        width: video.videoWidth,
        picture,
        contrast: Math.max(0, most - least),
    };
"#;
