//! Whether a person who watched would complain.

use super::{
    footage::FRAME_MS,
    theatre::{Notes, Picture},
};
use crate::statistics::median;

/// What may be asked of a player in one case. Times in milliseconds; of the world's clock where they are moments.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// When the fault happens; what was before is the measure of the latency after.
    pub fault: i64,
    /// Longest time without a new picture, from one second before the fault on.
    pub freeze: f64,
    /// How much later than before the fault pictures may be at the end.
    pub latency: f64,
    /// From joining to the first picture.
    pub first: f64,
    /// What must go on.
    pub goes_on: GoesOn,
}

/// What a viewer still sees or hears at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoesOn {
    /// Pictures; the latency is judged by them.
    Pictures,
    /// There are none: the playhead moves on.
    Playhead,
    /// Nothing: an `error` comes within five seconds of the last picture.
    Error,
    /// Nothing, and rightly so: `loading_complete` comes within five seconds of the last picture.
    Complete,
}

/// What one player did.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// From joining to the first picture, milliseconds.
    pub first: Option<f64>,
    /// Longest time without a new picture, milliseconds.
    pub freeze: f64,
    /// Pictures' lateness before the fault and at the end, milliseconds.
    pub latency: (Option<f64>, Option<f64>),
    /// What is wrong; empty if nothing is.
    pub complaints: Vec<String>,
    /// Errors, warnings and other things that happened, for a person.
    pub story: String,
}

impl Limits {
    /// A fault that a viewer hardly sees: a fifth of a second, the same latency afterwards.
    pub fn seamless(fault: i64) -> Limits {
        Limits { fault, freeze: 200.0, latency: 150.0, first: 1500.0, goes_on: GoesOn::Pictures }
    }

    /// The same limits, but for the longest freeze.
    pub fn freeze(self, freeze: f64) -> Limits {
        Limits { freeze, ..self }
    }

    /// The same limits with something else to go on.
    pub fn until(self, goes_on: GoesOn) -> Limits {
        Limits { goes_on, ..self }
    }

    /// What the machine did to a stream without a fault at the same time is allowed on top, within bounds: a machine that
    /// does more is too busy to judge by.
    pub fn beside(self, control: &Verdict) -> Limits {
        let drift = match control.latency {
            (Some(before), Some(after)) => (after - before).clamp(0.0, MAX_DRIFT),
            _ => 0.0,
        };
        Limits {
            freeze: self.freeze.max(control.freeze.min(MAX_FREEZE) + 100.0),
            latency: self.latency.max(drift + 150.0),
            first: self.first.max(control.first.unwrap_or_default().min(MAX_FIRST) + 500.0),
            ..self
        }
    }
}

impl Verdict {
    /// Judges what was noted. `origin` is the Unix time of the world's clock's 0.
    pub fn of(notes: &Notes, origin: f64, limits: &Limits) -> Verdict {
        let world = |at: f64| at - origin;
        let fault = limits.fault as f64;
        let end = world(notes.now);
        let pictures = &notes.pictures;
        let late = |picture: &Picture| world(picture.at) - (picture.number * FRAME_MS) as f64;
        let lateness = |from: f64, to: f64| {
            let within = |picture: &&Picture| (from..to).contains(&world(picture.at));
            let shown = pictures.iter().filter(within).filter(|picture| picture.number >= 0);
            median(&shown.map(late).collect::<Vec<_>>())
        };
        let first = pictures.first().map(|picture| picture.at - notes.begun);
        let freeze =
            longest_freeze(pictures.iter().map(|picture| world(picture.at)), fault - 1000.0, end);
        let latency = (lateness(fault - 2000.0, fault), lateness(end - 1500.0, end));
        let mut verdict =
            Verdict { first, freeze, latency, complaints: Vec::new(), story: story(notes, origin) };
        verdict.complain(notes, limits);
        verdict
    }

    fn complain(&mut self, notes: &Notes, limits: &Limits) {
        let failure = notes.event("error", 0.0);
        let mut complaints = Vec::new();
        let mut check = |is_wrong: bool, what: String| {
            if is_wrong {
                complaints.push(what);
            }
        };
        match limits.goes_on {
            GoesOn::Pictures => {
                check(failure.is_some(), "error".into());
                match self.first {
                    Some(first) => {
                        check(first > limits.first, format!("first picture after {first:.0} ms"))
                    }
                    None => check(true, "no picture".into()),
                }
                if let Some(at) = untold(notes) {
                    check(true, format!("nothing said of the freeze at {at:.0}"));
                }
                check(
                    self.freeze > limits.freeze,
                    format!("freeze {:.0} > {:.0}", self.freeze, limits.freeze),
                );
                match self.latency {
                    (Some(before), Some(after)) => check(
                        after > before + limits.latency,
                        format!("later by {:.0} > {:.0}", after - before, limits.latency),
                    ),
                    (None, Some(_)) => {}
                    (_, None) => check(true, "stands still at the end".into()),
                }
            }
            GoesOn::Playhead => {
                check(failure.is_some(), "error".into());
                let moved = moved(notes, 2000.0);
                check(moved < 1.5, format!("the playhead moved {moved:.2} s in the last 2 s"));
            }
            GoesOn::Error | GoesOn::Complete => {
                let name = if limits.goes_on == GoesOn::Error { "error" } else { "complete" };
                let last = notes.pictures.last().map_or(notes.begun, |picture| picture.at);
                match notes.event(name, 0.0) {
                    None => check(true, format!("no {name}")),
                    Some((at, ..)) => {
                        let after = at - last;
                        check(
                            after > SILENCE,
                            format!("{name} {after:.0} ms after the last picture"),
                        );
                    }
                }
            }
        }
        self.complaints = complaints;
    }
}

