//! Timestamps that jump, wrap, stand still or lie.

use proptest::prelude::*;

use super::support::*;
use crate::flv::{Tag, TagKind};
use crate::remux::{Track, WarningKind};

const HOUR: i64 = 3_600_000;

/// Two seconds, then two more stamped `shift` later; what a viewer sees must not tell.
fn with_jump(shift: i64) -> Host {
    let mut host = Host::started();
    let start = 30 * HOUR;
    host.play(&stream(0, 2000, start));
    host.play(&stream(2000, 4000, start + shift));
    host
}

fn assert_seamless(host: &Host) {
    assert_eq!(host.video.len(), 100);
    for (n, sample) in host.video.iter().enumerate() {
        assert_eq!(sample.dts, n as i64 * 40_000);
    }
    assert!((186..=189).contains(&host.audio.len()), "{}", host.audio.len());
    for pair in host.audio.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
    let end = host.audio.last().unwrap().end() * 1000 / 48;
    assert!((end - 4_000_000).abs() < 35_000, "{end}");
}

#[test]
fn jumps_of_an_hour_and_of_half_the_range_are_closed_and_reported() {
    let both_ways = [1500, 5000, 10_000, HOUR, 24 * HOUR, 1 << 24, 1 << 31];
    for shift in both_ways.into_iter().flat_map(|shift| [shift, -shift]) {
        let host = with_jump(shift);
        assert_seamless(&host);
        let jumps = host.jumps();
        assert_eq!(jumps.len(), 2, "{shift}: {jumps:?}");
        assert!(jumps.iter().any(|(track, ..)| *track == Track::Audio));
        for (_, from, to) in jumps {
            let wire = (to - from).rem_euclid(1 << 32);
            let expected = (shift + 30).rem_euclid(1 << 32);
            assert!(wire.abs_diff(expected) < 60, "{shift}: {from} to {to}");
        }
    }
}

/// How far sound is from where it belongs beside the pictures, in microseconds: both were stamped
/// alike, and every picture came.
fn offset_at_the_end(host: &Host) -> i64 {
    let sound = host.audio.last().unwrap().end() * 1000 / 48;
    sound - (host.video.last().unwrap().dts + 40_000)
}

#[test]
fn the_starts_that_are_hard_for_others() {
    // Just below 2^24, 2^31 and 2^32 ms, so that the clock passes them on the way.
    for start in [(1 << 24) - 2010, (1 << 31) - 2010, (1_i64 << 32) - 2010] {
        for jump in [None, Some(-99_000), Some(HOUR), Some(24 * HOUR)] {
            let mut host = Host::started();
            host.play(&stream(0, 4000, start));
            assert!(host.jumps().is_empty());
            if let Some(jump) = jump {
                host.play(&stream(4000, 6000, start + jump));
            }
            let pictures = if jump.is_some() { 150 } else { 100 };
            assert_eq!(host.video.len(), pictures);
            for pair in host.video.windows(2) {
                assert_eq!(pair[1].dts - pair[0].dts, 40_000);
            }
            assert!(host.video.iter().all(|sample| (1..200_000).contains(&sample.duration)));
            assert!(offset_at_the_end(&host).abs() < 40_000, "{}", offset_at_the_end(&host));
        }
    }
}

#[test]
fn a_publisher_that_comes_back_begins_with_headers_and_from_0() {
    for start in [0, 70_000, 30 * HOUR] {
        let mut host = Host::started();
        host.play(&stream(0, 2500, start));
        // The server goes on with the same response.
        host.play(&[
            Tag::new(TagKind::Video, 0, video_config().data()).unwrap(),
            Tag::new(TagKind::Audio, 0, audio_config().data()).unwrap(),
        ]);
        host.play(&stream(0, 3000, 0));
        assert_eq!(host.video.len(), 63 + 75, "{start}");
        for pair in host.video.windows(2) {
            assert!(pair[1].dts - pair[0].dts <= 80_000, "{start}: {pair:?}");
        }
        assert!(offset_at_the_end(&host).abs() < 40_000, "{}", offset_at_the_end(&host));
        for pair in host.audio.windows(2) {
            assert_eq!(pair[0].end(), pair[1].dts);
        }
    }
}

