//! Live play: first pictures, latency, CPU, stalls, memory.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::{Bench, Kind, Measure, Report, Variant, browser::Chromium, cpu, median};

const COUNT: &str = "/page/count.js";

/// Time to the first picture: with the code loaded, once more in the same page, and from a cold page.
pub async fn first_frames(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let variants = bench.variants(&LIVE_PEERS);
    bench
        .alternate((Measure::Ttff, 5), &variants, report, async |kind, variant, report| {
            // Half a GOP in: there is a picture at once, and the next one soon.
            let url = format!("/live/{}?into=1000", kind.name);
            let page = Page::open(bench, variant, &[]).await?;
            page.call("warm", vec![]).await?;
            let first = page.call("start", vec![json!(url)]).await?;
            report.add("ttff.first", kind.name, variant, first.as_f64().context("a time")?);
            page.call("end", vec![]).await?;
            let again = page.call("start", vec![json!(url)]).await?;
            report.add("ttff.again", kind.name, variant, again.as_f64().context("a time")?);
            page.browser.close().await;

            let browser = Chromium::start(bench.server.address).await?;
            browser.open(&cold_address(variant, &url)).await?;
            let cold = browser.run("return window.coldStart", vec![]).await?;
            report.add("ttff.cold", kind.name, variant, cold.as_f64().context("a time")?);
            browser.close().await;
            Ok(())
        })
        .await;
    Ok(())
}

/// The page that starts to play by itself.
pub fn cold_address(variant: &Variant, url: &str) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let variant = escape(&variant.to_page(&[]).to_string());
    format!("/page/#variant={variant}&url={}", escape(url))
}

/// Steady play of one who joined 1.9 s into a GOP of 2 s.
pub async fn steady(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let variants = bench.variants(&[&LIVE_PEERS[..], &["native-mp4"]].concat());
    let seconds = bench.options.seconds;
    bench
        .alternate((Measure::Live, 3), &variants, report, async |kind, variant, report| {
            let page = Page::open(bench, variant, &[COUNT]).await?;
            page.call("warm", vec![]).await?;
            let is_native = variant.name == "native-mp4";
            let url = match is_native {
                true => format!("/mp4/{}", kind.name),
                false => format!("/live/{}?into=1900&id=steady", kind.name),
            };
            page.call("start", vec![json!(url)]).await?;
            let started = Instant::now();
            sleep_until(started + SETTLING).await;
            page.call("watch", vec![json!(false)]).await?;
            let before = page.call("counts", vec![]).await?;
            let cpu_before = cpu::times(page.browser.root())?;
            let threads_before = cpu::by_thread(page.browser.root())?;
            let begun = Instant::now();
            sleep_until(begun + Duration::from_secs(seconds)).await;
            let cpu = cpu::times(page.browser.root())?.since(cpu_before);
            let threads = cpu::by_thread(page.browser.root())?;
            let took = begun.elapsed().as_secs_f64();
            let after = page.call("counts", vec![]).await?;
            page.call("watch", vec![json!(true)]).await?;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let seen = Seen::new(
                &page.call("collect", vec![]).await?,
                bench,
                kind,
                (!is_native).then_some("steady"),
            )?;
            page.browser.close().await;

            let mut add = |measure, value| report.add(measure, kind.name, variant, value);
            add("cpu.renderer", cpu.renderer / took);
            add("cpu.main", cpu.main / took);
            add("cpu.worker", cpu.worker / took);
            add("cpu.all", cpu.all / took);
            let difference = |key: &str| {
                after[key].as_f64().unwrap_or_default() - before[key].as_f64().unwrap_or_default()
            };
            let span = difference("at") / 1000.0;
            add("appends", difference("appends") / span);
            add("dropped", 100.0 * difference("dropped") / difference("frames").max(1.0));
            add("shown", difference("frames") / span);
            if !is_native {
                add("latency.3s", seen.latency(2.7, 3.3).context("no picture after 3 s")?);
                add("latency.settled", seen.latency(9.5, 10.5).context("no picture after 10 s")?);
                add("latency.end", seen.latency(seen.last() - 1.5, 1e9).unwrap_or(f64::NAN));
                add("waiting", seen.waiting);
            }
            add("others", cpu.others / took);
            if bench.options.verbose {
                let mut rows: Vec<_> = threads
                    .iter()
                    .map(|(name, run)| (run - threads_before.get(name).unwrap_or(&0.0), name))
                    .filter(|(run, _)| *run > took * 0.5)
                    .collect();
                rows.sort_by(|a, b| b.0.total_cmp(&a.0));
                for (run, name) in rows {
                    eprintln!("    {name}: {:.1} ms/s", run / took);
                }
                eprintln!("    {}", seen.track());
            }
            Ok(())
        })
        .await;
    Ok(())
}

