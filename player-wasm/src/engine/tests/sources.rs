//! What the source gives, and how it ends.

use super::*;

#[test]
fn silence_is_told_and_then_the_source_is_opened_again() {
    let mut scene = Scene::live(0.5, 5.0, |_, _| true);
    scene.run(4.5 + 2.9);
    assert_eq!(scene.seen.notices(), []);
    scene.run(0.3);
    assert_eq!(scene.seen.notices(), [Notice::Silence]);
    scene.run(1.7);
    assert!(!scene.seen.has(|command| matches!(command, Command::Connect { .. })));
    scene.run(0.3);
    assert!(scene.seen.has(|command| matches!(command, Command::Connect { attempt: 1, .. })));

    let settings = Settings { max_reconnects: 0, ..Settings::default() };
    let mut scene = Scene::live_with(settings, 0.5, 5.0, |_, _| true);
    scene.run(10.0);
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Silence));
}

/// A publisher that makes a pause is there in vain, and the server is: who comes again waits longer.
#[test]
fn each_attempt_that_is_silent_too_waits_longer() {
    let mut scene = Scene::live(0.5, 5.0, |_, _| true);
    let mut attempts = Vec::new();
    while scene.now < 1400.0 && scene.seen.fault().is_none() {
        scene.step();
        let connects = scene.seen.commands.iter();
        let count = connects.filter(|c| matches!(c, Command::Connect { .. })).count();
        if count > attempts.len() {
            attempts.push(scene.now - 1000.0);
            scene.engine.source_opened(scene.now);
        }
    }
    assert_eq!(attempts.len(), 8);
    assert!((9.0..10.0).contains(&attempts[0]), "{attempts:?}");
    assert!((9.9..10.1).contains(&(attempts[1] - attempts[0])), "{attempts:?}");
    assert!((scene.now - 1000.0 - attempts[7]) > 40.0, "{attempts:?}");
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Silence));
}

#[test]
fn the_end_comes_after_the_last_append() {
    let mut scene = Scene::live(3.0, 3.0, |_, _| true);
    scene.run(0.1);
    scene.engine.source_ended(true, false, scene.now);
    scene.carry_out();
    assert_eq!(scene.seen.commands.last(), Some(&Command::Complete));
    assert!(scene.seen.appended.iter().all(|&bytes| bytes > 1000));
}

#[test]
fn an_end_before_anything_is_a_fault() {
    let mut scene = Scene::new(Settings::default());
    scene.run(0.1);
    scene.engine.source_ended(true, false, scene.now);
    scene.carry_out();
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::NoMedia));
}

#[test]
fn a_very_short_stream_is_played_at_its_end() {
    // Pictures without the promised sound, ended before anybody could be sure that none comes.
    let mut scene = Scene::live(0.2, 0.2, |tag, at| !is_audio(tag) || at == 0.0);
    scene.run(0.1);
    assert!(scene.engine.playing.is_none());
    scene.engine.source_ended(true, false, scene.now);
    scene.carry_out();
    assert_eq!(scene.seen.fault(), None);
    assert_eq!(scene.seen.commands.last(), Some(&Command::Complete));
}

#[test]
fn what_is_not_flv_is_told_from_its_beginning() {
    let mut scene = Scene::new(Settings::default());
    scene.input(b"<!doctype html>");
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::NotFlv));
    let commands = scene.seen.commands.len();
    scene.input(b"<html>");
    assert_eq!(scene.seen.commands.len(), commands, "said once");
}

#[test]
fn noise_is_crossed_and_endless_noise_is_not() {
    let mut scene = Scene::live(0.5, 30.0, |_, _| true);
    scene.run(3.0);
    scene.input(&[0xA5; 777]);
    scene.run(5.0);
    assert_eq!(scene.seen.notices(), [Notice::Resync]);
    assert!(scene.element.time > 7.0, "{}", scene.element.time);
    scene.feed.clear();
    for _ in 0..200 {
        scene.input(&[0xA5; 64 << 10]);
    }
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::BadTags));
}

#[test]
fn a_file_is_appended_as_fast_as_it_is_read() {
    let mut scene = Scene::live(60.0, 60.0, |_, _| true);
    scene.engine = Engine::new(Settings { live: false, ..Settings::default() });
    let feed: Vec<u8> =
        std::mem::take(&mut scene.feed).into_iter().flat_map(|(_, tag)| tag).collect();
    scene.run(0.1);
    let mut given = 0;
    // No time passes meanwhile.
    for piece in feed.chunks(10_000) {
        if !scene.engine.wants_data() {
            break;
        }
        scene.input(piece);
        given += piece.len();
        let appended: usize = scene.seen.appended.iter().sum();
        assert!(appended + 20_000 > given, "{appended} of {given}");
    }
    assert!(given > feed.len() / 3, "{given} of {}", feed.len());
}

#[test]
fn a_file_is_read_ahead_only_so_far() {
    let mut scene = Scene::live(60.0, 60.0, |_, _| true);
    scene.engine = Engine::new(Settings { live: false, ..Settings::default() });
    let feed: Vec<u8> =
        std::mem::take(&mut scene.feed).into_iter().flat_map(|(_, tag)| tag).collect();
    let mut pieces = feed.chunks(10_000);
    let mut given = 0;
    scene.run(0.1);
    while scene.element.time < 5.0 {
        while scene.engine.wants_data() {
            let Some(piece) = pieces.next() else { panic!("everything was read at once") };
            given += piece.len();
            scene.input(piece);
        }
        scene.step();
    }
    assert!(given < feed.len() * 3 / 4, "{given} of {}", feed.len());
    assert!(!scene.seen.has(|command| matches!(command, Command::Rate(_) | Command::Seek(_))));
}

#[cfg(not(feature = "full"))]
#[test]
fn what_this_build_does_not_know_needs_the_full_one() {
    let mut scene = Scene::new(Settings::default());
    scene.input(&Header { has_audio: true, has_video: true }.to_bytes());
    let hevc = Tag::new(TagKind::Video, 0, b"\x90hvc1").unwrap();
    scene.input(hevc.bytes());
    scene.carry_out();
    let upgrades = |command: &Command| matches!(command, Command::Upgrade(Track::Video));
    assert!(scene.seen.has(upgrades), "{:?}", scene.seen.commands);
    let commands = scene.seen.commands.len();
    scene.input(hevc.bytes());
    scene.run(40.0);
    assert_eq!(scene.seen.commands.len(), commands, "said once, and nothing else");
}
