//! The configuration file: flat TOML, one line per key.

use std::{fs, path::Path};

use toml::de::{DeTable, DeValue};

use super::{Error, Origin, Said, keys, nearest::nearest};

/// Reads `path`: what it says, by line, and what is wrong with it.
pub fn read(path: &Path) -> (Vec<Said>, Vec<Error>) {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(source) => {
            (Vec::new(), vec![Error::Unreadable { file: path.to_owned(), source: source.into() }])
        }
    }
}

/// Every key must be known: a misspelt one would otherwise be a setting that does not work and nobody knows.
fn parse(text: &str, path: &Path) -> (Vec<Said>, Vec<Error>) {
    let file = || path.to_owned();
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What was understood of the rest may not be what was meant; and one slip may be several mistakes to the parser.
        let at = |error: &toml::de::Error| line_at(text, error.span().map_or(0, |span| span.start));
        let mut errors: Vec<_> = errors.iter().map(|error| (at(error), error.message())).collect();
        errors.sort_by_key(|(line, _)| *line);
        errors.dedup_by_key(|(line, _)| *line);
        let syntax = |(line, reason): (usize, &str)| Error::Syntax {
            file: file(),
            line,
            reason: reason.to_owned(),
        };
        return (Vec::new(), errors.into_iter().map(syntax).collect());
    }
    let mut lines: Vec<_> = table
        .get_ref()
        .iter()
        .map(|(name, value)| (line_at(text, name.span().start), name.get_ref(), value.get_ref()))
        .collect();
    lines.sort_by_key(|(line, ..)| *line);
    let (mut said, mut wrong) = (Vec::new(), Vec::new());
    for (line, name, value) in lines {
        let Some(key) = keys::find(name) else {
            let hint = hint(name, value);
            wrong.push(Error::UnknownKey { file: file(), line, key: name.to_string(), hint });
            continue;
        };
        let origin = Origin::File { file: file(), line, key: key.name };
        match items(value) {
            Ok(items) => said.push(Said { key, items, origin }),
            Err(reason) => wrong.push(Error::BadValue { origin, reason }),
        }
    }
    (said, wrong)
}

/// The values of a key: those of an array, or the one that there is.
fn items(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value {
        DeValue::Array(items) => items.iter().map(|item| value_text(item.get_ref())).collect(),
        _ => Ok(vec![value_text(value)?]),
    }
}

fn value_text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Boolean(value) => Ok(value.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().replace('_', "")),
        other => Err(format!("a {} is not a value for any key", other.type_str())),
    }
}

fn hint(name: &str, value: &DeValue<'_>) -> String {
    let hint = nearest(name).hint(|key| key.name.to_owned());
    match value {
        DeValue::Table(_) => format!("keys stand at the top level, without sections; {hint}"),
        _ => hint,
    }
}

