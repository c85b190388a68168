//! Tracks that are missing, late or not playable.

use super::*;

#[test]
fn pictures_alone_need_no_sound() {
    let mut scene = Scene::unpromised(1.0, 20.0, |tag, _| !is_audio(tag));
    scene.run(5.0);
    assert!(scene.element.time > 3.0);
    assert!(!scene.engine.plays(Track::Audio));
}

#[test]
fn late_sound_is_added_at_a_keyframe() {
    let keep = |tag: &Tag, at: f64| !is_audio(tag) || at > 5.0 || (at > 4.0 && is_config(tag));
    let mut scene = Scene::unpromised(0.5, 30.0, keep);
    let config = recording().into_iter().find(|tag| is_audio(tag) && is_config(tag)).unwrap();
    scene.feed.push_back((1004.4, config.bytes().to_vec()));
    scene.feed.make_contiguous().sort_by(|a, b| a.0.total_cmp(&b.0));
    scene.run(4.0);
    assert!(!scene.engine.plays(Track::Audio));
    while !scene.seen.has(|command| *command == Command::Rebuild) {
        scene.step();
    }
    scene.run(0.06);
    let ahead = scene.engine.ahead(0.0);
    assert!(ahead > 0.2, "it can be played at once: {ahead}");
    assert!(scene.element.stalled < 0.1, "it had enough till then: {}", scene.element.stalled);
    scene.run(5.0);
    assert!(scene.engine.plays(Track::Audio));
    assert_eq!(scene.seen.notices(), [Notice::LateTrack]);
    assert!(scene.element.time > 1.0, "plays on, from 0 again: {}", scene.element.time);
    assert!(scene.latency() < 0.6, "{}", scene.latency());
}

#[test]
fn promised_sound_that_never_comes_is_silent() {
    for config in [true, false] {
        let mut scene =
            Scene::live(0.2, 20.0, |tag, _| !is_audio(tag) || (config && is_config(tag)));
        scene.run(0.7);
        assert!(scene.element.time > 0.0, "plays after half a second");
        scene.run(10.0);
        assert!(scene.engine.plays(Track::Audio));
        assert_eq!(scene.seen.notices(), [Notice::SoundMissing]);
        assert!(scene.element.stalled < 0.2, "{}", scene.element.stalled);
        assert!((0.1..0.5).contains(&scene.latency()), "{}", scene.latency());
        let filled = scene.engine.stat(Stat::AudioFilled, scene.now);
        assert!((450.0..550.0).contains(&filled), "{filled}");
        let ahead = scene.engine.stat(Stat::AudioBuffered, scene.now);
        assert!(ahead < 1.0, "{ahead}");
    }
}

#[test]
fn sound_may_stop_and_come_back() {
    let mut scene = Scene::live(0.5, 40.0, |tag, at| !is_sound(tag) || !(8.0..18.0).contains(&at));
    // In pieces of a fifth of a second.
    for (at, _) in &mut scene.feed {
        *at = (*at * 5.0).ceil() / 5.0;
    }
    scene.run(7.0);
    let before = scene.element.stalled;
    scene.run(4.0);
    let jitter = scene.engine.stat(Stat::Jitter, scene.now);
    assert!(jitter < 0.25, "pictures come as before, but {jitter}");
    scene.run(16.0);
    assert!(scene.element.stalled - before < 0.1, "{}", scene.element.stalled - before);
    assert_eq!(scene.seen.notices(), [Notice::SoundMissing]);
    assert!((0.1..0.5).contains(&scene.latency()), "{}", scene.latency());
    let filled = scene.engine.stat(Stat::AudioFilled, scene.now);
    assert!((460.0..490.0).contains(&filled), "{filled}");
}

#[test]
fn pictures_may_stop_and_come_back() {
    let keep = |tag: &Tag, at: f64| {
        tag.kind() != TagKind::Video || is_config(tag) || !(8.0..18.0).contains(&at)
    };
    let mut scene = Scene::live(0.5, 40.0, keep);
    scene.run(7.0);
    let before = scene.element.stalled;
    scene.run(20.0);
    // It takes a moment to be sure that they stopped.
    assert!(scene.element.stalled - before < 0.5, "{}", scene.element.stalled - before);
    assert_eq!(scene.seen.notices(), [Notice::PictureMissing]);
    assert!((0.1..0.5).contains(&scene.latency()), "{}", scene.latency());
}

