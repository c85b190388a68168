//! The player on somebody else's page: the README's code, as it stands there.

use anyhow::{Context, ensure};
use pushpull_tests::{Browser, Clip, Publisher, Server, files, stage};

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
        let page = format!("<!doctype html><title>elsewhere</title>{page}");
        std::fs::write(stage.folder().join("page.html"), page)?;
        let elsewhere = files::serve(stage.folder().to_owned()).await?;

        let browser = Browser::start(stage).await?;
        browser.open(&format!("http://{elsewhere}/page.html")).await?;
        browser.plays().await?;
        browser.console_is_clean(&["favicon.ico"]).await
    });
}
