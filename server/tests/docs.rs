//! The documentation says what the program does: every key of `docs/configuration.md` is compared with the table of keys.

#![allow(clippy::unwrap_used)]

use pushpull::config::{
    flag,
    keys::{self, Kind},
    variable,
};

const CONFIGURATION: &str = include_str!("../../docs/configuration.md");

#[test]
fn every_key_is_documented_as_it_is() {
    let mut documented = Vec::new();
    let mut section = "";
    for line in CONFIGURATION.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [key, flag, variable, value, default, reason] = cells[..]
            && key.starts_with('`')
        {
            let cells = [key, flag, variable, value, default].map(|cell| cell.trim_matches('`'));
            assert!(reason.len() > 20, "{key} has no reason: {reason:?}");
            documented.push((section, cells.map(str::to_owned)));
        }
    }
    let expected: Vec<_> = keys::all()
        .map(|key| {
            let value = match key.kind {
                Kind::List => format!("{}, may repeat", key.value),
                _ => key.value.to_owned(),
            };
            let default = if key.default.is_empty() { "none" } else { key.default };
            let flag = format!("--{}", flag(key.name));
            (
                key.section,
                [key.name.to_owned(), flag, variable(key.name), value, default.to_owned()],
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