#[test]
fn a_network_that_stands_still_is_no_reason_for_much_silence() {
    let mut scene = Scene::live(0.5, 40.0, |_, _| true);
    for (at, _) in &mut scene.feed {
        if (1010.0..1011.0).contains(at) {
            *at = 1011.0;
        }
    }
    scene.run(9.0);
    let dropped = scene.engine.stat(Stat::SoundDropped, scene.now);
    scene.run(3.0);
    // What the last pictures need, and it is dropped of the sound that comes.
    let filled = scene.engine.stat(Stat::AudioFilled, scene.now);
    assert!(filled < 11.0, "{filled}");
    // The recording begins again every three seconds.
    let dropped = scene.engine.stat(Stat::SoundDropped, scene.now) - dropped;
    assert!(dropped < filled + 3.0, "{dropped}");
}

/// What was held up comes in pieces: after the first one the other track is no more missing than before.
#[test]
fn neither_track_is_missing_when_the_other_comes_first_after_a_stall() {
    for first in [8, 9] {
        let mut scene = Scene::live(0.5, 40.0, |_, _| true);
        let held = 1010.0..1013.0;
        scene.feed.retain(|(at, bytes)| !(1009.9..held.start).contains(at) || bytes[0] == first);
        let mut come = None;
        for (at, bytes) in &mut scene.feed {
            if held.contains(at) {
                come = come.or((bytes[0] == first).then_some(()));
                *at = held.end + if come.is_some() { 0.001 } else { 0.002 };
            }
        }
        scene.feed.make_contiguous().sort_by(|a, b| a.0.total_cmp(&b.0));
        scene.run(20.0);
        let notices = scene.seen.notices();
        let wrong = [Notice::SoundMissing, Notice::PictureMissing];
        assert!(!notices.iter().any(|notice| wrong.contains(notice)), "{first}: {notices:?}");
    }
}

#[test]
fn sound_sent_later_than_its_pictures_is_not_missing() {
    let mut scene = Scene::live(0.5, 30.0, |_, _| true);
    let mut feed: Vec<_> = scene.feed.drain(..).collect();
    for (at, bytes) in &mut feed {
        if bytes[0] == 8 && *at > 1000.0 {
            *at += 0.4;
        }
    }
    feed.sort_by(|a, b| a.0.total_cmp(&b.0));
    scene.feed = feed.into();
    scene.run(10.0);
    let before = scene.engine.stat(Stat::AudioFilled, scene.now);
    scene.run(15.0);
    assert_eq!(scene.engine.stat(Stat::AudioFilled, scene.now), before);
    assert!(before < 30.0, "{before}");
}

#[test]
fn sound_alone_plays_where_pictures_were_promised_and_they_are_added_later() {
    let keep = |tag: &Tag, at: f64| tag.kind() != TagKind::Video || at > 6.0;
    let mut scene = Scene::live(0.2, 30.0, keep);
    let config = recording().into_iter().find(|tag| tag.kind() == TagKind::Video).unwrap();
    scene.run(3.0);
    assert!(scene.element.time > 2.0 && !scene.engine.plays(Track::Video));
    assert_eq!(scene.seen.notices(), [Notice::PictureMissing]);
    scene.feed.push_front((scene.now, config.bytes().to_vec()));
    scene.run(8.0);
    assert!(scene.engine.plays(Track::Video));
    assert_eq!(scene.seen.notices(), [Notice::PictureMissing, Notice::LateTrack]);
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

/// The type was said to be played, and what came was not.
#[test]
fn what_the_browser_takes_and_cannot_begin_is_left_out() {
    for (spoils, value) in [(Track::Audio, 0.0), (Track::Video, 1.0)] {
        let mut scene = Scene::live(0.5, 10.0, |_, _| true);
        scene.seen.spoils = Some(spoils);
        scene.run(3.0);
        assert_eq!(scene.seen.notices(), [Notice::CodecUnsupported]);
        let says = |command: &Command| match command {
            Command::Notice { value: other, text, .. } => *other == value && !text.is_empty(),
            _ => false,
        };
        assert!(scene.seen.has(says));
        assert!(scene.element.time > 1.0, "{}", scene.element.time);
        assert!(!scene.engine.plays(spoils) && scene.seen.fault().is_none());
        assert_eq!(scene.engine.stat(Stat::Rebuilds, scene.now), 1.0);
    }
}

#[test]
fn what_was_left_out_is_added_when_it_is_of_another_kind() {
    let mut scene = Scene::live(0.5, 30.0, |_, _| true);
    scene.seen.spoils = Some(Track::Audio);
    scene.run(5.0);
    assert!(!scene.engine.plays(Track::Audio));
    scene.seen.spoils = None;
    let mono = Tag::new(TagKind::Audio, 5000, &[0xAF, 0, 0x11, 0x88]).unwrap();
    scene.feed.push_front((scene.now, mono.bytes().to_vec()));
    scene.run(5.0);
    assert!(scene.engine.plays(Track::Audio));
    assert_eq!(scene.seen.notices(), [Notice::CodecUnsupported, Notice::LateTrack]);
}

/// A decoder that fails on what came later says nothing about the codec.
#[test]
fn what_was_taken_before_is_not_left_out() {
    let mut scene = Scene::live(0.5, 30.0, |_, _| true);
    scene.run(5.0);
    scene.seen.spoils = Some(Track::Audio);
    scene.run(0.3);
    scene.seen.spoils = None;
    scene.run(3.0);
    assert_eq!(scene.seen.notices(), [Notice::Output]);
    assert!(scene.engine.plays(Track::Audio));
}

#[test]
fn the_only_track_gets_its_tries() {
    let mut scene = Scene::unpromised(0.5, 30.0, |tag, _| !is_audio(tag));
    scene.seen.spoils = Some(Track::Video);
    scene.run(5.0);
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Output));
}

