//! ffprobe sees in our fragments what it sees in the FLV; ffmpeg decodes them without complaint.
//!
//! Needs ffmpeg and ffprobe on the path; without them the tests fail.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "what clippy.toml allows in tests it does not in their helpers"
)]

mod shared;

use std::path::Path;

use pushpull_media::amf0;
use pushpull_media::codec::aac::AudioSpecificConfig;
use pushpull_media::flv::{Tag, TagKind};
use pushpull_media::mp4::{self, AudioEntry, AudioRecord, Fragment, Init, Sample, SampleEntry};
use pushpull_media::remux::{Config, Remuxer, Track, Tracks};
use tempfile::TempDir;

use shared::{run, tags};

const RECORDINGS: [(&str, &[u8]); 2] = [
    ("bframes", include_bytes!("../testdata/bframes.flv")),
    ("baseline", include_bytes!("../testdata/baseline.flv")),
];

/// A packet as ffprobe prints it; times in microseconds.
#[derive(Clone, Debug, PartialEq)]
struct Packet {
    pts: i64,
    dts: i64,
    size: usize,
    key: bool,
    /// Of the payload.
    hash: String,
}

fn text(tool: &str, arguments: &[&str]) -> String {
    String::from_utf8(run(tool, arguments)).unwrap()
}

/// The packets of the first video (`v`) or audio (`a`) stream.
fn packets(file: &Path, stream: &str) -> Vec<Packet> {
    let entries = "packet=pts_time,dts_time,size,flags,data_hash";
    let listing = text(
        "ffprobe",
        &[
            "-v",
            "error",
            "-select_streams",
            stream,
            "-show_data_hash",
            "md5",
            "-show_entries",
            entries,
            "-of",
            "default=noprint_wrappers=0",
            file.to_str().unwrap(),
        ],
    );
    let micros = |seconds: &str| (seconds.parse::<f64>().unwrap() * 1e6).round() as i64;
    listing
        .split("[PACKET]")
        .skip(1)
        .map(|packet| {
            let field = |name: &str| {
                let line =
                    packet.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
                line.unwrap_or_else(|| panic!("no {name} in {packet}"))
            };
            Packet {
                pts: micros(field("pts_time")),
                dts: micros(field("dts_time")),
                size: field("size").parse().unwrap(),
                key: field("flags").starts_with('K'),
                hash: field("data_hash").to_owned(),
            }
        })
        .collect()
}

/// Remuxes, taking after every `every` tags, and writes one file per track.
fn remux(tags: &[Tag], every: usize, folder: &TempDir) -> [std::path::PathBuf; 2] {
    let mut remuxer = Remuxer::new(Config::default());
    remuxer.start(Tracks { video: true, audio: true });
    let mut out = [Vec::new(), Vec::new()];
    for group in tags.chunks(every) {
        group.iter().for_each(|tag| remuxer.push(tag).unwrap());
        for (track, out) in [Track::Video, Track::Audio].into_iter().zip(&mut out) {
            while remuxer.take(track, out).is_some() {}
        }
    }
    ["video.mp4", "audio.mp4"].map(|name| {
        let path = folder.path().join(name);
        let segments = if name == "video.mp4" { &out[0] } else { &out[1] };
        std::fs::write(&path, segments).unwrap();
        path
    })
}

#[test]
fn the_same_packets_as_in_the_flv() {
    for (name, flv) in RECORDINGS {
        for every in [1, 7, usize::MAX] {
            let folder = TempDir::new().unwrap();
            let original = folder.path().join("original.flv");
            std::fs::write(&original, flv).unwrap();
            let [video, audio] = remux(&tags(flv), every, &folder);

            let expected = packets(&original, "v");
            let found = packets(&video, "v");
            assert_eq!((found.len(), expected.len()), (75, 75), "{name} {every}");
            let base = expected[0].dts;
            assert_eq!(found[0].dts, 0);
            for (found, expected) in found.iter().zip(&expected) {
                let (pts, dts) = (expected.pts - base, expected.dts - base);
                assert_eq!(*found, Packet { pts, dts, ..expected.clone() }, "{name} {every}");
            }

            let expected = packets(&original, "a");
            let found = packets(&audio, "a");
            // One frame at most is before the first picture.
            let skipped = expected.len() - found.len();
            assert!(found.len() > 140 && skipped <= 1, "{name} {every} {skipped}");
            for (n, (found, sent)) in found.iter().zip(&expected[skipped..]).enumerate() {
                assert_eq!((found.size, &found.hash), (sent.size, &sent.hash), "{name} {every}");
                // FLV rounds to milliseconds.
                assert!((found.dts - (sent.dts - base)).abs() <= 1000, "{name} {every} {n}");
                assert_eq!(found.pts, found.dts);
            }
            for (n, pair) in found.windows(2).enumerate() {
                let step = pair[1].dts - pair[0].dts;
                assert!((21_333..=21_334).contains(&step), "{name} {every} {n}: {step}");
            }
        }
    }
}

