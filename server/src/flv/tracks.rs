//! The tracks a viewer asks for in the query: `?track=1`, `?audioTrack=1`, `?videoTrack=1`.

use axum::http::{StatusCode, Uri};

use crate::{hub::Selection, problem::Problem};

/// The tracks of the query; the last word counts. `None`: all of them, untouched.
pub(super) fn chosen(uri: &Uri) -> Result<Option<Selection>, Problem> {
    let mut selection = None;
    let pairs = uri.query().unwrap_or_default().split('&');
    for (key, value) in pairs.filter_map(|pair| pair.split_once('=')) {
        let (is_audio, is_video) = match key {
            "track" => (true, true),
            "audioTrack" => (true, false),
            "videoTrack" => (false, true),
            _ => continue,
        };
        let track: u8 = value.parse().map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "bad_parameter",
                "Bad parameter",
                format!("{key} is {value:?}, expected a number from 0 to 255"),
            )
        })?;
        let Selection { audio, video } = selection.get_or_insert_default();
        if is_audio {
            *audio = Some(track);
        }
        if is_video {
            *video = Some(track);
        }
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_of_a_query() {
        let of = |query: &str| chosen(&format!("/live/x.flv{query}").parse().unwrap());
        let some = |audio, video| Some(Selection { audio, video });
        for (query, selection) in [
            ("", None),
            ("?token=1&tracks=2", None),
            ("?track=1", some(Some(1), Some(1))),
            ("?videoTrack=0", some(None, Some(0))),
            ("?audioTrack=255&start=live", some(Some(255), None)),
            ("?track=1&audioTrack=0", some(Some(0), Some(1))),
        ] {
            assert_eq!(of(query).unwrap(), selection, "{query}");
        }
        for query in ["?track=", "?track=256", "?videoTrack=-1", "?audioTrack=first"] {
            assert!(of(query).is_err(), "{query}");
        }
    }
}
