//! A host that does not take for a while, catches up, or begins anew.

use proptest::prelude::*;

use super::support::*;
use crate::flv::Tag;
use crate::remux::{Config, Track, Tracks, WarningKind};

/// The output goes on without holes or overlaps: pictures by their usual step, sound exactly.
fn assert_continuous(host: &Host, step: i64) {
    for pair in host.video.windows(2) {
        let found = pair[1].dts - pair[0].dts;
        assert!((1..=step).contains(&found), "{found} at {}", pair[0].dts);
    }
    for pair in host.audio.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
}

/// How far the sound that goes with a picture is from it at the end of the output, in microseconds.
fn skew(host: &Host) -> i64 {
    host.video.last().unwrap().dts + 40_000 - host.audio.last().unwrap().end() * 1000 / 48
}

#[test]
fn a_full_queue_loses_its_oldest_pictures_and_goes_on_with_a_keyframe() {
    let limits = Config { max_queue_samples: 60, ..Config::default() };
    let mut host = Host::new(limits);
    host.play(&[video_config(), audio_config()]);
    host.remuxer.start(BOTH);
    host.play(&stream(0, 2000, 0));
    let taken = host.video.len();
    stream(2000, 10_000, 0).iter().for_each(|tag| host.push(tag));
    host.take();
    host.play(&stream(10_000, 12_000, 0));
    assert!(host.video[taken].sync);
    let dropped = host.warnings(WarningKind::QueueFull);
    assert!(dropped >= 150, "{dropped}");
    assert_eq!(host.video.len() % 25, 0);
    assert_continuous(&host, 40_000);
    assert!(skew(&host).abs() < 45_000, "{}", skew(&host));
}

#[test]
fn a_full_queue_before_the_start_starts_later() {
    let limits = Config { max_queue_bytes: 5000, ..Config::default() };
    let mut host = Host::new(limits);
    host.play(&[video_config(), audio_config()]);
    stream(0, 20_000, 0).iter().for_each(|tag| host.push(tag));
    host.remuxer.start(BOTH);
    host.take();
    assert!(host.video[0].sync && host.video[0].dts == 0);
    assert!(host.video.len() >= 250);
    assert_continuous(&host, 40_000);
    assert!(skew(&host).abs() < 45_000);
}

#[test]
fn one_group_of_pictures_over_the_limit_waits_for_the_next() {
    let limits = Config { max_queue_samples: 10, ..Config::default() };
    let mut host = Host::new(limits);
    host.play(&[video_config()]);
    stream(0, 990, 0).iter().for_each(|tag| host.push(tag));
    host.remuxer.start(Tracks { video: true, audio: false });
    host.take();
    assert!(host.video.is_empty());
    host.play(&stream(1000, 2000, 0));
    assert_eq!(host.video.len(), 25);
    assert!(host.video[0].sync && host.video[0].dts == 0);
}

#[test]
fn catching_up_leaves_out_whole_groups_and_no_hole() {
    let mut host = Host::started();
    host.play(&stream(0, 2000, 0));
    let (pictures, end) = (host.video.len(), host.video.last().unwrap().dts + 40_000);
    stream(2000, 7400, 0).iter().for_each(|tag| host.push(tag));
    let skipped = host.remuxer.skip_to_last_keyframe();
    assert_eq!((skipped.video_frames, skipped.duration_us), (125, 5_000_000));
    assert!((230..240).contains(&skipped.audio_frames));
    host.take();
    assert!(host.video[pictures].sync);
    assert_eq!(host.video[pictures].dts, end);
    host.play(&stream(7400, 9000, 0));
    assert_continuous(&host, 40_000);
    assert!(skew(&host).abs() < 45_000, "{}", skew(&host));
    assert!(host.jumps().is_empty());
    // Nothing to skip the second time.
    assert_eq!(host.remuxer.skip_to_last_keyframe(), Default::default());
}

#[test]
fn catching_up_without_video_keeps_the_newest_sound() {
    let mut host = Host::started();
    host.remuxer.start(Tracks { video: false, audio: true });
    host.play(&stream(0, 1000, 0));
    stream(1000, 3000, 0).iter().for_each(|tag| host.push(tag));
    let skipped = host.remuxer.skip_to_last_keyframe();
    assert!(skipped.audio_frames > 90 && skipped.duration_us > 1_900_000);
    host.play(&stream(3000, 4000, 0));
    assert_continuous(&host, 0);
    assert!(host.audio.len() < 100);
}

