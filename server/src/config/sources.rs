//! Where the configuration comes from: what was said at the start, which stays for as long as the server runs, and the file,
//! which is read again at every reload.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};

use super::{
    Config, Error, Errors, Loaded, Origin, Setting,
    error::LEVELS_VARIABLE,
    file, flag,
    keys::{self, Key, Kind},
    mark,
    nearest::{Near, nearest},
    secret, variable,
};

/// The command line and the environment, as they were at the start, and the name of the file.
#[derive(Debug)]
pub struct Sources {
    file: Option<PathBuf>,
    /// The variables, and over them the flags.
    said: Vec<Said>,
    warnings: Vec<String>,
    only_checks: bool,
    /// What is wrong with them; told along with what is wrong with the file.
    wrong: Vec<Error>,
}

/// What one of the sources says of a key.
#[derive(Debug, Clone)]
pub struct Said {
    pub key: &'static Key,
    /// The values, as they were written.
    pub items: Vec<String>,
    pub origin: Origin,
}

impl Sources {
    /// Reads the flags in `args` (the program's name first) and the variables in `environment`.
    ///
    /// # Errors
    /// When the command line does not parse, or asks for the help or the version: see [`Errors::usage`].
    pub fn read(
        args: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Sources, Errors> {
        let flags = command()
            .try_get_matches_from(args)
            .map_err(|error| Error::Usage(with_word(error).into()))?;
        let mut sources = Sources {
            file: None,
            said: Vec::new(),
            warnings: Vec::new(),
            only_checks: flags.get_flag(CHECK_FLAG),
            wrong: Vec::new(),
        };
        let mut levels = None;
        let mut variables: Vec<(OsString, OsString)> = environment.into_iter().collect();
        variables.sort();
        for (name, value) in variables {
            match name.to_str() {
                Some(LEVELS_VARIABLE) => levels = value.into_string().ok(),
                Some(name) if name.starts_with(VARIABLE_PREFIX) => sources.variable(name, value),
                _ => {}
            }
        }
        if let Some(file) = flags.get_one::<PathBuf>(CONFIG_FLAG) {
            sources.file = Some(file.clone());
        }
        for key in keys::all() {
            if let Some(items) = flag_items(&flags, key) {
                sources.said.push(Said { key, items, origin: Origin::Flag { key: key.name } });
            }
        }
        // Said over all of them: whoever sets it wants to see something, once.
        if let Some((key, text)) = keys::find("log_level").zip(levels)
            && !text.is_empty()
        {
            sources.said.push(Said { key, items: vec![text], origin: Origin::Levels });
        }
        Ok(sources)
    }

    fn variable(&mut self, name: &str, value: OsString) {
        if name == CONFIG_VARIABLE {
            self.file = Some(value.into());
            return;
        }
        let Some(key) = keys::all().find(|key| variable(key.name) == name) else {
            return self.unknown_variable(name);
        };
        let origin = Origin::Environment { key: key.name };
        match value.into_string() {
            Ok(text) if key.kind.is_list() => {
                let items = text.split(',').map(str::to_owned).collect();
                self.said.push(Said { key, items, origin });
            }
            Ok(text) => self.said.push(Said { key, items: vec![text], origin }),
            Err(_) => {
                let reason = "the value is not UTF-8".to_owned();
                self.wrong.push(Error::BadValue { origin, reason });
            }
        }
    }

    /// What is nearly a key's is a mistake. What is not may be there for other ends: Kubernetes sets `PUSHPULL_SERVICE_HOST`
    /// and more of the kind for whatever stands beside a service called pushpull.
    fn unknown_variable(&mut self, name: &str) {
        let near = nearest(name.trim_start_matches(VARIABLE_PREFIX));
        match &near {
            Near::Misspelt(key) => {
                let hint = format!("did you mean {}?", variable(key.name));
                self.wrong.push(Error::UnknownVariable { name: name.to_owned(), hint });
            }
            Near::Nothing => {
                self.warnings.push(format!("{name} is set, but there is no such key"));
            }
            Near::Word(_) | Near::Part(_) => {
                let hint = near.hint(|key| variable(key.name));
                self.warnings.push(format!("{name} is set, but there is no such key; {hint}"));
            }
        }
    }

    /// The configuration file, if one is named.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether the program was asked to check the configuration and nothing else.
    pub fn only_checks(&self) -> bool {
        self.only_checks
    }

    /// Reads the file, puts the variables and the flags over it, and the whole over the defaults.
    ///
    /// # Errors
    /// [`Errors`] names everything that is wrong and where: the flag, the variable, or the file, the line and the key.
    pub fn load(&self) -> Result<Loaded, Errors> {
        let mut files: Vec<mark::Read> = self.file().map(mark::Read::now).into_iter().collect();
        let (said, mut wrong) = self.file().map(file::read).unwrap_or_default();
        let mut config = Config::default();
        let mut settings: Vec<Setting> = keys::all().map(Setting::default_of).collect();
        for Said { key, items, origin } in said.into_iter().chain(self.said.iter().cloned()) {
            let text = if key.kind.is_secret() {
                secret::resolve(key.kind, items, &mut files)
            } else {
                Ok(items.join(","))
            };
            let digest = match &text {
                Ok(path) if key.kind == Kind::File => mark::note(Path::new(path), &mut files),
                _ => None,
            };
            match text.and_then(|text| (key.set)(&mut config, &text).map(|()| text)) {
                Ok(text) => {
                    let setting = settings.iter_mut().find(|setting| setting.key.name == key.name);
                    if let Some(setting) = setting {
                        *setting = Setting { key, text, digest, origin: Some(origin) };
                    }
                }
                Err(reason) => wrong.push(Error::BadValue { origin, reason }),
            }
        }
        wrong.extend_from_slice(&self.wrong);
        if !wrong.is_empty() {
            return Err(Errors::new(wrong, files));
        }
        Ok(Loaded { config, settings, files, warnings: self.warnings.clone() })
    }
}

impl Sources {
    /// As [`Sources::load`], while the server runs.
    ///
    /// # Errors
    /// As those; and if the file was a pipe, which says nothing the second time.
    pub fn load_again(&self) -> Result<Loaded, Errors> {
        match self.file().map(|file| (file, mark::check_readable_again(file))) {
            Some((file, Err(source))) => {
                Err(Error::Unreadable { file: file.to_owned(), source: source.into() }.into())
            }
            _ => self.load(),
        }
    }
}

/// The command line: the keys of the table, `--config` and `--check-config`.
pub fn command() -> Command {
    let config_file = Arg::new(CONFIG_FLAG)
        .long(CONFIG_FLAG)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help(format!(
            "Read this TOML file, whose keys are these flags with _ for - [env: {CONFIG_VARIABLE}]"
        ));
    let check = Arg::new(CHECK_FLAG)
        .long(flag(CHECK_FLAG))
        .action(ArgAction::SetTrue)
        .help("Read everything, print what would be in force and where it was said, and end");
    Command::new("pushpull")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Live-stream test server: push RTMP to it, watch in the browser")
        .after_help("`pushpull sign live/x` prints addresses to push to or to play from, signed as the server wants them.\n\nEvery flag can also be set in the environment (PUSHPULL_SOME_KEY for --some-key) or in the --config file.\nOrder of weight: flag, environment, file, default. RUST_LOG, where it is set, counts in place of log_level.")
        .arg(config_file)
        .arg(check)
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
        Kind::One | Kind::File | Kind::Secret => arg,
        Kind::List | Kind::Urls | Kind::Secrets => arg.action(ArgAction::Append),
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
    }
}

/// For a flag that is another server's word, what there is here: a flag that looks like it is not what is meant.
fn with_word(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && let Near::Word(word) = nearest(flag)
    {
        error.remove(ContextKind::SuggestedArg);
        let word = ContextValue::StyledStrs(vec![word.into()]);
        error.insert(ContextKind::Suggested, word);
    }
    error
}

fn flag_items(flags: &ArgMatches, key: &Key) -> Option<Vec<String>> {
    if flags.value_source(key.name) != Some(ValueSource::CommandLine) {
        return None;
    }
    Some(flags.get_many::<String>(key.name)?.cloned().collect())
}

const CONFIG_FLAG: &str = "config";
const CHECK_FLAG: &str = "check_config";
const VARIABLE_PREFIX: &str = "PUSHPULL_";
const CONFIG_VARIABLE: &str = "PUSHPULL_CONFIG";
