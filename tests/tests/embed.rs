//! The player on somebody else's page: the README's code, as it stands there.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use pushpull_tests::{Browser, Clip, Publisher, Server, stage};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[test]
fn the_readmes_example_plays_on_a_page_of_another_origin() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let _publisher = Publisher::looped(stage, &server, Clip::Plain, "stream1").await?;
        server.live("live/stream1").await?;

        let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))?;
        let code = readme.split("```html\n").nth(1).and_then(|rest| rest.split("```").next());
        let code = code.context("the README has an example in HTML")?;
        ensure!(
            code.contains("http://localhost:8082/"),
            "the example plays from the default address"
        );
        let page = code.replace("http://localhost:8082", &server.url(""));
        let elsewhere = serve(format!("<!doctype html><title>elsewhere</title>{page}")).await?;

        let browser = Browser::start(stage).await?;
        browser.open(&format!("http://{elsewhere}/")).await?;
        browser.plays().await?;
        browser.console_is_clean(&["favicon.ico"]).await
    });
}

/// Serves one page to whoever asks.
async fn serve(page: String) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                page.len()
            );
            // A browser that goes away is no concern of the page.
            drop(socket.read(&mut [0; 4096]).await);
            drop(socket.write_all((head + &page).as_bytes()).await);
        }
    });
    Ok(address)
}
