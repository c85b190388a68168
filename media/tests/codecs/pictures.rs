//! Pictures of each codec.

use std::path::PathBuf;

use pushpull_media::codec::hevc::DecoderConfigurationRecord;
use pushpull_media::codec::nal::NalUnits;
use pushpull_media::flv::{Tag, TagKind, video};
use pushpull_media::remux::{Config, Event, Track, TrackInfo, WarningKind};

use crate::support::*;

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

/// Light told by SEI messages in the pictures is in the boxes too.
#[test]
fn light_of_the_pictures_is_in_the_boxes() {
    let display: [u8; 24] = std::array::from_fn(|n| n as u8 + 1);
    let sei = [&[78, 1, 137, 24][..], &display, &[144, 4, 3, 0xE8, 1, 0x90, 0x80]].concat();
    let with_sei = |tag: &Tag| {
        let head = video::Head::parse(tag.data()).unwrap();
        if !head.is_keyframe() {
            return tag.clone();
        }
        let (front, body) = tag.data().split_at(head.body);
        let data = [front, &(sei.len() as u32).to_be_bytes(), &sei, body].concat();
        Tag::new(TagKind::Video, tag.time(), &data).unwrap()
    };
    let tags: Vec<Tag> =
        tags("hevc").iter().filter(|tag| tag.kind() == TagKind::Video).map(with_sei).collect();
    let played = play_tags(&tags, Config::default(), |_| {});
    assert_eq!(played.configs(Track::Video).len(), 2, "of the header, and of the first picture");
    let file = played.files(Track::Video).pop().unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let of = |kind: &[u8; 4], len: usize| {
        let at = bytes.windows(4).position(|window| window == kind).unwrap() + 4;
        bytes[at..at + len].to_vec()
    };
    assert_eq!((of(b"mdcv", 24), of(b"clli", 4)), (display.to_vec(), vec![3, 0xE8, 1, 0x90]));
    assert_eq!(probe(&file, "nb_read_frames"), "50");
}
