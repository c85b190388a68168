//! Connections that end and come again.

use super::*;

/// Everything that is still to come, from the last keyframe at `at` (seconds of the stream) on, as
/// one who joins then gets it.
fn rejoin(scene: &mut Scene, at: f64, shift: i64) {
    scene.feed.clear();
    scene.send(scene.now - 1000.0, Header { has_audio: true, has_video: true }.to_bytes().to_vec());
    let (configs, media): (Vec<_>, Vec<_>) = recording().into_iter().partition(is_config);
    for tag in &configs {
        scene.send(scene.now - 1000.0, tag.bytes().to_vec());
    }
    let from = at.floor() * 1000.0;
    for round in 0..20 {
        for tag in &media {
            let time = tag.time() + round * ROUND;
            if (time as f64) < from {
                continue;
            }
            let stamped = restamped(tag, round, shift);
            let live = 1000.0 + time as f64 / 1000.0 - 0.5;
            scene.send(live.max(scene.now) - 1000.0, stamped.bytes().to_vec());
        }
    }
    scene.engine.source_opened(scene.now);
    scene.carry_out();
}

fn connects(scene: &Scene) -> usize {
    let connect = |command: &&Command| matches!(command, Command::Connect { .. });
    scene.seen.commands.iter().filter(connect).count()
}

fn playing() -> Scene {
    let mut scene = Scene::live(0.5, 60.0, |_, _| true);
    scene.engine.source_opened(scene.now);
    scene.run(10.3);
    scene
}

#[test]
fn it_goes_on_in_another_response_whatever_its_times() {
    // The same clock, stamped from the joining on, and something else.
    for shift in [0, -10_000, 3_600_000] {
        for away in [0.1, 0.6, 3.0] {
            let mut scene = playing();
            let (stalled, time) = (scene.element.stalled, scene.element.time);
            scene.engine.source_ended(false, true, scene.now);
            scene.carry_out();
            assert_eq!(connects(&scene), 1);
            scene.feed.clear();
            scene.run(away);
            let at = scene.now - 1000.0 + 0.5;
            rejoin(&mut scene, at, shift);
            scene.run(8.0);
            let name = format!("{shift} ms, {away} s away");
            let froze = scene.element.stalled - stalled;
            assert!(froze < away + 0.15, "{name}: {froze} s");
            assert!(scene.element.time > time + 7.0, "{name}: {}", scene.element.time - time);
            assert!(scene.latency() < 0.6, "{name}: {}", scene.latency());
            assert_eq!(scene.engine.stat(Stat::Reconnects, scene.now), 1.0);
            assert_eq!(scene.engine.stat(Stat::Rebuilds, scene.now), 0.0);
            assert_eq!(scene.seen.fault(), None);
        }
    }
}

#[test]
fn what_came_before_is_not_played_again() {
    let mut scene = playing();
    let at = scene.now - 1000.0 + 0.5;
    let before = scene.seen.appended[0];
    scene.run(2.0);
    let usual = scene.seen.appended[0] - before;
    let mut scene = playing();
    let before = scene.seen.appended[0];
    scene.engine.source_ended(true, true, scene.now);
    scene.carry_out();
    rejoin(&mut scene, at, 0);
    scene.run(2.0);
    let again = scene.seen.appended[0] - before;
    assert!(again < usual + usual / 10, "{again} for {usual}");
}

#[test]
fn a_source_that_never_comes_back_is_given_up() {
    let mut scene = playing();
    for n in 1..=8 {
        scene.engine.source_ended(false, true, scene.now);
        scene.carry_out();
        assert_eq!(connects(&scene), n);
        scene.run(0.1);
    }
    scene.engine.source_ended(false, true, scene.now);
    scene.carry_out();
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Source));
}

#[test]
fn a_stream_that_ended_and_is_gone_is_complete() {
    let mut scene = playing();
    scene.feed.clear();
    scene.engine.source_ended(true, true, scene.now);
    scene.carry_out();
    scene.run(0.3);
    scene.engine.source_ended(false, false, scene.now);
    scene.carry_out();
    scene.run(0.3);
    assert_eq!(scene.seen.commands.last(), Some(&Command::Complete));
    assert_eq!(scene.seen.fault(), None);
}

#[test]
fn an_answer_that_is_no_flv_is_another_loss() {
    let mut scene = playing();
    scene.engine.source_ended(false, true, scene.now);
    scene.engine.source_opened(scene.now);
    scene.feed.clear();
    scene.input(b"<!doctype html>");
    assert_eq!(connects(&scene), 2);
    assert_eq!(scene.seen.fault(), None);
}

#[test]
fn a_dump_begins_as_the_stream_does() {
    let scene = playing();
    let mut reader = Reader::new();
    reader.push(&scene.engine.headers());
    assert!(matches!(reader.next(), Ok(Some(Item::Header(header))) if header.has_audio));
    let expected: Vec<_> =
        recording().into_iter().filter(is_config).map(|tag| tag.data().to_vec()).collect();
    for expected in expected {
        let Ok(Some(Item::Tag(tag))) = reader.next() else { panic!() };
        assert_eq!(tag.data(), expected);
    }
    assert!(matches!(reader.next(), Ok(None)));
}
