//! What a build without the feature `codecs` says of streams it cannot play.

#![cfg(not(feature = "codecs"))]
#![allow(
    clippy::unwrap_used,
    reason = "what clippy.toml allows in tests it does not in their helpers"
)]

use std::path::Path;

use pushpull_media::flv::{Item, Reader};
use pushpull_media::remux::{Config, Event, Remuxer, Track};

/// What is said to be unsupported, and whether the full build is said to know it.
fn refused(name: &str, config: Config) -> Vec<(Track, String, bool)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/codecs");
    let mut reader = Reader::new();
    reader.push(&std::fs::read(folder.join(name).with_extension("flv")).unwrap());
    let mut remuxer = Remuxer::new(config);
    let mut refused = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        let Item::Tag(tag) = item else { continue };
        remuxer.push(&tag).unwrap();
        while let Some(event) = remuxer.next_event() {
            if let Event::Unsupported { track, codec, full } = event {
                refused.push((track, codec, full));
            }
        }
    }
    refused
}

#[test]
fn every_codec_of_the_full_build_is_named_once() {
    for (name, track, codec) in [
        ("hevc", Track::Video, "H.265"),
        ("hevc-id12", Track::Video, "H.265"),
        ("av1-ts", Track::Video, "AV1"),
        ("mp3", Track::Audio, "MP3"),
        ("flac", Track::Audio, "FLAC"),
        ("ac3", Track::Audio, "AC-3"),
        ("eac3", Track::Audio, "E-AC-3"),
        ("g711a", Track::Audio, "G.711 A-law"),
        ("g711u", Track::Audio, "G.711 µ-law"),
        ("pcm16", Track::Audio, "PCM"),
        ("multitrack", Track::Video, "multitrack"),
    ] {
        let expected = [(track, codec.to_owned(), true)];
        assert_eq!(refused(name, Config::default()), expected, "{name}");
    }
}

#[test]
fn what_the_core_plays_is_not_refused() {
    for name in ["size-by-header", "size-in-band", "annex-b", "length-2", "nanoseconds", "sei"] {
        assert_eq!(refused(name, Config::default()), [], "{name}");
    }
}
