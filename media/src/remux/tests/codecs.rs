//! Streams for which a build needs the feature `codecs`.

use super::stream::inits;
use super::support::*;
use crate::flv::{Tag, TagKind};
use crate::remux::{Config, Event, Track, WarningKind};

#[test]
fn the_end_of_a_sequence_is_not_a_configuration() {
    let mut host = Host::started();
    host.play(&stream(0, 1000, 0));
    host.play(&[
        Tag::new(TagKind::Video, 1000, &[0x17, 2, 0, 0, 0]).unwrap(),
        Tag::new(TagKind::Video, 1000, &[0x17, 2]).unwrap(),
    ]);
    host.play(&stream(1000, 2000, 0));
    assert_eq!((inits(&host, Track::Video), host.video.len()), (1, 50));
    let ends = host.events.iter().filter(|e| **e == Event::SequenceEnd { track: Track::Video });
    assert_eq!(ends.count(), 2);
}

#[test]
fn start_codes_and_adts_headers_are_taken_off() {
    let mut host = Host::started();
    let stream = [&[0x17, 1, 0, 0, 0][..], &[0, 0, 0, 1, 0x65, 1, 2, 3]].concat();
    host.play(&[Tag::new(TagKind::Video, 0, &stream).unwrap()]);
    assert_eq!(host.video[0].data, [0, 0, 0, 4, 0x65, 1, 2, 3]);
    assert_eq!(host.warnings(WarningKind::AnnexB), 1);

    let adts = [0xAF, 1, 0xFF, 0xF1, 0x4C, 0x80, 1, 0x3F, 0xFC, 0x21, 0x1C];
    host.play(&[Tag::new(TagKind::Audio, 0, &adts).unwrap()]);
    assert_eq!(host.audio[0].data, [0x21, 0x1C]);
    assert_eq!(host.warnings(WarningKind::AdtsHeader), 1);
}

#[test]
fn other_codecs_are_named_once() {
    let mut host = Host::started();
    for time in 0..5 {
        host.play(&[
            Tag::new(TagKind::Video, time * 40, b"\x91vvc1\x00\x00\x00nal").unwrap(),
            Tag::new(TagKind::Audio, time * 40, &[0xB6, 1, 2, 3]).unwrap(),
        ]);
    }
    let unsupported: Vec<_> = host
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Unsupported { track, codec, .. } => Some((*track, codec.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(unsupported, [(Track::Video, "H.266"), (Track::Audio, "Speex")]);
}

#[test]
fn enhanced_heads_of_the_same_codecs_play() {
    let mut host = Host::new(Config::default());
    host.remuxer.start(BOTH);
    let config = [b"\x90avc1", &video_config().data()[5..]].concat();
    let key = [b"\x93avc1", &picture(0, true, 0, 10).data()[5..]].concat();
    let sound_config = [b"\x90mp4a", &audio_config().data()[2..]].concat();
    let frame = [b"\x91mp4a", &sound(0).data()[2..]].concat();
    host.play(&[
        Tag::new(TagKind::Video, 0, &config).unwrap(),
        Tag::new(TagKind::Video, 0, &key).unwrap(),
        Tag::new(TagKind::Audio, 0, &sound_config).unwrap(),
        Tag::new(TagKind::Audio, 0, &frame).unwrap(),
    ]);
    assert_eq!((host.video.len(), host.audio.len()), (1, 1));
    host.play(&[Tag::new(TagKind::Video, 40, b"\x96\x01avc1\x02\0\0\0nal").unwrap()]);
    assert_eq!(host.warnings(WarningKind::Multitrack), 1);
}
