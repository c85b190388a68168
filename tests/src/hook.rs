//! A hook server, as good or bad as a test wants it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::{server::PATIENCE, until};

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200, and this.
    Says(&'static str),
    /// The same, a while later.
    SaysAfter(Duration, &'static str),
    /// This status, without a body.
    Status(u16),
    /// These bytes, whatever they are, and the end.
    Raw(&'static str),
    /// These bytes, and then these without end.
    Floods(&'static str, &'static str),
    /// Nothing, for as long as the other side has patience.
    Silence,
    /// The end.
    Closes,
}

/// A request to a hook server.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    /// As it came.
    pub body: String,
}

/// A hook server.
pub struct HookServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl HookServer {
    /// Starts one that answers as `answer` says.
    pub async fn start(
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Result<HookServer> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = (seen.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, answer) = shared.clone();
                tokio::spawn(async move { serve(socket, &seen, &*answer).await });
            }
        });
        Ok(HookServer { address, seen, task })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// The flags that send it these events.
    pub fn flags(&self, events: &[&str]) -> Vec<String> {
        events
            .iter()
            .flat_map(|event| [format!("--{}", event.replace('_', "-")), self.url()])
            .collect()
    }

    /// What has come so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.seen).clone()
    }

    /// The same as JSON, in the order it came.
    pub fn events(&self) -> Vec<Value> {
        self.requests().iter().filter_map(|request| request.json().ok()).collect()
    }

    /// Waits for an event that `is_it`.
    pub async fn event(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        until(what, PATIENCE, async || Ok(self.events().into_iter().find(&is_it))).await
    }

    /// Waits for an action of a stream.
    pub async fn action(&self, action: &str, stream: &str) -> Result<Value> {
        let is_it = |event: &Value| event["action"] == action && event["stream"] == stream;
        self.event(&format!("{action} of {stream}"), is_it).await
    }
}

impl Drop for HookServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Request {
    /// A field of the head, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body.
    pub fn json(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// A text in the JSON of the body; empty if there is none.
    pub fn text(&self, key: &str) -> String {
        let json = self.json().unwrap_or_default();
        json[key].as_str().unwrap_or_default().to_owned()
    }
}

/// Reads a request and answers it; an error is the other side's end.
async fn serve(
    mut socket: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Answer + Send + Sync),
) -> Result<()> {
    let request = read(&mut socket).await?;
    let answer = answer(&request);
    lock(seen).push(request);
    let says = |body: &str| {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    match answer {
        Answer::Says(body) => socket.write_all(&says(body)).await?,
        Answer::SaysAfter(delay, body) => {
            sleep(delay).await;
            socket.write_all(&says(body)).await?;
        }
        Answer::Status(status) => {
            let head = format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\n\r\n");
            socket.write_all(head.as_bytes()).await?;
        }
        Answer::Raw(bytes) => socket.write_all(bytes.as_bytes()).await?,
        Answer::Floods(first, piece) => {
            socket.write_all(first.as_bytes()).await?;
            let many = piece.repeat(1000);
            loop {
                socket.write_all(many.as_bytes()).await?;
            }
        }
        Answer::Silence => {
            socket.read_u8().await?;
        }
        Answer::Closes => {}
    }
    Ok(())
}

async fn read(socket: &mut TcpStream) -> Result<Request> {
    let mut bytes = Vec::new();
    loop {
        if socket.read_buf(&mut bytes).await? == 0 {
            bail!("a request without an end");
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let request = Request { head: head.to_owned(), body: body.to_owned() };
        let len: usize = request.header("content-length").context("a length")?.parse()?;
        if body.len() >= len {
            return Ok(request);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
