//! Fixtures remuxed, and what ffmpeg finds in the result.

use std::path::{Path, PathBuf};

use pushpull_media::codec::pcm::Coding;
use pushpull_media::flv::{Tag, TagKind};
use pushpull_media::remux::{
    Config, Event, Remuxer, Segment, Track, TrackInfo, Tracks, WarningKind,
};
use tempfile::TempDir;

use crate::shared;
pub use crate::shared::run;

/// A fixture, remuxed.
pub struct Played {
    pub folder: TempDir,
    pub events: Vec<Event>,
    /// What was made of each configuration: the track, and the segments taken for it.
    pub segments: Vec<(Track, Segment, Vec<u8>)>,
    /// The type of the last sound taken.
    pub mime: Option<String>,
}

pub fn path_of(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/codecs");
    folder.join(name).with_extension("flv")
}

pub fn tags(name: &str) -> Vec<Tag> {
    shared::tags(&std::fs::read(path_of(name)).unwrap())
}

pub fn play(name: &str, config: Config) -> Played {
    play_tags(&tags(name), config, |_| {})
}

pub fn play_tags(tags: &[Tag], config: Config, configured: impl Fn(&mut Remuxer)) -> Played {
    let mut remuxer = Remuxer::new(config);
    let has = |kind| tags.iter().any(|tag| tag.kind() == kind);
    remuxer.start(Tracks { video: has(TagKind::Video), audio: has(TagKind::Audio) });
    let (mut events, mut segments) = (Vec::new(), Vec::new());
    for tag in tags {
        remuxer.push(tag).unwrap();
        while let Some(event) = remuxer.next_event() {
            if matches!(event, Event::TrackConfig { .. }) {
                configured(&mut remuxer);
            }
            events.push(event);
        }
        for track in [Track::Video, Track::Audio] {
            let mut out = Vec::new();
            while let Some(segment) = remuxer.take(track, &mut out) {
                segments.push((track, segment, std::mem::take(&mut out)));
            }
        }
    }
    let mime = remuxer.mime(Track::Audio);
    Played { folder: TempDir::new().unwrap(), events, segments, mime }
}

impl Played {
    /// One file for each initialisation segment of a track and what follows it.
    pub fn files(&self, track: Track) -> Vec<PathBuf> {
        let mut files: Vec<Vec<u8>> = Vec::new();
        for (_, segment, bytes) in self.segments.iter().filter(|(own, ..)| *own == track) {
            if segment.init {
                files.push(Vec::new());
            }
            files.last_mut().unwrap().extend_from_slice(bytes);
        }
        let write = |(number, bytes): (usize, Vec<u8>)| {
            let path = self.folder.path().join(format!("{track:?}{number}.mp4"));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        files.into_iter().enumerate().map(write).collect()
    }

    /// Codec strings and descriptions in the order they were announced.
    pub fn configs(&self, track: Track) -> Vec<(String, TrackInfo)> {
        let configs = self.events.iter().filter_map(|event| match event {
            Event::TrackConfig { track: own, codec, info, .. } if *own == track => {
                Some((codec.clone(), *info))
            }
            _ => None,
        });
        configs.collect()
    }

    pub fn warnings(&self, kind: WarningKind) -> u32 {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning(warning) if warning.kind == kind => Some(warning.count),
            _ => None,
        });
        warnings.sum()
    }

    pub fn samples(&self, track: Track) -> u32 {
        let own = self.segments.iter().filter(|(own, ..)| *own == track);
        own.map(|(_, segment, _)| segment.samples).sum()
    }
}

/// ffprobe's `entries` of the only stream, all frames decoded.
pub fn probe(file: &Path, entries: &str) -> String {
    let entries = format!("stream={entries}");
    let arguments = ["-v", "error", "-count_frames", "-show_entries", &entries, "-of", "csv=p=0"];
    let listing = run("ffprobe", &[&arguments[..], &[file.to_str().unwrap()]].concat());
    String::from_utf8(listing).unwrap().trim().trim_end_matches(',').to_owned()
}

/// The samples ffmpeg decodes, as 16 bits.
pub fn decode(file: &Path) -> Vec<i16> {
    let file = file.to_str().unwrap();
    let bytes = run("ffmpeg", &["-v", "error", "-i", file, "-f", "s16le", "-"]);
    Coding::Word.decode(&bytes).collect()
}

pub const PICTURE: &str = "codec_name,width,height,nb_read_frames";
