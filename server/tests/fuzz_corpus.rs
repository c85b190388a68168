//! Everything the fuzzers found worth keeping about the server's own parsers, replayed.

#![allow(clippy::unwrap_used)]

mod fuzzing;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use fuzzing::CHECKS;

#[test]
fn every_input_of_the_corpus_passes() {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let inputs =
            [files(&format!("corpus/{name}")), files(&format!("findings/{name}"))].concat();
        assert!(inputs.len() > 10, "{name} has a corpus");
        for path in inputs {
            let input = fs::read(&path).unwrap();
            if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
                failed.push(path);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_target_has_a_check() {
    let targets = files("fuzz_targets").into_iter().filter(|file| {
        // The others are about the formats and RTMP, and have theirs in `tests/`.
        fs::read_to_string(file).unwrap().contains("pushpull_fuzz::server::")
    });
    let mut names: Vec<_> =
        targets.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, CHECKS.map(|(name, _)| name));
}

/// The files in a folder of `tests/fuzz`, none if there is no such folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz").join(folder);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
