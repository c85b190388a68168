//! What a build without the feature `codecs` says of streams that it leaves to one with it.

#![cfg(not(feature = "codecs"))]
#![allow(
    clippy::unwrap_used,
    reason = "what clippy.toml allows in tests it does not in their helpers"
)]

use std::path::Path;

use pushpull_media::flv::{Item, Reader, Tag, TagKind};
use pushpull_media::remux::{Config, Remuxer};

/// The tags of a recording.
fn tags(name: &str) -> Vec<Tag> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/codecs");
    let mut reader = Reader::new();
    reader.push(&std::fs::read(folder.join(name).with_extension("flv")).unwrap());
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    tags
}

/// The first tag that is left to the other build.
fn beyond<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> Option<(TagKind, i64)> {
    let mut remuxer = Remuxer::new(Config::default());
    for tag in tags {
        if let Err(error) = remuxer.push(tag) {
            assert!(error.is_beyond(), "{error}");
            return Some((tag.kind(), tag.time()));
        }
    }
    None
}

#[test]
fn what_only_the_other_build_plays_is_known_by_its_first_tag() {
    let (pictures, sound) = (Some((TagKind::Video, 0)), Some((TagKind::Audio, 0)));
    for (name, first) in [
        ("hevc", pictures),
        ("hevc-id12", pictures),
        ("av1-ts", pictures),
        ("annex-b", pictures),
        ("multitrack", pictures),
        ("nanoseconds", pictures),
        ("mp3", sound),
        ("flac", sound),
        ("ac3", sound),
        ("eac3", sound),
        ("g711a", sound),
        ("g711u", sound),
        ("pcm16", sound),
        ("codec-change", Some((TagKind::Video, 1000))),
    ] {
        assert_eq!(beyond(&tags(name)), first, "{name}");
    }
}

#[test]
fn what_senders_usually_send_is_played() {
    for name in ["size-by-header", "length-2", "sei"] {
        assert_eq!(beyond(&tags(name)), None, "{name}");
    }
}

#[test]
fn parameter_sets_in_pictures_matter_if_they_are_others() {
    // The first keyframe has those of the sequence header, a later one of another size.
    let all = tags("size-in-band");
    let (_, time) = beyond(&all).unwrap();
    assert!(time > 0, "{time}");
    let headless = all.iter().filter(|tag| !tag.data().starts_with(&[0x17, 0]));
    assert_eq!(beyond(headless), Some((TagKind::Video, 0)));
}

#[test]
fn sound_with_a_header_of_its_own_is_left_to_the_other_build() {
    let adts = [0xAF, 1, 0xFF, 0xF1, 0x4C, 0x80, 1, 0x3F, 0xFC, 0x21, 0x1C];
    let adts = Tag::new(TagKind::Audio, 0, &adts).unwrap();
    assert_eq!(beyond([&adts]), Some((TagKind::Audio, 0)));
}
