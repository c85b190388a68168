//! Rules of the repository itself.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

/// Both languages say everything.
#[test]
fn translations_have_the_same_keys() {
    let keys = |language: &str| -> BTreeSet<String> {
        let table = read(format!("web/js/i18n/{language}.js"));
        let keys: Vec<_> = table
            .lines()
            .filter_map(|line| line.trim().strip_prefix('\'')?.split_once("':"))
            .map(|(key, _)| key.to_owned())
            .collect();
        let unique: BTreeSet<_> = keys.iter().cloned().collect();
        assert_eq!(unique.len(), keys.len(), "a key stands twice in {language}.js");
        unique
    };
    let (english, chinese) = (keys("en"), keys("zh"));
    assert!(english.len() > 50, "{} keys found", english.len());
    assert_eq!(english, chinese);

    for file in tracked() {
        if file.starts_with("web") && file.extension().is_some_and(|extension| extension == "html")
        {
            for key in
                read(&file).split("data-i18n").skip(1).filter_map(|rest| rest.split('"').nth(1))
            {
                assert!(english.contains(key), "{}: no text for {key:?}", file.display());
            }
        }
    }
}

/// Placeholders are the same in both languages, or a number would be missing in one of them.
#[test]
fn translations_have_the_same_placeholders() {
    let placeholders = |language: &str| -> Vec<(String, BTreeSet<String>)> {
        read(format!("web/js/i18n/{language}.js"))
            .lines()
            .filter_map(|line| line.trim().strip_prefix('\'')?.split_once("':"))
            .map(|(key, text)| {
                let names = text
                    .split('{')
                    .skip(1)
                    .filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()));
                (key.to_owned(), names.collect())
            })
            .collect()
    };
    for (english, chinese) in placeholders("en").iter().zip(&placeholders("zh")) {
        assert_eq!(english, chinese);
    }
}

/// A `just` command in the documents is one the justfile has.
#[test]
fn documents_name_recipes_that_exist() {
    let justfile = read("justfile");
    let recipes: BTreeSet<_> = justfile
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| line.split([' ', ':']).next())
        .collect();
    for recipe in ["run", "test", "check", "player"] {
        assert!(recipes.contains(recipe), "the justfile has no {recipe}");
    }
    for file in tracked() {
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        for named in code(&read(&file)).iter().flat_map(|code| code.split("just ").skip(1)) {
            let named: String = named
                .chars()
                .take_while(|letter| letter.is_ascii_lowercase() || *letter == '-')
                .collect();
            // "cargo install just && …" has another word there.
            if !named.is_empty() {
                assert!(recipes.contains(named.as_str()), "{}: `just {named}`", file.display());
            }
        }
    }
}

/// The commands a newcomer copies, and the one CI runs.
#[test]
fn the_two_commands_of_the_readmes() {
    let ci = read(".ci/run");
    assert!(
        ci.lines().any(|line| line == "cargo install just && just test"),
        "CI runs the README's command"
    );
    for file in ["README.md", "README.zh-CN.md"] {
        let readme = read(file);
        for command in ["cargo install just && just run", "cargo install just && just test"] {
            assert!(
                readme.lines().any(|line| line == command),
                "{file}: {command:?} is not a line of its own"
            );
        }
    }
}

/// Links between documents lead somewhere.
#[test]
fn links_lead_to_files() {
    for file in tracked() {
        if file.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        for target in read(&file).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                assert!(root().join(&folder).join(target).exists(), "{}: {target}", file.display());
            }
        }
    }
}

/// Whoever reads the figures knows which versions of the others they are about.
#[test]
fn the_benchmarks_document_names_the_versions_it_measures() {
    let document = read("docs/benchmarks.md");
    let pinned = read("scripts/lib.sh");
    for (player, variable) in [
        ("flv.js", "flv_js_version"),
        ("mpegts.js", "mpegts_js_version"),
        ("xgplayer-flv", "xgplayer_flv_version"),
        ("Node-Media-Server", "node_media_server_version"),
    ] {
        let version = pinned
            .lines()
            .find_map(|line| line.strip_prefix(variable)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("scripts/lib.sh has no {variable}"));
        assert!(document.contains(&format!("{player} {version}")), "{player} {version}");
    }
}

/// What is checked out anywhere builds anywhere: no file names the machine or the package mirror it was written with.
#[test]
fn no_file_names_a_machine_or_a_registry_host() {
    // In pieces, or this file would be found.
    let words = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Use", "rs/"),
        concat!("registry.", "npmjs"),
        concat!("index.", "crates.io"),
        concat!("static.", "crates.io"),
        concat!("py", "pi.org"),
        concat!("deb.", "debian.org"),
    ];
    for file in tracked() {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        for word in words {
            assert!(!text.contains(word), "{} contains {word:?}", file.display());
        }
    }
}

#[test]
fn every_dependency_comes_from_the_public_index() {
    for line in read("Cargo.lock").lines().filter_map(|line| line.strip_prefix("source = ")) {
        assert_eq!(line, "\"registry+https://github.com/rust-lang/crates.io-index\"");
    }
}

/// A file is read in one sitting: past about 500 lines (tests at its foot aside) it is split.
#[test]
fn sources_are_short() {
    const MAX_LINES: usize = 550;
    for file in tracked() {
        let extension =
            file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if !matches!(extension, "rs" | "js" | "css") {
            continue;
        }
        let text = read(&file);
        let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        let lines = code.lines().count();
        let is_test =
            file.iter().any(|part| part == "tests") || file.to_string_lossy().ends_with("tests.rs");
        assert!(is_test || lines <= MAX_LINES, "{} has {lines} lines", file.display());
    }
}

/// Files git keeps, relative to the root.
fn tracked() -> Vec<PathBuf> {
    let listed =
        Command::new("git").arg("ls-files").current_dir(root()).output().expect("git runs");
    assert!(listed.status.success(), "the repository is a git checkout");
    let listed = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    // A file may be deleted and not committed yet.
    listed.lines().map(PathBuf::from).filter(|file| root().join(file).is_file()).collect()
}

fn read(file: impl AsRef<Path>) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

/// The pieces of a Markdown text between backquotes, code blocks included.
fn code(markdown: &str) -> Vec<&str> {
    markdown.split('`').skip(1).step_by(2).collect()
}
