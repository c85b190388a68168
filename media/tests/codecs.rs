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

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mp4_atom::{Codec, Decode, Encode, Moov};
use pushpull_media::codec::hevc::DecoderConfigurationRecord;
use pushpull_media::codec::nal::NalUnits;
use pushpull_media::codec::pcm::Coding;
use pushpull_media::flv::{Item, Reader, Tag, TagKind, video};
use pushpull_media::remux::{
    Config, Event, Remuxer, Segment, Track, TrackInfo, Tracks, WarningKind,
};
use tempfile::TempDir;

/// A fixture, remuxed.
struct Played {
    folder: TempDir,
    events: Vec<Event>,
    /// What was made of each configuration: the track, and the segments taken for it.
    segments: Vec<(Track, Segment, Vec<u8>)>,
    /// The type of the last sound taken.
    mime: Option<String>,
}

fn tags(name: &str) -> Vec<Tag> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/codecs");
    let flv = std::fs::read(folder.join(name).with_extension("flv")).unwrap();
    let mut reader = Reader::new();
    reader.push(&flv);
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    tags
}

fn play(name: &str, config: Config) -> Played {
    play_tags(&tags(name), config, |_| {})
}

fn play_tags(tags: &[Tag], config: Config, configured: impl Fn(&mut Remuxer)) -> Played {
    let mut remuxer = Remuxer::new(config);
    let has = |kind| tags.iter().any(|tag| tag.kind() == kind);
    remuxer.start(Tracks { video: has(TagKind::Video), audio: has(TagKind::Audio) });
    let (mut events, mut segments) = (Vec::new(), Vec::new());
    for tag in tags {
        remuxer.push(tag).unwrap();
        while let Some(event) = remuxer.next_event() {
            if matches!(event, Event::TrackConfig { .. }) {
                configured(&mut remuxer);
            }
            events.push(event);
        }
        for track in [Track::Video, Track::Audio] {
            let mut out = Vec::new();
            while let Some(segment) = remuxer.take(track, &mut out) {
                segments.push((track, segment, std::mem::take(&mut out)));
            }
        }
    }
    let mime = remuxer.mime(Track::Audio);
    Played { folder: TempDir::new().unwrap(), events, segments, mime }
}

impl Played {
    /// One file for each initialisation segment of a track and what follows it.
    fn files(&self, track: Track) -> Vec<PathBuf> {
        let mut files: Vec<Vec<u8>> = Vec::new();
        for (_, segment, bytes) in self.segments.iter().filter(|(own, ..)| *own == track) {
            if segment.init {
                files.push(Vec::new());
            }
            files.last_mut().unwrap().extend_from_slice(bytes);
        }
        let write = |(number, bytes): (usize, Vec<u8>)| {
            let path = self.folder.path().join(format!("{track:?}{number}.mp4"));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        files.into_iter().enumerate().map(write).collect()
    }

    /// Codec strings and descriptions in the order they were announced.
    fn configs(&self, track: Track) -> Vec<(String, TrackInfo)> {
        let configs = self.events.iter().filter_map(|event| match event {
            Event::TrackConfig { track: own, codec, info, .. } if *own == track => {
                Some((codec.clone(), *info))
            }
            _ => None,
        });
        configs.collect()
    }

    fn warnings(&self, kind: WarningKind) -> u32 {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning(warning) if warning.kind == kind => Some(warning.count),
            _ => None,
        });
        warnings.sum()
    }

    fn samples(&self, track: Track) -> u32 {
        let own = self.segments.iter().filter(|(own, ..)| *own == track);
        own.map(|(_, segment, _)| segment.samples).sum()
    }
}

fn run(tool: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {tool}: {error}; install ffmpeg"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{tool} {arguments:?}: {complaints}");
    output.stdout
}

/// ffprobe's `entries` of the only stream, all frames decoded.
fn probe(file: &Path, entries: &str) -> String {
    let entries = format!("stream={entries}");
    let arguments = ["-v", "error", "-count_frames", "-show_entries", &entries, "-of", "csv=p=0"];
    let listing = run("ffprobe", &[&arguments[..], &[file.to_str().unwrap()]].concat());
    String::from_utf8(listing).unwrap().trim().trim_end_matches(',').to_owned()
}

/// The samples ffmpeg decodes, as 16 bits.
fn decode(file: &Path) -> Vec<i16> {
    let file = file.to_str().unwrap();
    let bytes = run("ffmpeg", &["-v", "error", "-i", file, "-f", "s16le", "-"]);
    Coding::Word.decode(&bytes).collect()
}

const PICTURE: &str = "codec_name,width,height,nb_read_frames";

