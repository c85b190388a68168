//! Names of streams: `app/stream`, the same for RTMP and HTTP.
//!
//! Encoders disagree on how a URL is cut into `tcUrl`, `app` and stream name, and people paste URLs into the wrong field.
//! [`resolve`] takes what comes and finds the one name that was meant; [`StreamName`] can only hold a good one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a stream: one or more levels of app, and the stream in it. Cheap to clone.
///
/// Letters and digits of any script, spaces inside, and `-._~!$&'()*+,;=:@` may occur; control characters, `.` and `..`
/// as a level, and names over [`StreamName::MAX_LEN`] may not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The longest name in bytes of UTF-8: what a file name can hold.
    pub const MAX_LEN: usize = 255;

    /// The app of a name that has none.
    pub const DEFAULT_APP: &str = "live";

    /// The stream when an encoder sends no key at all.
    pub const DEFAULT_STREAM: &str = "default";

    /// Reads a name as a person types it: `stream1` (in the app `live`) or `live/stream1`.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::from_levels(levels(text).map(Into::into).collect())
    }

    /// Reads the path of a URL: like [`StreamName::parse`], with percent escapes.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with it.
    pub fn parse_path(path: &str) -> Result<Self, NameError> {
        Self::from_levels(levels(path).map(percent_decode).collect::<Result<_, _>>()?)
    }

    /// All of it: `live/stream1`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The app, of one or more levels: `live`.
    #[must_use]
    pub fn app(&self) -> &str {
        self.split().0
    }

    /// The stream in the app: `stream1`.
    #[must_use]
    pub fn stream(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or((Self::DEFAULT_APP, &self.0))
    }

    fn from_levels(mut levels: Vec<String>) -> Result<Self, NameError> {
        match levels.len() {
            0 => return Err(NameError::Empty),
            1 => levels.insert(0, Self::DEFAULT_APP.into()),
            _ => {}
        }
        for level in &mut levels {
            *level = level.trim().into();
            if matches!(level.as_str(), "" | "." | "..") {
                return Err(NameError::Level { level: level.clone() });
            }
            if let Some(character) = level.chars().find(|&c| !is_allowed(c)) {
                return Err(NameError::Character { character });
            }
        }
        let name = levels.join("/");
        if name.len() > Self::MAX_LEN {
            return Err(NameError::TooLong { len: name.len() });
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for StreamName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is none.
    #[error("the stream name is empty")]
    Empty,
    /// It is over [`StreamName::MAX_LEN`].
    #[error("the stream name has {len} bytes, over the limit of {}", StreamName::MAX_LEN)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A level is blank, `.` or `..`.
    #[error("{level:?} cannot be a part of a stream name")]
    Level {
        /// The level.
        level: String,
    },
    /// A character that may not occur.
    #[error("the character {character:?} cannot be in a stream name")]
    Character {
        /// The first such character.
        character: char,
    },
    /// The percent escapes are not UTF-8.
    #[error("the percent escapes in the stream name are not UTF-8")]
    Escape,
}

/// What a publish or play command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The stream.
    pub name: StreamName,
    /// The parameters without `?`, e.g. `sign=…&user=…`; empty if there are none. They may be secret.
    pub query: String,
}

/// Finds the stream that a connection's `tcUrl` and `app` and a command's stream name mean together.
///
/// Doubled and trailing slashes, `_definst_`, quotes and an `mp4:` or `flv:` in front are dropped. An app may have
/// several levels. Parameters may follow any of the three; of two with the same key the stream's comes before the app's,
/// and that before the `tcUrl`'s. Without a stream name, the last level of the app is one; failing that, it is
/// [`StreamName::DEFAULT_STREAM`].
///
/// # Errors
/// [`NameError`] says what is wrong with the name.
pub fn resolve(tc_url: &str, app: &str, stream: &str) -> Result<Target, NameError> {
    let (tc_path, mut tc_query) = split_query(url_path(clean(tc_url)));
    let (app_path, mut app_query) = split_query(clean(app));
    let (stream_path, mut stream_query) = split_query(clean(stream));
    let stream_path = ["mp4:", "flv:"]
        .into_iter()
        .find_map(|prefix| stream_path.strip_prefix(prefix))
        .unwrap_or(stream_path);

    let mut all: Vec<&str> = levels(app_path).filter(|level| *level != INSTANCE).collect();
    if all.is_empty() {
        all.extend(levels(tc_path).filter(|level| *level != INSTANCE));
    }
    let app_levels = all.len();
    all.extend(levels(stream_path));
    if all.len() == app_levels {
        // `live?key=1/stream1`: some encoders cut the URL at the last slash they see, some do not.
        let behind_query = [&mut stream_query, &mut app_query].into_iter().find_map(|query| {
            let (rest, stream) = query.trim_end_matches('/').rsplit_once('/')?;
            *query = rest;
            Some(stream)
        });
        match behind_query {
            Some(stream) => {
                all.push(stream);
                let same_cut =
                    tc_query.strip_suffix(stream).and_then(|rest| rest.strip_suffix('/'));
                tc_query = same_cut.unwrap_or(tc_query);
            }
            None if app_levels < 2 => all.push(StreamName::DEFAULT_STREAM),
            None => {}
        }
    }
    let levels = all.into_iter().map(percent_decode).collect::<Result<_, _>>()?;
    let name = StreamName::from_levels(levels)?;
    Ok(Target { name, query: merge_queries([stream_query, app_query, tc_query]) })
}

