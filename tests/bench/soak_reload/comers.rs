//! Viewers that come and go while the configuration changes: every one of them has a token that counts.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use pushpull_media::flv::TagKind;
use pushpull_tests::{Server, Viewer, steady::number_of, viewer::is_media};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{changes::Token, luck::Luck, name};

/// All of them.
pub struct Comers {
    tasks: JoinSet<()>,
    came: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Comers {
    pub fn let_in(server: &Server, token: &Token, seed: u64) -> Self {
        let mut comers =
            Self { tasks: JoinSet::new(), came: Arc::default(), trouble: Arc::default() };
        for who in 1..=COMERS {
            let (addresses, token) = ((server.http, server.rtmp), token.clone());
            let (came, trouble) = (comers.came.clone(), comers.trouble.clone());
            let mut luck = Luck::new(seed, who);
            comers.tasks.spawn(async move {
                loop {
                    if let Err(error) = visit(addresses, &token, &mut luck).await {
                        let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
                        trouble.get_or_insert(format!("a viewer that came: {error:#}"));
                        return;
                    }
                    came.fetch_add(1, Ordering::Relaxed);
                    sleep(luck.time(1000)).await;
                }
            });
        }
        comers
    }

    /// Fails if one of them was let down.
    pub fn check(&self) -> Result<()> {
        match &*self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(trouble) => bail!("{trouble}"),
            None => Ok(()),
        }
    }

    /// Sends all of them away, and tells how many came.
    pub async fn end(mut self) -> Result<u64> {
        self.check()?;
        self.tasks.shutdown().await;
        Ok(self.came.load(Ordering::Relaxed))
    }
}

/// Joins a stream, and sees pictures for a while: each whole, and none missing.
async fn visit(
    (http, rtmp): (SocketAddr, SocketAddr),
    token: &Token,
    luck: &mut Luck,
) -> Result<()> {
    let (stream, token) = (name(luck.below(crate::STREAMS)), token.get());
    let path = format!("/{stream}.flv?token={token}");
    let protocol = luck.below(3);
    let mut viewer = match protocol {
        0 => Viewer::http_at(http, &path).await,
        1 => Viewer::websocket_at(http, &path).await,
        _ => Viewer::rtmp_at(rtmp, &format!("{stream}?token={token}")).await,
    }
    .context(["HTTP", "WebSocket", "RTMP"][protocol as usize])?;
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
    let stay = luck.time(6000) + Duration::from_millis(50);
    timeout(stay, watch).await.unwrap_or(Ok(()))
}

const COMERS: u64 = 16;
