//! The whole engine, with a host that does what a browser would, and time that is made up.

use std::collections::VecDeque;

use pushpull_media::flv::{Header, Item, Reader, Tag, TagKind};

use super::playhead::{HIDDEN, PAUSED, PRESENTED, SEEKING, WAITING};
use super::*;

mod following;
mod mending;
mod reconnecting;
mod sources;
mod tracks;

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
    /// Seconds without anything to play.
    stalled: f64,
}

#[derive(Default)]
struct Seen {
    commands: Vec<Command>,
    appended: [usize; 2],
    /// Media without times came.
    bare: [bool; 2],
    refuse: Option<Track>,
    unplayable: Option<Track>,
    /// A type it does not play.
    unknown: Option<&'static str>,
    /// Answers about types come so many steps later.
    answers_after: usize,
    answers: VecDeque<(usize, Track, bool)>,
    /// Its SourceBuffer cannot read what it gets.
    spoils: Option<Track>,
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
                stalled: 0.0,
            },
            opens: true,
            seen: Seen::default(),
        }
    }

    /// The recording again and again for `seconds`, at the pace of life, after `behind` seconds at once.
    fn live(behind: f64, seconds: f64, keep: impl Fn(&Tag, f64) -> bool) -> Self {
        Self::live_with(Settings::default(), behind, seconds, keep)
    }

    fn live_with(
        settings: Settings,
        behind: f64,
        seconds: f64,
        keep: impl Fn(&Tag, f64) -> bool,
    ) -> Self {
        let header = Header { has_audio: true, has_video: true };
        Self::live_of(header, settings, behind, seconds, keep)
    }

    /// One whose header speaks of pictures alone.
    fn unpromised(behind: f64, seconds: f64, keep: impl Fn(&Tag, f64) -> bool) -> Self {
        let header = Header { has_audio: false, has_video: true };
        Self::live_of(header, Settings::default(), behind, seconds, keep)
    }

    fn live_of(
        header: Header,
        settings: Settings,
        behind: f64,
        seconds: f64,
        keep: impl Fn(&Tag, f64) -> bool,
    ) -> Self {
        let mut scene = Self::new(settings);
        scene.send(0.0, header.to_bytes().to_vec());
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
                let stamped = restamped(tag, round, 0);
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
        for answer in &mut self.seen.answers {
            answer.0 -= 1;
        }
        while let Some((0, track, playable)) = self.seen.answers.front().copied() {
            self.seen.answers.pop_front();
            self.engine.type_checked(track, playable, self.now);
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
        if !element.paused && waiting && element.presented && element.time > 0.0 {
            element.stalled += 0.02;
        }
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
                Command::CheckType { track, mime } => {
                    let playable = self.seen.unplayable != Some(*track)
                        && self.seen.unknown != Some(mime.as_str());
                    match self.seen.answers_after {
                        0 => self.engine.type_checked(*track, playable, self.now),
                        steps => self.seen.answers.push_back((steps, *track, playable)),
                    }
                }
                Command::Append { track } if self.seen.refuse == Some(*track) => {
                    self.seen.refuse = None;
                    self.engine.refused(*track);
                }
                Command::Append { track } if self.seen.spoils == Some(*track) => {
                    self.engine.spoiled(*track);
                    self.engine.finished(*track, self.now);
                    self.engine.output_failed(self.now);
                }
                Command::Append { track } => {
                    let bytes = self.engine.media(*track).len();
                    assert!(bytes > 0);
                    self.seen.bare[*track as usize] |= self.engine.placed_at(*track).is_finite();
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
    reader.push(include_bytes!("../../../../media/testdata/bframes.flv"));
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

/// A tag of the recording in its `round`, stamped `shift` later; no two pictures are alike.
fn restamped(tag: &Tag, round: i64, shift: i64) -> Tag {
    let mut data = tag.data().to_vec();
    *data.last_mut().unwrap() ^= round as u8;
    Tag::new(tag.kind(), tag.time() + round * ROUND + shift, &data).unwrap()
}

/// A sound frame, not its configuration.
fn is_sound(tag: &Tag) -> bool {
    is_audio(tag) && !is_config(tag)
}

fn is_audio(tag: &Tag) -> bool {
    tag.kind() == TagKind::Audio
}