#[test]
fn ffmpeg_decodes_every_frame() {
    for (name, flv) in RECORDINGS {
        let folder = TempDir::new().unwrap();
        let [video, audio] = remux(&tags(flv), 1, &folder);
        let count = |file: &Path| {
            let file = file.to_str().unwrap();
            text(
                "ffprobe",
                &[
                    "-v",
                    "error",
                    "-count_frames",
                    "-show_entries",
                    "stream=nb_read_frames",
                    "-of",
                    "csv=p=0",
                    file,
                ],
            )
        };
        assert_eq!(count(&video).trim(), "75", "{name}");
        let frames: usize = count(&audio).trim().parse().unwrap();
        assert!(frames > 140, "{name}: {frames}");
    }
}

#[test]
fn the_display_size_of_oblong_samples_is_kept() {
    let (_, flv) = RECORDINGS[1];
    let folder = TempDir::new().unwrap();
    let [video, audio] = remux(&tags(flv), 1, &folder);
    let shown = |file: &Path, entries: &str| {
        let file = file.to_str().unwrap();
        text("ffprobe", &["-v", "error", "-show_entries", entries, "-of", "csv=p=0", file])
    };
    let entries = "stream=codec_tag_string,width,height,sample_aspect_ratio,display_aspect_ratio";
    assert_eq!(shown(&video, entries).trim(), "avc1,160,120,4:3,16:9");
    let entries = "stream=codec_tag_string,profile,sample_rate,channels";
    assert_eq!(shown(&audio, entries).trim(), "LC,mp4a,48000,2");
}

/// The frames of silence we fill holes with are what a decoder takes for silence.
#[test]
fn silence_is_silent() {
    for (channels, bytes) in [
        (1u8, [0x11, 0x88]),
        (2, [0x11, 0x90]),
        (3, [0x11, 0x98]),
        (6, [0x11, 0xB0]),
        (8, [0x11, 0xB8]),
    ] {
        let config = AudioSpecificConfig::parse(&bytes).unwrap();
        let frame = config.silent_frame().unwrap();
        let mut out = Vec::new();
        let entry = SampleEntry::Audio(AudioEntry {
            kind: *b"mp4a",
            channels: channels.into(),
            sample_rate: 48_000,
            record: AudioRecord::Descriptor(0x40, &bytes),
        });
        mp4::write_init(
            &Init { track_id: 2, timescale: 48_000, duration_ms: None, entry },
            &mut out,
        );
        let sample = Sample { duration: 1024, composition_offset: 0, sync: true, data: &frame };
        let fragment = Fragment { sequence: 0, track_id: 2, base_time: 0, pictures: false };
        mp4::write_fragment(&fragment, std::iter::repeat_n(sample, 50), &mut out).unwrap();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("silence.mp4");
        std::fs::write(&file, &out).unwrap();
        let decoded = folder.path().join("decoded.raw");
        run(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-i",
                file.to_str().unwrap(),
                "-f",
                "s16le",
                "-c:a",
                "pcm_s16le",
                decoded.to_str().unwrap(),
            ],
        );
        let decoded = std::fs::read(decoded).unwrap();
        assert_eq!(decoded.len(), 50 * 1024 * 2 * usize::from(channels), "{channels} channels");
        assert!(decoded.iter().all(|&byte| byte == 0), "{channels} channels");
    }
}

/// ffmpeg's own metadata is AMF0 that we read and write back byte for byte.
#[test]
fn recorded_metadata_survives_amf0() {
    for (_, flv) in RECORDINGS {
        let script = tags(flv).into_iter().find(|tag| tag.kind() == TagKind::Script).unwrap();
        let mut decoder = amf0::Decoder::new(script.data());
        let mut again = Vec::new();
        while let Some(value) = decoder.next_value().unwrap() {
            amf0::encode(&value, &mut again);
        }
        assert_eq!(again, script.data());
    }
}