fn key(parameter: &str) -> &str {
    parameter.split_once('=').map_or(parameter, |(key, _)| key)
}

fn levels(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|level| !level.is_empty())
}

fn clean(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'')
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

/// The path and query of a URL; of anything else, nothing.
fn url_path(url: &str) -> &str {
    let behind_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    behind_scheme.find('/').and_then(|at| behind_scheme.get(at..)).unwrap_or("")
}

/// Joins queries; of parameters with the same key, the first counts.
fn merge_queries(queries: [&str; 3]) -> String {
    let mut merged: Vec<&str> = Vec::new();
    for parameter in queries.iter().flat_map(|query| query.trim_end_matches('/').split('&')) {
        let known = merged.iter().any(|other| key(other) == key(parameter));
        if !parameter.is_empty() && !known && merged.len() < MAX_PARAMETERS {
            merged.push(parameter);
        }
    }
    merged.join("&")
}

/// Replaces `%41` by `A`. A `%` that begins no escape stays, and is then refused as a character.
fn percent_decode(text: &str) -> Result<String, NameError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = after.split_first_chunk::<2>().filter(|_| byte == b'%');
        let value = escape.and_then(|([high, low], _)| {
            let (high, low) = (char::from(*high).to_digit(16)?, char::from(*low).to_digit(16)?);
            u8::try_from(high << 4 | low).ok()
        });
        decoded.push(value.unwrap_or(byte));
        rest = match (value, escape) {
            (Some(_), Some((_, rest))) => rest,
            _ => after,
        };
    }
    String::from_utf8(decoded).map_err(|_| NameError::Escape)
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || " -._~!$&'()*+,;=:@".contains(character)
}

/// The instance of an app that has only one; Flash-era encoders append it.
const INSTANCE: &str = "_definst_";

