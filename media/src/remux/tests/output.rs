//! What comes out is what went in.

use super::support::*;
use crate::amf0;
use crate::flv::{self, Tag, TagKind};
use crate::remux::{Config, Event, Track, TrackInfo, Tracks};

/// Decode time, presentation time (ms) and payload of the pictures of a recording.
fn pictures(tags: &[Tag]) -> Vec<(i64, i64, Vec<u8>)> {
    let pictures = tags.iter().filter(|tag| tag.kind() == TagKind::Video).filter_map(|tag| {
        let head = flv::video::Head::parse(tag.data()).unwrap();
        let pts = tag.time() + i64::from(head.composition_time);
        let picture = (tag.time(), pts, tag.data()[head.body..].to_vec());
        (head.packet == flv::video::Packet::Frames).then_some(picture)
    });
    pictures.collect()
}

fn frames(tags: &[Tag]) -> Vec<(i64, Vec<u8>)> {
    let frames = tags.iter().filter(|tag| tag.kind() == TagKind::Audio).filter_map(|tag| {
        let head = flv::audio::Head::parse(tag.data()).unwrap();
        let frame = (tag.time(), tag.data()[head.body..].to_vec());
        (head.packet == flv::audio::Packet::Frames).then_some(frame)
    });
    frames.collect()
}

#[test]
fn pictures_keep_bytes_and_times() {
    for tags in [bframes(), baseline()] {
        let mut host = Host::new(Config::default());
        host.remuxer.start(BOTH);
        host.play(&tags);
        let expected = pictures(&tags);
        assert_eq!(host.video.len(), 75);
        let base = expected[0].0;
        for (sample, (dts, pts, data)) in host.video.iter().zip(&expected) {
            assert_eq!(sample.dts, (dts - base) * 1000);
            assert_eq!(sample.pts(), (pts - base) * 1000);
            assert_eq!(&sample.data, data);
        }
        assert_eq!(host.video.len(), expected.len());
        assert_eq!(host.video.iter().filter(|sample| sample.sync).count(), 3);
    }
}

#[test]
fn sound_keeps_bytes_and_is_timed_in_samples() {
    // One begins with pictures at 0 and sound at 59 ms, the other with sound at 0 and pictures at
    // 21 ms, where sound before the first picture is left out.
    for (tags, first_picture, skipped) in [(bframes(), 0, 0), (baseline(), 21, 1)] {
        let mut host = Host::new(Config::default());
        host.remuxer.start(BOTH);
        host.play(&tags);
        let expected = frames(&tags).split_off(skipped);
        assert_eq!(host.audio.len(), expected.len());
        for (n, (sample, (_, data))) in host.audio.iter().zip(&expected).enumerate() {
            assert_eq!(sample.dts, host.audio[0].dts + n as i64 * 1024);
            assert_eq!(sample.duration, 1024);
            assert_eq!(&sample.data, data);
        }
        let start = host.audio[0].dts * 1000 / 48;
        assert!((start - (expected[0].0 - first_picture) * 1000).abs() < 1000);
    }
}

#[test]
fn taking_late_gives_the_same_samples_in_fewer_segments() {
    let tags = bframes();
    let mut live = Host::new(Config::default());
    live.remuxer.start(BOTH);
    live.play(&tags);
    let mut late = Host::new(Config::default());
    tags.iter().for_each(|tag| late.push(tag));
    late.remuxer.start(BOTH);
    late.take();
    assert_eq!(late.segments.len(), 2);
    assert!(late.segments.iter().all(|(_, segment)| segment.init));
    assert_eq!(late.audio, live.audio);
    let without_duration = |samples: &[Sample]| -> Vec<Sample> {
        samples.iter().map(|sample| Sample { duration: 0, ..sample.clone() }).collect()
    };
    assert_eq!(without_duration(&late.video), without_duration(&live.video));
    // Where the next picture is known the duration is true, at the end provisional.
    for pair in late.video.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
    assert_eq!(late.video[74].duration, 80_000);
    assert!(live.video.iter().all(|sample| sample.duration == 80_000));
    let (_, segment) = late.segments[0];
    assert_eq!((segment.start_us, segment.end_us, segment.keyframes), (0, 3_000_000, 3));
    assert_eq!(segment.last_keyframe_us, Some(2_080_000));
}

#[test]
fn exact_durations_are_the_usual_step() {
    let mut host = Host::new(Config { exact_durations: true, ..Config::default() });
    host.remuxer.start(BOTH);
    host.play(&bframes());
    assert!(host.video.iter().all(|sample| sample.duration == 40_000), "{:?}", host.video);
}

