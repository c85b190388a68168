//! The whole engine, with a host that does what a browser would, and time that is made up.

use std::collections::VecDeque;

use pushpull_media::flv::{Header, Item, Reader, Tag, TagKind};

use super::playhead::{HIDDEN, PAUSED, PRESENTED, SEEKING, WAITING};
use super::*;

/// A host, an element and a publisher in one, in steps of 20 ms.
struct Scene {
    engine: Engine,
    now: f64,
    /// Tags still to come, by when.
    feed: VecDeque<(f64, Vec<u8>)>,
    element: Element,
    /// A MediaSource opens in the next step.
    opens: bool,
    seen: Seen,
}

struct Element {
    time: f64,
    rate: f64,
    paused: bool,
    hidden: bool,
    /// Does not move whatever it has.
    broken: bool,
    presented: bool,
}

#[derive(Default)]
struct Seen {
    commands: Vec<Command>,
    appended: [usize; 2],
    refuse: Option<Track>,
    unplayable: Option<Track>,
}

impl Seen {
    fn has(&self, wanted: impl Fn(&Command) -> bool) -> bool {
        self.commands.iter().any(wanted)
    }

    fn fault(&self) -> Option<(Fault, &str)> {
        self.commands.iter().find_map(|command| match command {
            Command::Fault { fault, text, .. } => Some((*fault, text.as_str())),
            _ => None,
        })
    }

    fn notices(&self) -> Vec<Notice> {
        let notice = |command: &Command| match command {
            Command::Notice { notice, .. } => Some(*notice),
            _ => None,
        };
        self.commands.iter().filter_map(notice).collect()
    }
}

impl Scene {
    fn new(settings: Settings) -> Self {
        Self {
            engine: Engine::new(settings),
            now: 1000.0,
            feed: VecDeque::new(),
            element: Element {
                time: 0.0,
                rate: 1.0,
                paused: false,
                hidden: false,
                broken: false,
                presented: false,
            },
            opens: true,
            seen: Seen::default(),
        }
    }

    /// The recording again and again for `seconds`, at the pace of life, after `behind` seconds at once.
    fn live(behind: f64, seconds: f64, keep: impl Fn(&Tag, f64) -> bool) -> Self {
        let mut scene = Self::new(Settings::default());
        scene.send(0.0, Header { has_audio: true, has_video: true }.to_bytes().to_vec());
        let tags = recording();
        let (configs, media): (Vec<_>, Vec<_>) = tags.into_iter().partition(is_config);
        for tag in configs.iter().filter(|tag| keep(tag, 0.0)) {
            scene.send(0.0, tag.bytes().to_vec());
        }
        for round in 0.. {
            for tag in &media {
                let time = tag.time() + round * ROUND;
                let seconds_in = time as f64 / 1000.0;
                if seconds_in > seconds {
                    return scene;
                }
                let stamped = Tag::new(tag.kind(), time, tag.data()).unwrap();
                if keep(&stamped, seconds_in) {
                    scene.send((seconds_in - behind).max(0.0), stamped.bytes().to_vec());
                }
            }
        }
        scene
    }

    fn send(&mut self, at: f64, bytes: Vec<u8>) {
        self.feed.push_back((1000.0 + at, bytes));
    }

    fn run(&mut self, seconds: f64) -> &mut Self {
        for _ in 0..(seconds * 50.0).round() as usize {
            self.step();
        }
        self
    }

    fn step(&mut self) {
        self.now += 0.02;
        if std::mem::take(&mut self.opens) {
            self.engine.opened(self.now);
            self.carry_out();
        }
        let mut arrived = Vec::new();
        while self.feed.front().is_some_and(|(at, _)| *at <= self.now) {
            arrived.extend(self.feed.pop_front().unwrap().1);
        }
        if !arrived.is_empty() {
            self.input(&arrived);
        }
        self.play();
        self.engine.tick(self.now);
        self.carry_out();
    }

    fn input(&mut self, bytes: &[u8]) {
        self.engine.reserve(bytes.len()).copy_from_slice(bytes);
        self.engine.commit(bytes.len(), self.now);
        self.carry_out();
    }

