//! What may be wrong with a configuration, and where it was said.

use std::{fmt, io, path::PathBuf, sync::Arc};

use super::{flag, mark, variable};

/// Why there is no configuration: everything that is wrong with it, in the order in which it is read.
#[derive(Debug)]
pub struct Errors {
    errors: Vec<Error>,
    files: Vec<mark::Read>,
}

impl Errors {
    /// All of `errors`, which were found in reading `files`.
    pub(super) fn new(errors: Vec<Error>, files: Vec<mark::Read>) -> Errors {
        Errors { errors, files }
    }

    /// The files that were read: a change of one may mend it.
    #[must_use]
    pub fn into_files(self) -> Vec<mark::Read> {
        self.files
    }

    /// One after the other; there is at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.errors.iter()
    }

    /// What clap has to say instead: the help, the version, or what it does not understand on the command line.
    pub fn usage(&self) -> Option<&clap::Error> {
        self.errors.iter().find_map(|error| match error {
            Error::Usage(error) => Some(error.as_ref()),
            _ => None,
        })
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Errors {
        Errors { errors: vec![error], files: Vec::new() }
    }
}

impl std::error::Error for Errors {}

/// A line for each.
impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.errors.iter().enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}{error}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line does not parse, or asks for the help or the version: clap tells which, and the exit code.
    #[error(transparent)]
    Usage(Arc<clap::Error>),
    /// The file cannot be read.
    #[error("{}: cannot read the configuration: {source}", file.display())]
    Unreadable {
        /// The path as it was given.
        file: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The file is not TOML.
    #[error("{}, line {line}: {reason}", file.display())]
    Syntax {
        /// The path as it was given.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the TOML parser said.
        reason: String,
    },
    /// The file has a key that the server does not have.
    #[error("{}, line {line}: unknown key `{key}`; {hint}", file.display())]
    UnknownKey {
        /// The path as it was given.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// As it is written in the file.
        key: String,
        /// What to do about it.
        hint: String,
    },
    /// A variable is nearly called as one that the server has.
    #[error("{name}: there is no such key; {hint}")]
    UnknownVariable {
        /// As it is set.
        name: String,
        /// What to do about it.
        hint: String,
    },
    /// A value is not one of its key.
    #[error("{origin}: {reason}")]
    BadValue {
        /// Where the value was said.
        origin: Origin,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A line of the configuration file.
    File {
        /// The path as it was given.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The key's name.
        key: &'static str,
    },
    /// An environment variable.
    Environment {
        /// The key's name.
        key: &'static str,
    },
    /// `RUST_LOG`, which stands for `log_level`.
    Levels,
    /// A flag.
    Flag {
        /// The key's name.
        key: &'static str,
    },
}

impl Origin {
    /// The place without the key: for a list that names the key already.
    pub(super) fn place(&self) -> String {
        match self {
            Origin::File { file, line, .. } => format!("{}, line {line}", file.display()),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { key, .. } => write!(f, "{}: `{key}`", self.place()),
            Origin::Environment { key } => f.write_str(&variable(key)),
            Origin::Levels => f.write_str(LEVELS_VARIABLE),
            Origin::Flag { key } => write!(f, "--{}", flag(key)),
        }
    }
}

/// As programs that log like this one have it.
pub(super) const LEVELS_VARIABLE: &str = "RUST_LOG";