/// More parameters than any token scheme has; keeps joining them cheap.
const MAX_PARAMETERS: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolved(tc_url: &str, app: &str, stream: &str) -> String {
        let target = resolve(tc_url, app, stream).unwrap();
        format!("{} [{}]", target.name, target.query)
    }

    #[test]
    fn typed_names() {
        for (text, name) in [
            ("stream1", "live/stream1"),
            (" stream1 ", "live/stream1"),
            ("live/stream1", "live/stream1"),
            ("/live//stream1/", "live/stream1"),
            ("a/b/c.d_e~f-g", "a/b/c.d_e~f-g"),
            ("直播/频道1", "直播/频道1"),
            ("my key", "live/my key"),
        ] {
            assert_eq!(StreamName::parse(text).unwrap().as_str(), name);
        }
        let name = StreamName::parse("a/b/c").unwrap();
        assert_eq!((name.app(), name.stream()), ("a/b", "c"));
    }

    #[test]
    fn bad_names_say_what_is_wrong() {
        use NameError::*;
        let long = "x".repeat(251);
        for (text, error) in [
            ("", Empty),
            ("//", Empty),
            ("live/..", Level { level: "..".into() }),
            ("./x", Level { level: ".".into() }),
            ("live/ /x", Level { level: "".into() }),
            ("a\0b", Character { character: '\0' }),
            ("a\nb", Character { character: '\n' }),
            ("<script>", Character { character: '<' }),
            ("a\u{202e}b", Character { character: '\u{202e}' }),
            ("a\\b", Character { character: '\\' }),
            (&long, TooLong { len: 256 }),
        ] {
            assert_eq!(StreamName::parse(text), Err(error), "{text:?}");
        }
        assert!(StreamName::parse(&long[1..]).is_ok());
    }

    #[test]
    fn paths_have_percent_escapes() {
        for (path, name) in [
            ("/live/stream1", "live/stream1"),
            ("/live/caf%C3%a9", "live/café"),
            ("/live/my%20key", "live/my key"),
        ] {
            assert_eq!(StreamName::parse_path(path).unwrap().as_str(), name);
        }
        for (path, error) in [
            ("/live/%2e%2E", NameError::Level { level: "..".into() }),
            ("/live/a%2Fb", NameError::Character { character: '/' }),
            ("/live/a%00", NameError::Character { character: '\0' }),
            ("/live/100%", NameError::Character { character: '%' }),
            ("/live/%zz", NameError::Character { character: '%' }),
            ("/live/%ff", NameError::Escape),
        ] {
            assert_eq!(StreamName::parse_path(path), Err(error), "{path}");
        }
    }

    #[test]
    fn what_encoders_send() {
        for (tc_url, app, stream, expected) in [
            // ffmpeg, librtmp
            ("rtmp://h:1935/live", "live", "stream1", "live/stream1 []"),
            ("rtmp://h/live?a=1", "live?a=1", "stream1?b=2", "live/stream1 [b=2&a=1]"),
            // OBS: a slash at the end of the server field; the whole URL in it
            ("rtmp://h/live/", "live/", "stream1", "live/stream1 []"),
            ("rtmp://h/live//", "live//", "/stream1", "live/stream1 []"),
            ("rtmp://h/live/stream1", "live/stream1", "", "live/stream1 []"),
            ("rtmp://h/live/stream1?k=v", "live/stream1?k=v", "", "live/stream1 [k=v]"),
            ("rtmp://h/live?k=v/", "live?k=v/", "stream1", "live/stream1 [k=v]"),
            // Several levels
            ("rtmp://h/live/room", "live/room", "stream1", "live/room/stream1 []"),
            ("rtmp://h/live", "live", "room/stream1", "live/room/stream1 []"),
            // GoPro: no key
            ("rtmp://h/live", "live", "", "live/default []"),
            ("rtmp://h/", "", "", "live/default []"),
            // No app
            ("rtmp://h", "", "stream1", "live/stream1 []"),
            ("rtmp://h/event", "", "stream1", "event/stream1 []"),
            // RootEncoder: the URL cut inside the query
            ("rtmp://h/live?x", "live?x", "123", "live/123 [x]"),
            ("rtmp://h/live?x/123", "live?x/123", "", "live/123 [x]"),
            ("rtmp://h/live", "live", "?x/123", "live/123 [x]"),
            // Tencent
            (
                "rtmp://h/live",
                "live",
                "s1?txSecret=ab&txTime=5C27",
                "live/s1 [txSecret=ab&txTime=5C27]",
            ),
            // The stream's parameter counts before the app's, that before the tcUrl's
            ("rtmp://h/live?a=3&t=3", "live?a=2&b=2", "s?b=1", "live/s [b=1&a=2&t=3]"),
            // Flash, VLC, Neko
            ("rtmp://h/live/_definst_", "live/_definst_", "mp4:s", "live/s []"),
            ("\"rtmp://h/live", "\"live", "s\"", "live/s []"),
            // A tcUrl that is no URL
            ("%%%", "live", "s", "live/s []"),
            ("rtmp://h/live", "live", "caf%C3%A9", "live/café []"),
            ("rtmp://h/live", "live", "a.b", "live/a.b []"),
        ] {
            assert_eq!(resolved(tc_url, app, stream), expected, "{tc_url} {app} {stream}");
        }
        assert!(resolve("", "live", "../x").is_err());
        assert!(resolve("", "live", "x\0").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_resolved_is_a_good_name(tc_url in ".{0,40}", app in "[a-c/?=%.&\\PC]{0,20}", stream in "[a-c/?=%.&\\PC]{0,20}") {
            if let Ok(target) = resolve(&tc_url, &app, &stream) {
                let again = StreamName::parse(target.name.as_str()).unwrap();
                prop_assert_eq!(&again, &target.name);
                prop_assert_eq!(format!("{}/{}", again.app(), again.stream()), again.to_string());
                prop_assert!(again.as_str().len() <= StreamName::MAX_LEN);
                prop_assert!(!again.as_str().split('/').any(|level| level == ".." || level.is_empty()));
            }
        }
    }
}
