//! Publishers and viewers, and what they do.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Tag, TagKind};
use pushpull_tests::{
    Server, Viewer,
    encoder::{Encoder, picture},
    rtmp::{Peer, c0_c1},
    soak::Luck,
    viewer::{is_keyframe, is_media},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

/// Everybody who may come.
pub struct Guests {
    server: Arc<Server>,
    seed: u64,
    pub count: Arc<Count>,
}

/// What the guests have done.
#[derive(Default)]
pub struct Count {
    published: AtomicU64,
    refused: AtomicU64,
    watched: AtomicU64,
    missing: AtomicU64,
    stalled: AtomicU64,
    strange: AtomicU64,
    tags: AtomicU64,
    errors: Mutex<Vec<String>>,
}

/// Those who are here now.
pub struct Present(JoinSet<()>);

impl Present {
    /// Throws all of them out, whatever they are doing.
    pub async fn abort_all(mut self) {
        self.0.shutdown().await;
    }
}

impl Guests {
    pub fn new(server: Arc<Server>, seed: u64) -> Self {
        Self { server, seed, count: Arc::default() }
    }

    /// Lets all of them in; each comes and goes until it is thrown out.
    pub fn let_in(&self) -> Present {
        let mut present = JoinSet::new();
        for who in 0..=STREAMS + VIEWERS + STRANGERS {
            let (server, count) = (Arc::clone(&self.server), Arc::clone(&self.count));
            let mut luck = Luck::new(self.seed, who);
            present.spawn(async move {
                loop {
                    match who {
                        // Two of them want the same name.
                        0..=STREAMS => publish(&server, &count, &mut luck, who % STREAMS).await,
                        _ if who <= STREAMS + VIEWERS => view(&server, &count, &mut luck).await,
                        _ => intrude(&server, &count, &mut luck).await,
                    }
                    sleep(luck.time(1500)).await;
                }
            });
        }
        Present(present)
    }
}

/// Publishes for a while; then says goodbye, vanishes, or falls silent.
async fn publish(server: &Server, count: &Count, luck: &mut Luck, stream: u64) {
    let name = format!("live/soak{stream}");
    // Others may have the name, and may take it.
    let Ok(mut encoder) = Encoder::start(server.rtmp, &name).await else {
        return add(&count.refused);
    };
    add(&count.published);
    let (time, bytes) = (Duration::from_secs(3 + luck.below(40)), 1000 + luck.below(6000) as usize);
    if send(&mut encoder, time, bytes).await.is_err() {
        return;
    }
    match luck.below(4) {
        0 | 1 => drop(encoder.stop().await),
        2 => drop(encoder),
        _ => sleep(luck.time(12_000)).await,
    }
}

/// Pictures and sound in real time.
async fn send(encoder: &mut Encoder, time: Duration, bytes: usize) -> Result<()> {
    encoder.headers(0).await?;
    let begun = Instant::now();
    for number in 0_u32.. {
        let at = Duration::from_millis(u64::from(number) * 40);
        if at > time {
            break;
        }
        sleep_until(begun + at).await;
        match number % 50 {
            0 => encoder.keyframe(number * 40, number, 8 * bytes).await?,
            _ => encoder.send(TagKind::Video, number * 40, &picture(0x27, number, bytes)).await?,
        }
        encoder.sound(number * 40, number).await?;
        encoder.sound(number * 40 + 20, number).await?;
    }
    Ok(())
}

/// Watches for a while, or takes nothing.
async fn view(server: &Server, count: &Count, luck: &mut Luck) {
    let stream = luck.below(STREAMS);
    let protocol = luck.below(3);
    let path = format!("/live/soak{stream}.flv");
    let joined = match protocol {
        0 => Viewer::http(server, &path).await,
        1 => Viewer::websocket(server, &path).await,
        _ => Viewer::rtmp(server, &format!("live/soak{stream}")).await,
    };
    // Nobody publishes it now.
    let Ok(mut viewer) = joined else { return add(&count.missing) };
    if luck.below(4) == 0 {
        // Longer than a viewer is held that takes nothing, once in a while.
        add(&count.stalled);
        return sleep(luck.time(25_000)).await;
    }
    add(&count.watched);
    let longest = if luck.below(3) == 0 { 200 } else { 15_000 };
    let time = luck.time(longest);
    if let Err(error) = timeout(time, watch(&mut viewer, count)).await.unwrap_or(Ok(())) {
        let protocol = ["HTTP-FLV", "WS-FLV", "RTMP"][protocol as usize];
        count.fail(format!("{protocol} viewer of soak{stream}: {error:#}"));
    }
}

/// Reads to the end of the stream.
async fn watch(viewer: &mut Viewer, count: &Count) -> Result<()> {
    let mut begun = false;
    while let Some(tag) = viewer.next().await? {
        add(&count.tags);
        let is_picture = tag.kind() == TagKind::Video && is_media(&tag);
        if is_picture && !begun {
            ensure!(is_keyframe(&tag), "it begins without a keyframe");
            begun = true;
        }
        if is_picture {
            whole(&tag)?;
        }
    }
    Ok(())
}

/// A picture has the bytes it was given.
fn whole(tag: &Tag) -> Result<()> {
    let data = tag.data();
    let number = data.get(5..9).context("a picture's number")?.try_into()?;
    let first = *data.first().context("a picture's head")?;
    ensure!(data == picture(first, u32::from_be_bytes(number), data.len()), "another picture");
    Ok(())
}

/// Connects and says nothing, or half of a word, or nonsense.
async fn intrude(server: &Server, count: &Count, luck: &mut Luck) {
    add(&count.strange);
    let to = if luck.below(2) == 0 { server.http } else { server.rtmp };
    let Ok(mut peer) = Peer::connect(to).await else { return };
    let greeting = c0_c1();
    match luck.below(3) {
        0 => {}
        1 => peer.throw(&greeting[..luck.below(greeting.len() as u64) as usize]).await,
        _ => peer.throw(b"GET /live/soak0.flv HTTP/1.1\r\nHost: x\r\nX: ").await,
    }
    sleep(luck.time(8000)).await;
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Count {
    fn fail(&self, error: String) {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }

    /// What went wrong for those who did nothing wrong.
    pub fn errors(&self) -> Vec<String> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(out, "published {} times ({} refused), ", of(&self.published), of(&self.refused))?;
        write!(out, "watched {} times, {} tags; ", of(&self.watched), of(&self.tags))?;
        write!(
            out,
            "{} viewers took nothing, {} came for nothing, ",
            of(&self.stalled),
            of(&self.missing)
        )?;
        write!(out, "{} strangers", of(&self.strange))
    }
}

/// How many there are of each at a time.
const STREAMS: u64 = 8;
const VIEWERS: u64 = 80;
const STRANGERS: u64 = 8;
