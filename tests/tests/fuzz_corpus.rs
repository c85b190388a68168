//! Everything the fuzzers found worth keeping, replayed: the corpus, and every input that once failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use pushpull_tests::fuzzing::CHECKS;

#[test]
fn every_input_of_the_corpus_passes() {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let inputs = inputs(name);
        assert!(inputs.len() > 10, "{name} has a corpus");
        for path in inputs {
            let input = std::fs::read(&path).expect("it was listed");
            if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
                failed.push(path);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_target_has_a_check() {
    let mut targets: Vec<_> = files(&folder("fuzz_targets"))
        .iter()
        // Those about the server's own parsers have theirs in `server/tests/`.
        .filter(|file| {
            let text = std::fs::read_to_string(file).expect("it was listed");
            !text.contains("pushpull_fuzz::server::")
        })
        .filter_map(|file| file.file_stem()?.to_str().map(str::to_owned))
        .collect();
    targets.sort();
    assert_eq!(targets, CHECKS.map(|(name, _)| name));
}

/// The inputs of a target: what is kept because it reaches much, and what once failed.
fn inputs(target: &str) -> Vec<PathBuf> {
    [files(&folder("corpus").join(target)), files(&folder("findings").join(target))].concat()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The files in a folder, none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}
