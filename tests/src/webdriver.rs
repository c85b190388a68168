//! The few WebDriver commands the tests need (W3C WebDriver, section 8 on), as plain HTTP.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::http;

/// A browser session. Clones speak to the same browser.
#[derive(Clone, Debug)]
pub struct Session {
    driver: SocketAddr,
    path: String,
}

/// An element of the page.
#[derive(Clone, Debug)]
pub struct Element {
    session: Session,
    id: String,
}

impl Session {
    /// Starts a browser with these capabilities.
    pub async fn start(driver: SocketAddr, capabilities: Value) -> Result<Session> {
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let answer = command(driver, "POST", "/session", Some(&body)).await?;
        let id = answer["sessionId"].as_str().context("a new session has an id")?;
        Ok(Session { driver, path: format!("/session/{id}") })
    }

    /// Sends a command of the session without a body.
    pub async fn get(&self, path: &str) -> Result<Value> {
        command(self.driver, "GET", &format!("{}/{path}", self.path), None).await
    }

    /// Sends a command of the session with a body.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        command(self.driver, "POST", &format!("{}/{path}", self.path), Some(&body)).await
    }

    /// Every element a CSS selector finds.
    pub async fn find_all(&self, selector: &str) -> Result<Vec<Element>> {
        let found =
            self.post("elements", json!({ "using": "css selector", "value": selector })).await?;
        let found = found.as_array().context("a list of elements")?.iter().map(|element| {
            let id = element[ELEMENT_KEY].as_str().context("an element has an id")?.to_owned();
            Ok(Element { session: self.clone(), id })
        });
        found.collect()
    }

    /// The page as PNG.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        let picture = self.get("screenshot").await?;
        base64(picture.as_str().context("a picture comes as text")?)
    }

    /// Ends the browser.
    pub async fn close(&self) -> Result<()> {
        command(self.driver, "DELETE", &self.path, None).await.map(drop)
    }
}

impl Element {
    /// Its role as assistive technology is told it.
    pub async fn role(&self) -> Result<String> {
        self.text_of("computedrole").await
    }

    /// Its accessible name.
    pub async fn label(&self) -> Result<String> {
        self.text_of("computedlabel").await
    }

    /// The text of it that can be seen.
    pub async fn text(&self) -> Result<String> {
        self.text_of("text").await
    }

    /// Whether it can be seen.
    pub async fn is_displayed(&self) -> Result<bool> {
        Ok(self.session.get(&self.path("displayed")).await?.as_bool().unwrap_or(false))
    }

    /// Clicks in its middle, scrolling there first; fails when something lies over it.
    pub async fn click(&self) -> Result<()> {
        self.session.post(&self.path("click"), json!({})).await.map(drop)
    }

    /// Empties a text field.
    pub async fn clear(&self) -> Result<()> {
        self.session.post(&self.path("clear"), json!({})).await.map(drop)
    }

    /// Types into it.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        self.session.post(&self.path("value"), json!({ "text": text })).await.map(drop)
    }

    async fn text_of(&self, what: &str) -> Result<String> {
        Ok(self.session.get(&self.path(what)).await?.as_str().unwrap_or_default().to_owned())
    }

    fn path(&self, what: &str) -> String {
        format!("element/{}/{what}", self.id)
    }
}

async fn command(
    driver: SocketAddr,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Value> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let headers = [("Content-Type", "application/json; charset=utf-8")];
    let mut answer = http::send(driver, method, path, &headers, body.as_bytes()).await?;
    let mut value: Value = serde_json::from_str(&answer.text().await?)?;
    let value = value["value"].take();
    if answer.status != 200 {
        bail!("WebDriver: {method} {path}: {}: {}", value["error"], value["message"]);
    }
    Ok(value)
}

fn base64(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for character in text.bytes().filter(|&character| character != b'=') {
        let value = ALPHABET.iter().position(|&known| known == character).context("not base64")?;
        bits = (bits << 6) | u32::try_from(value)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Ok(bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What the standard calls the web element identifier.
const ELEMENT_KEY: &str = "element-6066-11e4-a52e-4f735466cecf";

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_of_every_length() {
        assert_eq!(base64("").unwrap(), b"");
        assert_eq!(base64("Zg==").unwrap(), b"f");
        assert_eq!(base64("Zm8=").unwrap(), b"fo");
        assert_eq!(base64("Zm9v").unwrap(), b"foo");
        assert_eq!(base64("+/+/").unwrap(), [0xFB, 0xFF, 0xBF]);
    }
}