/// The network says nothing for 3 s and then everything at once.
pub async fn stalls(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let variants = bench.variants(&LIVE_PEERS);
    bench
        .alternate((Measure::Stall, 3), &variants, report, async |kind, variant, report| {
            let page = Page::open(bench, variant, &[]).await?;
            page.call("warm", vec![]).await?;
            // Settled first: what is compared is play before and after.
            let (at, length) = (12.0, 3.0);
            let url = format!(
                "/live/{}?into=1000&id=stall&stall_at={}&stall={}",
                kind.name,
                at * 1000.0,
                length * 1000.0
            );
            page.call("start", vec![json!(url)]).await?;
            let started = Instant::now();
            sleep_until(started + Duration::from_secs_f64(at + length + 16.0)).await;
            let seen = Seen::new(&page.call("collect", vec![]).await?, bench, kind, Some("stall"))?;
            page.browser.close().await;
            let burst = at + length;
            let before = seen.latency(at - 2.0, at).context("no picture before the stall")?;
            let after = seen.latency(burst + 14.5, burst + 15.5).context("no picture after it")?;
            let mut add = |measure, value| report.add(measure, kind.name, variant, value);
            add("stall.before", before);
            add("stall.after", after - before);
            add(
                "stall.3s",
                seen.latency(burst + 2.8, burst + 3.2).map_or(f64::NAN, |l| l - before),
            );
            add("stall.freeze", seen.longest_gap(at - 1.0, burst + 15.0));
            if bench.options.verbose {
                eprintln!("    {}", seen.track());
            }
            Ok(())
        })
        .await;
    Ok(())
}

/// Memory after 30 s and at the end.
pub async fn memory(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let variants =
        bench.variants(&["flv.js", "mpegts.js-sync", "mpegts.js-sync+mseworker", "xgplayer-flv"]);
    let end = Duration::from_secs(bench.options.memory_seconds);
    ensure!(end > MEMORY_FROM, "memory is watched from {MEMORY_FROM:?} on");
    bench
        .alternate((Measure::Memory, 1), &variants, report, async |kind, variant, report| {
            let page = Page::open(bench, variant, &[COUNT]).await?;
            page.call("start", vec![json!(format!("/live/{}?into=1000", kind.name))]).await?;
            // Pictures that are looked at are copied.
            page.call("watch", vec![json!(false)]).await?;
            let started = Instant::now();
            let mut looks = Vec::new();
            for at in [MEMORY_FROM, end] {
                sleep_until(started + at).await;
                let heap = page.call("heap", vec![]).await?;
                let counts = page.call("counts", vec![]).await?;
                let private = cpu::private_mb(page.browser.root())?;
                if bench.options.verbose {
                    eprintln!("    at {at:?}: {private:.1} MB private, {heap}");
                }
                let megabytes = |value: &Value| value.as_f64().unwrap_or(f64::NAN) / 1e6;
                looks.push([private, megabytes(&heap["bytes"]), megabytes(&counts["wasm"])]);
            }
            page.browser.close().await;
            let mut add = |measure, value| report.add(measure, kind.name, variant, value);
            add("memory.private", looks[1][0] - looks[0][0]);
            add("memory.private.end", looks[1][0]);
            let minutes = (end - MEMORY_FROM).as_secs_f64() / 60.0;
            add("memory.heap", (looks[1][1] - looks[0][1]) / minutes);
            add("memory.heap.end", looks[1][1]);
            add("memory.wasm", looks[1][2] - looks[0][2]);
            add("memory.wasm.end", looks[1][2]);
            Ok(())
        })
        .await;
    Ok(())
}

/// A browser with a variant's code loaded.
pub struct Page {
    pub browser: Chromium,
}

impl Page {
    pub async fn open(bench: &Bench<'_>, variant: &Variant, hooks: &[&str]) -> Result<Self> {
        let page = Self { browser: Chromium::start(bench.server.address).await? };
        page.browser.open("/page/").await?;
        page.call("load", vec![variant.to_page(hooks)]).await?;
        Ok(page)
    }

