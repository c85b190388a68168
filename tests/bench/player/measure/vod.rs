//! Reading a file as fast as it goes, with a MediaSource that takes everything: what demuxing and remuxing cost.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{Bench, Measure, Report, cpu, live::Page};

/// CPU and time for 100 MB.
pub async fn throughput(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let names = ["flv.js", "mpegts.js", "mpegts.js+worker", "xgplayer-flv", "fetch-only"];
    let variants = bench.variants(&names);
    let hooks = ["/page/count.js", "/page/swallow.js"];
    bench
        .alternate((Measure::Vod, 5), &variants, report, async |kind, variant, report| {
            let page = Page::open(bench, variant, &hooks).await?;
            page.call("warm", vec![]).await?;
            tokio::time::sleep(CALM).await;
            let before = cpu::times(page.browser.root())?;
            let threads_before = cpu::by_thread(page.browser.root())?;
            let read = page.call("read", vec![json!(format!("/file/{}.flv", kind.name))]).await?;
            tokio::time::sleep(CALM).await;
            let cpu = cpu::times(page.browser.root())?.since(before);
            let threads = cpu::by_thread(page.browser.root())?;
            let counts = page.call("counts", vec![]).await?;
            let collected = page.call("collect", vec![]).await?;
            page.browser.close().await;

            let megabytes = bench.options.megabytes as f64;
            let appended = counts["appended"].as_f64().unwrap_or_default() / 1e6;
            if variant.name != "fetch-only" {
                ensure!(
                    (0.9..1.2).contains(&(appended / megabytes)),
                    "{appended:.1} MB appended of {megabytes} MB: {}",
                    collected["statistics"]
                );
            }
            let took = read["took"].as_f64().context("a time")?;
            let mut add = |measure, value| report.add(measure, kind.name, variant, value);
            add("vod.cpu", cpu.renderer * 100.0 / megabytes);
            add("vod.main", cpu.main * 100.0 / megabytes);
            add("vod.worker", cpu.worker * 100.0 / megabytes);
            add("vod.all", cpu.all * 100.0 / megabytes);
            add("vod.speed", megabytes * 1000.0 / took);
            add("vod.appends", counts["appends"].as_f64().unwrap_or_default());
            if bench.options.verbose {
                for (name, run) in &threads {
                    let used = run - threads_before.get(name).unwrap_or(&0.0);
                    if used > 3.0 {
                        eprintln!("    {name}: {used:.0} ms");
                    }
                }
            }
            Ok(())
        })
        .await;
    Ok(())
}

/// Before and after, so that what starts and tidies up is in neither or in all.
const CALM: Duration = Duration::from_millis(400);
