//! The configuration file: it is understood or refused, line by line, and what is understood can be written down.

use std::{cell::RefCell, fs};

use pushpull::config::{Loaded, Sources};

/// Reads `input` as the file.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // Files of secrets would be this machine's.
    if text.contains("file:") {
        return;
    }
    match load(&text) {
        Ok(loaded) => {
            let written = loaded.to_string();
            let again = load(&written).unwrap_or_else(|errors| panic!("{errors}\n{written}"));
            let [first, second] = [&loaded, &again].map(|loaded| format!("{:?}", loaded.config));
            // Secrets are not written.
            if !written.contains("(set)") {
                assert_eq!(first, second, "{written}");
            }
        }
        Err(errors) => {
            let lines = text.lines().count().max(1);
            for line in errors.split("line ").skip(1) {
                let digits: String = line.chars().take_while(char::is_ascii_digit).collect();
                if let Ok(line) = digits.parse::<usize>() {
                    assert!((1..=lines + 1).contains(&line), "{errors}");
                }
            }
        }
    }
}

fn load(text: &str) -> Result<Loaded, String> {
    thread_local! {
        static FILE: RefCell<Option<(tempfile::NamedTempFile, Sources)>> = const { RefCell::new(None) };
    }
    FILE.with_borrow_mut(|kept| {
        let (file, sources) = kept.get_or_insert_with(|| {
            let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
            let arguments = ["pushpull".into(), "--config".into(), file.path().into()];
            let sources = Sources::read(arguments, []).expect("these are right");
            (file, sources)
        });
        fs::write(file.path(), text).expect("it is ours");
        sources.load().map_err(|errors| errors.iter().map(|error| format!("{error}\n")).collect())
    })
}
