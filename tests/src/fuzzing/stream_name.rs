//! Names of streams: a good one or none, the same over RTMP and HTTP.

use pushpull_rtmp::StreamName;
use pushpull_rtmp::name::{NameError, resolve};

/// Reads `input` as lines: what is typed or stands in a path, and a tcUrl, an app and a stream.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for name in [StreamName::parse(&text), StreamName::parse_path(&text)] {
        look_at(name);
    }
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (app, stream, tc_url) = (line(), line(), line());
    if let Ok(target) = resolve(tc_url, app, stream) {
        assert!(target.query.len() <= text.len());
        look_at(Ok(target.name));
    }
    same_both_ways(app, stream);
}

/// What every name keeps to, however it was read.
fn look_at(name: Result<StreamName, NameError>) {
    let name = match name {
        Ok(name) => name,
        Err(error) => return assert!(error.to_string().len() < 4096),
    };
    let text = name.as_str();
    assert!(text.len() <= StreamName::MAX_LEN);
    assert!(!text.chars().any(|c| c.is_control() || "/\\?#%\"<>|`{}[]^".contains(c) && c != '/'));
    for level in text.split('/') {
        assert!(!matches!(level, "" | "." | ".."), "{text:?}");
        assert_eq!(level.trim(), level);
    }
    assert_eq!(format!("{}/{}", name.app(), name.stream()), text);
    assert!(!name.stream().contains('/'));
    assert_eq!(StreamName::parse(text), Ok(name.clone()));
    assert_eq!(StreamName::parse_path(&escaped(text)), Ok(name.clone()));
    // Whoever plays it over RTMP by its own name finds it.
    if is_ordinary(name.app()) && is_ordinary(name.stream()) && !is_prefixed(name.stream()) {
        let target = resolve("", &escaped(name.app()), &escaped(name.stream()));
        assert_eq!(target.map(|target| target.name), Ok(name));
    }
}

/// `rtmp://host/app/stream` and `http://host/app/stream.flv` are one stream, or neither is one.
fn same_both_ways(app: &str, stream: &str) {
    let levels = |text: &str| text.split('/').filter(|level| !level.is_empty()).count();
    let has_levels = levels(app) > 0 && levels(stream) > 0;
    if !has_levels || !is_ordinary(app) || !is_ordinary(stream) || is_prefixed(stream) {
        return;
    }
    let over_rtmp = resolve(&format!("rtmp://host/{app}"), app, stream).map(|target| target.name);
    let over_http = StreamName::parse_path(&format!("/{app}/{stream}"));
    assert_eq!(over_rtmp, over_http);
}

/// Without what encoders put around names, which only RTMP takes off.
fn is_ordinary(text: &str) -> bool {
    let decorated = |c: char| "\"'?".contains(c);
    // A whole URL for a stream name is taken by itself.
    let whole = text.contains("://");
    let trimmed = text.split('/').all(|level| level.trim() == level && level != "_definst_");
    trimmed && !whole && !text.contains(decorated)
}

fn is_prefixed(stream: &str) -> bool {
    let stream = stream.trim_start_matches('/');
    ["mp4:", "flv:"].iter().any(|prefix| stream.starts_with(prefix))
}

/// A name as a URL holds it.
fn escaped(text: &str) -> String {
    let escape = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(*byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.as_bytes().iter().map(escape).collect()
}