    fn play(&mut self) {
        let element = &mut self.element;
        // What the browser has is what the engine believes it has: that is tested elsewhere.
        let end = element.time + self.engine.ahead(element.time);
        let waiting = end <= element.time;
        if !element.paused && !waiting && !element.broken {
            element.time = (element.time + 0.02 * element.rate).min(end);
            element.presented = true;
        }
        let flags = if element.paused { PAUSED } else { 0 }
            | if waiting { WAITING } else { 0 }
            | if element.hidden { HIDDEN } else { 0 }
            | if element.presented { PRESENTED } else { 0 };
        self.engine.report(self.now, element.time, element.rate, flags, 0.0, 0.0);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(command) = self.engine.next(self.now) {
            match &command {
                Command::CheckType { track, .. } => {
                    let playable = self.seen.unplayable != Some(*track);
                    self.engine.type_checked(*track, playable, self.now);
                }
                Command::Append { track } if self.seen.refuse == Some(*track) => {
                    self.seen.refuse = None;
                    self.engine.refused(*track);
                }
                Command::Append { track } => {
                    let bytes = self.engine.media(*track).len();
                    assert!(bytes > 0);
                    self.seen.appended[*track as usize] += bytes;
                    self.engine.finished(*track, self.now);
                }
                Command::Remove { track, .. } => self.engine.finished(*track, self.now),
                Command::Seek(to) => {
                    self.element.time = *to;
                    self.element.presented = false;
                    self.engine.report(self.now, *to, self.element.rate, SEEKING, 0.0, 0.0);
                }
                Command::Rate(rate) => self.element.rate = *rate,
                Command::Rebuild => {
                    self.opens = true;
                    self.element.time = 0.0;
                    self.element.presented = false;
                }
                _ => {}
            }
            self.seen.commands.push(command);
        }
    }

    fn latency(&mut self) -> f64 {
        self.engine.stat(Stat::Latency, self.now)
    }
}

/// Milliseconds of one round of the recording.
const ROUND: i64 = 3000;

fn recording() -> Vec<Tag> {
    let mut reader = Reader::new();
    reader.push(include_bytes!("../../../media/testdata/bframes.flv"));
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    tags
}

fn is_config(tag: &Tag) -> bool {
    tag.kind() == TagKind::Script || tag.data().get(1) == Some(&0)
}

fn is_audio(tag: &Tag) -> bool {
    tag.kind() == TagKind::Audio
}

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
        seen.has(|command| matches!(command, Command::Script { name, .. } if name == "onMetaData"))
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
    assert!((5.0..40.0).contains(&per_second), "{per_second}");
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
fn an_element_that_will_not_move_is_helped_and_then_given_up() {
    let mut scene = Scene::live(0.5, 100.0, |_, _| true);
    scene.run(3.0);
    scene.element.broken = true;
    scene.run(40.0);
    let notices = scene.seen.notices();
    for step in [Notice::Nudge, Notice::Jump, Notice::Rebuild] {
        assert!(notices.contains(&step), "{step:?} in {notices:?}");
    }
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
    for _ in 0..4 {
        scene.run(3.0);
        scene.engine.output_failed(scene.now);
        scene.carry_out();
    }
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Output));
}

#[test]
fn silence_is_told_and_then_ends_it() {
    let mut scene = Scene::live(0.5, 5.0, |_, _| true);
    scene.run(20.0);
    assert_eq!(scene.seen.notices(), [Notice::Silence]);
    assert_eq!(scene.seen.fault(), None);
    scene.run(20.0);
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::Silence));
}

#[test]
fn the_end_comes_after_the_last_append() {
    let mut scene = Scene::live(3.0, 3.0, |_, _| true);
    scene.run(0.1);
    scene.engine.source_ended(true, scene.now);
    scene.carry_out();
    assert_eq!(scene.seen.commands.last(), Some(&Command::Complete));
    assert!(scene.seen.appended.iter().all(|&bytes| bytes > 1000));
}

#[test]
fn an_end_before_anything_is_a_fault() {
    let mut scene = Scene::new(Settings::default());
    scene.run(0.1);
    scene.engine.source_ended(true, scene.now);
    scene.carry_out();
    assert_eq!(scene.seen.fault().map(|(fault, _)| fault), Some(Fault::NoMedia));
}

#[test]
fn a_very_short_stream_is_played_at_its_end() {
    // Pictures without the promised sound, ended before anybody could be sure that none comes.
    let mut scene = Scene::live(0.2, 0.2, |tag, at| !is_audio(tag) || at == 0.0);
    scene.run(0.1);
    assert!(scene.engine.playing.is_none());
    scene.engine.source_ended(true, scene.now);
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
