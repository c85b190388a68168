//! What a stream may hold besides good frames.

use crate::Bytes;
use proptest::prelude::*;

use super::support::*;
use crate::flv::{Tag, TagKind};
use crate::remux::{
    Config, Error, Event, MAX_EVENTS, MAX_SCRIPT_LEN, Remuxer, Track, Warning, WarningKind,
};

pub(super) fn inits(host: &Host, track: Track) -> usize {
    host.segments.iter().filter(|(t, segment)| *t == track && segment.init).count()
}

#[test]
fn a_configuration_sent_again_changes_nothing() {
    let mut host = Host::started();
    for second in 0..4 {
        host.play(&[video_config(), audio_config()]);
        host.play(&stream(second * 1000, second * 1000 + 1000, 0));
    }
    assert_eq!((inits(&host, Track::Video), inits(&host, Track::Audio)), (1, 1));
    assert_eq!(host.video.len(), 100);
    let configs = host.events.iter().filter(|e| matches!(e, Event::TrackConfig { .. })).count();
    assert_eq!(configs, 2);
}

#[test]
fn a_new_configuration_begins_a_segment() {
    let mut host = Host::started();
    let other = bframes().into_iter().find(|tag| is_config(tag, TagKind::Video)).unwrap();
    let tags = [stream(0, 1000, 0), vec![other], stream(1000, 2000, 0)].concat();
    tags.iter().for_each(|tag| host.push(tag));
    host.take();
    assert!(host.events.iter().any(|e| matches!(e, Event::TrackConfig { changed: true, .. })));
    let video: Vec<_> = host.segments.iter().filter(|(track, _)| *track == Track::Video).collect();
    let [(_, first), (_, second)] = video.as_slice() else { panic!("{video:?}") };
    assert!(first.init && second.init);
    assert_eq!((first.samples, second.samples), (25, 25));
    assert_eq!((second.start_us, second.gap_us), (1_000_000, 0));
    // The last picture before the change is followed by a known one.
    assert_eq!(host.video[24].duration, 40_000);
}

#[test]
fn a_new_sampling_frequency_goes_on_at_the_same_time() {
    let mut host = Host::started();
    host.play(&stream(0, 1000, 0));
    host.play(&[Tag::new(TagKind::Audio, 1000, &[0xAF, 0, 0x12, 0x10]).unwrap()]);
    host.play(&stream(1000, 2000, 0));
    assert_eq!(inits(&host, Track::Audio), 2);
    let audio: Vec<_> = host.segments.iter().filter(|(track, _)| *track == Track::Audio).collect();
    let change = audio.iter().rposition(|(_, segment)| segment.init).unwrap();
    // The initialisation came with the configuration, before a frame was there.
    let (before, init, after) = (audio[change - 1].1, audio[change].1, audio[change + 1].1);
    assert_eq!(init.samples, 0);
    assert!((after.start_us - before.end_us).abs() <= 23, "{before:?} {after:?}");
}

#[test]
fn a_corrupt_picture_costs_itself() {
    let mut host = Host::started();
    host.play(&[picture(0, true, 0, 10)]);
    let mut corrupt = picture(40, false, 0, 10).data().to_vec();
    corrupt[5] = 0x7F;
    host.play(&[Tag::new(TagKind::Video, 40, &corrupt).unwrap()]);
    host.play(&[Tag::new(TagKind::Video, 80, &[0x27, 1, 0, 0, 0]).unwrap()]);
    host.play(&[picture(120, false, 0, 10)]);
    // The one behind it is shown from where the first was said to end.
    assert_eq!(host.video.iter().map(|s| s.dts).collect::<Vec<_>>(), [0, 80_000]);
    assert!(host.video[1].end() >= 160_000);
    assert_eq!(host.warnings(WarningKind::CorruptFrame), 1);
}

#[test]
fn frames_without_configuration_are_counted() {
    let mut host = Host::new(Config::default());
    host.remuxer.start(BOTH);
    host.play(&stream(0, 1000, 0));
    assert!(host.segments.is_empty());
    assert_eq!(host.warnings(WarningKind::FrameBeforeConfig), 25 + 47);
}

#[test]
fn an_idr_picture_is_a_keyframe_whatever_the_tag_says() {
    let mut host = Host::started();
    let mut data = picture(0, true, 0, 10).data().to_vec();
    data[0] = 0x27;
    host.play(&[Tag::new(TagKind::Video, 0, &data).unwrap()]);
    assert!(host.video[0].sync);
}

