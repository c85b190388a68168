//! The figures: medians beside the best peer, and which targets are reached.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    median,
    targets::{Better, Bound, TARGETS, Target},
    variants::Variant,
};

/// Everything measured, run by run.
#[derive(Default)]
pub struct Report {
    /// By measure and clip.
    tables: BTreeMap<(&'static str, &'static str), Vec<Row>>,
    failures: Vec<String>,
}

struct Row {
    player: String,
    role: Role,
    values: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Ours,
    Peer,
    /// What every player has to pay.
    Floor,
}

impl Report {
    /// Notes one figure of one run.
    pub fn add(
        &mut self,
        measure: &'static str,
        clip: &'static str,
        variant: &Variant,
        value: f64,
    ) {
        if value.is_nan() {
            return;
        }
        let role = match variant {
            ours if ours.is_ours() => Role::Ours,
            peer if peer.is_peer() => Role::Peer,
            _ => Role::Floor,
        };
        let rows = self.tables.entry((measure, clip)).or_default();
        match rows.iter_mut().find(|row| row.player == variant.name) {
            Some(row) => row.values.push(value),
            None => rows.push(Row { player: variant.name.clone(), role, values: vec![value] }),
        }
        // The same without what every player pays, once that is known: at the end of each round.
        for (derived, of) in
            [("cpu.above", "cpu.renderer"), ("cpu.main.above", "cpu.main"), ("vod.net", "vod.cpu")]
        {
            if of == measure && role == Role::Floor {
                self.derive(derived, of, clip);
            }
        }
    }

    fn derive(&mut self, derived: &'static str, of: &'static str, clip: &'static str) {
        let Some(rows) = self.tables.get(&(of, clip)) else { return };
        let floor = rows.iter().find(|row| row.role == Role::Floor);
        let Some(floor) = floor.and_then(|row| median(&row.values)) else { return };
        let rows = rows.iter().filter(|row| row.role != Role::Floor).map(|row| Row {
            player: row.player.clone(),
            role: row.role,
            values: row.values.iter().map(|value| value - floor).collect(),
        });
        let rows = rows.collect();
        self.tables.insert((derived, clip), rows);
    }

    /// Notes a run that gave no figures.
    pub fn fail(&mut self, what: String) {
        self.failures.push(what);
    }

    /// Runs that gave no figures, and why.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The median of a measure for one player.
    #[allow(dead_code, reason = "only the test of the benchmark asks for one")]
    pub fn figure(&self, measure: &str, player: &str) -> Option<f64> {
        let mut tables = self.tables.iter().filter(|((id, _), _)| *id == measure);
        let row = tables.find_map(|(_, rows)| rows.iter().find(|row| row.player == player))?;
        median(&row.values)
    }

    /// The tables for a person.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (target, clip, rows) in self.ordered() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "\n{} ({clip})", target.title);
            let best = best_peer(target, rows);
            for row in rows {
                let Some(middle) = median(&row.values) else { continue };
                let least = row.values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = row.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let best = best.filter(|(_, best)| *best > 0.0);
                let ratio =
                    best.map_or(String::new(), |(_, best)| format!("{:>8.2} ×", middle / best));
                let _ = writeln!(
                    text,
                    "  {:<26}{:>10}  ({} – {}), n = {}{ratio}",
                    row.player,
                    short(middle),
                    short(least),
                    short(most),
                    row.values.len(),
                );
            }
            for verdict in verdicts(target, rows) {
                let _ = writeln!(text, "  {}", verdict.text());
            }
        }
        text
    }

    /// The same for a program.
    pub fn json(&self) -> Value {
        let tables = self.ordered().map(|(target, clip, rows)| {
            let players: serde_json::Map<_, _> = rows
                .iter()
                .map(|row| (row.player.clone(), json!({ "median": median(&row.values), "runs": row.values })))
                .collect();
            let verdicts: Vec<_> = verdicts(target, rows)
                .iter()
                .map(|v| json!({ "player": v.player, "level": v.level, "bound": v.bound, "reached": v.reached }))
                .collect();
            json!({
                "measure": target.id,
                "title": target.title,
                "clip": clip,
                "players": players,
                "targets": verdicts,
            })
        });
        Value::Array(tables.collect())
    }

    fn ordered(&self) -> impl Iterator<Item = (&'static Target, &'static str, &[Row])> {
        TARGETS.iter().flat_map(move |target| {
            let of_target =
                self.tables.iter().filter(move |((measure, _), _)| *measure == target.id);
            of_target.map(move |((_, clip), rows)| (target, *clip, rows.as_slice()))
        })
    }
}

/// Whether a bound is reached by one of ours.
struct Verdict {
    player: String,
    level: &'static str,
    bound: String,
    reached: bool,
}

impl Verdict {
    fn text(&self) -> String {
        let said = if self.reached { "reached" } else { "NOT reached" };
        format!("{} {} {}: {said}", self.player, self.level, self.bound)
    }
}

fn verdicts(target: &Target, rows: &[Row]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for row in rows.iter().filter(|row| row.role == Role::Ours) {
        let Some(ours) = median(&row.values) else { continue };
        for (level, bound) in [("must", target.must), ("aim", target.aim)] {
            let Some((limit, bound)) = bound.and_then(|bound| limit(bound, target, rows)) else {
                continue;
            };
            let reached = match target.better {
                Better::Lower => ours <= limit,
                Better::Higher => ours >= limit,
            };
            verdicts.push(Verdict { player: row.player.clone(), level, bound, reached });
        }
    }
    verdicts
}

/// The number a bound comes to, and the bound in words.
fn limit(bound: Bound, target: &Target, rows: &[Row]) -> Option<(f64, String)> {
    let sign = if target.better == Better::Lower { '≤' } else { '≥' };
    match bound {
        Bound::Figure(figure) => Some((figure, format!("{sign} {figure}"))),
        Bound::Best(ratio) => {
            // A peer below the floor tells of a busy machine, not of a peer.
            let (name, best) = best_peer(target, rows).filter(|(_, best)| *best >= 0.0)?;
            Some((best * ratio, format!("{sign} {ratio} × {name} ({})", short(best * ratio))))
        }
        Bound::Peer(name, ratio) => {
            let peer = median(&rows.iter().find(|row| row.player == name)?.values)?;
            Some((peer * ratio, format!("{sign} {ratio} × {name} ({})", short(peer * ratio))))
        }
    }
}

fn best_peer<'a>(target: &Target, rows: &'a [Row]) -> Option<(&'a str, f64)> {
    let peers = rows.iter().filter(|row| row.role == Role::Peer);
    let figures = peers.filter_map(|row| Some((row.player.as_str(), median(&row.values)?)));
    figures.reduce(|a, b| {
        let is_better = match target.better {
            Better::Lower => b.1 < a.1,
            Better::Higher => b.1 > a.1,
        };
        if is_better { b } else { a }
    })
}

/// Three digits or so.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
