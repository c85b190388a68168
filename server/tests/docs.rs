//! The documentation says what the program does: every key of `docs/configuration.md` is compared with the table of keys,
//! and every limit of `docs/relay.md` with what sets it, counts it and tests it.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use pushpull::config::{flag, keys, variable};
use pushpull::limits::Limit;

const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
const RELAY: &str = include_str!("../../docs/relay.md");

#[test]
fn every_key_is_documented_as_it_is() {
    let mut documented = Vec::new();
    let mut section = "";
    for line in CONFIGURATION.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [key, flag, variable, value, default, changes, reason] = cells[..]
            && key.starts_with('`')
        {
            let cells =
                [key, flag, variable, value, default, changes].map(|cell| cell.trim_matches('`'));
            assert!(reason.len() > 20, "{key} has no reason: {reason:?}");
            documented.push((section, cells.map(str::to_owned)));
        }
    }
    let expected: Vec<_> = keys::all()
        .map(|key| {
            let mut value = key.value.to_owned();
            if key.kind.is_list() {
                value.push_str(", may repeat");
            }
            let default = if key.default.is_empty() { "none" } else { key.default };
            let flag = format!("--{}", flag(key.name));
            (
                key.section,
                [
                    key.name.to_owned(),
                    flag,
                    variable(key.name),
                    value,
                    default.to_owned(),
                    key.changes.in_words().to_owned(),
                ],
            )
        })
        .collect();
    assert_eq!(documented, expected);
}

#[test]
fn the_example_file_is_valid() {
    let (_, rest) = CONFIGURATION.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pushpull.toml");
    std::fs::write(&file, example).unwrap();
    let args = ["pushpull".into(), "--config".into(), file.into_os_string()];
    let loaded = pushpull::config::Config::load(args, []).unwrap();
    assert!(loaded.config.demo && loaded.config.http.len() == 2, "the example is read");
}

/// A row of the table of limits.
struct Row {
    what: &'static str,
    default: &'static str,
    set_by: &'static str,
    counted_as: &'static str,
    test: &'static str,
}

fn limits() -> Vec<Row> {
    let (_, section) = RELAY.split_once("\n## Limits\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(2);
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [what, default, set_by, _, counted_as, test] = cells[..] else { panic!("{line}") };
        Row { what, default, set_by, counted_as, test }
    })
    .collect()
}

/// The words in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_limit_is_set_by_what_the_table_says() {
    for Row { what, default, set_by, .. } in limits() {
        // Some are made from others, which is said in words.
        let Some(value) = quoted(default).next() else { continue };
        let mut names = quoted(set_by);
        let name = names.next().unwrap();
        if set_by.starts_with("fixed: ") {
            assert_eq!(constant(names.next().unwrap(), name), amount(value), "{what}");
        } else {
            let key = keys::find(name).unwrap_or_else(|| panic!("{what}: no key {name}"));
            assert_eq!(key.default, value, "{what}");
        }
    }
}

#[test]
fn every_limit_that_has_a_key_is_in_the_table() {
    let rows = limits();
    for key in keys::all() {
        let limits = key.name.contains("max_")
            || key.name.ends_with("_timeout")
            || key.section == "HTTP limits" && key.name != "http_keepalive";
        if limits {
            let named = rows.iter().any(|row| quoted(row.set_by).any(|name| name == key.name));
            assert!(named, "{} is missing in docs/relay.md", key.name);
        }
    }
}

#[test]
fn every_limit_is_counted_as_the_table_says() {
    let rows = limits();
    let labels: Vec<_> = rows.iter().filter_map(|row| quoted(row.counted_as).next()).collect();
    for limit in Limit::ALL {
        assert!(labels.contains(&limit.label()), "{limit:?} is missing in docs/relay.md");
    }
    for label in labels {
        assert!(Limit::ALL.iter().any(|limit| limit.label() == label), "nothing counts {label}");
    }
}

#[test]
fn every_limit_has_the_test_that_the_table_names() {
    let mut sources = String::new();
    for folder in ["server", "rtmp", "media", "tests"] {
        read(&repository().join(folder), &mut sources);
    }
    for Row { what, test, .. } in limits() {
        let test = quoted(test).next().unwrap();
        assert!(sources.contains(&format!("fn {test}(")), "{what}: there is no test {test}");
    }
}

/// All Rust source below a folder.
fn read(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The value of a constant, read from its source: a number, shifts and products of numbers.
fn constant(file: &str, name: &str) -> u64 {
    let source = std::fs::read_to_string(repository().join(file)).unwrap();
    let start = format!("const {name}: ");
    let (_, rest) = source.split_once(&start).unwrap_or_else(|| panic!("{file} has no {name}"));
    let (_, rest) = rest.split_once(" = ").unwrap();
    let (value, _) = rest.split_once(';').unwrap();
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
    match (value.split_once("<<"), value.split_once('*')) {
        (Some((number_of, bits)), _) => number(number_of) << number(bits),
        (None, Some((one, other))) => number(one) * number(other),
        (None, None) => number(value),
    }
}

/// A number as the table writes it.
fn amount(text: &str) -> u64 {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        unit => panic!("{unit} is no unit of the table"),
    };
    digits.parse::<u64>().unwrap() * unit
}
