//! Viewers of HTTP-FLV together: who serves them, what they are sent at once, how far they are behind.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Item, Reader};
use pushpull_tests::{
    Clip, Publisher, Server, Viewer, http, server::PATIENCE, stage, until, usage, viewer::is_media,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::JoinSet,
};

#[test]
fn the_viewers_of_one_stream_are_served_by_all_cores() {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        // One core, one thread.
        return;
    }
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "many").await?;
        server.live("live/many").await?;
        let mut viewers = JoinSet::new();
        for _ in 0..60 {
            let mut viewer = Viewer::http(&server, "/live/many.flv").await?;
            viewers.spawn(async move { while let Ok(Some(_)) = viewer.next().await {} });
        }
        // They are all there: what the workers do from now on is to serve them.
        let before = workers(&server)?;
        until("two threads have served them", PATIENCE, async || {
            let busy = workers(&server)?
                .iter()
                .filter(|(thread, time)| {
                    time.saturating_sub(*before.get(*thread).unwrap_or(&Duration::ZERO))
                        > Duration::from_millis(20)
                })
                .count();
            Ok((busy >= 2).then_some(()))
        })
        .await
    });
}

/// Run time of each of the server's workers.
fn workers(server: &Server) -> Result<HashMap<u32, Duration>> {
    let threads = usage::threads(server.process().pid())?.into_iter();
    let workers = threads.filter(|thread| thread.name.starts_with("tokio-"));
    Ok(workers.map(|thread| (thread.id, thread.run)).collect())
}

#[test]
fn pictures_leave_together_if_the_operator_wants_it() {
    stage(async |stage| {
        let server = Server::start(stage, &["--batch", "200ms"]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "few").await?;
        server.live("live/few").await?;
        let mut response = http::get(server.http, "/live/few.flv").await?;
        let (mut reader, mut chunks, mut tags) = (Reader::new(), 0, 0);
        while tags < 200 {
            reader.push(&response.piece().await?.context("the stream goes on")?);
            chunks += 1;
            while let Some(item) = reader.next()? {
                tags += usize::from(matches!(item, Item::Tag(tag) if is_media(&tag)));
            }
        }
        ensure!(chunks < tags / 4, "{tags} tags in {chunks} chunks");
        Ok(())
    });
}

#[test]
fn the_lag_of_who_is_furthest_behind_is_told() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Heavy, "lag").await?;
        server.live("live/lag").await?;
        let mut quick = Viewer::http(&server, "/live/lag.flv").await?;
        tokio::spawn(async move { while let Ok(Some(_)) = quick.next().await {} });
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        let mut stalled = socket.connect(server.http).await?;
        stalled.write_all(b"GET /live/lag.flv HTTP/1.1\r\nHost: x\r\n\r\n").await?;
        stalled.read_exact(&mut [0; 64]).await?;

        let lag = async |field| {
            let stream = server.stream("live/lag").await?.context("it is live")?;
            stream[field].as_u64().context("a number")
        };
        until("the lag is seen", PATIENCE, async || {
            let told = server.metric("pushpull_stream_lag_bytes{stream=\"live/lag\"}").await;
            let is_told = told.is_ok_and(|told| told > 500_000);
            let is_far = lag("lag_bytes").await? > 500_000 && lag("lag_ms").await? > 500;
            Ok((is_told && is_far).then_some(()))
        })
        .await?;
        drop(stalled);
        until("it goes with the viewer", PATIENCE, async || {
            Ok((lag("lag_bytes").await? < 100_000).then_some(()))
        })
        .await
    });
}
