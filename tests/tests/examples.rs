//! The examples of `docs/examples/`, as they stand there: the player's package packed by npm, bundled by Vite and by
//! webpack or just copied beside a page, and each page opened in Chromium.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{Browser, Server, files, server::PATIENCE, stage, until};
use serde_json::Value;
use tokio::process::Command;

#[test]
fn without_a_bundler() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        server.live("live/demo").await?;
        let package = pack(stage.folder()).await?;
        let browser = Browser::start(stage).await?;
        for example in ["plain", "element"] {
            let page = stage.folder().join(example);
            copy(&examples().join(example), &page)?;
            copy(&package, &page.join("player"))?;
            open(&browser, &page, &server).await.with_context(|| example.to_owned())?;
        }
        Ok(())
    });
}

#[test]
fn bundled_by_vite_and_webpack() {
    stage(async |stage| {
        let server = Server::start(stage, &["--demo"]).await?;
        server.live("live/demo").await?;
        let package = pack(stage.folder()).await?;
        let tools = PathBuf::from(run(Command::new(root().join("scripts/npm"))).await?.trim());
        let browser = Browser::start(stage).await?;
        for example in ["vite", "webpack"] {
            let app = stage.folder().join(example);
            copy(&examples().join(example), &app)?;
            same_versions(&app, &tools)?;
            install(&package, &tools, &app)?;
            let mut build = Command::new("npm");
            build.args(["run", "build"]).current_dir(&app);
            run(build).await.with_context(|| format!("{example} builds"))?;
            open(&browser, &app.join("dist"), &server).await.with_context(|| example.to_owned())?;
        }
        Ok(())
    });
}

/// Opens the page in `folder` and waits until its video plays.
async fn open(browser: &Browser, folder: &Path, server: &Server) -> Result<()> {
    let address = files::serve(folder.to_owned()).await?;
    let stream = server.url("/live/demo.flv");
    browser.open(&format!("http://{address}/index.html?url={stream}")).await?;
    until("the video plays", PATIENCE, async || {
        let seen = browser.run(LOOK, Vec::new()).await?;
        ensure!(seen["time"].as_f64() > Some(1.0) && seen["frames"].as_u64() > Some(10), "{seen}");
        Ok(Some(()))
    })
    .await?;
    let alert =
        browser.run("return document.querySelector('[role=alert]')?.textContent ?? ''", Vec::new());
    ensure!(alert.await? == "", "the page shows an error");
    browser.console_is_clean(&["favicon.ico"]).await
}

/// What npm would publish, unpacked: a file that the package does not list is missing here.
async fn pack(folder: &Path) -> Result<PathBuf> {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", "--pack-destination"]).arg(folder);
    let name = run(pack.current_dir(root().join("player-wasm/pkg"))).await.context("npm packs")?;
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(folder.join(name.trim())).arg("-C").arg(folder);
    run(unpack).await?;
    Ok(folder.join("package"))
}

/// What `npm install` would do, from what is there.
fn install(package: &Path, tools: &Path, app: &Path) -> Result<()> {
    let modules = app.join("node_modules");
    copy(package, &modules.join("pushpull-player"))?;
    for entry in std::fs::read_dir(tools.join("node_modules"))? {
        let entry = entry?;
        symlink(entry.path(), modules.join(entry.file_name()))?;
    }
    Ok(())
}

/// The bundler an example asks for is the one it is tested with.
fn same_versions(app: &Path, tools: &Path) -> Result<()> {
    let wanted = |folder: &Path| -> Result<Value> {
        let text = std::fs::read_to_string(folder.join("package.json"))?;
        Ok(serde_json::from_str::<Value>(&text)?["devDependencies"].take())
    };
    let tested = wanted(tools)?;
    for (name, version) in wanted(app)?.as_object().context("the example names its bundler")? {
        ensure!(tested[name] == *version, "{name}: tested with {}, not {version}", tested[name]);
    }
    Ok(())
}

async fn run(mut command: impl std::borrow::BorrowMut<Command>) -> Result<String> {
    let output = command.borrow_mut().stdin(Stdio::null()).output().await?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    ensure!(output.status.success(), "{}: {said}{complained}", output.status);
    Ok(said)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn examples() -> PathBuf {
    root().join("docs/examples")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

/// The video may be inside the element.
const LOOK: &str = "
    const video = document.querySelector('flv-live')?.video ?? document.querySelector('video');
    return { time: video?.currentTime, frames: video?.getVideoPlaybackQuality().totalVideoFrames };
";