/// When a freeze began of which nothing was told in time.
fn untold(notes: &Notes) -> Option<f64> {
    let told = |from: f64| {
        let within = |at: &f64| (from..=from + SILENCE).contains(at);
        notes.events.iter().any(|(at, name, _)| name == "warning" && within(at))
    };
    let ends = notes.pictures.iter().skip(1).map(|picture| picture.at).chain([notes.now]);
    let freezes = notes.pictures.iter().map(|picture| picture.at).zip(ends);
    let untold = |(from, to): &(f64, f64)| to - from > SILENCE && !told(*from);
    freezes.into_iter().find(untold).map(|(from, _)| from - notes.begun)
}

/// How far the playhead came in the last `span` milliseconds, seconds.
fn moved(notes: &Notes, span: f64) -> f64 {
    let from = notes.now - span;
    let before = notes.playhead.iter().rev().find(|(at, ..)| *at <= from);
    let last = notes.playhead.last();
    before.zip(last).map_or(0.0, |(before, last)| last.1 - before.1)
}

/// The longest time without a new picture between `from` (the first picture, if that is later) and `to`.
fn longest_freeze(pictures: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> f64 {
    let Some(first) = pictures.clone().next() else { return to - from };
    let before = pictures.clone().filter(|at| *at <= from).last().unwrap_or(first);
    let mut last = before;
    let mut longest: f64 = 0.0;
    for at in pictures.filter(|at| *at > before).chain([to]) {
        longest = longest.max(at - last.max(from.min(at)));
        last = at;
    }
    longest
}

/// What happened, in short; that a player waits before its first picture is nothing to tell.
fn story(notes: &Notes, origin: f64) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (at, name, text) in &notes.events {
        let text: String = text.chars().take(60).collect();
        let begins = name == "waiting" && text == "0.000";
        if !begins
            && matches!(
                name.as_str(),
                "error"
                    | "warning"
                    | "complete"
                    | "element-error"
                    | "waiting"
                    | "seeking"
                    | "ended"
                    | "play"
            )
        {
            parts.push(format!("{:.1}s {name} {text}", (at - origin) / 1000.0));
        }
    }
    let total = parts.len();
    parts.truncate(MAX_STORY);
    if total > MAX_STORY {
        parts.push(format!("… {} more", total - MAX_STORY));
    }
    parts.join("; ")
}

/// One line for each case: name, verdict, figures, and what happened.
pub fn table(rows: &[(String, Verdict)]) -> String {
    let mut text = format!(
        "{:<42} {:>6} {:>7} {:>14}  {}\n",
        "case", "first", "freeze", "latency", "complaints | what happened"
    );
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0}"));
    for (name, verdict) in rows {
        let (before, after) = verdict.latency;
        let latency = format!("{} → {}", figure(before), figure(after));
        let complaints = match verdict.complaints.is_empty() {
            true => "ok".to_owned(),
            false => format!("FAILS: {}", verdict.complaints.join(", ")),
        };
        text += &format!(
            "{name:<42} {:>6} {:>7.0} {latency:>14}  {complaints} | {}\n",
            figure(verdict.first),
            verdict.freeze,
            verdict.story
        );
    }
    text
}

/// Most of a control's freeze that is held for the machine's doing, milliseconds.
const MAX_FREEZE: f64 = 350.0;

/// The same of what it got later by.
const MAX_DRIFT: f64 = 250.0;

/// The same of its first picture.
const MAX_FIRST: f64 = 2000.0;

/// How long after the last picture a player may say nothing, milliseconds.
const SILENCE: f64 = 5000.0;

/// Events of one case that are shown.
const MAX_STORY: usize = 8;

#[cfg(test)]
mod tests {
    use super::longest_freeze;

    #[test]
    fn the_longest_freeze_is_found_wherever_it_is() {
        let freeze = |pictures: &[f64]| longest_freeze(pictures.iter().copied(), 1000.0, 2000.0);
        assert_eq!(freeze(&[900.0, 1100.0, 1150.0, 1900.0, 2000.0]), 750.0);
        assert_eq!(freeze(&[0.0, 990.0, 1400.0, 1500.0]), 500.0, "at the end");
        assert_eq!(freeze(&[0.0, 1600.0, 2000.0]), 600.0, "begun before the window");
        assert_eq!(freeze(&[]), 1000.0, "nothing at all");
        assert_eq!(freeze(&[1700.0, 1800.0]), 200.0, "a late first picture is not a freeze");
    }
}
