//! What a key is: one thing the server can be told.

use super::{Config, table::SECTIONS};

/// One thing the server can be told.
#[derive(Debug)]
pub struct Key {
    /// In the file; the flag and the variable are made from it.
    pub name: &'static str,
    /// Heading in `--help` and in the documentation.
    pub section: &'static str,
    /// How its value is shown in `--help`: ADDR, TIME, SIZE, …
    pub value: &'static str,
    /// How many values it takes.
    pub kind: Kind,
    /// As it would be written; empty for none.
    pub default: &'static str,
    /// When a new value counts, after a reload.
    pub changes: Changes,
    /// One sentence, without a full stop.
    pub help: &'static str,
    /// Parses a value into the configuration, or says what is wrong with it.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
}

/// How many values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// One.
    One,
    /// One or more: the flag repeats, the file has an array, the variable has commas.
    List,
    /// Web addresses, as in [`Kind::List`]. Their queries are never shown: people put secrets there.
    Urls,
    /// A file that is read with the configuration: when something else is in it, the key says something else.
    File,
    /// `true` or `false`; the bare flag means `true`.
    Switch,
    /// One that is never shown. `file:PATH` stands for what is in that file.
    Secret,
    /// Any number of those, as in [`Kind::List`], or one on each line of a file.
    Secrets,
}

impl Kind {
    /// Whether it takes more than one value.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Kind::List | Kind::Urls | Kind::Secrets)
    }

    /// Whether its values are never shown.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::Secret | Kind::Secrets)
    }
}

/// When a new value of a key counts, after a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// At once, for all that runs.
    AtOnce,
    /// For connections, publishers or viewers that come after it; those that are there keep what they began with.
    NewConnections,
    /// When the server is started again.
    Restart,
}

impl Changes {
    /// As the documentation has it.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Changes::AtOnce => "at once",
            Changes::NewConnections => "new connections",
            Changes::Restart => "restart",
        }
    }
}

/// Every key, in the order of `--help`.
pub fn all() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().copied().flatten()
}

/// The key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    all().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access, hooks, http, hub, rtmp, tls};

    #[test]
    fn every_default_is_valid_and_every_name_is_its_own() {
        let mut config = Config::default();
        for key in all() {
            assert_eq!((key.set)(&mut config, key.default), Ok(()), "{}", key.name);
            assert_eq!(all().filter(|other| other.name == key.name).count(), 1, "{}", key.name);
            assert!(
                key.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{}",
                key.name
            );
            assert!(!key.help.ends_with('.') && !key.help.is_empty(), "{}", key.name);
        }
        let again = format!("{config:?}");
        assert_eq!(
            again,
            format!("{:?}", Config::default()),
            "a default set again changes nothing"
        );
    }

    #[test]
    fn the_table_and_the_modules_agree_on_the_defaults() {
        let config = Config::default();
        assert_eq!(format!("{:?}", config.hub), format!("{:?}", hub::Config::default()));
        assert_eq!(config.http_limits, http::Limits::default());
        let access = format!("{:?}", access::Config::default());
        assert_eq!(format!("{:?}", config.access), access);
        assert_eq!(config.tls, tls::Config::default());
        assert_eq!(config.hooks, hooks::Config::default());
        let rtmp = format!("{:?}", rtmp::Config::default());
        assert_eq!(format!("{:?}", config.rtmp_limits), rtmp);
    }
}
