//! Following a live stream.

use super::*;

#[test]
fn a_live_stream_starts_at_once_and_settles_close_to_its_edge() {
    let mut scene = Scene::live(0.8, 60.0, |_, _| true);
    scene.run(0.1);
    assert!(scene.element.time > 0.0, "plays");
    scene.run(8.0);
    assert!((0.1..0.4).contains(&scene.latency()), "{}", scene.latency());
    scene.run(40.0);
    assert!((0.1..0.4).contains(&scene.latency()), "{}", scene.latency());
    let seen = &scene.seen;
    assert_eq!(seen.notices(), []);
    assert!(!seen.has(|command| matches!(command, Command::Seek(_))), "no seek was needed");
    assert!(
        seen.has(|command| matches!(command, Command::Script { data, .. } if data.starts_with(b"\x02\x00\x0AonMetaData")))
    );
    let types: Vec<_> = seen
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::AddTrack { mime, .. } => Some(mime.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(types, ["video/mp4;codecs=\"avc1.64000b\"", "audio/mp4;codecs=\"mp4a.40.2\""]);
}

#[test]
fn every_byte_is_appended_once() {
    let mut scene = Scene::live(0.5, 20.0, |_, _| true);
    scene.run(30.0);
    let sent: usize =
        recording().iter().filter(|tag| !is_audio(tag)).map(|tag| tag.data().len()).sum();
    let rounds = 20.0 / 3.0;
    let appended = scene.seen.appended[0] as f64;
    assert!(appended > sent as f64 * rounds * 0.95, "{appended} of {sent}");
    assert!(appended < sent as f64 * rounds * 2.0, "boxes are not most of it: {appended}");
}

#[test]
fn appends_are_gathered_while_there_is_enough() {
    let mut scene = Scene::live(0.5, 30.0, |_, _| true);
    scene.run(10.0);
    let before = scene.engine.stat(Stat::Appends, scene.now);
    scene.run(10.0);
    let per_second = (scene.engine.stat(Stat::Appends, scene.now) - before) / 10.0;
    assert!((5.0..18.5).contains(&per_second), "{per_second}");
    assert!(scene.element.stalled == 0.0);
}

#[test]
fn what_was_played_is_removed_in_whole_groups() {
    let mut scene = Scene::live(0.5, 70.0, |_, _| true);
    scene.run(60.0);
    let removed: Vec<_> = scene
        .seen
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Remove { track: Track::Video, to, .. } => Some(*to),
            _ => None,
        })
        .collect();
    assert!(removed.len() >= 6, "{removed:?}");
    let start = scene.engine.tracks[Track::Video].buffered.start().unwrap();
    let behind = scene.element.time - start;
    assert!((9.0..17.0).contains(&behind), "{behind}");
}

#[test]
fn after_a_pause_it_goes_on_with_the_newest_and_memory_stays_bounded() {
    let mut scene = Scene::live(0.5, 200.0, |_, _| true);
    scene.run(5.0);
    scene.element.paused = true;
    scene.run(120.0);
    let appended =
        scene.engine.tracks[Track::Video].buffered.around(scene.element.time, 0.1).unwrap();
    assert!(appended.end - scene.element.time < 15.0, "{appended:?}");
    assert!(scene.engine.stat(Stat::Skipped, scene.now) > 1000.0);
    scene.element.paused = false;
    scene.run(5.0);
    assert!(scene.latency() < 0.6, "{}", scene.latency());
    assert_eq!(scene.seen.fault(), None);
}

#[test]
fn a_hidden_page_whose_picture_stands_still_gets_no_more() {
    let mut scene = Scene::live(0.5, 200.0, |_, _| true);
    scene.run(5.0);
    scene.element.hidden = true;
    scene.element.paused = true;
    scene.run(60.0);
    let appended =
        scene.engine.tracks[Track::Video].buffered.around(scene.element.time, 0.1).unwrap();
    assert!(appended.end - scene.element.time < 15.0, "{appended:?}");
    scene.element.hidden = false;
    scene.element.paused = false;
    scene.run(6.0);
    assert!(scene.latency() < 0.6, "{}", scene.latency());
}

#[test]
fn a_network_that_stood_still_leaves_no_delay() {
    let mut scene = Scene::live(0.5, 60.0, |_, _| true);
    for (at, _) in &mut scene.feed {
        if (1010.0..1013.0).contains(at) {
            *at = 1013.0;
        }
    }
    scene.run(9.0);
    let before = scene.latency();
    scene.run(10.0);
    assert_eq!(scene.engine.stat(Stat::Stalls, scene.now), 1.0);
    assert!(scene.latency() < before + 0.1, "{} after {before}", scene.latency());
}

#[test]
fn the_publishers_clock_may_jump() {
    for jump in [10_000, -10_000, 3_600_000, 1 << 31] {
        let mut scene = Scene::live(0.5, 8.0, |_, _| true);
        let mut tags = recording();
        tags.retain(|tag| !is_config(tag));
        for round in 0..5 {
            for tag in &tags {
                let time = 8000 + tag.time() + round * ROUND;
                let tag = Tag::new(tag.kind(), time + jump, tag.data()).unwrap();
                scene.send(time as f64 / 1000.0 - 0.5, tag.bytes().to_vec());
            }
        }
        scene.run(20.0);
        assert!((0.0..0.8).contains(&scene.latency()), "{jump}: {}", scene.latency());
        assert!((15.0..25.0).contains(&scene.element.time), "{jump}: {}", scene.element.time);
        assert!(scene.seen.notices().contains(&Notice::Discontinuity), "{jump}");
    }
}

#[test]
fn a_publisher_that_was_away_for_a_moment_does_not_raise_the_target() {
    let mut scene = Scene::live(0.5, 8.0, |_, _| true);
    let mut tags = recording();
    tags.retain(|tag| !is_config(tag));
    for round in 0..5 {
        for tag in &tags {
            let tag = restamped(tag, round, 0);
            let at = 9.0 + tag.time() as f64 / 1000.0 - 0.5;
            scene.send(at, tag.bytes().to_vec());
        }
    }
    scene.run(7.0);
    let before = scene.engine.stat(Stat::TargetLatency, scene.now);
    scene.run(8.0);
    let after = scene.engine.stat(Stat::TargetLatency, scene.now);
    assert!(after < before + 0.25, "{after} after {before}");
    assert!(scene.latency() < 0.6, "{}", scene.latency());
}

#[test]
fn a_burst_that_begins_with_one_track_is_no_sign_that_the_other_is_missing() {
    for first in [TagKind::Video, TagKind::Audio] {
        let mut scene = Scene::live(0.5, 40.0, |_, _| true);
        let mut feed: Vec<_> = scene.feed.drain(..).collect();
        for (at, bytes) in &mut feed {
            if (1010.0..1013.0).contains(at) {
                // In pieces; one track is a moment earlier.
                let own = if bytes[0] == first as u8 { 0.0 } else { 0.04 };
                *at = 1013.0 + own + (*at - 1010.0) / 20.0;
            } else if (1013.0..1013.3).contains(at) {
                *at = 1013.3;
            }
        }
        feed.sort_by(|a, b| a.0.total_cmp(&b.0));
        scene.feed = feed.into();
        scene.run(20.0);
        let filled = scene.engine.stat(Stat::AudioFilled, scene.now);
        assert!(filled < 11.0, "{filled}");
        let notices = scene.seen.notices();
        let missing = [Notice::SoundMissing, Notice::PictureMissing];
        assert!(!notices.iter().any(|notice| missing.contains(notice)), "{notices:?}");
        assert!(scene.latency() < 0.6, "{}", scene.latency());
    }
}