    /// Calls one of the functions of `bench.js`; on failure tells what the console says.
    pub async fn call(&self, name: &str, arguments: Vec<Value>) -> Result<Value> {
        let called =
            self.browser.run(&format!("return bench.{name}(...arguments)"), arguments).await;
        match called {
            Ok(value) => Ok(value),
            Err(error) => {
                Err(error
                    .context(format!("{name}; the console:\n{}", self.browser.console().await)))
            }
        }
    }
}

/// What the page saw of a stream.
struct Seen {
    /// Seconds since the start, and how old the picture was, ms.
    pictures: Vec<(f64, f64)>,
    waiting: f64,
}

impl Seen {
    /// `id` is that of the stream; `None` for what has no publisher.
    fn new(collected: &Value, bench: &Bench<'_>, kind: Kind, id: Option<&str>) -> Result<Self> {
        let started = collected["startedAt"].as_f64().context("a start")?;
        let frames = pairs(&collected["frames"]);
        let waiting = collected["waiting"].as_array().map_or(0.0, |events| events.len() as f64);
        let Some(id) = id else {
            let pictures = frames.iter().map(|(at, _)| ((at - started) / 1000.0, 0.0)).collect();
            return Ok(Self { pictures, waiting });
        };
        let wall = bench.server.wall(id)?;
        let clip = bench.server.clip(kind.name)?;
        // What to add to `mediaTime` (ms) for the publisher's time, told by the numbers in the pictures.
        // It changes when a player leaves media out.
        let length = super::clip::LENGTH as f64;
        let codes = pairs(&collected["codes"]);
        ensure!(!codes.is_empty(), "no number was read from a picture");
        let offsets: Vec<(usize, f64)> = codes
            .into_iter()
            .filter_map(|(index, number)| {
                let &(at, media) = frames.get(index as usize)?;
                let shown = clip.first_shown + number * 1000.0 / f64::from(kind.fps);
                // The clip goes round: of the rounds that were sent by then the newest.
                let rounds = ((at - wall - shown) / length).floor();
                Some((index as usize, shown + rounds * length - media * 1000.0))
            })
            .collect();
        let mut pictures = Vec::with_capacity(frames.len());
        for (index, (at, media)) in frames.into_iter().enumerate() {
            let known = offsets.partition_point(|&(of, _)| of <= index);
            let offset = offsets.get(known.saturating_sub(1)).map_or(0.0, |&(_, offset)| offset);
            pictures.push(((at - started) / 1000.0, at - wall - (media * 1000.0 + offset)));
        }
        Ok(Self { pictures, waiting })
    }

    fn between(&self, from: f64, to: f64) -> impl Iterator<Item = f64> {
        self.pictures
            .iter()
            .filter(move |(at, _)| (from..to).contains(at))
            .map(|&(_, latency)| latency)
    }

    fn latency(&self, from: f64, to: f64) -> Option<f64> {
        median(&self.between(from, to).collect::<Vec<_>>())
    }

    fn last(&self) -> f64 {
        self.pictures.last().map_or(0.0, |&(at, _)| at)
    }

    /// Longest time without a new picture, ms.
    fn longest_gap(&self, from: f64, to: f64) -> f64 {
        let times: Vec<f64> =
            self.pictures.iter().map(|&(at, _)| at).filter(|at| (from..to).contains(at)).collect();
        times.windows(2).map(|pair| (pair[1] - pair[0]) * 1000.0).fold(0.0, f64::max)
    }

    /// Latency second by second, for a person.
    fn track(&self) -> String {
        let seconds = 0..self.last().ceil() as u32;
        let each = seconds.map(|second| {
            let from = f64::from(second);
            self.latency(from, from + 1.0).map_or("-".to_owned(), |latency| format!("{latency:.0}"))
        });
        format!(
            "latency by second: {}; waiting {}",
            each.collect::<Vec<_>>().join(" "),
            self.waiting
        )
    }
}

fn pairs(list: &Value) -> Vec<(f64, f64)> {
    let numbers: Vec<f64> =
        list.as_array().map_or(Vec::new(), |list| list.iter().filter_map(Value::as_f64).collect());
    numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// The peers with the settings that make each of them follow closely.
const LIVE_PEERS: [&str; 4] =
    ["flv.js-nostash", "mpegts.js-sync", "mpegts.js-sync+mseworker", "xgplayer-flv-1s"];

/// Until then latency is measured, from then on CPU: looking at each picture costs some.
const SETTLING: Duration = Duration::from_millis(10_600);

/// What a start needs is there by then.
const MEMORY_FROM: Duration = Duration::from_secs(30);
