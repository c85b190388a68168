//! The log: stderr, one line per event.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::config::Live;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people: time, level, spans, message, fields.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What is logged: `debug`, or `warn,pushpull::rtmp=trace`, in the syntax of [`EnvFilter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels(String);

impl Default for Levels {
    fn default() -> Levels {
        Levels("info".to_owned())
    }
}

impl Levels {
    /// Reads `text`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Levels, String> {
        match EnvFilter::try_new(text) {
            Ok(_) if !text.trim().is_empty() => Ok(Levels(text.to_owned())),
            Ok(_) => Err(format!("{text:?} is not a list of levels; {EXAMPLE}")),
            Err(error) => Err(format!("{text:?} is not a list of levels ({error}); {EXAMPLE}")),
        }
    }

    fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

/// Replaces what is logged.
pub struct Switch(Box<dyn Fn(EnvFilter) + Send>);

impl Switch {
    /// Logs what `levels` say, whenever they change.
    pub async fn follow(self, levels: Live<Levels>) {
        let mut changes = levels.subscribe();
        while changes.changed().await.is_ok() {
            let levels = changes.borrow_and_update().clone();
            (self.0)(levels.filter());
        }
    }
}

/// Starts logging to stderr: what `levels` say.
pub fn init(format: Format, levels: &Levels) -> Switch {
    let builder = tracing_subscriber::fmt().with_writer(OneLine);
    let filter = levels.filter();
    // The two differ in type. Replacing fails only if nothing is logged any more.
    match format {
        Format::Text => {
            let builder = builder.with_ansi(io::stderr().is_terminal());
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Switch(Box::new(move |filter| drop(handle.reload(filter))))
        }
        Format::Json => {
            let builder = builder.json().flatten_event(true);
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Switch(Box::new(move |filter| drop(handle.reload(filter))))
        }
    }
}

const EXAMPLE: &str = "write for example debug, or info,pushpull::rtmp=trace";

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
        for (wrong, begin) in [("pushpull=loud", "\"pushpull=loud\" is not"), (" ", "\" \" is not")]
        {
            let error = Levels::parse(wrong).unwrap_err();
            assert!(error.starts_with(begin), "{error}");
        }
        assert!(Levels::parse("warn,pushpull::rtmp=trace").is_ok());
    }
}
