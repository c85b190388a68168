//! Tracks that are missing, late or not playable.

use super::*;

#[test]
fn pictures_alone_need_no_sound() {
    let mut scene = Scene::live(1.0, 20.0, |tag, _| !is_audio(tag));
    scene.run(5.0);
    assert!(scene.element.time > 3.0);
    assert!(!scene.engine.plays(Track::Audio));
}

#[test]
fn late_sound_is_added_at_a_keyframe() {
    let mut scene = Scene::live(0.5, 30.0, |tag, at| !is_audio(tag) || at > 5.0 || at == 0.0);
    scene.run(4.0);
    assert!(!scene.engine.plays(Track::Audio));
    scene.run(6.0);
    assert!(scene.engine.plays(Track::Audio));
    assert_eq!(scene.seen.notices(), [Notice::LateTrack]);
    assert!(scene.element.time > 1.0, "plays on, from 0 again: {}", scene.element.time);
    assert!(scene.latency() < 0.6, "{}", scene.latency());
}

#[test]
fn a_type_the_browser_refuses() {
    let mut scene = Scene::live(0.5, 10.0, |_, _| true);
    scene.seen.unplayable = Some(Track::Audio);
    scene.run(3.0);
    assert_eq!(scene.seen.notices(), [Notice::CodecUnsupported]);
    assert!(scene.element.time > 2.0 && !scene.engine.plays(Track::Audio));

    let mut scene = Scene::live(0.5, 10.0, |_, _| true);
    scene.seen.unplayable = Some(Track::Video);
    scene.run(1.0);
    assert_eq!(scene.seen.fault(), Some((Fault::CodecUnsupported, "avc1.64000b")));
}
