//! A server of one stream that does what its script says, over HTTP (chunked, CORS) and WebSocket.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use futures_util::SinkExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::plan::{Pieces, Plan, Step};

/// What a viewer is answered.
#[derive(Clone, Debug)]
pub enum After {
    /// A stream.
    Stream(Plan),
    /// This status and no stream.
    Status(u16),
    /// The connection is reset before an answer.
    Nothing,
}

/// A server on a port of its own. It ends when dropped.
pub struct Source {
    /// Where it listens.
    pub address: SocketAddr,
    world: Arc<World>,
    _task: JoinSet<()>,
}

type Script = dyn Fn(usize, i64) -> After + Send + Sync;

/// The clock of what is filmed: it shows [`Source::JOINED`] when the first viewer comes.
struct World {
    began: OnceLock<(Instant, f64)>,
    visits: AtomicUsize,
    pieces: Pieces,
    script: Box<Script>,
}

impl Source {
    /// What the world's clock shows when the first viewer comes: some pictures into the first group.
    pub const JOINED: i64 = 600;

    /// Starts to listen. `script` is asked what each visitor gets: how many came before, and the world's time.
    pub async fn start(
        pieces: Pieces,
        script: impl Fn(usize, i64) -> After + Send + Sync + 'static,
    ) -> Result<Source> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let script = Box::new(script);
        let (began, visits) = (OnceLock::new(), AtomicUsize::new(0));
        let world = Arc::new(World { began, visits, pieces, script });
        let mut task = JoinSet::new();
        let shared = world.clone();
        task.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let world = shared.clone();
                // A viewer may leave at any time; whoever watches it says what it saw.
                visits.spawn(async move { drop(world.serve(socket).await) });
            }
        });
        Ok(Source { address, world, _task: task })
    }

    /// `http://…/live.flv`
    pub fn url(&self) -> String {
        format!("http://{}/live.flv", self.address)
    }

    /// `ws://…/live.flv`
    pub fn ws_url(&self) -> String {
        format!("ws://{}/live.flv", self.address)
    }

    /// The Unix time in milliseconds at which the world's clock showed 0; `None` before the first viewer.
    pub fn origin(&self) -> Option<f64> {
        self.world.began.get().map(|(_, unix)| unix - Source::JOINED as f64)
    }

    /// How many viewers came so far.
    pub fn visits(&self) -> usize {
        self.world.visits.load(Ordering::Relaxed)
    }
}

impl World {
    async fn serve(&self, mut socket: TcpStream) -> Result<()> {
        socket.set_nodelay(true)?;
        let head = peek_head(&socket).await?;
        if head.starts_with("HEAD") {
            // How a player finds out why a WebSocket was refused; not a visit.
            return refuse(&mut socket, 404).await;
        }
        let (began, _) = *self.began.get_or_init(|| (Instant::now(), unix_now()));
        let now = Source::JOINED + i64::try_from(began.elapsed().as_millis())?;
        let number = self.visits.fetch_add(1, Ordering::Relaxed);
        let plan = match (self.script)(number, now) {
            After::Stream(plan) => plan,
            After::Status(status) => return refuse(&mut socket, status).await,
            After::Nothing => return reset(socket),
        };
        let mut viewer = if head.to_ascii_lowercase().contains("upgrade: websocket") {
            Viewer::WebSocket(Box::new(accept_async(socket).await?))
        } else {
            read_head(&mut socket).await?;
            socket.write_all(OK.as_bytes()).await?;
            Viewer::Http(socket)
        };
        self.play(&plan, &mut viewer, began).await
    }

    async fn play(&self, plan: &Plan, viewer: &mut Viewer, began: Instant) -> Result<()> {
        let mut steps = plan.steps().iter().peekable();
        let mut sizes = Sizes(0x2545_F491);
        while let Some((at, step)) = steps.next() {
            let due = self.pieces.due(*at);
            let wait = Duration::from_millis(u64::try_from(due - Source::JOINED).unwrap_or(0));
            tokio::time::sleep_until((began + wait).into()).await;
            let Step::Send(bytes) = step else {
                return viewer.leave(step == &Step::End).await;
            };
            match self.pieces {
                Pieces::Tiny => {
                    let mut rest = bytes.as_slice();
                    while !rest.is_empty() {
                        let (piece, after) = rest.split_at(sizes.next().min(rest.len()));
                        viewer.send(piece).await?;
                        rest = after;
                        // So that the pieces are read one by one.
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
                Pieces::Large => {
                    let mut batch = bytes.clone();
                    while let Some((_, Step::Send(more))) =
                        steps.next_if(|(at, step)| self.pieces.due(*at) == due && is_send(step))
                    {
                        batch.extend_from_slice(more);
                    }
                    for piece in batch.chunks(LARGE) {
                        viewer.send(piece).await?;
                    }
                }
            }
        }
        viewer.leave(true).await
    }
}

enum Viewer {
    Http(TcpStream),
    WebSocket(Box<WebSocketStream<TcpStream>>),
}

impl Viewer {
    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Viewer::Http(socket) => {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(bytes);
                chunk.extend_from_slice(b"\r\n");
                socket.write_all(&chunk).await?;
            }
            Viewer::WebSocket(socket) => {
                socket.send(Message::Binary(bytes.to_vec().into())).await?;
            }
        }
        Ok(())
    }

    async fn leave(&mut self, properly: bool) -> Result<()> {
        match self {
            Viewer::Http(socket) if properly => socket.write_all(b"0\r\n\r\n").await?,
            Viewer::WebSocket(socket) if properly => {
                let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
                WebSocketStream::close(socket, Some(frame)).await?;
            }
            Viewer::Http(socket) => socket.set_zero_linger()?,
            Viewer::WebSocket(socket) => socket.get_ref().set_zero_linger()?,
        }
        Ok(())
    }
}

/// Sizes of small pieces, the same in every run.
struct Sizes(u32);

impl Sizes {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        100 + usize::try_from(self.0 % 600).unwrap_or(0)
    }
}

fn is_send(step: &Step) -> bool {
    matches!(step, Step::Send(_))
}

async fn refuse(socket: &mut TcpStream, status: u16) -> Result<()> {
    read_head(socket).await?;
    let head = format!(
        "HTTP/1.1 {status} no\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    Ok(socket.write_all(head.as_bytes()).await?)
}

/// The connection ends with RST instead of FIN.
fn reset(socket: TcpStream) -> Result<()> {
    Ok(socket.set_zero_linger()?)
}

/// The request's head, left in the socket: a WebSocket's handshake wants to read it too.
async fn peek_head(socket: &TcpStream) -> Result<String> {
    let mut buffer = vec![0; MAX_HEAD];
    loop {
        let length = socket.peek(&mut buffer).await?;
        ensure!(length > 0, "the viewer left before it asked");
        let head = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if head.contains("\r\n\r\n") {
            return Ok(head);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn read_head(socket: &mut TcpStream) -> Result<()> {
    let length = peek_head(socket).await?.find("\r\n\r\n").context("the head ends")? + 4;
    socket.read_exact(&mut vec![0; length]).await?;
    Ok(())
}

fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

/// Most bytes of one large piece.
const LARGE: usize = 64 << 10;

/// Browsers send some hundred bytes.
const MAX_HEAD: usize = 16 << 10;