#[test]
fn a_track_that_jumps_alone_by_a_little_keeps_its_pictures() {
    for shift in [-3000, 3000, -10_000, 10_000] {
        let mut host = Host::started();
        host.play(&stream(0, 4000, 60_000));
        let tags: Vec<Tag> = stream(4000, 8000, 60_000)
            .into_iter()
            .map(|tag| {
                let shift = if tag.kind() == TagKind::Video { shift } else { 0 };
                Tag::new(tag.kind(), tag.time() + shift, tag.data()).unwrap()
            })
            .collect();
        host.play(&tags);
        assert_eq!(host.video.len(), 200);
        assert!(host.video.iter().all(|sample| (1..200_000).contains(&sample.duration)));
        for pair in host.video.windows(2) {
            assert!((1..=80_000).contains(&(pair[1].dts - pair[0].dts)), "{shift}: {pair:?}");
        }
        assert!(offset_at_the_end(&host).abs() < 90_000, "{}", offset_at_the_end(&host));
    }
}

#[test]
fn a_wrap_is_not_a_jump() {
    for shift in [1i64 << 32, -(1 << 32)] {
        let host = with_jump(shift);
        assert_seamless(&host);
        assert!(host.jumps().is_empty());
    }
    let mut host = Host::started();
    host.play(&stream(0, 4000, (1 << 32) - 2010));
    assert_seamless(&host);
    assert!(host.jumps().is_empty());
}

#[test]
fn repeated_jumps_as_of_a_file_that_is_sent_in_a_loop() {
    let mut host = Host::started();
    for _ in 0..10 {
        host.play(&stream(0, 2000, 0));
    }
    assert_eq!(host.video.len(), 500);
    assert_eq!(host.video.last().unwrap().dts, 499 * 40_000);
    for pair in host.audio.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
    let end = host.audio.last().unwrap().end() * 1000 / 48;
    assert!((end - 20_000_000).abs() < 60_000, "{end}");
    assert_eq!(host.jumps().len(), 18);
}

#[test]
fn one_wrong_time_is_placed_where_it_was_due() {
    for kind in [TagKind::Video, TagKind::Audio] {
        let mut host = Host::started();
        let mut tags = stream(0, 4000, 0);
        let at = tags.iter().position(|tag| tag.kind() == kind && tag.time() >= 2000).unwrap();
        tags[at] = Tag::new(kind, 9 * HOUR, tags[at].data()).unwrap();
        host.play(&tags);
        assert_seamless(&host);
        assert!(host.jumps().is_empty());
        assert_eq!(host.warnings(WarningKind::OutlierTime), 1);
    }
}

#[test]
fn one_track_may_jump_alone() {
    for kind in [TagKind::Video, TagKind::Audio] {
        let mut host = Host::started();
        host.play(&stream(0, 2000, 0));
        let tags: Vec<Tag> = stream(2000, 4000, 0)
            .into_iter()
            .map(|tag| {
                let shift = if tag.kind() == kind { HOUR } else { 0 };
                Tag::new(tag.kind(), tag.time() + shift, tag.data()).unwrap()
            })
            .collect();
        host.play(&tags);
        assert_seamless(&host);
        assert_eq!(host.jumps().len(), 1);
    }
}

#[test]
fn a_track_that_pauses_comes_back_at_its_time() {
    let mut host = Host::started();
    let tags: Vec<Tag> = stream(0, 6000, 0)
        .into_iter()
        .filter(|tag| tag.kind() == TagKind::Video || !(2000..4000).contains(&tag.time()))
        .collect();
    host.play(&tags);
    assert!(host.jumps().is_empty());
    // Two seconds are too long for silence: the hole stays.
    let holes: Vec<_> = host.audio.windows(2).filter(|p| p[0].end() != p[1].dts).collect();
    assert_eq!(holes.len(), 1);
    let end = host.audio.last().unwrap().end() * 1000 / 48;
    assert!((end - 6_000_000).abs() < 30_000);
    let gap = host.segments.iter().find(|(_, segment)| segment.gap_us > 0).unwrap();
    assert_eq!(gap.0, Track::Audio);
    assert!((1_950_000..2_050_000).contains(&gap.1.gap_us));
}

