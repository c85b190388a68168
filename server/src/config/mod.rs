//! What the server is told: defaults, then the file, then the environment, then the flags, each over the one before.
//!
//! [`keys::all`] is the one table of what can be said. Every key is `some_key` in the file, `PUSHPULL_SOME_KEY` in the
//! environment and `--some-key` on the command line, and the same parser reads all three.

mod file;
pub mod keys;
mod live;
mod secret;
mod table;
pub mod units;

use std::{
    ffi::OsString,
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

use crate::{http, hub, logs, rtmp};

pub use live::Live;
pub use secret::Secret;

use keys::{Key, Kind};

/// Everything the server can be told, as the keys of [`keys::all`] set it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where RTMP publishers connect.
    pub rtmp: SocketAddr,
    /// Where the page, the API and the streams are served; at least one.
    pub http: Vec<SocketAddr>,
    /// The page from this directory instead of the built-in one.
    pub web_dir: Option<PathBuf>,
    /// How the hub treats publishers and viewers.
    pub hub: hub::Config,
    /// What RTMP peers are held to.
    pub rtmp_limits: rtmp::Config,
    /// What HTTP peers are held to.
    pub http_limits: http::Limits,
    /// Publish the built-in clip as `live/demo`.
    pub demo: bool,
    /// How a line of the log is written.
    pub log: logs::Format,
    /// How long connections may take to end when the server stops.
    pub stop_timeout: Duration,
}

impl Config {
    /// Reads the flags in `args` (the program's name first), the variables in `environment` and the file they name.
    ///
    /// # Errors
    /// [`Error`] names what is wrong and where: the flag, the variable, or the file, the line and the key.
    pub fn load(
        args: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded, Error> {
        let flags = command().try_get_matches_from(args).map_err(Error::Usage)?;
        let environment = Environment::read(environment)?;
        let mut config = Config::default();
        let mut warnings = environment.warnings;

        let file = flags.get_one::<PathBuf>(CONFIG_FLAG).cloned().or(environment.config_file);
        for entry in file.as_deref().map(file::read).transpose()?.unwrap_or_default() {
            config.set(entry.key, &entry.text, entry.origin)?;
        }
        for (key, text) in environment.values {
            config.set(key, &text, Origin::Environment { key: key.name })?;
        }
        for key in keys::all() {
            if let Some(text) = flag_text(&flags, key) {
                config.set(key, &text, Origin::Flag { key: key.name })?;
            }
        }
        warnings.sort();
        Ok(Loaded { config, warnings })
    }

    fn set(&mut self, key: &Key, text: &str, origin: Origin) -> Result<(), Error> {
        (key.set)(self, text).map_err(|reason| Error::BadValue { origin, reason })
    }
}

impl Default for Config {
    fn default() -> Config {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut config = Config {
            rtmp: unspecified,
            http: Vec::new(),
            hub: hub::Config::default(),
            rtmp_limits: rtmp::Config::default(),
            http_limits: http::Limits::default(),
            web_dir: None,
            demo: false,
            log: logs::Format::Text,
            stop_timeout: Duration::ZERO,
        };
        for key in keys::all() {
            // The table's own text, which `keys::tests` reads too.
            (key.set)(&mut config, key.default).expect("every default in the table is valid");
        }
        config
    }
}

/// A configuration, and what is odd about it without being wrong.
#[derive(Debug)]
pub struct Loaded {
    /// What the server is told.
    pub config: Config,
    /// One sentence each, for the log.
    pub warnings: Vec<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line does not parse, or asks for the help or the version: clap tells which, and the exit code.
    #[error(transparent)]
    Usage(clap::Error),
    /// The file cannot be read.
    #[error("{}: cannot read the configuration: {source}", file.display())]
    Unreadable {
        /// The path as it was given.
        file: PathBuf,
        /// Why.
        source: io::Error,
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
    #[error("{}, line {line}: unknown key `{key}`{hint}", file.display())]
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
    /// A flag.
    Flag {
        /// The key's name.
        key: &'static str,
    },
}

impl Origin {
    fn line(&self) -> usize {
        match self {
            Origin::File { line, .. } => *line,
            Origin::Environment { .. } | Origin::Flag { .. } => 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { file, line, key } => {
                write!(f, "{}, line {line}: `{key}`", file.display())
            }
            Origin::Environment { key } => f.write_str(&variable(key)),
            Origin::Flag { key } => write!(f, "--{}", flag(key)),
        }
    }
}

/// The command line: the keys of the table, and `--config`.
pub fn command() -> Command {
    let config_file = Arg::new(CONFIG_FLAG)
        .long(CONFIG_FLAG)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help(format!(
            "Read this TOML file, whose keys are these flags with _ for - [env: {CONFIG_VARIABLE}]"
        ));
    Command::new("pushpull")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Live-stream test server: push RTMP to it, watch in the browser")
        .after_help("Every flag can also be set in the environment (PUSHPULL_SOME_KEY for --some-key) or in the --config file.\nOrder of weight: flag, environment, file, default. The log's levels come from RUST_LOG (default: info).")
        .arg(config_file)
        .args(keys::all().map(argument))
}

fn argument(key: &'static Key) -> Arg {
    let default = if key.default.is_empty() { "none" } else { key.default };
    let arg = Arg::new(key.name)
        .long(flag(key.name))
        .value_name(key.value)
        .help_heading(key.section)
        .help(format!("{} [default: {default}]", key.help));
    match key.kind {
        Kind::One | Kind::Secret => arg,
        Kind::List | Kind::Secrets => arg.action(ArgAction::Append),
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
    }
}

fn flag_text(flags: &ArgMatches, key: &Key) -> Option<String> {
    if flags.value_source(key.name) != Some(ValueSource::CommandLine) {
        return None;
    }
    let values: Vec<&str> = flags.get_many::<String>(key.name)?.map(String::as_str).collect();
    Some(values.join(","))
}

/// The flag of a key, without the dashes: `some-key` for `some_key`.
pub fn flag(name: &str) -> String {
    name.replace('_', "-")
}

/// The environment variable of a key: `PUSHPULL_SOME_KEY` for `some_key`.
pub fn variable(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.to_uppercase())
}

/// What `PUSHPULL_…` variables say.
#[derive(Default)]
struct Environment {
    config_file: Option<PathBuf>,
    values: Vec<(&'static Key, String)>,
    warnings: Vec<String>,
}

impl Environment {
    fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Environment, Error> {
        let mut found = Environment::default();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else {
                continue;
            };
            if name == CONFIG_VARIABLE {
                found.config_file = Some(Path::new(&value).to_owned());
                continue;
            }
            let Some(key) = keys::all().find(|key| variable(key.name) == name) else {
                // Not an error: the prefix is ours, but a script around the server may use it for its own ends.
                found.warnings.push(format!("{name} is set, but there is no such key"));
                continue;
            };
            let text = value.into_string().map_err(|_| Error::BadValue {
                origin: Origin::Environment { key: key.name },
                reason: "the value is not UTF-8".to_owned(),
            })?;
            found.values.push((key, text));
        }
        Ok(found)
    }
}

const CONFIG_FLAG: &str = "config";
const VARIABLE_PREFIX: &str = "PUSHPULL_";
const CONFIG_VARIABLE: &str = "PUSHPULL_CONFIG";

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    #[test]
    fn flags_over_environment_over_file_over_defaults() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(
            file.path(),
            "rtmp = \"127.0.0.1:1\"\nstop_timeout = \"1s\"\nhttp = \"127.0.0.1:1\"\n",
        )
        .unwrap();
        let path = file.path().to_str().unwrap();
        let variables = [("PUSHPULL_RTMP", "127.0.0.1:2"), ("PUSHPULL_STOP_TIMEOUT", "2s")];

