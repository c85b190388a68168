//! The tables: medians and ranges, beside the floor, and which targets are reached.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    load::{Joins, Load, Window},
    median, percentile,
    relays::Relay,
    wire::Protocol,
};

/// Everything measured, table by table.
pub struct Report {
    loads: Vec<(Protocol, usize, Rows<Load>)>,
    joins: Vec<(Protocol, Rows<Joins>)>,
    failures: Vec<String>,
}

type Rows<T> = Vec<(Relay, T)>;

impl Report {
    pub fn new() -> Self {
        Self { loads: Vec::new(), joins: Vec::new(), failures: Vec::new() }
    }

    /// The next loads are of this table.
    pub fn begin_load(&mut self, protocol: Protocol, viewers: usize) {
        self.loads.push((protocol, viewers, Vec::new()));
    }

    pub fn add_load(&mut self, relay: &Relay, load: Result<Load>) {
        let Some((protocol, viewers, rows)) = self.loads.last_mut() else { return };
        let what = format!("{relay}, {protocol}, {viewers} viewers");
        match load {
            Ok(load) => {
                eprintln!("{what}: {:.2} CPU-s/GB", of(&load, |window| window.relay));
                rows.push((relay.clone(), load));
            }
            Err(error) => self.fail(&what, &error),
        }
    }

    /// The next joins are of this table.
    pub fn begin_joins(&mut self, protocol: Protocol) {
        self.joins.push((protocol, Vec::new()));
    }

    pub fn add_joins(&mut self, relay: &Relay, joins: Result<Joins>) {
        let Some((protocol, rows)) = self.joins.last_mut() else { return };
        let what = format!("{relay}, {protocol}, joins");
        match joins {
            Ok(joins) => {
                eprintln!("{what}: {:.0} a second", joins.per_second);
                rows.push((relay.clone(), joins));
            }
            Err(error) => self.fail(&what, &error),
        }
    }

    fn fail(&mut self, what: &str, error: &anyhow::Error) {
        let failure = format!("{what}: {error:#}");
        eprintln!("not measured: {failure}");
        self.failures.push(failure);
    }

    /// What could not be measured, and why.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// CPU-seconds per GB in the first load of a relay.
    #[allow(dead_code, reason = "only the test of the benchmark asks for it")]
    pub fn cost(&self, relay: &str) -> Option<f64> {
        let mut rows = self.loads.iter().flat_map(|(_, _, rows)| rows);
        let (_, load) = rows.find(|(row, _)| row.to_string() == relay)?;
        Some(of(load, |window| window.relay))
    }

    /// The tables for a person.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        for (protocol, viewers, rows) in &self.loads {
            let _ = writeln!(text, "\n{protocol}, viewers: {viewers}\n{LOAD_HEAD}");
            let floor = find(rows, &Relay::Floor);
            for (relay, load) in rows {
                let _ = writeln!(text, "{}", load_row(relay, load, floor));
                for fault in &load.faults {
                    let _ = writeln!(text, "  {relay}: {fault}");
                }
            }
        }
        for (protocol, rows) in &self.joins {
            let _ = writeln!(text, "\n{protocol}, coming and going\n{JOINS_HEAD}");
            for (relay, joins) in rows {
                let _ = writeln!(text, "{}", joins_row(relay, joins));
            }
        }
        let targets = self.targets();
        if !targets.is_empty() {
            let _ = writeln!(text, "\ntargets ({TARGET_VIEWERS} viewers)");
        }
        for (name, figure, limit, is_reached) in targets {
            let verdict = if is_reached { "reached" } else { "MISSED" };
            let _ = writeln!(text, "  {name:<62} {figure:>8.2}  {limit:<12} {verdict}");
        }
        for failure in &self.failures {
            let _ = writeln!(text, "not measured: {failure}");
        }
        text
    }

    /// Each target that can be judged: its name, the figure, the limit, and whether it is reached.
    fn targets(&self) -> Vec<(String, f64, String, bool)> {
        let mut targets = Vec::new();
        let mut at_most = |name: String, figure: f64, limit: f64, kind: &str| {
            targets.push((name, figure, format!("{kind} ≤ {limit}"), figure <= limit));
        };
        for (protocol, _, rows) in self.loads.iter().filter(|load| load.1 == TARGET_VIEWERS) {
            let kind = if *protocol == Protocol::Http { "must" } else { "aim" };
            let pairs =
                [(Relay::Ours, Relay::Floor, 1.2), (Relay::OursBatch100, Relay::Floor100, 1.25)];
            for (ours, floor, limit) in pairs {
                let (Some(ours), Some(floor)) = (find(rows, &ours), find(rows, &floor)) else {
                    continue;
                };
                let ratio = |what: fn(&Window) -> f64| of(ours, what) / of(floor, what);
                let batched = if limit > 1.2 { ", batched" } else { "" };
                let name = |what: &str| format!("{protocol}{batched}: {what} ÷ the floor's");
                at_most(name("CPU-s/GB"), ratio(|window| window.relay), limit, kind);
                if batched.is_empty() {
                    at_most(name("latency p50"), ratio(|window| window.p50), 1.5, kind);
                    at_most(name("latency p99"), ratio(|window| window.p99), 1.5, kind);
                    at_most(
                        name("CPU-s/GB of both ends"),
                        ratio(|window| window.both),
                        1.15,
                        "aim",
                    );
                }
            }
            let Some(ours) = find(rows, &Relay::Ours) else { continue };
            at_most(format!("{protocol}: resident KiB per viewer"), ours.viewer_kib, 10.0, kind);
            at_most(format!("{protocol}: first keyframe, ms"), median(&ours.keyframe), 2.0, kind);
            for (peer, limit, kind) in [(Relay::NginxRtmp, 1.0, "must"), (Relay::Nms, 0.25, "aim")]
            {
                let Some(other) = find(rows, &peer) else { continue };
                let ratio = of(ours, |window| window.relay) / of(other, |window| window.relay);
                at_most(format!("{protocol}: CPU-s/GB ÷ {peer}'s"), ratio, limit, kind);
            }
        }
        for (protocol, rows) in &self.joins {
            let Some((_, joins)) = rows.iter().find(|(relay, _)| *relay == Relay::Ours) else {
                continue;
            };
            let kind = if *protocol == Protocol::Http { "must" } else { "aim" };
            let name = format!("{protocol}: joins per second");
            let is_reached = joins.per_second >= JOINS;
            targets.push((name, joins.per_second, format!("{kind} ≥ {JOINS}"), is_reached));
        }
        targets
    }

    /// Every figure of every window.
    pub fn json(&self) -> Value {
        let loads = self.loads.iter().flat_map(|(protocol, viewers, rows)| {
            rows.iter().map(move |(relay, load)| {
                json!({
                    "protocol": protocol.name(),
                    "viewers": viewers,
                    "relay": relay.to_string(),
                    "windows": load.windows.iter().map(window_json).collect::<Vec<_>>(),
                    "resident_kib": load.resident_kib,
                    "resident_kib_per_viewer": load.viewer_kib,
                    "first_keyframe_ms": load.keyframe,
                    "first_keyframe_age_ms": load.age,
                    "faults": load.faults,
                })
            })
        });
        let joins = self.joins.iter().flat_map(|(protocol, rows)| {
            rows.iter().map(move |(relay, joins)| {
                json!({
                    "protocol": protocol.name(),
                    "relay": relay.to_string(),
                    "joins_per_second": joins.per_second,
                    "cpu_ms": joins.cpu,
                    "core": joins.core,
                    "client_core": joins.client_core,
                    "p50_ms": joins.p50,
                    "p99_ms": joins.p99,
                    "failed": joins.failed,
                })
            })
        });
        let targets = self.targets().into_iter().map(|(name, figure, limit, is_reached)| {
            json!({ "name": name, "figure": figure, "limit": limit, "reached": is_reached })
        });
        json!({
            "loads": loads.collect::<Vec<_>>(),
            "joins": joins.collect::<Vec<_>>(),
            "targets": targets.collect::<Vec<_>>(),
            "failures": self.failures,
        })
    }
}

