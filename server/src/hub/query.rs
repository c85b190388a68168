//! What a viewer asks for in the query of its address, over whatever protocol: `?start=live`, `?track=1`,
//! `?audioTrack=1`, `?videoTrack=1`.

use super::selection::Selection;
use super::viewer::Start;

/// The parameters of an address that mean something to the hub. Others may mean something to somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Where to begin.
    pub start: Start,
    /// The tracks; `None`: all of them, untouched.
    pub tracks: Option<Selection>,
}

/// A parameter without a meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value:?}, expected {expected}")]
pub struct BadParameter {
    key: &'static str,
    value: String,
    expected: &'static str,
}

impl Query {
    /// Reads what follows the `?`. Of two parameters with one name the last counts.
    ///
    /// # Errors
    /// [`BadParameter`]
    pub fn parse(query: &str) -> Result<Self, BadParameter> {
        let mut parsed = Self::default();
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match key {
                "start" => parsed.start = start(value)?,
                "track" => {
                    let track = track("track", value)?;
                    let tracks = parsed.tracks.get_or_insert_default();
                    (tracks.audio, tracks.video) = (Some(track), Some(track));
                }
                "audioTrack" => {
                    let track = track("audioTrack", value)?;
                    parsed.tracks.get_or_insert_default().audio = Some(track);
                }
                "videoTrack" => {
                    let track = track("videoTrack", value)?;
                    parsed.tracks.get_or_insert_default().video = Some(track);
                }
                _ => {}
            }
        }
        Ok(parsed)
    }
}

fn start(value: &str) -> Result<Start, BadParameter> {
    match value {
        "gop" => Ok(Start::Gop),
        "live" => Ok(Start::Live),
        _ => Err(BadParameter { key: "start", value: value.into(), expected: "gop or live" }),
    }
}

fn track(key: &'static str, value: &str) -> Result<u8, BadParameter> {
    value.parse().map_err(|_| BadParameter {
        key,
        value: value.into(),
        expected: "a number from 0 to 255",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_and_start_of_a_query() {
        let some = |audio, video| Some(Selection { audio, video });
        for (query, start, tracks) in [
            ("", Start::Gop, None),
            ("token=1&tracks=2", Start::Gop, None),
            ("start=live&start=gop", Start::Gop, None),
            ("start=live", Start::Live, None),
            ("track=1", Start::Gop, some(Some(1), Some(1))),
            ("videoTrack=0", Start::Gop, some(None, Some(0))),
            ("audioTrack=255&start=live", Start::Live, some(Some(255), None)),
            ("track=1&audioTrack=0", Start::Gop, some(Some(0), Some(1))),
        ] {
            assert_eq!(Query::parse(query), Ok(Query { start, tracks }), "{query}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_told() {
        for query in ["track=", "track=256", "videoTrack=-1", "audioTrack=first", "start=later"] {
            assert!(Query::parse(query).is_err(), "{query}");
        }
        let error = Query::parse("a=b&start=later").unwrap_err();
        assert_eq!(error.to_string(), "start is \"later\", expected gop or live");
    }
}
