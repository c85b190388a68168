//! `pushpull sign live/x`: what the page and the API make, on the command line.

use std::{ffi::OsString, fmt::Write, net::IpAddr, path::PathBuf};

use clap::{Arg, ArgAction, Command, value_parser};

use super::{
    maker::{self, Wanted, Whom},
    sign::Form,
};
use crate::{
    config::{Errors, Sources},
    endpoints::Endpoints,
    problem::Problem,
    sessions::Purpose,
};

/// The word behind the program's name that asks for it.
pub const NAME: &str = "sign";

/// Why there are no addresses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line does not parse, or asks for the help.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The configuration is wrong.
    #[error("the configuration is wrong")]
    Config(Errors),
    /// They cannot be made.
    #[error("{}", .0.detail())]
    Wanted(Problem),
}

/// The addresses that `args` (beginning with the program's name and [`NAME`]) ask for, one on each line, by the configuration
/// of a file and of `environment`.
///
/// # Errors
/// [`Error`]
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<String, Error> {
    let asked = command().try_get_matches_from(args.into_iter().skip(1))?;
    let file = asked.get_one::<PathBuf>("config").into_iter();
    let flags = file.flat_map(|file| ["--config".into(), file.clone().into_os_string()]);
    let loaded = Sources::read(std::iter::once("pushpull".into()).chain(flags), environment)
        .and_then(|sources| sources.load())
        .map_err(Error::Config)?;
    let text = |name: &str| asked.get_one::<String>(name).cloned();
    let wanted = Wanted {
        stream: text("stream").unwrap_or_default(),
        purpose: if asked.get_flag("play") { Purpose::Play } else { Purpose::Publish },
        form: asked.get_one::<Form>("form").copied(),
        expires_in: text("expires-in"),
        address: asked.get_one::<IpAddr>("address").copied(),
    };
    let config = loaded.config;
    let made = maker::make(&config.access, &Endpoints::of(&config), &wanted, Whom::Ours);
    let made = made.map_err(Error::Wanted)?;
    Ok(made.urls.iter().fold(String::new(), |mut lines, url| {
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{:<9} {}", url.protocol, url.url);
        lines
    }))
}

fn command() -> Command {
    let form = |name: &str| match name {
        "nms" => Ok(Form::Nms),
        "tencent" => Ok(Form::Tencent),
        "nginx" => Ok(Form::Nginx),
        "token" => Ok(Form::Token),
        _ => Err("write nms, tencent, nginx or token"),
    };
    Command::new("pushpull sign")
        .bin_name("pushpull sign")
        .about("Print addresses to push a stream to or to play it from, signed with the first of the secrets")
        .after_help("The secrets and ports are those of the configuration: of --config or PUSHPULL_CONFIG, and of the environment.")
        .arg(Arg::new("stream").value_name("STREAM").required(true).help("The stream, such as live/x"))
        .arg(Arg::new("play").long("play").action(ArgAction::SetTrue).help("Addresses to play from, and not to push to"))
        .arg(Arg::new("form").long("form").value_name("FORM").value_parser(form).help("How to sign: nms, tencent, nginx, or token for one of the tokens"))
        .arg(Arg::new("expires-in").long("expires-in").value_name("TIME").help("For how long they are good [default: 24h]"))
        .arg(Arg::new("address").long("address").value_name("IP").value_parser(value_parser!(IpAddr)).help("Who will use them, for a form that signs the address"))
        .arg(Arg::new("config").long("config").value_name("FILE").value_parser(value_parser!(PathBuf)).help("The server's configuration"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(args: &[&str], variables: &[(&str, &str)]) -> Result<String, Error> {
        let args = ["pushpull", NAME].iter().chain(args).map(OsString::from);
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        run(args, variables)
    }

    #[test]
    fn addresses_are_printed_by_the_configuration() {
        let listening = [
            ("PUSHPULL_RTMP", "192.168.1.5:1935"),
            ("PUSHPULL_HTTP", "192.168.1.5:8082"),
            ("PUSHPULL_PLAY_TOKENS", "ticket"),
        ];
        assert_eq!(sign(&["x"], &listening).unwrap(), "rtmp      rtmp://192.168.1.5/live/x\n");
        assert_eq!(
            sign(&["--play", "live/x"], &listening).unwrap(),
            "http-flv  http://192.168.1.5:8082/live/x.flv?token=ticket\n\
             ws-flv    ws://192.168.1.5:8082/live/x.flv?token=ticket\n\
             page      http://192.168.1.5:8082/?stream=live/x%3Ftoken%3Dticket\n\
             rtmp      rtmp://192.168.1.5/live/x?token=ticket\n"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "publish_secrets = \"hunter2\"\n").unwrap();
        let path = file.path().to_str().unwrap();
        let args = ["live/x", "--config", path, "--form", "tencent", "--expires-in", "1h"];
        let signed = sign(&args, &listening[..1]).unwrap();
        assert!(signed.starts_with("rtmp      rtmp://192.168.1.5/live/x?txSecret="), "{signed}");
        assert!(!signed.contains("hunter2"), "{signed}");
    }

    #[test]
    fn what_cannot_be_made_is_told() {
        let told = |args: &[&str]| sign(args, &[]).unwrap_err().to_string();
        assert!(told(&["live/x", "--form", "nms"]).contains("no publish_secrets"));
        assert!(told(&["live/x", "--form", "sha"]).contains("nms, tencent"));
        assert!(told(&[".."]).contains(".."));
        assert!(told(&[]).contains("Usage: pushpull sign <STREAM>"));
        assert!(matches!(sign(&["x"], &[("PUSHPULL_RTMP", "x")]), Err(Error::Config(_))));
    }

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }
}