#[test]
fn events_tell_the_tracks() {
    let mut host = Host::new(Config::default());
    bframes().iter().for_each(|tag| host.push(tag));
    let configs: Vec<_> = host
        .events
        .iter()
        .filter_map(|event| match event {
            Event::TrackConfig { track, codec, mime, changed, info, .. } => {
                Some((*track, codec.as_str(), mime.as_str(), *changed, *info))
            }
            _ => None,
        })
        .collect();
    let [video, audio] = configs.as_slice() else { panic!("{configs:?}") };
    assert_eq!(video.0, Track::Video);
    assert_eq!(video.1, "avc1.64000b");
    assert_eq!(video.2, "video/mp4;codecs=\"avc1.64000b\"");
    let TrackInfo::Video(info) = video.4 else { panic!() };
    assert_eq!((info.width, info.height, info.fps), (160, 120, Some(25.0)));
    assert_eq!(info.reorder_frames, Some(2));
    assert_eq!((audio.1, audio.3), ("mp4a.40.2", false));
    let TrackInfo::Audio(info) = audio.4 else { panic!() };
    assert_eq!((info.sample_rate, info.channels, info.frame_length), (48_000, 2, 1024));
    let scripts = host.events.iter().filter_map(|event| match event {
        Event::Script { data, .. } => {
            let mut values = amf0::Decoder::new(data);
            let (name, value) = (values.next_value().ok()??, values.next_value().ok()??);
            Some((name, value.get("width")?.as_f64()?))
        }
        _ => None,
    });
    assert!(scripts.eq([("onMetaData".into(), 160.0)]));
}

#[test]
fn nothing_comes_before_the_host_has_decided_and_a_keyframe_is_there() {
    let mut host = Host::new(Config::default());
    let config = [video_config(), audio_config()];
    host.play(&config);
    let early: Vec<Tag> = (1..5).map(|n| picture(n * 40, false, 0, 10)).collect();
    host.play(&early);
    assert_eq!(host.remuxer.evidence().video_frames, 0);
    host.play(&[sound(100), sound(121), sound(142), sound(164), sound(185), sound(206)]);
    host.play(&[picture(200, true, 0, 10), picture(240, false, 0, 10)]);
    assert!(host.segments.is_empty());
    let evidence = host.remuxer.evidence();
    assert!(evidence.video_config && evidence.audio_config);
    assert_eq!((evidence.video_frames, evidence.video_span_us), (2, 40_000));
    assert_eq!((evidence.video_first_ms, evidence.audio_first_ms), (Some(200), Some(100)));

    host.remuxer.start(BOTH);
    host.take();
    assert_eq!(host.video.iter().map(|sample| sample.dts).collect::<Vec<_>>(), [0, 40_000]);
    assert!(host.video[0].sync && !host.video[1].sync);
    // 206 ms is 6 ms after the first picture.
    assert_eq!(host.audio.len(), 1);
    assert!((host.audio[0].dts - 6 * 48).abs() <= 48);
}

#[test]
fn a_track_that_is_not_played_is_not_put_out() {
    for (tracks, video, audio) in [
        (Tracks { video: true, audio: false }, true, false),
        (Tracks { video: false, audio: true }, false, true),
    ] {
        let mut host = Host::new(Config::default());
        host.remuxer.start(tracks);
        host.play(&bframes());
        assert_eq!((!host.video.is_empty(), !host.audio.is_empty()), (video, audio));
        assert!(host.audio.first().is_none_or(|first| first.dts == 0));
    }
}

#[test]
fn an_announced_track_without_frames_gets_its_initialisation() {
    let mut host = Host::started();
    host.play(&[picture(0, true, 0, 10)]);
    let audio = host.segments.iter().find(|(track, _)| *track == Track::Audio).unwrap().1;
    assert!(audio.init && audio.samples == 0);
    host.play(&[sound(10)]);
    assert_eq!(host.segments.iter().filter(|(_, segment)| segment.init).count(), 2);
    assert_eq!(host.audio.len(), 1);
}

#[test]
fn a_first_picture_alone_is_timed_by_its_configuration() {
    let mut host = Host::started();
    host.play(&[picture(0, true, 0, 10)]);
    // The recording says 25 per second; twice that.
    assert_eq!(host.video[0].duration, 80_000);
    let (_, segment) = host.segments[0];
    assert_eq!((segment.start_us, segment.end_us), (0, 40_000));
}

#[test]
fn steps_that_vary_get_durations_that_cover_them() {
    let mut host = Host::started();
    let mut time = 0;
    for n in 0..60 {
        host.play(&[picture(time, n == 0, 0, 10)]);
        time += if n % 5 == 4 { 200 } else { 40 };
    }
    // A fifth of the steps is long, as when a screen is captured.
    assert_eq!(host.video[59].duration, 200_000);
}

#[test]
fn a_hole_between_pictures_is_closed_by_the_one_behind_it() {
    let mut host = Host::started();
    host.play((0..10).map(|n| picture(n * 40, n == 0, 0, 10)).collect::<Vec<_>>().iter());
    host.play(&[picture(660, false, 20, 10), picture(700, false, 20, 10)]);
    let [.., hole, last] = host.segments.as_slice() else { panic!() };
    // Told until 360 + 80.
    assert_eq!((hole.1.start_us, hole.1.end_us, hole.1.gap_us), (440_000, 700_000, 0));
    assert_eq!((last.1.start_us, last.1.gap_us), (700_000, 0));
    let [.., hole, last] = host.video.as_slice() else { panic!() };
    assert_eq!((hole.dts, hole.composition), (440_000, 20_000));
    assert!(hole.end() >= 740_000);
    assert_eq!((last.dts, last.composition), (700_000, 20_000));
}
