//! A stream that comes in several responses, or not quite.

use super::support::*;
use crate::flv::{Tag, TagKind};

/// Two seconds and a half, then another response of `second`.
fn two_responses(second: &[Tag]) -> Host {
    let mut host = Host::started();
    host.play(&stream(0, 2500, 0));
    host.remuxer.begin_response();
    host.play(&[video_config(), audio_config()]);
    host.play(second);
    host
}

/// Without holes or overlaps, from 0 to `end` microseconds in both tracks.
fn assert_whole(host: &Host, end: i64) {
    for pair in host.video.windows(2) {
        assert!(pair[0].dts < pair[1].dts);
        assert!(pair[1].dts <= pair[0].end(), "hole: {pair:?}");
    }
    for pair in host.audio.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
    let sound = host.audio.last().unwrap().end() * 1000 / 48;
    assert!((sound - end).abs() < 45_000, "sound to {sound}, not {end}");
    let last = host.video.last().unwrap().dts + 40_000;
    assert!((last - end).abs() < 45_000, "pictures to {last}, not {end}");
}

#[test]
fn another_clock_goes_on_where_the_first_response_ended() {
    for shift in [0, 10_000, 3_600_000, 24 * 3_600_000, 1 << 24, 1 << 31, (1 << 32) - 500] {
        let second: Vec<Tag> = stream(7000, 9000, shift)
            .into_iter()
            .map(|tag| {
                // Other pictures than those before.
                let mut data = tag.data().to_vec();
                *data.last_mut().unwrap() ^= 0x55;
                Tag::new(tag.kind(), tag.time(), &data).unwrap()
            })
            .collect();
        let host = two_responses(&second);
        assert_whole(&host, 4_520_000);
        assert!(host.jumps().is_empty(), "{:?}", host.jumps());
    }
}

#[test]
fn what_came_before_is_left_out() {
    // The server sends what it stored, from the last keyframe on, as it is or stamped from 0.
    for shift in [0, -2000, 5_000_000] {
        let mut again = stream(2000, 4000, shift);
        differ(&mut again, shift);
        let mut host = Host::started();
        let mut first = stream(0, 2500, 0);
        differ(&mut first, 0);
        host.play(&first);
        host.remuxer.begin_response();
        host.play(&again);
        assert_eq!(host.video.len(), 100, "{shift}");
        for (n, sample) in host.video.iter().enumerate() {
            assert_eq!(sample.dts, n as i64 * 40_000);
        }
        assert_whole(&host, 4_000_000);
    }
}

#[test]
fn the_same_again_is_new_in_the_second_response() {
    let mut again = stream(0, 1500, 0);
    differ(&mut again, 0);
    let mut host = Host::started();
    for (response, pictures) in [(0, 38), (1, 38), (2, 76), (3, 76), (4, 114)] {
        host.remuxer.begin_response();
        host.play(&again);
        assert_eq!(host.video.len(), pictures, "{response}");
        assert_eq!(host.remuxer.is_repeating(), response % 2 == 1);
    }
}

#[test]
fn the_same_again_is_new_when_the_host_says_so() {
    let mut again = stream(0, 4000, 0);
    differ(&mut again, 0);
    let mut host = Host::started();
    host.play(&again[..again.iter().position(|tag| tag.time() >= 2500).unwrap()]);
    host.remuxer.begin_response();
    let (early, late) = again.split_at(again.iter().position(|tag| tag.time() > 1500).unwrap());
    host.play(early);
    assert!(host.remuxer.is_repeating());
    host.remuxer.take_repeated();
    host.play(late);
    assert_whole(&host, 2_500_000 + 2_000_000);
}

/// Makes the pictures of a stream differ by their times.
fn differ(tags: &mut [Tag], shift: i64) {
    for tag in tags.iter_mut().filter(|tag| tag.kind() == TagKind::Video) {
        let mut data = tag.data().to_vec();
        let time = tag.time() - shift;
        let n = data.len();
        data.truncate(n - 2);
        data.extend_from_slice(&(time as u16).to_be_bytes());
        *tag = Tag::new(TagKind::Video, tag.time(), &data).unwrap();
    }
}

#[test]
fn a_response_in_the_middle_of_a_group_waits_for_its_keyframe() {
    let host = two_responses(&stream(3520, 6000, 500_000));
    let keyframes = host.video.iter().filter(|sample| sample.sync).count();
    assert_eq!(keyframes, 3 + 2);
    assert_whole(&host, 4_520_000);
}

#[test]
fn a_response_without_pictures_plays_its_sound() {
    let sound: Vec<Tag> =
        stream(0, 4000, 0).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
    let host = two_responses(&sound);
    assert!(host.audio.len() > 117 + 130, "{}", host.audio.len());
}

#[test]
fn pictures_that_follow_lost_ones_wait_for_a_keyframe_and_others_do_not() {
    // Twelve pictures are left of the group of 25 after the one at 1480.
    for (missing, expected) in [(0, 75), (1, 63), (2, 63)] {
        let mut host = Host::started();
        host.play(&stream(0, 1520, 0));
        host.remuxer.lost();
        host.play(&stream(1520 + missing * 40, 3000, 0));
        assert_eq!(host.video.len(), expected, "{missing}");
        assert_eq!(host.video.last().unwrap().dts, 2_960_000);
    }
}
