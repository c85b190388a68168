//! Names: what is good over RTMP is good over HTTP, and what is bad is bad.

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Server, Viewer, http,
    rtmp::{self, Peer},
    stage,
};

use super::{bytes, contains, goodbye, media, relayed};

/// A text as a part of a URL's path, every byte escaped.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn in_every_script() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        for (at, name) in
            ["频道一", "हिन्दी समाचार", "ช่อง๑", "قناة", "🎥 cam-1", "a.b_c~d", "don't (panic)!"]
                .into_iter()
                .enumerate()
        {
            // As it is, and escaped.
            let key = if at % 2 == 0 { name.to_owned() } else { escaped(name) };
            let mut peer = Peer::publishing(server.rtmp, &key).await?;
            let sent = media(name);
            peer.send(&bytes(&sent)).await?;
            server.live(&format!("live/{name}")).await?;
            let path = format!("/live/{}.flv?token=x", escaped(name));
            relayed(Viewer::http(&server, &path).await?, &mut peer, &goodbye(), &sent)
                .await
                .with_context(|| name.to_owned())?;
        }
        Ok(())
    });
}

#[test]
fn of_many_levels() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let url = "rtmp://h/a/b//c/";
        let mut peer = Peer::connected_to(server.rtmp, "a/b//c/", url).await?;
        peer.send(&rtmp::publish("d/e?x=1")).await?;
        peer.answered(b"NetStream.Publish.Start").await?;
        let sent = media("deep");
        peer.send(&bytes(&sent)).await?;
        server.live("a/b/c/d/e").await?;
        let viewer = Viewer::http(&server, "/a/b/c/d/e.flv").await?;
        relayed(viewer, &mut peer, &goodbye(), &sent).await
    });
}

#[test]
fn that_cannot_be() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let long = "n".repeat(300);
        for name in [
            "..",
            ".",
            "../x",
            "a/../b",
            "a/./b",
            "\0",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{202e}b",
            "a\\b",
            "<b>",
            "%",
            &long,
        ] {
            refused(&server, name).await.with_context(|| format!("{name:?}"))?;
        }
        Ok(())
    });
}

/// A publisher hears `BadName` and is closed, as it is and escaped; HTTP answers 400.
async fn refused(server: &Server, name: &str) -> Result<()> {
    let whole: String = name.split('/').map(escaped).collect::<Vec<_>>().join("/");
    for key in [name, &whole] {
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.throw(&[rtmp::publish(key), bytes(&media("bad"))].concat()).await;
        let said = peer.hung_up().await?;
        ensure!(contains(&said, b"NetStream.Publish.BadName"), "RTMP takes {key:?}");
    }
    let mut response = http::get(server.http, &format!("/live/{whole}.flv")).await?;
    let text = response.text().await?;
    ensure!(response.status == 400, "HTTP answers {} {text}", response.status);
    Ok(())
}