/// A message of Enhanced RTMP for track 1 that holds what a plain one does.
#[cfg(feature = "full")]
fn as_track_1(tag: &Tag) -> Tag {
    let data = tag.data();
    let packet = if data[1] == 0 { 0 } else { 1 };
    let mut out = vec![data[0] & 0xF0 | 0x80 | 6, packet];
    out.extend(b"avc1");
    out.push(1);
    // The composition time is in front of coded frames only.
    out.extend(&data[if packet == 0 { 5 } else { 2 }..]);
    Tag::new(tag.kind(), tag.time(), &out).unwrap()
}

#[cfg(feature = "full")]
#[test]
fn a_track_that_was_asked_for_is_played_when_it_comes() {
    let settings = Settings { video_track: Some(1), ..Settings::default() };
    let mut scene = Scene::live_with(settings, 0.2, 20.0, |_, _| true);
    let begins = Scene::live_with(settings, 0.2, 20.0, |_, _| true).feed;
    // At 1008 s there is a keyframe: the recording has one every three seconds.
    let mut reader = Reader::new();
    let mut ones = Vec::new();
    for (at, bytes) in begins {
        reader.push(&bytes);
        while let Ok(Some(item)) = reader.next() {
            if let Item::Tag(tag) = item
                && tag.kind() == TagKind::Video
                && (at >= 1008.0 || is_config(&tag))
            {
                ones.push((at.max(1008.0), as_track_1(&tag).bytes().to_vec()));
            }
        }
    }
    scene.feed.extend(ones);
    scene.feed.make_contiguous().sort_by(|a, b| a.0.total_cmp(&b.0));
    scene.run(5.0);
    assert!(scene.element.time > 4.0, "{}", scene.element.time);
    assert_eq!(scene.seen.notices(), [Notice::TrackMissing]);
    assert_eq!(scene.engine.misses(Track::Video), Some(1));
    scene.run(10.0);
    assert_eq!(scene.engine.misses(Track::Video), None);
    assert_eq!(scene.seen.notices()[1..], [Notice::OtherTracks]);
    assert!(scene.element.time > 13.0 && scene.latency() < 0.6, "{}", scene.element.time);
}

/// MP3, AAC and MP3 again, for a browser that wants MP3 in MP4 and says so a while after it was asked.
#[test]
fn sound_of_a_new_type_waits_for_the_answer() {
    for answers_after in [0, 1, 5] {
        let mut scene = sound_changes(answers_after);
        scene.run(3.0);
        let types: Vec<_> = scene.seen.commands.iter().filter_map(sound_type).collect();
        let [mp3, aac] = [r#"audio/mp4;codecs="mp3""#, r#"audio/mp4;codecs="mp4a.40.2""#];
        assert_eq!(types, [mp3, aac, mp3], "{answers_after}");
        assert!(!scene.seen.bare[Track::Audio as usize], "{answers_after}");
        assert!(scene.element.time > 1.9, "{}", scene.element.time);
        assert_eq!(scene.seen.notices(), []);
    }
}

fn sound_changes(answers_after: usize) -> Scene {
    let mut scene = Scene::new(Settings::default());
    scene.seen.unknown = Some("audio/mpeg");
    scene.seen.answers_after = answers_after;
    let mut reader = Reader::new();
    reader.push(include_bytes!("../../../../tests/fixtures/codecs/sound-change.flv"));
    while let Some(item) = reader.next().unwrap() {
        match item {
            Item::Header(header) => scene.send(0.0, header.to_bytes().to_vec()),
            Item::Tag(tag) => {
                // Enough at once to begin with.
                let at = (tag.time() as f64 / 1000.0 - 0.4).max(0.0);
                scene.send(at, tag.bytes().to_vec());
            }
        }
    }
    scene
}

/// The type that a SourceBuffer for sound begins with or gets.
fn sound_type(command: &Command) -> Option<&str> {
    match command {
        Command::AddTrack { track: Track::Audio, mime }
        | Command::ChangeType { track: Track::Audio, mime } => Some(mime),
        _ => None,
    }
}
