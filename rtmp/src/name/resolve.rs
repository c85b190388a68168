//! Which stream a connection and its commands mean: encoders disagree on how a URL is cut into `tcUrl`, `app` and stream
//! name, and people paste URLs into the wrong field.

use super::{NameError, StreamName, levels, percent_decode};

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
/// and that before the `tcUrl`'s. A whole URL for a stream name is taken by itself. Without a stream name, the last level
/// of the app is one; failing that, it is [`StreamName::DEFAULT_STREAM`].
///
/// # Errors
/// [`NameError`] says what is wrong with the name.
pub fn resolve(tc_url: &str, app: &str, stream: &str) -> Result<Target, NameError> {
    let (tc_path, mut tc_query) = split_query(url_path(clean(tc_url)));
    let (app_path, mut app_query) = split_query(clean(app));
    // Somebody put all of the URL where only its end belongs. A parameter may hold a URL, too.
    let is_url = split_query(clean(stream)).0.contains("://");
    let stream = if is_url { url_path(clean(stream)) } else { clean(stream) };
    let (stream_path, mut stream_query) = split_query(stream);
    let stream_path = stream_path.trim_start_matches('/');
    let stream_path = stream_path
        .strip_prefix(INSTANCE)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(stream_path);
    let stream_path = ["mp4:", "flv:"]
        .into_iter()
        .find_map(|prefix| stream_path.strip_prefix(prefix))
        .unwrap_or(stream_path);

    let named = |path| levels(path).filter(|level| *level != INSTANCE);
    let mut all: Vec<&str> = if is_url { vec![] } else { named(app_path).collect() };
    if all.is_empty() && !is_url {
        all.extend(named(tc_path));
    }
    let app_levels = all.len();
    all.extend(named(stream_path));
    if all.len() == app_levels {
        // `live?key=1/stream1`: some encoders cut the URL at the last slash they see, some do not. With a stream in front
        // of the query, the slash is one of a token in base64.
        let mut cut = [&mut stream_query, &mut app_query].into_iter().filter(|_| app_levels < 2);
        let behind_query = cut.find_map(|query| {
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

/// Joins queries; a parameter that one before has, too, is left out. One that is twice in the same query stays: what that
/// means is not for us to say.
fn merge_queries(queries: [&str; 3]) -> String {
    let mut merged: Vec<&str> = Vec::new();
    let mut room = MAX_QUERY_LEN;
    for query in queries {
        let before = merged.len();
        for parameter in query.trim_end_matches('/').split('&') {
            let known = merged.iter().take(before).any(|other| key(other) == key(parameter));
            if parameter.is_empty() || known || merged.len() >= MAX_PARAMETERS {
                continue;
            }
            let Some(left) = room.checked_sub(parameter.len()) else { continue };
            room = left;
            merged.push(parameter);
        }
    }
    merged.join("&")
}

/// The instance of an app that has only one; Flash-era encoders append it.
const INSTANCE: &str = "_definst_";

/// More parameters than any token scheme has; keeps joining them cheap.
const MAX_PARAMETERS: usize = 32;

/// Bytes of parameters that are kept for as long as the stream is published or played: longer than any token that is in use.
const MAX_QUERY_LEN: usize = 8 << 10;
