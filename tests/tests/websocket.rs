//! WebSocket-FLV: the same bytes as HTTP-FLV, and an end that says why.

use anyhow::{Context, Result, bail, ensure};
use pushpull_tests::{Clip, Publisher, Server, Viewer, server::PATIENCE, stage};
use tokio_tungstenite::tungstenite;

#[test]
fn a_websocket_viewer_gets_the_bytes_of_an_http_viewer() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let publisher = Publisher::looped(stage, &server, Clip::BFrames, "same").await?;
        server.live("live/same").await?;
        let mut http = Viewer::http(&server, "/live/same.flv").await?;
        let mut websocket = Viewer::websocket(&server, "/live/same.flv").await?;
        http.catch_up_with(&mut websocket).await?;
        ensure!(http.header() == websocket.header());
        for _ in 0..150 {
            let (http, websocket) = tokio::try_join!(http.next(), websocket.next())?;
            let (http, websocket) = (http.context("goes on")?, websocket.context("goes on")?);
            ensure!(
                http.bytes() == websocket.bytes(),
                "{:?} at {} differs",
                http.kind(),
                http.time()
            );
        }
        // To the last byte, and closed with a code that means "ended".
        publisher.stop().await?;
        let rest = async { tokio::try_join!(http.rest(), websocket.rest()) };
        let (http, websocket) =
            tokio::time::timeout(PATIENCE, rest).await.context("both are let go")??;
        let bytes = |tags: &[pushpull_media::flv::Tag]| {
            tags.iter().map(|tag| tag.bytes().clone()).collect::<Vec<_>>()
        };
        ensure!(bytes(&http) == bytes(&websocket));
        Ok(())
    });
}

#[test]
fn an_unknown_stream_is_refused_before_the_upgrade() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        match tokio_tungstenite::connect_async(server.ws_url("/live/nobody.flv")).await {
            Err(tungstenite::Error::Http(answer)) => {
                ensure!(answer.status() == 404, "{}", answer.status())
            }
            other => bail!("not refused: {other:?}"),
        }
        Ok(())
    });
}

#[test]
fn what_a_viewer_sends_harms_nobody() {
    use futures_util::SinkExt;

    stage(async |stage| -> Result<()> {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "talk").await?;
        server.live("live/talk").await?;
        let mut witness = Viewer::http(&server, "/live/talk.flv").await?;
        let (mut socket, _) =
            tokio_tungstenite::connect_async(server.ws_url("/live/talk.flv")).await?;
        // 16 MiB that nobody asked for; the server may hang up.
        for _ in 0..256 {
            if socket.send(tungstenite::Message::Binary(vec![0; 64 << 10].into())).await.is_err() {
                break;
            }
        }
        drop(socket);
        for _ in 0..50 {
            witness.next().await?.context("goes on")?;
        }
        ensure!(server.process().is_running().await?);
        ensure!(server.peak_memory()? < 200 << 20, "{} bytes", server.peak_memory()?);
        Ok(())
    });
}
