//! The log: stderr, one line per event, levels by `RUST_LOG`.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people: time, level, spans, message, fields.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging to stderr. `levels` is the text of `RUST_LOG` (`info` when absent), in the syntax of
/// [`EnvFilter`]: `debug`, or `warn,pushpull::rtmp=trace`.
///
/// # Errors
/// [`Error`] when `levels` does not parse.
pub fn init(format: Format, levels: Option<&str>) -> Result<(), Error> {
    let filter = EnvFilter::try_new(levels.unwrap_or(DEFAULT_LEVELS)).map_err(|error| Error {
        levels: levels.unwrap_or_default().to_owned(),
        reason: error.to_string(),
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(OneLine);
    match format {
        Format::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// `RUST_LOG` cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "RUST_LOG: {levels:?} is not a list of levels ({reason}); write for example RUST_LOG=debug or RUST_LOG=info,pushpull=trace"
)]
pub struct Error {
    levels: String,
    reason: String,
}

/// What is logged when `RUST_LOG` is not set.
const DEFAULT_LEVELS: &str = "info";

/// Keeps an event on one line: what a peer sends (its name, its path) must not be able to forge log lines.
struct OneLine;

impl<'a> MakeWriter<'a> for OneLine {
    type Writer = LineWriter<io::StderrLock<'static>>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(io::stderr().lock())
    }
}

/// The formatter hands over a whole event, its final newline included, in one call.
struct LineWriter<W>(W);

impl<W: Write> Write for LineWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = event.strip_suffix(b"\n").unwrap_or(event);
        if text.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            let mut line: Vec<u8> = text
                .iter()
                .map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte })
                .collect();
            line.extend_from_slice(&event[text.len()..]);
            self.0.write_all(&line)?;
        } else {
            self.0.write_all(event)?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_on_its_line() {
        let mut out = Vec::new();
        LineWriter(&mut out).write_all(b"INFO peer said a\r\nERROR forged\n").unwrap();
        assert_eq!(out, b"INFO peer said a  ERROR forged\n");
    }

    #[test]
    fn wrong_levels_are_named() {
        let error = init(Format::Text, Some("pushpull=loud")).unwrap_err().to_string();
        assert!(error.starts_with("RUST_LOG: \"pushpull=loud\""), "{error}");
    }
}