#[test]
fn composition_times_may_be_negative_but_not_absurd() {
    let mut host = Host::started();
    host.play(&[picture(0, true, -80, 10), picture(40, false, -8_000_000, 10)]);
    assert_eq!(host.video[0].composition, -80_000);
    assert_eq!(host.video[1].composition, -10_000_000);
    assert_eq!(host.warnings(WarningKind::CompositionTime), 1);
}

#[test]
fn decode_times_that_do_not_rise_are_moved_and_presentation_is_not() {
    let mut host = Host::started();
    let times = [0, 40, 80, 80, 70, 160, 200];
    host.play(times.map(|time| picture(time, time == 0, 40, 10)).iter());
    for pair in host.video.windows(2) {
        assert!(pair[0].dts < pair[1].dts);
    }
    let shown: Vec<_> = host.video.iter().map(Sample::pts).collect();
    assert_eq!(shown, times.map(|time| (time + 40) * 1000));
    assert_eq!(host.warnings(WarningKind::DecodeTime), 2);
}

#[test]
fn a_bad_configuration_is_an_error_of_its_tag() {
    let mut host = Host::started();
    let bad = [
        Tag::new(TagKind::Video, 0, &[0x17, 0, 0, 0, 0]).unwrap(),
        Tag::new(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1, 0x42, 0, 0x1E, 0xFF, 0xE0, 0]).unwrap(),
        Tag::new(TagKind::Audio, 0, &[0xAF, 0, 0x16, 0x90]).unwrap(),
        Tag::new(TagKind::Video, 0, &[0x17]).unwrap(),
    ];
    for tag in &bad {
        let error = host.remuxer.push(tag).unwrap_err();
        assert!(!error.is_fatal());
    }
    let empty = host.remuxer.push(&bad[1]).unwrap_err();
    #[cfg(feature = "codecs")]
    assert!(matches!(empty, Error::Avc(crate::codec::avc::Error::NoParameterSets)));
    #[cfg(not(feature = "codecs"))]
    assert!(matches!(empty, Error::Beyond));
    host.play(&stream(0, 1000, 0));
    assert_eq!(host.video.len(), 25);
}

#[test]
fn script_tags_are_events() {
    let mut host = Host::new(Config::default());
    host.push(&Tag::new(TagKind::Script, 7, b"whatever it says").unwrap());
    assert_eq!(
        host.events,
        [Event::Script { data: Bytes::from_static(b"whatever it says"), time_ms: 7 }]
    );
    host.push(&Tag::new(TagKind::Script, 9, &vec![0; MAX_SCRIPT_LEN + 1]).unwrap());
    assert_eq!(host.warnings(WarningKind::ScriptTooLarge), 1);
}

#[test]
fn events_nobody_reads_are_bounded() {
    let mut remuxer = Remuxer::new(Config::default());
    let script = Tag::new(TagKind::Script, 0, b"whatever it says").unwrap();
    for _ in 0..1000 {
        remuxer.push(&script).unwrap();
        remuxer.push(&sound(0)).unwrap();
    }
    let events: Vec<_> = std::iter::from_fn(|| remuxer.next_event()).collect();
    assert_eq!(events.len(), MAX_EVENTS + 1);
    let Event::Warning(Warning { kind: WarningKind::EventsLost, count, .. }) = events[0] else {
        panic!("{:?}", events[0])
    };
    assert!(count > 700);
}

/// Tag data that gets past the heads.
fn plausible_data() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        Just(vec![0x17, 0, 0, 0, 0, 1, 0x42, 0xC0, 0x1E]),
        Just(vec![0x17, 1, 0, 0, 40]),
        Just(vec![0x27, 1, 0, 0, 0, 0, 0, 0, 4]),
        Just(vec![0xAF, 0, 0x11]),
        Just(vec![0xAF, 1]),
        Just(vec![0x90]),
        Just(b"\x93avc1".to_vec()),
        Just(vec![2, 0, 1, b'a']),
        Just(vec![]),
    ];
    (head, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(head, tail)| [head, tail].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever the tags hold, they end in samples, events or errors, and good frames still play.
    #[test]
    fn any_tags(
        tags in prop::collection::vec(
            (prop::sample::select(vec![TagKind::Audio, TagKind::Video, TagKind::Script]), any::<u32>(), plausible_data()),
            0..80,
        ),
    ) {
        let mut host = Host::started();
        host.play(&stream(0, 1000, 0));
        for (kind, time, data) in tags {
            let _ = host.remuxer.push(&Tag::new(kind, time.into(), &data).unwrap());
            host.take();
        }
        let before = (host.video.len(), host.audio.len());
        host.play(&[video_config(), audio_config()]);
        host.play(&stream(0, 4000, 0));
        prop_assert_eq!(host.video.len() - before.0, 100);
        prop_assert!(host.audio.len() - before.1 > 100);
    }
}