fn window_json(window: &Window) -> Value {
    json!({
        "relay_cpu_s_per_gb": window.relay,
        "both_cpu_s_per_gb": window.both,
        "core": window.core,
        "delivered": window.delivered,
        "worst_viewer": window.worst,
        "latency_p50_ms": window.p50,
        "latency_p99_ms": window.p99,
        "others_cores": window.others,
    })
}

fn find<'a>(rows: &'a [(Relay, Load)], relay: &Relay) -> Option<&'a Load> {
    rows.iter().find_map(|(of, load)| (of == relay).then_some(load))
}

/// The median over the windows.
fn of(load: &Load, what: impl Fn(&Window) -> f64) -> f64 {
    median(&load.windows.iter().map(what).collect::<Vec<_>>())
}

fn load_row(relay: &Relay, load: &Load, floor: Option<&Load>) -> String {
    let relay_cpu = |window: &Window| window.relay;
    let cost = of(load, relay_cpu);
    let ratio = floor.map_or(f64::NAN, |floor| cost / of(floor, relay_cpu));
    let costs = load.windows.iter().map(relay_cpu);
    let (least, most) = costs.fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), cost| {
        (least.min(cost), most.max(cost))
    });
    let range = format!("{least:.2}–{most:.2}");
    let worst = load.windows.iter().map(|window| window.worst).fold(f64::INFINITY, f64::min);
    format!(
        "{:<14}{cost:>8.2}{range:>14}{ratio:>8.2}{:>8.2}{:>7.3}{:>8.3}{worst:>7.3}{:>9.2}{:>8.2}{:>9.1}{:>9.1}{:>8.1}{:>8.1}{:>8.0}{:>8.2}",
        relay.to_string(),
        of(load, |window| window.both),
        of(load, |window| window.core),
        of(load, |window| window.delivered),
        of(load, |window| window.p50),
        of(load, |window| window.p99),
        load.viewer_kib,
        load.resident_kib as f64 / 1024.0,
        median(&load.keyframe),
        percentile(&load.keyframe, 90),
        median(&load.age),
        of(load, |window| window.others),
    )
}

fn joins_row(relay: &Relay, joins: &Joins) -> String {
    let failed = match &joins.error {
        Some(error) => format!("{} ({error})", joins.failed),
        None => joins.failed.to_string(),
    };
    format!(
        "{:<14}{:>9.0}{:>9.3}{:>8.2}{:>9.2}{:>9.1}{:>9.1}  {failed}",
        relay.to_string(),
        joins.per_second,
        joins.cpu,
        joins.core,
        joins.client_core,
        joins.p50,
        joins.p99,
    )
}

const LOAD_HEAD: &str = "relay         CPU-s/GB         range ×floor    both   core deliv'd  worst   p50 ms  p99 ms  KiB/vwr  RSS MiB  key p50     p90  age ms  others";
const JOINS_HEAD: &str =
    "relay           joins/s   CPU-ms    core  viewers   p50 ms   p99 ms  failed";

/// The load that targets are about, and how many viewers a second have to be able to come and go.
const TARGET_VIEWERS: usize = 1000;
const JOINS: f64 = 7000.0;
