//! Bytes that a page loads before it plays live: everything the server is asked for, compressed with brotli.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use super::{Bench, Measure, Report, browser::Chromium, live::cold_address, server::peer};

/// Plays once with each and adds up what was fetched.
pub async fn measure(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let clip = bench.options.clips_or(Measure::Size.clips()).first().context("a clip")?.name;
    for variant in bench.variants(&["flv.js", "mpegts.js", "xgplayer-flv"]) {
        let browser = Chromium::start(bench.server.address).await?;
        bench.server.take_asked();
        browser.open(&cold_address(&variant, &format!("/live/{}?into=1000", clip))).await?;
        browser.run("return window.coldStart", vec![]).await?;
        browser.close().await;
        let mut sum = 0;
        for (path, bytes) in bench.server.take_asked() {
            let file = if let Some(name) = path.strip_prefix("/pkg/") {
                let (package, file) = name.split_once('/').context("a file of a package")?;
                let packages = &bench.options.packages;
                let found = packages.iter().find(|(name, _)| name == package);
                found.context("a known package")?.1.join(file)
            } else if let Some(peer) = peer(&path) {
                bench.server.peers().join(peer)
            } else {
                continue;
            };
            let packed = brotli(&file)?;
            if bench.options.verbose {
                eprintln!("    {path}: {bytes} bytes, {packed} as brotli");
            }
            sum += packed;
        }
        report.add("size", clip, &variant, sum as f64);
    }
    Ok(())
}

/// Bytes of a file as brotli at its strongest; Node.js, which brought the peers, has it.
fn brotli(file: &Path) -> Result<usize> {
    let script = "process.stdout.write(String(require('zlib').brotliCompressSync(require('fs').readFileSync(process.argv[1])).length))";
    let output = Command::new("node")
        .args(["-e", script])
        .arg(file)
        .output()
        .context("node is needed for brotli")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
