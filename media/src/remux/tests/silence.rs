//! Sound that was promised and does not come, or stops.

use super::support::*;
use crate::flv::{Tag, TagKind};
use crate::remux::Config;

fn only(kind: TagKind, tags: Vec<Tag>) -> Vec<Tag> {
    tags.into_iter().filter(|tag| tag.kind() == kind).collect()
}

/// Pictures with silence put beside them after each.
fn play_filled(host: &mut Host, tags: &[Tag]) -> u32 {
    let mut filled = 0;
    for tag in tags {
        host.push(tag);
        filled += host.remuxer.fill_sound(None);
        host.take();
    }
    filled
}

fn assert_continuous(host: &Host) {
    for pair in host.audio.windows(2) {
        assert_eq!(pair[0].end(), pair[1].dts);
    }
}

#[test]
fn promised_sound_that_never_comes_is_silent() {
    let mut host = Host::new(Config::default());
    host.push(&video_config());
    assert!(host.remuxer.can_fill_sound());
    host.remuxer.assume_sound();
    host.remuxer.start(BOTH);
    let filled = play_filled(&mut host, &only(TagKind::Video, stream(0, 3000, 70_000)));
    assert_eq!(host.audio.len(), filled as usize);
    assert_continuous(&host);
    assert_eq!(host.audio[0].dts, 0);
    assert!((3_000_000..3_025_000).contains(&(host.audio.last().unwrap().end() * 1000 / 48)));
    assert_eq!(host.audio[0].data, [0x21, 0, 0, 0, 0, 0x1C]);
}

#[test]
fn sound_that_comes_back_is_where_it_belongs() {
    for (lag, shift) in [(0, 0), (200, 0), (0, (1 << 32) - 2500)] {
        let mut host = Host::started();
        host.play(&stream(0, 1000, shift));
        let silent = only(TagKind::Video, stream(1000, 3000, shift));
        assert!(host.remuxer.sound_lag_us().unwrap().abs() < 50_000);
        assert!(play_filled(&mut host, &silent) > 80);
        // Sound that is sent later than its pictures was not there a moment ago.
        let back: Vec<Tag> = only(TagKind::Audio, stream(3000 - lag, 5000, shift))
            .into_iter()
            .map(|tag| Tag::new(tag.kind(), tag.time(), &[0xAF, 1, 0x21, 0x77, 0x77]).unwrap())
            .collect();
        let mut tags = [only(TagKind::Video, stream(3000, 5000, shift)), back].concat();
        tags.sort_by_key(Tag::time);
        host.play(&tags);
        assert_continuous(&host);
        assert_eq!(host.video.len(), 125);
        let heard = host.audio.iter().find(|sample| sample.data == [0x21, 0x77, 0x77]).unwrap();
        let at = heard.dts * 1000 / 48;
        assert!((2_990_000..3_040_000).contains(&at), "{at}");
        let end = host.audio.last().unwrap().end() * 1000 / 48;
        assert!((end - 5_000_000).abs() < 25_000, "{end}");
        assert!(host.jumps().is_empty());
    }
}

#[test]
fn silence_is_bounded() {
    let mut host = Host::started();
    host.play(&stream(0, 1000, 0));
    host.play(&only(TagKind::Video, stream(1000, 60_000, 0)));
    assert!(host.remuxer.fill_sound(None) <= 100);
    host.take();
    assert_eq!(host.remuxer.fill_sound(Some(2_000_000)), 0, "is there already");
}

#[test]
fn first_sound_joins_the_silence() {
    let mut host = Host::new(Config::default());
    host.push(&video_config());
    host.remuxer.assume_sound();
    host.remuxer.start(BOTH);
    play_filled(&mut host, &only(TagKind::Video, stream(0, 2000, 9_000_000)));
    let inits = |host: &Host| host.segments.iter().filter(|(_, segment)| segment.init).count();
    assert_eq!(inits(&host), 2);
    // Another sampling frequency than assumed.
    host.push(&Tag::new(TagKind::Audio, 0, &[0xAF, 0, 0x12, 0x10]).unwrap());
    host.play(&stream(2000, 4000, 9_000_000));
    assert_eq!(inits(&host), 3);
    assert_eq!(host.video.len(), 100);
    let end = host.segments.iter().rev().find(|(track, _)| *track == crate::remux::Track::Audio);
    let end = end.unwrap().1.end_us;
    assert!((end - 4_000_000).abs() < 150_000, "{end}");
    assert!(host.jumps().is_empty());
}

#[test]
fn a_picture_stands_still_while_none_come() {
    let mut host = Host::started();
    // Pictures come in another order than they are shown in.
    let order = [(0, 80), (40, 160), (80, 40), (120, 0), (160, 80), (200, 160), (240, 40)];
    let tags: Vec<Tag> =
        order.iter().map(|&(time, offset)| picture(time, time == 0, offset, 10)).collect();
    host.play(&tags);
    host.play(&only(TagKind::Audio, stream(0, 3000, 0)));
    assert!(host.remuxer.hold_picture(3_000_000));
    assert!(!host.remuxer.hold_picture(3_000_000), "it waits already");
    host.take();
    let held = &host.video[order.len()..];
    assert_eq!(held.len(), order.len());
    assert_eq!(host.segments.last().unwrap().1.end_us, 3_000_000);
    let sorted = |samples: &[Sample]| {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.sort_by_key(|&n| samples[n].pts());
        order
    };
    assert_eq!(sorted(held), sorted(&host.video[..order.len()]));
    assert!(held.iter().all(|sample| sample.composition >= 0));
    assert_eq!(held.last().unwrap().end(), 3_000_000);
    assert!(held.last().unwrap().dts < 400_000);
    // The next picture builds on the last that came.
    host.play(&[picture(2800, false, 0, 10), picture(2840, false, 0, 10)]);
    let [.., a, b] = host.video.as_slice() else { panic!() };
    assert_eq!((a.dts, b.dts), (2_800_000, 2_840_000));
}