/// The line, counted from 1, that byte `offset` is in.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_of_every_kind_become_text() {
        let (said, wrong) = parse_text(
            "# a comment\nrtmp = \"0.0.0.0:1936\"\nhttp = [\"0.0.0.0:8082\", \"0.0.0.0:8000\"]\ndemo = true\nhttp_max_connections = 1_000\n",
        );
        assert!(wrong.is_empty(), "{wrong:?}");
        let found: Vec<(&str, String)> =
            said.iter().map(|said| (said.key.name, said.items.join(" "))).collect();
        assert_eq!(
            found,
            [
                ("rtmp", "0.0.0.0:1936".to_owned()),
                ("http", "0.0.0.0:8082 0.0.0.0:8000".to_owned()),
                ("demo", "true".to_owned()),
                ("http_max_connections", "1000".to_owned())
            ]
        );
    }

    #[test]
    fn unknown_keys_are_all_named_with_their_lines_and_the_nearest_names() {
        assert_eq!(
            errors("demo = true\n\ndemmo = true\nchunk_size = 4096\nsoup = 1\nweb-dir = \"web\"\n"),
            [
                "pushpull.toml, line 3: unknown key `demmo`; did you mean `demo`?",
                "pushpull.toml, line 4: unknown key `chunk_size`; it is `rtmp_chunk_size` here",
                "pushpull.toml, line 5: unknown key `soup`; `pushpull --help` lists the keys",
                "pushpull.toml, line 6: unknown key `web-dir`; did you mean `web_dir`?",
            ]
        );
    }

    #[test]
    fn a_section_is_an_unknown_key_too() {
        assert_eq!(
            errors("[server]\ndemo = true\n"),
            [
                "pushpull.toml, line 1: unknown key `server`; keys stand at the top level, without sections; `pushpull --help` lists the keys"
            ]
        );
    }

    #[test]
    fn broken_toml_says_where() {
        assert!(errors("demo = true\nrtmp = \n")[0].starts_with("pushpull.toml, line 2: "));
        assert!(errors("demo = true\ndemo = false\n")[0].starts_with("pushpull.toml, line 2: "));
        let several = errors("rtmp = \ndemo = true\nhttp = [\"x\n");
        assert!(several.len() > 1, "{several:?}");
    }

    #[test]
    fn a_value_that_fits_no_key_is_named() {
        assert_eq!(
            errors("demo = true\nrtmp = 1.5\nhttp = [{}]\n"),
            [
                "pushpull.toml, line 2: `rtmp`: a float is not a value for any key",
                "pushpull.toml, line 3: `http`: a table is not a value for any key",
            ]
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let (_, wrong) = read(Path::new("/nowhere/pushpull.toml"));
        let text = wrong[0].to_string();
        assert!(
            text.starts_with("/nowhere/pushpull.toml: cannot read the configuration"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>()) {
            let (said, wrong) = parse_text(&text);
            let lines = text.lines().count().max(1) + 1;
            for Said { origin, .. } in said {
                prop_assert!(line_of(&origin) <= lines);
            }
            for error in wrong {
                prop_assert!(error.to_string().starts_with("pushpull.toml, line "));
            }
        }

        #[test]
        fn no_text_of_toml_pieces_is_too_strange(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)
        ) {
            let (said, wrong) = parse_text(&pieces.concat());
            prop_assert!(wrong.len() <= pieces.len() + 1 && said.len() <= pieces.len());
        }

        #[test]
        fn lines_are_right(before in prop::collection::vec(prop::sample::select(LINES), 0..20)) {
            let text = format!("{}\nsoup = 1\r\ngrace = 1.5\nlag = \"1s\" # é\n", before.join("\n"));
            // Every line that is looked for stands behind a line break.
            let line = |of: &str| text[..text.find(of).unwrap()].matches('\n').count() + 1;
            let (said, wrong) = parse_text(&text);
            let soup = format!("pushpull.toml, line {}: unknown key `soup`", line("\nsoup") + 1);
            let grace = format!("pushpull.toml, line {}: `grace`", line("\ngrace") + 1);
            prop_assert!(wrong[0].to_string().starts_with(&soup), "{wrong:?}");
            prop_assert!(wrong[1].to_string().starts_with(&grace), "{wrong:?}");
            let lag = said.last().map(|said| line_of(&said.origin));
            prop_assert_eq!(lag, Some(line("\nlag") + 1));
        }
    }

    /// What TOML is made of, valid and not.
    const PIECES: &[&str] = &[
        "rtmp",
        "http",
        "demo",
        "=",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "\"",
        "'",
        "'''",
        "\"\"\"",
        "\\",
        ",",
        ".",
        "#",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "1",
        "_",
        "0x",
        "1.5",
        "true",
        "inf",
        "-",
        "+",
        "1979-05-27",
        "é",
        "\u{0}",
        "\u{feff}",
        "x",
    ];

    /// Whole lines, and some of more than one.
    const LINES: &[&str] = &["", "# a comment", "  ", "# é", "\r", "# \"\"\"", "\t# [server]"];

    fn line_of(origin: &Origin) -> usize {
        match origin {
            Origin::File { line, .. } => *line,
            _ => panic!("{origin} is no line of a file"),
        }
    }

    fn parse_text(text: &str) -> (Vec<Said>, Vec<Error>) {
        parse(text, Path::new("pushpull.toml"))
    }

    fn errors(text: &str) -> Vec<String> {
        parse_text(text).1.iter().map(Error::to_string).collect()
    }
}
