//! However the input is cut into pieces, the same tags and the same segments come out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "what clippy.toml allows in tests it does not in their helpers"
)]

use proptest::prelude::*;
use pushpull_media::flv::{Item, Reader, Tag};
use pushpull_media::remux::{Config, Remuxer, Track, Tracks};

const RECORDINGS: [&[u8]; 2] =
    [include_bytes!("../testdata/bframes.flv"), include_bytes!("../testdata/baseline.flv")];

/// The tags of a recording pushed in pieces, and the segments made of them by a host that takes after
/// each tag.
fn play<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Tag>, [Vec<u8>; 2]) {
    let mut reader = Reader::new();
    let mut remuxer = Remuxer::new(Config::default());
    remuxer.start(Tracks { video: true, audio: true });
    let mut tags = Vec::new();
    let mut segments = [Vec::new(), Vec::new()];
    for piece in pieces {
        reader.push(piece);
        while let Some(item) = reader.next().unwrap() {
            let Item::Tag(tag) = item else { continue };
            remuxer.push(&tag).unwrap();
            remuxer.take(Track::Video, &mut segments[0]);
            remuxer.take(Track::Audio, &mut segments[1]);
            tags.push(tag);
        }
    }
    (tags, segments)
}

#[test]
fn byte_by_byte() {
    for recording in RECORDINGS {
        let whole = play([recording]);
        assert!(whole.0.len() > 200 && whole.1.iter().all(|segments| segments.len() > 10_000));
        assert!(play(recording.chunks(1)) == whole);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn anywhere(which in 0usize..2, cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..60)) {
        let recording = RECORDINGS[which];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(recording.len())).collect();
        cuts.extend([0, recording.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &recording[cut[0]..cut[1]]);
        prop_assert!(play(pieces) == play([recording]));
    }
}
