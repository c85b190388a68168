//! What we make of each codec, decoded by ffmpeg. The streams are in `tests/fixtures/codecs`.
//!
//! Needs ffmpeg and ffprobe on the path; without them the tests fail.

#![cfg(feature = "codecs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "what clippy.toml allows in tests it does not in their helpers"
)]

mod damage;
mod pictures;
#[path = "../shared/mod.rs"]
mod shared;
mod sound;
mod support;

use mp4_atom::{Codec, Decode, Encode, Moov};
use pushpull_media::remux::{Config, Track, TrackInfo, WarningKind};

use support::*;

/// mp4-atom knows our sample entries, and what it reads it writes the same.
#[test]
fn mp4_atom_reads_every_sample_entry() {
    for (name, track, kind) in [
        ("hevc", Track::Video, b"hvc1"),
        ("av1-opus", Track::Video, b"av01"),
        ("av1-ts", Track::Video, b"av01"),
        ("vp9-opus", Track::Video, b"vp09"),
        ("av1-opus", Track::Audio, b"Opus"),
        ("vp9-opus", Track::Audio, b"Opus"),
        ("flac", Track::Audio, b"fLaC"),
        ("g711a", Track::Audio, b"fLaC"),
        ("ac3", Track::Audio, b"ac-3"),
        ("eac3", Track::Audio, b"ec-3"),
    ] {
        let played = play(name, Config::default());
        let [file] = played.files(track).try_into().unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let at = bytes.windows(4).position(|window| window == b"moov").unwrap() - 4;
        let moov = Moov::decode(&mut &bytes[at..]).unwrap();
        let entries = &moov.trak[0].mdia.minf.stbl.stsd.codecs;
        assert!(!matches!(entries[..], [Codec::Unknown(..)]), "{name}: {entries:?}");
        let mut again = Vec::new();
        moov.encode(&mut again).unwrap();
        let entry = |bytes: &[u8]| {
            let at = bytes.windows(4).position(|window| window == b"stsd").unwrap() + 12;
            let len = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            bytes[at..at + len].to_vec()
        };
        assert_eq!(&entry(&bytes)[4..8], kind, "{name}");
        assert_eq!(entry(&bytes), entry(&again), "{name}");
    }
}

#[test]
fn a_new_size_begins_a_new_initialisation_segment() {
    for name in ["size-by-header", "size-in-band"] {
        let played = play(name, Config::default());
        let files = played.files(Track::Video);
        let found: Vec<_> = files.iter().map(|file| probe(file, PICTURE)).collect();
        assert_eq!(found, ["h264,128,72,25", "h264,192,108,25"], "{name}");
        let sizes: Vec<_> = played
            .configs(Track::Video)
            .into_iter()
            .map(|(_, info)| match info {
                TrackInfo::Video(info) => (info.width, info.height),
                TrackInfo::Audio(_) => panic!(),
            })
            .collect();
        assert_eq!(sizes, [(128, 72), (192, 108)], "{name}");
    }
}

#[test]
fn codecs_change_in_the_middle() {
    let played = play("codec-change", Config::default());
    let pictures: Vec<_> = played
        .files(Track::Video)
        .iter()
        .map(|file| probe(file, "codec_name,nb_read_frames"))
        .collect();
    assert_eq!(pictures, ["h264,25", "vp9,25"]);
    let sound: Vec<_> =
        played.files(Track::Audio).iter().map(|file| probe(file, "codec_name")).collect();
    assert_eq!(sound, ["aac", "opus"]);
    let changed = play_tags(&tags("sound-change"), Config::default(), |remuxer| {
        remuxer.choose_mime(Track::Audio, 1);
    });
    let sound: Vec<_> =
        changed.files(Track::Audio).iter().map(|file| probe(file, "codec_name")).collect();
    assert_eq!(sound, ["mp3", "aac", "mp3"]);
    assert_eq!(changed.warnings(WarningKind::FrameBeforeConfig), 0);
    // Nothing is lost in between.
    let mut end = 0;
    for (_, segment, _) in played.segments.iter().filter(|(track, ..)| *track == Track::Video) {
        assert!(segment.start_us - end <= 40_000 && segment.gap_us == 0, "{segment:?}");
        end = segment.end_us;
    }
}

#[test]
fn a_track_is_chosen_and_the_others_are_told_once() {
    for (wanted, expected) in [(None, "192,108"), (Some(0), "192,108"), (Some(1), "128,72")] {
        let played = play("multitrack", Config { video_track: wanted, ..Config::default() });
        let [file] = played.files(Track::Video).try_into().unwrap();
        assert_eq!(probe(&file, "width,height,nb_read_frames"), format!("{expected},50"));
        assert_eq!(played.warnings(WarningKind::Multitrack), 1);
    }
}
