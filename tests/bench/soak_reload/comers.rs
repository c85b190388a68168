//! Viewers and publishers that come and go while the configuration changes: every one of them has a token that counts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use pushpull_media::flv::TagKind;
use pushpull_tests::{
    soak::Luck,
    steady::{number_of, send},
    viewer::is_media,
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    changes::Token,
    doors::{Doors, Way},
    name,
};

/// All of them.
pub struct Comers {
    tasks: JoinSet<()>,
    came: Arc<Mutex<Came>>,
    trouble: Arc<Mutex<Option<String>>>,
}

/// How many came, and left because they wanted to, by what they did.
#[derive(Clone, Default)]
pub struct Came(BTreeMap<&'static str, u64>);

impl Comers {
    pub fn let_in(doors: &Arc<Doors>, token: &Token, seed: u64) -> Self {
        let mut comers =
            Self { tasks: JoinSet::new(), came: Arc::default(), trouble: Arc::default() };
        for who in 1..=VIEWERS + PUBLISHERS {
            let (doors, token) = (doors.clone(), token.clone());
            let (came, trouble) = (comers.came.clone(), comers.trouble.clone());
            let mut luck = Luck::new(seed, who);
            comers.tasks.spawn(async move {
                loop {
                    let visit = match who {
                        ..=VIEWERS => watch(&doors, &token, &mut luck).await,
                        _ => publish(&doors, who, &mut luck).await,
                    };
                    match visit {
                        Ok(what) => *lock(&came).0.entry(what).or_default() += 1,
                        Err(error) => {
                            let who = if who > VIEWERS { "publisher" } else { "viewer" };
                            lock(&trouble).get_or_insert(format!("a {who} that came: {error:#}"));
                            return;
                        }
                    }
                    sleep(luck.time(1000)).await;
                }
            });
        }
        comers
    }

    /// Fails if one of them was let down.
    pub fn check(&self) -> Result<()> {
        match &*lock(&self.trouble) {
            Some(trouble) => bail!("{trouble}"),
            None => Ok(()),
        }
    }

    /// Sends all of them away, and tells how many came.
    pub async fn end(mut self) -> Result<Came> {
        self.check()?;
        self.tasks.shutdown().await;
        Ok(lock(&self.came).clone())
    }
}

impl fmt::Display for Came {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} came and went", self.0.values().sum::<u64>())?;
        for (at, (what, count)) in self.0.iter().enumerate() {
            write!(out, "{} {count} {what}", if at == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

/// Joins a stream, and sees pictures for a while: each whole, and none missing.
async fn watch(doors: &Doors, token: &Token, luck: &mut Luck) -> Result<&'static str> {
    let way = luck.one_of(&Way::ALL);
    let mut viewer = doors.view(way, &name(luck.below(crate::STREAMS)), &token.get()).await?;
    let watch = async {
        let mut expected = None;
        while let Some(tag) = viewer.next().await? {
            if tag.kind() == TagKind::Video && is_media(&tag) {
                let number = number_of(&tag)?;
                if expected.is_some_and(|expected| number != expected) {
                    bail!("picture {number} in place of {expected:?}");
                }
                expected = Some(number + 1);
            }
        }
        bail!("the stream ended")
    };
    // The end of its time is the only good end.
    timeout(stay(luck), watch).await.unwrap_or(Ok(())).context(way.name())?;
    Ok(way.name())
}

/// Publishes a stream of its own for a while, and says goodbye.
async fn publish(doors: &Doors, who: u64, luck: &mut Luck) -> Result<&'static str> {
    let (is_sealed, stay) = (luck.below(2) == 0, stay(luck));
    let encoder = doors.publish(&format!("live/passing{who}"), is_sealed).await?;
    let ends = AtomicBool::new(false);
    let leave = async {
        sleep(stay).await;
        ends.store(true, Ordering::Relaxed);
        Ok(())
    };
    tokio::try_join!(send(encoder, &ends), leave)?;
    Ok(if is_sealed { "publishers over RTMPS" } else { "publishers over RTMP" })
}

fn stay(luck: &mut Luck) -> Duration {
    luck.time(6000) + Duration::from_millis(50)
}

fn lock<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many there are of each at a time.
const VIEWERS: u64 = 24;
const PUBLISHERS: u64 = 3;