        let config = load(&["--config", path, "--rtmp", "127.0.0.1:3"], &variables).unwrap().config;

        assert_eq!(config.rtmp, "127.0.0.1:3".parse().unwrap(), "the flag wins");
        assert_eq!(config.stop_timeout, Duration::from_secs(2), "the environment over the file");
        assert_eq!(config.http, ["127.0.0.1:1".parse().unwrap()], "the file over the default");
        assert!(!config.demo, "the default where nothing was said");
    }

    #[test]
    fn every_source_can_undo_a_switch() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "demo = true\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert!(load(&["--config", path], &[]).unwrap().config.demo);
        assert!(!load(&["--config", path], &[("PUSHPULL_DEMO", "false")]).unwrap().config.demo);
        assert!(!load(&["--config", path, "--demo=false"], &[]).unwrap().config.demo);
        assert!(load(&["--demo"], &[("PUSHPULL_DEMO", "false")]).unwrap().config.demo);
    }

    #[test]
    fn a_list_replaces_the_list_below_it() {
        let config = load(
            &["--http", "127.0.0.1:1", "--http", "127.0.0.1:2"],
            &[("PUSHPULL_HTTP", "127.0.0.1:3")],
        );
        assert_eq!(
            config.unwrap().config.http,
            ["127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap()]
        );
        let config = load(&[], &[("PUSHPULL_HTTP", "127.0.0.1:3,127.0.0.1:4")]).unwrap().config;
        assert_eq!(config.http.len(), 2);
    }

    #[test]
    fn the_file_may_be_named_in_the_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "demo = true\n").unwrap();
        assert!(
            load(&[], &[("PUSHPULL_CONFIG", file.path().to_str().unwrap())]).unwrap().config.demo
        );
    }

    #[test]
    fn a_bad_value_names_where_it_was_said() {
        assert!(
            message(&["--stop-timeout", "soon"], &[])
                .starts_with("--stop-timeout: \"soon\" is not a time")
        );
        assert!(
            message(&[], &[("PUSHPULL_RTMP", "1935")])
                .starts_with("PUSHPULL_RTMP: \"1935\" is not a listening")
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "demo = true\nlog = \"xml\"\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(
            message(&["--config", path], &[]),
            format!("{path}, line 2: `log`: \"xml\" is not a log format: write text or json")
        );
    }

    #[test]
    fn an_unknown_flag_is_a_usage_error() {
        let error = load(&["--rmtp", "0.0.0.0:1"], &[]).unwrap_err();
        assert!(matches!(&error, Error::Usage(error) if error.exit_code() == 2), "{error}");
        assert!(error.to_string().contains("--rmtp"), "{error}");
    }

    #[test]
    fn an_unknown_variable_is_a_warning() {
        let loaded = load(&[], &[("PUSHPULL_RMTP", "x"), ("HOME", "/root")]).unwrap();
        assert_eq!(loaded.warnings, ["PUSHPULL_RMTP is set, but there is no such key"]);
    }

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    fn load(args: &[&str], variables: &[(&str, &str)]) -> Result<Loaded, Error> {
        let args = std::iter::once("pushpull").chain(args.iter().copied()).map(OsString::from);
        Config::load(
            args,
            variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))),
        )
    }

    fn message(args: &[&str], variables: &[(&str, &str)]) -> String {
        load(args, variables).unwrap_err().to_string()
    }
}
