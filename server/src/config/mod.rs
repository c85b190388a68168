//! What the server is told: defaults, then the file, then the environment, then the flags, each over the one before.
//!
//! [`keys::all`] is the one table of what can be said. Every key is `some_key` in the file, `PUSHPULL_SOME_KEY` in the
//! environment and `--some-key` on the command line, and the same parser reads all three.

mod error;
mod file;
pub mod keys;
mod live;
pub(crate) mod mark;
mod nearest;
mod secret;
mod sources;
mod table;
pub mod units;
mod words;

use std::{ffi::OsString, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use crate::{access, api, hooks, http, hub, logs, rtmp, tls};

pub use error::{Error, Errors, Origin};
pub use live::Live;
pub use secret::{Secret, hide_in_url};
pub use sources::{Sources, command};

pub use keys::Changes;
use keys::{Key, Kind};
use sources::Said;

/// Everything the server can be told, as the keys of [`keys::all`] set it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where RTMP publishers connect.
    pub rtmp: SocketAddr,
    /// Where the page, the API and the streams are served; at least one.
    pub http: Vec<SocketAddr>,
    /// Where the same is served under TLS.
    pub https: Vec<SocketAddr>,
    /// Where RTMP peers connect under TLS.
    pub rtmps: Vec<SocketAddr>,
    /// The certificate, and what handshakes are held to.
    pub tls: tls::Config,
    /// The page from this directory instead of the built-in one.
    pub web_dir: Option<PathBuf>,
    /// How the hub treats publishers and viewers.
    pub hub: hub::Config,
    /// Who may publish and view.
    pub access: access::Config,
    /// Who is asked and told about those who come and go.
    pub hooks: hooks::Config,
    /// What RTMP peers are held to.
    pub rtmp_limits: rtmp::Config,
    /// What HTTP peers are held to.
    pub http_limits: http::Limits,
    /// Who may ask the API for what.
    pub api: api::Config,
    /// Publish the built-in clip as `live/demo`.
    pub demo: bool,
    /// How a line of the log is written.
    pub log: logs::Format,
    /// What is logged.
    pub log_level: logs::Levels,
    /// How long connections may take to end when the server stops.
    pub stop_timeout: Duration,
    /// Whether a change of a file that was read is a reason to read everything again.
    pub config_watch: bool,
}

impl Config {
    /// Reads the flags in `args` (the program's name first), the variables in `environment` and the file they name.
    ///
    /// # Errors
    /// [`Errors`] names everything that is wrong and where: the flag, the variable, or the file, the line and the key.
    pub fn load(
        args: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded, Errors> {
        Sources::read(args, environment)?.load()
    }
}

impl Default for Config {
    fn default() -> Config {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut config = Config {
            rtmp: unspecified,
            http: Vec::new(),
            https: Vec::new(),
            rtmps: Vec::new(),
            tls: tls::Config::default(),
            hub: hub::Config::default(),
            access: access::Config::default(),
            hooks: hooks::Config::default(),
            rtmp_limits: rtmp::Config::default(),
            http_limits: http::Limits::default(),
            api: api::Config::default(),
            web_dir: None,
            demo: false,
            log: logs::Format::Text,
            log_level: logs::Levels::default(),
            stop_timeout: Duration::ZERO,
            config_watch: true,
        };
        for key in keys::all() {
            // The table's own text, which `keys::tests` reads too.
            (key.set)(&mut config, key.default).expect("every default in the table is valid");
        }
        config
    }
}

/// A configuration, where it comes from, and what is odd about it without being wrong.
#[derive(Debug)]
pub struct Loaded {
    /// What the server is told.
    pub config: Config,
    /// The same by key, in the order of `--help`.
    pub settings: Vec<Setting>,
    /// The files that were read: a change of one of them may be a change of the configuration.
    pub files: Vec<mark::Read>,
    /// One sentence each, for the log.
    pub warnings: Vec<String>,
}

/// What is in force for a key.
#[derive(Clone)]
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// Its value, as it may be written; secrets too.
    text: String,
    /// What is in the file that the value names, where it is the content that counts.
    digest: Option<mark::Digest>,
    /// Where it was said; `None` for the default.
    pub origin: Option<Origin>,
}

impl Setting {
    fn default_of(key: &'static Key) -> Setting {
        Setting { key, text: key.default.to_owned(), digest: None, origin: None }
    }

    /// Whether both say the same.
    #[must_use]
    pub fn is_same(&self, other: &Setting) -> bool {
        self.key.name == other.key.name && self.text == other.text && self.digest == other.digest
    }

    /// Whether people may see all of the value.
    fn is_public(&self) -> bool {
        match self.key.kind {
            Kind::Secret | Kind::Secrets => false,
            Kind::Urls => units::list(&self.text).all(|url| secret::hide_in_url(url) == url),
            _ => true,
        }
    }

    /// The value as people may see it, in TOML; `None` when there is none. Secrets are `(set)`, and queries of addresses `?…`.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        if self.text.is_empty() {
            return None;
        }
        Some(match self.key.kind {
            Kind::Secret | Kind::Secrets => "(set)".to_owned(),
            Kind::Switch => self.text.clone(),
            Kind::One if self.text.bytes().all(|byte| byte.is_ascii_digit()) => self.text.clone(),
            Kind::One | Kind::File => quoted(&self.text),
            Kind::List | Kind::Urls => {
                let shown = |item: &str| match self.key.kind {
                    Kind::Urls => quoted(&secret::hide_in_url(item)),
                    _ => quoted(item),
                };
                let items: Vec<_> = units::list(&self.text).map(shown).collect();
                format!("[{}]", items.join(", "))
            }
        })
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key.name, self.shown().unwrap_or_default())
    }
}