#[test]
fn every_picture_of_every_codec_is_decoded() {
    for (name, codec, expected) in [
        ("hevc", "hvc1.1.6.L30.90", "hevc,192,108,50"),
        ("hevc-id12", "hvc1.1.6.L30.90", "hevc,192,108,50"),
        ("hevc-hdr", "hvc1.2.4.L30.90", "hevc,192,108,50"),
        ("av1-opus", "av01.0.00M.08", "av1,192,108,50"),
        ("av1-ts", "av01.0.00M.08", "av1,192,108,50"),
        ("vp9-opus", "vp09.00.10.08", "vp9,192,108,50"),
        ("mp3-enhanced", "avc1.64000b", "h264,192,108,50"),
        ("annex-b", "avc1.64000b", "h264,192,108,50"),
        ("length-2", "avc1.64000b", "h264,192,108,50"),
        ("nanoseconds", "avc1.42c00b", "h264,192,108,60"),
        ("multitrack", "avc1.42c00b", "h264,192,108,50"),
        ("sei", "avc1.42c00b", "h264,192,108,50"),
    ] {
        let played = play(name, Config::default());
        let [file] = played.files(Track::Video).try_into().unwrap();
        assert_eq!(probe(&file, PICTURE), expected, "{name}");
        let configs = played.configs(Track::Video);
        assert_eq!(configs.iter().map(|(codec, _)| codec.as_str()).collect::<Vec<_>>(), [codec]);
        assert_eq!(played.warnings(WarningKind::CorruptFrame), 0, "{name}");
    }
}

#[test]
fn every_sound_frame_of_every_codec_is_decoded() {
    for (name, codec, expected, frames) in [
        ("av1-opus", "opus", "opus,48000,2", 101),
        ("vp9-opus", "opus", "opus,48000,2", 101),
        ("flac", "flac", "flac,16000,1", 28),
        ("ac3", "ac-3", "ac3,48000,2", 63),
        ("eac3", "ec-3", "eac3,48000,2", 63),
        ("g711a", "flac", "flac,8000,1", 50),
        ("g711u", "flac", "flac,8000,1", 100),
        ("pcm16", "flac", "flac,11025,1", 50),
        ("pcm8", "flac", "flac,11025,1", 50),
    ] {
        let played = play(name, Config::default());
        let [file] = played.files(Track::Audio).try_into().unwrap();
        let found = probe(&file, "codec_name,sample_rate,channels,nb_read_frames");
        let (stream, count) = found.rsplit_once(',').unwrap();
        assert_eq!(stream, expected, "{name}");
        let count: u32 = count.parse().unwrap();
        // What is before the first picture shown is not taken.
        assert!((frames - 5..=frames).contains(&count), "{name}: {count} frames");
        assert_eq!(count, played.samples(Track::Audio), "{name}");
        assert_eq!(played.configs(Track::Audio)[0].0, codec, "{name}");
    }
}

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

/// Sound that is coded anew is, sample for sample, what ffmpeg makes of the original.
#[test]
fn uncompressed_sound_is_not_changed() {
    for (name, format, rate) in [
        ("g711a", "alaw", 8000),
        ("g711u", "mulaw", 8000),
        ("pcm16", "s16le", 11_025),
        ("pcm8", "u8", 11_025),
    ] {
        let tags: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        let sent: Vec<u8> = tags.iter().flat_map(|tag| tag.data()[1..].to_vec()).collect();
        let played = play_tags(&tags, Config::default(), |_| {});
        let [file] = played.files(Track::Audio).try_into().unwrap();
        let raw = played.folder.path().join("raw");
        std::fs::write(&raw, &sent).unwrap();
        let (rate, raw) = (format!("{rate}"), raw.to_str().unwrap());
        let arguments =
            ["-v", "error", "-f", format, "-ar", &rate, "-ac", "1", "-i", raw, "-f", "s16le", "-"];
        let expected: Vec<i16> = Coding::Word.decode(&run("ffmpeg", &arguments)).collect();
        let found = decode(&file);
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(found == expected, "{name}");
    }
}

/// Bare MP3 frames are an MP3 file; the browser that wants them in MP4 gets them so.
#[test]
fn mp3_comes_bare_or_in_mp4() {
    for (name, expected) in [("mp3", "mp3,48000,2"), ("mp3-enhanced", "mp3,22050,1")] {
        let tags: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        for index in 0..2 {
            let played = play_tags(&tags, Config::default(), |remuxer| {
                remuxer.choose_mime(Track::Audio, index);
            });
            let mimes = played.events.iter().find_map(|event| match event {
                Event::TrackConfig { mime, other_mimes, .. } => Some((mime, other_mimes)),
                _ => None,
            });
            let (mime, others) = mimes.unwrap();
            assert_eq!(
                (mime.as_str(), others[0].as_str()),
                ("audio/mpeg", "audio/mp4;codecs=\"mp3\"")
            );
            assert!(played.segments.iter().all(|(_, segment, _)| segment.raw == (index == 0)));
            assert_eq!(played.mime.as_ref(), Some([mime, &others[0]][index]));
            let [file] = played.files(Track::Audio).try_into().unwrap();
            let found = probe(&file, "codec_name,sample_rate,channels,nb_read_frames");
            let (stream, count) = found.rsplit_once(',').unwrap();
            assert_eq!(stream, expected, "{name} {index}");
            let count: usize = count.parse().unwrap();
            assert!(count + 1 >= tags.len() - 1, "{name} {index}: {count} of {}", tags.len());
        }
    }
}