#[test]
fn a_new_output_begins_with_the_pictures_put_out_last() {
    let mut host = Host::started();
    host.play(&stream(0, 1520, 0));
    let (pictures, frames, segments) = (host.video.len(), host.audio.len(), host.segments.len());
    stream(1520, 1700, 0).iter().for_each(|tag| host.push(tag));
    host.remuxer.reset_output();
    host.take();
    let first = &host.video[pictures];
    assert!(first.sync && first.dts == 0);
    assert_eq!(host.video.len() - pictures, 18, "from the keyframe at 1000 on");
    // What sound was put out before is not there any more.
    assert!((508..560).contains(&(host.audio[frames].dts / 48)), "{}", host.audio[frames].dts);
    let inits = host.segments[segments..].iter().filter(|(_, segment)| segment.init);
    assert_eq!(inits.count(), 2);
}

#[test]
fn a_new_output_without_them_begins_with_initialisation_and_the_next_keyframe() {
    let mut host = Host::started();
    host.play(&stream(0, 1500, 0));
    let (pictures, frames, segments) = (host.video.len(), host.audio.len(), host.segments.len());
    stream(1500, 1700, 0).iter().for_each(|tag| host.push(tag));
    host.remuxer.forget_played();
    host.remuxer.reset_output();
    host.take();
    assert_eq!(host.segments.len(), segments, "no keyframe yet");
    host.play(&stream(1700, 3000, 0));
    let first = &host.video[pictures];
    assert!(first.sync && first.dts == 0);
    assert_eq!(host.video.len() - pictures, 25);
    assert!((0..1024).contains(&host.audio[frames].dts));
    let inits = host.segments[segments..].iter().filter(|(_, segment)| segment.init);
    assert_eq!(inits.count(), 2);
}

#[test]
fn sound_is_not_held_back_by_pictures_that_wait_for_a_keyframe() {
    let mut host = Host::started();
    host.play(&stream(0, 1000, 0));
    // Sound alone goes on for three seconds, then everything comes back.
    let only_sound: Vec<Tag> = stream(1000, 4000, 0)
        .into_iter()
        .filter(|tag| tag.kind() == crate::flv::TagKind::Audio)
        .collect();
    host.play(&only_sound);
    host.play(&stream(4000, 5000, 0));
    assert!(host.jumps().is_empty());
    assert_eq!(host.video.last().unwrap().dts, 4_960_000);
    // The first picture that is back is shown from where the last one ended.
    let back = host.video.iter().find(|sample| sample.end() > 4_000_000).unwrap();
    assert_eq!((back.dts, back.end()), (1_040_000, 4_080_000));
    for pair in host.audio.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever the host does, and when, the output never overlaps and stays in step.
    #[test]
    fn any_host(actions in prop::collection::vec(0u8..12, 1..60), limit in 20usize..200) {
        let mut host = Host::new(Config { max_queue_samples: limit, ..Config::default() });
        host.play(&[video_config(), audio_config()]);
        host.remuxer.start(BOTH);
        let mut time = 0;
        for action in actions {
            match action {
                0..=5 => {
                    let length = i64::from(action + 1) * 160;
                    stream(time, time + length, 0).iter().for_each(|tag| host.push(tag));
                    time += length;
                }
                6..=8 => host.take(),
                9 => drop(host.take_one(Track::Audio)),
                10 => drop(host.remuxer.skip_to_last_keyframe()),
                _ => {
                    host.take();
                    host.remuxer.reset_output();
                    host.video.clear();
                    host.audio.clear();
                }
            }
        }
        host.take();
        for pair in host.video.windows(2) {
            prop_assert!(pair[0].dts < pair[1].dts);
        }
        for pair in host.audio.windows(2) {
            prop_assert!(pair[0].end() <= pair[1].dts);
        }
        if let Some(first) = host.video.first() {
            prop_assert!(first.sync);
        }
    }
}
