//! The configuration file: flat TOML, one line per key.

use std::{
    fs,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{Error, Origin, keys};

/// One `key = value` of the file, the value as text.
pub struct Entry {
    pub key: &'static keys::Key,
    pub text: String,
    pub origin: Origin,
}

/// Reads `path`. Every key must be known: a misspelt one would otherwise be a setting that does not work and nobody knows.
pub fn read(path: &Path) -> Result<Vec<Entry>, Error> {
    let text = fs::read_to_string(path)
        .map_err(|source| Error::Unreadable { file: path.to_owned(), source })?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<Entry>, Error> {
    let file = || -> PathBuf { path.to_owned() };
    let table = DeTable::parse(text).map_err(|error| Error::Syntax {
        file: file(),
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    })?;
    let mut entries = Vec::with_capacity(table.get_ref().len());
    for (name, value) in table.get_ref() {
        let line = line_at(text, name.span().start);
        let key = keys::find(name.get_ref()).ok_or_else(|| Error::UnknownKey {
            file: file(),
            line,
            key: name.get_ref().to_string(),
            hint: hint(name.get_ref()),
        })?;
        let origin = Origin::File { file: file(), line, key: key.name };
        let text = value_text(value.get_ref())
            .map_err(|reason| Error::BadValue { origin: origin.clone(), reason })?;
        entries.push(Entry { key, text, origin });
    }
    // By line, so that of several mistakes the first in the file is the one reported.
    entries.sort_by_key(|entry| entry.origin.line());
    Ok(entries)
}

fn value_text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Boolean(value) => Ok(value.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().replace('_', "")),
        DeValue::Array(items) => {
            let items: Result<Vec<String>, String> =
                items.iter().map(|item| value_text(item.get_ref())).collect();
            Ok(items?.join(","))
        }
        other => Err(format!("a {} is not a value for any key", other.type_str())),
    }
}

fn hint(name: &str) -> String {
    let spelled = name.trim_start_matches('-').replace('-', "_").to_lowercase();
    match keys::find(&spelled) {
        Some(key) => format!("; did you mean `{}`?", key.name),
        None => {
            "; `pushpull --help` lists the keys (a flag `--some-key` is `some_key` here)".to_owned()
        }
    }
}

/// The line, counted from 1, that byte `offset` is in.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_become_text() {
        let entries = read_text(
            "# a comment\nrtmp = \"0.0.0.0:1936\"\nhttp = [\"0.0.0.0:8082\", \"0.0.0.0:8000\"]\ndemo = true\nhttp_max_connections = 1_000\n",
        )
        .unwrap_or_else(|error| panic!("{error}"));
        let found: Vec<(&str, &str)> =
            entries.iter().map(|entry| (entry.key.name, entry.text.as_str())).collect();
        assert_eq!(
            found,
            [
                ("rtmp", "0.0.0.0:1936"),
                ("http", "0.0.0.0:8082,0.0.0.0:8000"),
                ("demo", "true"),
                ("http_max_connections", "1000")
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        assert_eq!(
            error("demo = true\n\ndemmo = true\n"),
            "pushpull.toml, line 3: unknown key `demmo`; `pushpull --help` lists the keys (a flag `--some-key` is `some_key` here)"
        );
    }

    #[test]
    fn a_flag_spelt_key_is_recognised() {
        assert_eq!(
            error("web-dir = \"web\""),
            "pushpull.toml, line 1: unknown key `web-dir`; did you mean `web_dir`?"
        );
    }

    #[test]
    fn a_section_is_an_unknown_key_too() {
        assert!(
            error("[server]\ndemo = true\n")
                .starts_with("pushpull.toml, line 1: unknown key `server`")
        );
    }

    #[test]
    fn broken_toml_says_where() {
        assert!(error("demo = true\nrtmp = \n").starts_with("pushpull.toml, line 2: "));
        assert!(error("demo = true\ndemo = false\n").starts_with("pushpull.toml, line 2: "));
    }

    #[test]
    fn a_value_that_fits_no_key_is_named() {
        assert_eq!(
            error("demo = true\nrtmp = 1.5\n"),
            "pushpull.toml, line 2: `rtmp`: a float is not a value for any key"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nowhere/pushpull.toml")).err().map(|error| error.to_string());
        assert!(
            error.unwrap().starts_with("/nowhere/pushpull.toml: cannot read the configuration")
        );
    }

    fn read_text(text: &str) -> Result<Vec<Entry>, Error> {
        parse(text, Path::new("pushpull.toml"))
    }

    fn error(text: &str) -> String {
        read_text(text).err().map(|error| error.to_string()).unwrap_or_default()
    }
}
