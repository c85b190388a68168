//! Streams to feed a remuxer with, and its output read back by mp4-atom.

use mp4_atom::{Any, Decode};

use crate::flv::{self, Item, Reader, Tag, TagKind};
use crate::remux::{Config, Event, Remuxer, Segment, Track, Tracks, Warning, WarningKind};

pub(super) const BOTH: Tracks = Tracks { video: true, audio: true };

/// The tags of a recording with B-frames (160x120, 25 pictures a second, 48 kHz stereo).
pub(super) fn bframes() -> Vec<Tag> {
    tags(include_bytes!("../../../testdata/bframes.flv"))
}

/// The tags of a recording without.
pub(super) fn baseline() -> Vec<Tag> {
    tags(include_bytes!("../../../testdata/baseline.flv"))
}

fn tags(flv: &[u8]) -> Vec<Tag> {
    let mut reader = Reader::new();
    reader.push(flv);
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    tags
}

pub(super) fn video_config() -> Tag {
    baseline().into_iter().find(|tag| is_config(tag, TagKind::Video)).unwrap()
}

pub(super) fn audio_config() -> Tag {
    baseline().into_iter().find(|tag| is_config(tag, TagKind::Audio)).unwrap()
}

pub(super) fn is_config(tag: &Tag, kind: TagKind) -> bool {
    tag.kind() == kind
        && match kind {
            TagKind::Video => flv::video::Head::parse(tag.data()).unwrap().is_sequence_header(),
            TagKind::Audio => flv::audio::Head::parse(tag.data()).unwrap().is_sequence_header(),
            TagKind::Script => false,
        }
}

/// A picture of one NAL unit with `len` bytes of payload.
pub(super) fn picture(time: i64, key: bool, composition: i32, len: usize) -> Tag {
    let mut unit = vec![if key { 0x65 } else { 0x41 }];
    unit.resize(1 + len, 0xAB);
    let mut data = vec![if key { 0x17 } else { 0x27 }, 1];
    data.extend_from_slice(&composition.to_be_bytes()[1..]);
    data.extend_from_slice(&(unit.len() as u32).to_be_bytes());
    data.extend_from_slice(&unit);
    Tag::new(TagKind::Video, time, &data).unwrap()
}

pub(super) fn sound(time: i64) -> Tag {
    Tag::new(TagKind::Audio, time, &[0xAF, 1, 0x21, 0x55, 0x55, 0x55, 0x55, 0x1C]).unwrap()
}

/// Pictures every 40 ms with a keyframe each second, and sound of 48 kHz, from `from` to `to` ms,
/// all stamped `shift` later.
pub(super) fn stream(from: i64, to: i64, shift: i64) -> Vec<Tag> {
    let mut tags = Vec::new();
    for time in (from..to).filter(|time| time % 40 == 0) {
        tags.push((time, picture(time + shift, time % 1000 == 0, 0, 10)));
    }
    for frame in 0.. {
        let time = frame * 1024 / 48;
        if time >= to {
            break;
        }
        if time >= from {
            tags.push((time, sound(time + shift)));
        }
    }
    tags.sort_by_key(|(time, tag)| (*time, tag.kind() == TagKind::Audio));
    tags.into_iter().map(|(_, tag)| tag).collect()
}

/// A sample of the output.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) dts: i64,
    pub(super) duration: i64,
    pub(super) composition: i64,
    pub(super) sync: bool,
    pub(super) data: Vec<u8>,
}

impl Sample {
    pub(super) fn pts(&self) -> i64 {
        self.dts + self.composition
    }

    pub(super) fn end(&self) -> i64 {
        self.dts + self.duration
    }
}

/// A remuxer whose host takes everything after each tag, or when told.
pub(super) struct Host {
    pub(super) remuxer: Remuxer,
    pub(super) video: Vec<Sample>,
    pub(super) audio: Vec<Sample>,
    pub(super) segments: Vec<(Track, Segment)>,
    pub(super) events: Vec<Event>,
}

impl Host {
    pub(super) fn new(config: Config) -> Self {
        Self {
            remuxer: Remuxer::new(config),
            video: Vec::new(),
            audio: Vec::new(),
            segments: Vec::new(),
            events: Vec::new(),
        }
    }

    /// One that has started both tracks and knows both configurations.
    pub(super) fn started() -> Self {
        let mut host = Self::new(Config::default());
        host.push(&video_config());
        host.push(&audio_config());
        host.remuxer.start(BOTH);
        host
    }

    pub(super) fn push(&mut self, tag: &Tag) {
        self.remuxer.push(tag).unwrap();
        while let Some(event) = self.remuxer.next_event() {
            self.events.push(event);
        }
    }

    pub(super) fn play<'a>(&mut self, tags: impl IntoIterator<Item = &'a Tag>) {
        for tag in tags {
            self.push(tag);
            self.take();
        }
    }

    pub(super) fn take(&mut self) {
        for track in [Track::Video, Track::Audio] {
            while self.take_one(track).is_some() {}
        }
    }

    pub(super) fn take_one(&mut self, track: Track) -> Option<Segment> {
        let mut out = Vec::new();
        let segment = self.remuxer.take(track, &mut out);
        let Some(segment) = segment else {
            assert!(out.is_empty());
            return None;
        };
        self.segments.push((track, segment));
        let samples = read(&out, segment);
        match track {
            Track::Video => self.video.extend(samples),
            Track::Audio => self.audio.extend(samples),
        }
        Some(segment)
    }

    pub(super) fn warnings(&self, kind: WarningKind) -> u32 {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning(warning @ Warning { .. }) if warning.kind == kind => Some(warning.count),
            _ => None,
        });
        warnings.sum()
    }

    pub(super) fn jumps(&self) -> Vec<(Track, i64, i64)> {
        let jumps = self.events.iter().filter_map(|event| match *event {
            Event::Discontinuity { track, from_ms, to_ms } => Some((track, from_ms, to_ms)),
            _ => None,
        });
        jumps.collect()
    }
}

/// The samples of one segment, after checking that it is what `segment` says.
fn read(mut out: &[u8], segment: Segment) -> Vec<Sample> {
    let mut atoms = Vec::new();
    while !out.is_empty() {
        atoms.push(Any::decode(&mut out).unwrap());
    }
    let mut atoms = atoms.as_slice();
    if segment.init {
        let [Any::Ftyp(_), Any::Moov(_), rest @ ..] = atoms else { panic!("{atoms:?}") };
        atoms = rest;
    }
    if segment.samples == 0 {
        assert!(atoms.is_empty());
        return Vec::new();
    }
    let [Any::Moof(moof), Any::Mdat(mdat)] = atoms else { panic!("{atoms:?}") };
    let traf = &moof.traf[0];
    let mut dts = i64::try_from(traf.tfdt.as_ref().unwrap().base_media_decode_time).unwrap();
    let mut data = mdat.data.as_slice();
    let samples: Vec<Sample> = traf.trun[0]
        .samples
        .iter()
        .map(|entry| {
            let sample = Sample {
                dts,
                duration: entry.duration.unwrap().into(),
                composition: entry.cts.unwrap_or(0),
                sync: entry.flags.is_none_or(|flags| flags == 0x0200_0000),
                data: data.split_off(..entry.size.unwrap() as usize).unwrap().to_vec(),
            };
            dts += sample.duration;
            sample
        })
        .collect();
    assert!(data.is_empty());
    assert_eq!(samples.len(), segment.samples as usize);
    samples
}