#[test]
fn a_short_pause_of_sound_is_filled_with_silence() {
    let mut host = Host::started();
    let tags: Vec<Tag> = stream(0, 3000, 0)
        .into_iter()
        .filter(|tag| tag.kind() == TagKind::Video || !(1000..1500).contains(&tag.time()))
        .collect();
    host.play(&tags);
    for pair in host.audio.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
    let silent = host.audio.iter().filter(|sample| sample.data == [0x21, 0, 0, 0, 0, 0x1C]).count();
    assert!((22..=24).contains(&silent), "{silent}");
    assert_eq!(host.warnings(WarningKind::SilenceInserted) as usize, silent);
    let end = host.audio.last().unwrap().end() * 1000 / 48;
    assert!((end - 3_000_000).abs() < 30_000);
}

#[test]
fn both_tracks_pausing_is_closed() {
    let mut host = Host::started();
    host.play(&stream(0, 2000, 0));
    host.play(&stream(60_000, 62_000, 0));
    assert_eq!(host.video.last().unwrap().dts, 99 * 40_000);
    assert_eq!(host.jumps().len(), 2);
}

#[test]
fn tracks_stamped_by_different_clocks_start_together() {
    let mut host = Host::started();
    let tags: Vec<Tag> = stream(0, 4000, 0)
        .into_iter()
        .map(|tag| {
            let shift = if tag.kind() == TagKind::Audio { 40 * HOUR } else { 0 };
            Tag::new(tag.kind(), tag.time() + shift, tag.data()).unwrap()
        })
        .collect();
    host.play(&tags);
    assert_eq!(host.video.len(), 100);
    let end = host.audio.last().unwrap().end() * 1000 / 48;
    assert!((end - 4_000_000).abs() < 90_000, "{end}");
}

#[test]
fn headers_stamped_0_do_not_disturb() {
    let mut host = Host::started();
    let start = 3_000_000_000;
    for second in 0..4 {
        host.play(&[
            Tag::new(TagKind::Video, 0, video_config().data()).unwrap(),
            Tag::new(TagKind::Audio, 0, audio_config().data()).unwrap(),
        ]);
        host.play(&stream(second * 1000, second * 1000 + 1000, start));
    }
    assert_seamless(&host);
    assert!(host.jumps().is_empty());
}

#[test]
fn slow_pictures_are_not_jumps() {
    for step in [1000, 2000, 5000, 10_000] {
        let mut host = Host::started();
        let pictures: Vec<Tag> = (0..8).map(|n| picture(n * step, true, 0, 10)).collect();
        host.play(&pictures);
        let mut times: Vec<_> = host.video.iter().map(|sample| sample.dts).collect();
        // The step is not known yet: the second is shown from where the first was said to end.
        assert!(times[1] <= step * 1000);
        times[1] = step * 1000;
        assert_eq!(times, (0..8).map(|n| n * step * 1000).collect::<Vec<_>>());
        assert!(host.jumps().is_empty());
    }
}

#[test]
fn times_that_stand_still_do_not_stop_the_output() {
    let mut host = Host::started();
    for n in 0..2000 {
        host.play(&[picture(0, n % 50 == 0, 0, 10), sound(0)]);
    }
    assert_eq!(host.video.len(), 2000);
    assert!(host.audio.len() > 500, "{}", host.audio.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Any times at all: every picture comes out once, in rising order, and sound never overlaps.
    #[test]
    fn any_times(
        times in prop::collection::vec(
            (any::<bool>(), prop_oneof![
                4 => (-100i64..300).prop_map(|step| (false, step)),
                1 => any::<u32>().prop_map(|wire| (true, i64::from(wire))),
            ]),
            1..200,
        ),
    ) {
        let mut host = Host::started();
        let mut time = 0i64;
        let mut pictures = 0;
        for (video, (absolute, value)) in times {
            time = if absolute { value } else { time + value };
            if video {
                host.play(&[picture(time, pictures % 10 == 0, 40, 10)]);
                pictures += 1;
            } else {
                host.play(&[sound(time)]);
            }
        }
        prop_assert_eq!(host.video.len(), pictures);
        for pair in host.video.windows(2) {
            prop_assert!(pair[0].dts < pair[1].dts);
        }
        for pair in host.audio.windows(2) {
            prop_assert!(pair[0].end() <= pair[1].dts);
        }
    }
}