/// A file that says what is in force, each line with where that was said. What holds secrets is a comment.
impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut section = "";
        for setting in &self.settings {
            let Setting { key, origin, .. } = setting;
            if key.section != section {
                let space = if section.is_empty() { "" } else { "\n" };
                section = key.section;
                writeln!(f, "{space}# {section}")?;
            }
            let line = match setting.shown() {
                Some(value) if !setting.is_public() => format!("# {} = {value}", key.name),
                Some(value) => format!("{} = {value}", key.name),
                None => format!("# {} is not set", key.name),
            };
            let place = origin.as_ref().map_or_else(|| "default".to_owned(), Origin::place);
            writeln!(f, "{line:COLUMN$} # {place}")?;
        }
        Ok(())
    }
}

/// The flag of a key, without the dashes: `some-key` for `some_key`.
pub fn flag(name: &str) -> String {
    name.replace('_', "-")
}

/// The environment variable of a key: `PUSHPULL_SOME_KEY` for `some_key`.
pub fn variable(name: &str) -> String {
    format!("PUSHPULL_{}", name.to_uppercase())
}

/// Where the origins begin in what `--check-config` prints, as a rule.
const COLUMN: usize = 44;

#[cfg(test)]
mod tests {
    use std::fs;

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
        assert_eq!(error.usage().map(clap::Error::exit_code), Some(2), "{error}");
        assert!(error.to_string().contains("--rmtp"), "{error}");
    }

    #[test]
    fn a_misspelt_variable_is_an_error_and_a_stranger_is_a_warning() {
        assert_eq!(
            message(&[], &[("PUSHPULL_RMTP", "x"), ("PUSHPULL_GRACEE", "1s"), ("HOME", "/root")]),
            "PUSHPULL_GRACEE: there is no such key; did you mean PUSHPULL_GRACE?\n\
             PUSHPULL_RMTP: there is no such key; did you mean PUSHPULL_RTMP?"
        );
        // As Kubernetes sets them for a service of that name.
        let variables = [
            ("PUSHPULL_SERVICE_HOST", "10.0.0.1"),
            ("PUSHPULL_SERVICE_PORT", "1935"),
            ("PUSHPULL_PORT", "tcp://10.0.0.1:1935"),
            ("PUSHPULL_PORT_1935_TCP", "tcp://10.0.0.1:1935"),
            ("PUSHPULL_PORT_1935_TCP_PROTO", "tcp"),
        ];
        let loaded = load(&[], &variables).unwrap();
        assert_eq!(loaded.warnings.len(), variables.len(), "{:?}", loaded.warnings);
        assert_eq!(loaded.warnings[0], "PUSHPULL_PORT is set, but there is no such key");
        let loaded = load(&[], &[("PUSHPULL_GOP_CACHE", "true")]).unwrap();
        assert!(loaded.warnings[0].contains("`gop_bytes`"), "{:?}", loaded.warnings);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "grace = \"soon\"\nsoup = 1\nlag = \"never\"\n").unwrap();
        let path = file.path().to_str().unwrap();
        let said = message(&["--config", path, "--rtmp", "1935"], &[("PUSHPULL_DEMO", "yes")]);
        let begins: Vec<_> = said.lines().map(|line| line.split(": ").next().unwrap()).collect();
        let lines = [1, 2, 3].map(|line| format!("{path}, line {line}"));
        for expected in lines.iter().map(String::as_str).chain(["PUSHPULL_DEMO", "--rtmp"]) {
            assert!(begins.contains(&expected), "{expected}: {said}");
        }
        assert_eq!(begins.len(), 5, "{said}");
    }

    #[test]
    fn what_is_printed_reads_as_the_same() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "grace = \"7s\"\nhttp = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n")
            .unwrap();
        let path = file.path().to_str().unwrap();
        let loaded = load(&["--config", path, "--demo"], &[("PUSHPULL_LAG", "9s")]).unwrap();
        let printed = loaded.to_string();
        for (line, place) in [
            ("rtmp = \"0.0.0.0:1935\"", "default"),
            ("http = [\"127.0.0.1:1\", \"127.0.0.1:2\"]", &format!("{path}, line 2")),
            ("grace = \"7s\"", &format!("{path}, line 1")),
            ("lag = \"9s\"", "PUSHPULL_LAG"),
            ("demo = true", "--demo"),
            ("# web_dir is not set", "default"),
        ] {
            let expected = format!("{line:COLUMN$} # {place}");
            assert!(printed.lines().any(|line| line == expected), "{expected}: {printed}");
        }
        fs::write(file.path(), &printed).unwrap();
        let again = load(&["--config", path], &[]).unwrap();
        assert_eq!(format!("{:?}", again.config), format!("{:?}", loaded.config));
    }

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    fn load(args: &[&str], variables: &[(&str, &str)]) -> Result<Loaded, Errors> {
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
