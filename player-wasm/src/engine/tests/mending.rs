//! What goes wrong in the browser.

use super::*;

#[test]
fn a_full_buffer_gets_room_and_the_same_bytes_again() {
    let mut scene = Scene::live(0.5, 30.0, |_, _| true);
    scene.run(8.0);
    scene.seen.refuse = Some(Track::Video);
    scene.run(4.0);
    assert!(scene.seen.has(|command| matches!(command, Command::Remove { .. })));
    assert!(scene.latency() < 0.6, "{}", scene.latency());
    assert!(scene.element.time > 10.0, "{}", scene.element.time);
}

#[test]
fn an_element_that_will_not_move_is_helped_and_then_given_up() {
    let mut scene = Scene::live(0.5, 100.0, |_, _| true);
    scene.run(3.0);
    scene.element.broken = true;
    scene.run(40.0);
    let notices = scene.seen.notices();
    for step in [Notice::Nudge, Notice::Jump, Notice::Flush, Notice::Rebuild] {
        assert!(notices.contains(&step), "{step:?} in {notices:?}");
    }
    let connects = scene.seen.commands.iter().filter(|c| matches!(c, Command::Connect { .. }));
    assert_eq!(connects.count(), 1, "the connection may be the reason");
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Stalled));
}

#[test]
fn a_rebuild_that_helps_is_all_there_is() {
    let mut scene = Scene::live(0.5, 100.0, |_, _| true);
    scene.run(3.0);
    scene.element.broken = true;
    while scene.seen.commands.last() != Some(&Command::MediaInfo) || !scene.opens {
        scene.step();
        if scene.opens {
            break;
        }
    }
    scene.element.broken = false;
    scene.run(10.0);
    assert_eq!(scene.seen.fault(), None);
    assert!(scene.latency() < 0.6, "{}", scene.latency());
}

#[test]
fn a_failed_decoder_gets_three_more_starts_a_minute() {
    let mut scene = Scene::live(0.5, 200.0, |_, _| true);
    for _ in 0..3 {
        scene.run(3.0);
        scene.engine.output_failed(scene.now);
        // The element may tell the same again before there is a new MediaSource.
        scene.engine.output_failed(scene.now);
        scene.carry_out();
    }
    assert_eq!(scene.engine.stat(Stat::Rebuilds, scene.now), 3.0);
    scene.run(60.0);
    assert!(scene.latency() < 0.6 && scene.seen.fault().is_none());
    for connects in [false, false, false, true, true] {
        assert_eq!(scene.seen.fault(), None);
        scene.run(3.0);
        scene.engine.output_failed(scene.now);
        scene.carry_out();
        assert_eq!(scene.seen.has(|c| matches!(c, Command::Connect { .. })), connects);
    }
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Output));
}