/// Tags left out of the middle become silence: the frames of each codec that we make ourselves are
/// taken by its decoder.
#[test]
fn holes_are_filled_with_silence() {
    for (name, rate) in [
        ("av1-opus", 48_000),
        ("flac", 16_000),
        ("mp3", 48_000),
        ("g711a", 8000),
        ("pcm16", 11_025),
    ] {
        let sound: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        let holed: Vec<Tag> =
            sound.iter().filter(|tag| !(800..1300).contains(&tag.time())).cloned().collect();
        let play = |tags: &[Tag]| {
            let played = play_tags(tags, Config::default(), |remuxer| {
                remuxer.choose_mime(Track::Audio, 1);
            });
            let [file] = played.files(Track::Audio).try_into().unwrap();
            (decode(&file), played.warnings(WarningKind::SilenceInserted))
        };
        let ((whole, none), (filled, some)) = (play(&sound), play(&holed));
        assert!(none == 0 && some > 0, "{name}: {none}, {some}");
        let frame = i64::from(rate) / 8;
        let difference = whole.len() as i64 - filled.len() as i64;
        assert!(difference.abs() <= frame, "{name}: {difference} of {}", whole.len());
        // Well inside the hole, past what a decoder smears over its edges.
        let quiet = filled.len() * 21 / 40..filled.len() * 23 / 40;
        let loudest = filled[quiet].iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(loudest < 300, "{name}: {loudest}");
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

#[test]
fn nanoseconds_are_added_to_the_times() {
    let played = play("nanoseconds", Config::default());
    let starts = played.segments.iter().filter(|(track, ..)| *track == Track::Video);
    for (number, (_, segment, _)) in starts.enumerate() {
        assert_eq!(segment.start_us, number as i64 * 1_000_000 / 30);
    }
}

#[test]
fn colours_of_the_container_are_in_the_boxes() {
    let played = play("hevc-hdr", Config::default());
    let (_, info) = played.configs(Track::Video)[0].clone();
    let TrackInfo::Video(info) = info else { panic!() };
    assert_eq!((info.bit_depth, info.colour), (10, Some((9, 16, 9))));
    let [file] = played.files(Track::Video).try_into().unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let of = |kind: &[u8; 4], len: usize| {
        let at = bytes.windows(4).position(|window| window == kind).unwrap() + 4;
        bytes[at..at + len].to_vec()
    };
    assert_eq!(of(b"colr", 11), b"nclx\0\x09\0\x10\0\x09\0");
    assert_eq!(of(b"clli", 4), [0x03, 0xE8, 0x01, 0x90]);
    let shown = probe(&file, "color_space,color_transfer,color_primaries");
    assert!(shown.starts_with("bt2020nc,smpte2084,bt2020"), "{shown}");
    let listing = run("ffprobe", &["-v", "error", "-show_streams", file.to_str().unwrap()]);
    let listing = String::from_utf8(listing).unwrap();
    for line in [
        "green_x=8500/50000",
        "red_y=14600/50000",
        "white_point_x=15635/50000",
        "max_luminance=10000000/10000",
        "min_luminance=50/10000",
        "max_content=1000",
        "max_average=400",
    ] {
        assert!(listing.contains(line), "{line} is not in {listing}");
    }
}

/// Another colorInfo is in force from the next keyframe on; an empty one takes it back.
#[test]
fn colours_may_change_at_a_keyframe() {
    let mut tags = tags("hevc-hdr");
    let undefined = b"\x94hvc1\x02\0\x09colorInfo\x06";
    let at = tags.iter().position(|tag| tag.time() >= 500).unwrap();
    tags.insert(at, Tag::new(TagKind::Video, 500, undefined).unwrap());
    let played = play_tags(&tags, Config::default(), |_| {});
    let files = played.files(Track::Video);
    let counts: Vec<_> = files.iter().map(|file| probe(file, "nb_read_frames")).collect();
    assert_eq!(counts, ["25", "25"]);
    let has_light = |file: &PathBuf| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(4).any(|window| window == b"mdcv")
    };
    assert!(has_light(&files[0]) && !has_light(&files[1]));
}

#[test]
fn sei_is_given_when_asked_for() {
    let messages = |sei: bool| {
        let played = play("sei", Config { sei, ..Config::default() });
        let messages = played.events.into_iter().filter_map(|event| match event {
            Event::Sei { payload_type: 5, payload, time_us } if payload.ends_with(b"hi\0") => {
                Some((payload.to_vec(), time_us))
            }
            _ => None,
        });
        messages.collect::<Vec<_>>()
    };
    assert!(messages(false).is_empty());
    let found = messages(true);
    assert_eq!(found.len(), 50);
    for (number, (payload, time)) in found.iter().enumerate() {
        assert_eq!(payload[..16], *(0..16).collect::<Vec<u8>>());
        assert_eq!(*time, number as i64 * 40_000);
    }
}

/// Senders that leave the sequence header out, or empty: keyframes say everything.
#[test]
fn streams_play_without_a_sequence_header() {
    for (name, expected) in [
        ("size-in-band", "h264,128,72,25"),
        ("av1-opus", "av1,192,108,50"),
        ("vp9-opus", "vp9,192,108,50"),
    ] {
        let tags: Vec<Tag> = tags(name)
            .into_iter()
            .filter(|tag| {
                tag.kind() == TagKind::Video
                    && !video::Head::parse(tag.data()).unwrap().is_sequence_header()
            })
            .collect();
        let played = play_tags(&tags, Config::default(), |_| {});
        assert_eq!(probe(&played.files(Track::Video)[0], PICTURE), expected, "{name}");
        assert_eq!(played.warnings(WarningKind::FrameBeforeConfig), 0, "{name}");
    }
}

/// H.265 with the parameter sets in its keyframes, behind start codes or lengths, and in a header of
/// start codes.
#[test]
fn hevc_parameter_sets_are_taken_from_anywhere() {
    let sent: Vec<Tag> =
        tags("hevc").into_iter().filter(|tag| tag.kind() == TagKind::Video).collect();
    let head = video::Head::parse(sent[0].data()).unwrap();
    let record = DecoderConfigurationRecord::parse(&sent[0].data()[head.body..]).unwrap();
    let behind_codes = |units: &mut dyn Iterator<Item = &[u8]>| -> Vec<u8> {
        units.flat_map(|unit| [&[0, 0, 0, 1], unit].concat()).collect()
    };
    let sets = behind_codes(&mut record.sets.iter().map(Vec::as_slice));
    let in_band = |lengths: bool| -> Vec<Tag> {
        let rewrite = |tag: &Tag| {
            let head = video::Head::parse(tag.data()).unwrap();
            let (front, body) = tag.data().split_at(head.body);
            let mut data = front.to_vec();
            if lengths {
                let with_length =
                    |set: &Vec<u8>| [&(set.len() as u32).to_be_bytes()[..], set].concat();
                let sets = record.sets.iter().flat_map(with_length);
                data.extend(sets.filter(|_| head.is_keyframe()));
                data.extend_from_slice(body);
            } else {
                data.extend(sets.iter().filter(|_| head.is_keyframe()));
                data.extend(behind_codes(&mut NalUnits::new(body, 4).map(Result::unwrap)));
            }
            Tag::new(TagKind::Video, tag.time(), &data).unwrap()
        };
        sent[1..].iter().map(rewrite).collect()
    };
    let header = [&sent[0].data()[..head.body], &sets].concat();
    let with_header = [&[Tag::new(TagKind::Video, 0, &header).unwrap()][..], &sent[1..]].concat();
    for tags in [in_band(true), in_band(false), with_header] {
        let played = play_tags(&tags, Config::default(), |_| {});
        let [file] = played.files(Track::Video).try_into().unwrap();
        assert_eq!(probe(&file, PICTURE), "hevc,192,108,50");
    }
}

/// ADTS headers say enough to play AAC whose configuration never came.
#[test]
fn aac_without_a_sequence_header_plays_by_its_adts_headers() {
    let sent: Vec<Tag> =
        tags("hevc").into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
    let with_adts = |tag: &Tag| {
        let frame = &tag.data()[2..];
        let len = (frame.len() + 7) as u32;
        // LC, 48 kHz, stereo.
        let head = 0xFFF1_4C80_0000_00u64 | u64::from(len) << 13 | 0x1FFC;
        let data = [&[0xAF, 1], &head.to_be_bytes()[1..], frame].concat();
        Tag::new(TagKind::Audio, tag.time(), &data).unwrap()
    };
    let tags: Vec<Tag> = sent[1..].iter().map(with_adts).collect();
    let played = play_tags(&tags, Config::default(), |_| {});
    let [file] = played.files(Track::Audio).try_into().unwrap();
    assert!(probe(&file, "codec_name,sample_rate,channels").starts_with("aac,48000,"));
    assert_eq!(played.samples(Track::Audio) as usize, tags.len());
    assert_eq!(played.warnings(WarningKind::AdtsHeader) as usize, tags.len());
}
