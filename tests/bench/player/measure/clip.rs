//! What is played: streams that ffmpeg draws once and that are kept below the target directory. Each picture carries its
//! number as squares in its upper left corner, so that what is seen tells what was sent.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use pushpull_media::flv::{Item, Reader, TagKind};
use pushpull_tests::viewer::{is_end, is_keyframe, is_media};

/// What a clip is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in tables and addresses.
    pub name: &'static str,
    size: &'static str,
    /// Pictures a second.
    pub fps: u32,
    kilobits: u32,
    b_frames: u32,
}

/// What most publishers send.
pub const HD: Kind =
    Kind { name: "720p30", size: "1280x720", fps: 30, kilobits: 2500, b_frames: 0 };

/// The heavy one, with B-frames.
pub const FULL_HD: Kind =
    Kind { name: "1080p60", size: "1920x1080", fps: 60, kilobits: 8000, b_frames: 2 };

/// The light one: many tags a megabyte, and little to decode.
pub const SMALL: Kind =
    Kind { name: "360p25", size: "640x360", fps: 25, kilobits: 600, b_frames: 0 };

/// Length of each clip, ms: whole GOPs and whole AAC frames, so that it can go round.
pub const LENGTH: u64 = 32_000;

const GOP_SECONDS: u32 = 2;

/// AAC frames of 1024 samples at 48 kHz in [`LENGTH`].
const AUDIO_FRAMES: usize = 1500;

/// A clip in memory.
pub struct Clip {
    /// What it is made of.
    pub kind: Kind,
    /// The same packets as a progressive MP4.
    pub mp4: PathBuf,
    /// FLV header, metadata and sequence headers.
    pub head: Vec<u8>,
    /// Media tags by time, within [`LENGTH`].
    pub tags: Vec<Media>,
    /// Presentation time of the first picture, ms.
    pub first_shown: f64,
}

/// A media tag.
pub struct Media {
    /// Decoding time, ms.
    pub time: u64,
    pub is_video: bool,
    pub is_keyframe: bool,
    bytes: Vec<u8>,
}

impl Clip {
    /// Reads the clip, drawn first if this is the first time. `folder` keeps it.
    pub fn load(kind: Kind, folder: &Path) -> Result<Self> {
        let (flv, mp4) = files(kind, folder)?;
        let mut reader = Reader::new();
        reader.push(&std::fs::read(flv)?);
        let mut head = Vec::from(*b"FLV\x01\x05\0\0\0\x09\0\0\0\0");
        let mut tags = Vec::new();
        let wanted = usize::try_from(LENGTH)? * kind.fps as usize / 1000;
        let (mut pictures, mut sounds, mut first_shown) = (0, 0, f64::INFINITY);
        while let Some(item) = reader.next()? {
            let Item::Tag(tag) = item else { continue };
            if is_end(&tag) {
                continue;
            }
            if !is_media(&tag) {
                head.extend_from_slice(tag.bytes());
                continue;
            }
            let is_video = tag.kind() == TagKind::Video;
            // A little more than a round was drawn; a round ends where a GOP does.
            let (count, limit) =
                if is_video { (&mut pictures, wanted) } else { (&mut sounds, AUDIO_FRAMES) };
            if *count == limit {
                continue;
            }
            *count += 1;
            if is_video {
                let data = tag.data();
                let shift = i32::from_be_bytes([0, data[2], data[3], data[4]]);
                first_shown = first_shown.min(tag.time() as f64 + f64::from(shift));
            }
            tags.push(Media {
                time: u64::try_from(tag.time())?,
                is_video,
                is_keyframe: is_keyframe(&tag),
                bytes: tag.bytes().to_vec(),
            });
        }
        tags.sort_by_key(|tag| tag.time);
        ensure!(
            pictures == wanted && sounds == AUDIO_FRAMES,
            "{pictures} pictures, {sounds} sounds"
        );
        Ok(Self { kind, mp4, head, tags, first_shown })
    }

    /// Index of the keyframe that begins at or after `time`.
    pub fn keyframe_from(&self, time: u64) -> usize {
        let found = self.tags.iter().position(|tag| tag.is_keyframe && tag.time >= time);
        found.unwrap_or_default()
    }

    /// Where tag number `index` stands in the endless stream: its round, and itself.
    pub fn tag(&self, index: usize) -> (u64, &Media) {
        ((index / self.tags.len()) as u64, &self.tags[index % self.tags.len()])
    }

    /// At least `bytes` of FLV: the clip again and again.
    pub fn file(&self, bytes: usize) -> Vec<u8> {
        let mut file = self.head.clone();
        file.reserve(bytes + (1 << 20));
        let mut index = 0;
        while file.len() < bytes {
            let (round, tag) = self.tag(index);
            tag.write(round, &mut file);
            index += 1;
        }
        file
    }
}

impl Media {
    /// When it comes in the endless stream, ms.
    pub fn at(&self, round: u64) -> u64 {
        round * LENGTH + self.time
    }

    /// Its FLV bytes with the time it has in this round.
    pub fn write(&self, round: u64, out: &mut Vec<u8>) {
        let at = out.len();
        out.extend_from_slice(&self.bytes);
        let [high, a, b, c] = ((self.at(round) & 0xFFFF_FFFF) as u32).to_be_bytes();
        out[at + 4..at + 8].copy_from_slice(&[a, b, c, high]);
    }
}

/// The FLV and the MP4 of a clip, made if they are not there.
fn files(kind: Kind, folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let arguments = arguments(kind);
    let mut hasher = DefaultHasher::new();
    arguments.hash(&mut hasher);
    let base = folder.join(format!("{}-{:016x}", kind.name, hasher.finish()));
    let (flv, mp4) = (base.with_extension("flv"), base.with_extension("mp4"));
    if !mp4.is_file() {
        std::fs::create_dir_all(folder)?;
        eprintln!("drawing {} with ffmpeg, once", kind.name);
        let scratch = tempfile::tempdir_in(folder)?;
        let (new_flv, new_mp4) = (scratch.path().join("clip.flv"), scratch.path().join("clip.mp4"));
        ffmpeg(&arguments, &new_flv)?;
        let copy = ["-i".to_owned(), new_flv.display().to_string()];
        let copied = "-c copy -movflags +faststart".split(' ').map(str::to_owned);
        ffmpeg(&copy.into_iter().chain(copied).collect::<Vec<_>>(), &new_mp4)?;
        std::fs::rename(new_flv, &flv)?;
        std::fs::rename(new_mp4, &mp4)?;
    }
    Ok((flv, mp4))
}

fn arguments(kind: Kind) -> Vec<String> {
    let Kind { size, fps, kilobits, b_frames, .. } = kind;
    let mut picture = format!(
        "testsrc2=size={size}:rate={fps},noise=alls=12:allf=t,\
         drawbox=x=24:y=24:w=288:h=24:color=black:t=fill"
    );
    for bit in 0..12_u32 {
        let (x, step) = (24 + 24 * bit, 1 << bit);
        picture += &format!(
            ",drawbox=x={x}:y=24:w=24:h=24:color=white:t=fill:enable='gte(mod(n,{}),{step})'",
            step * 2
        );
    }
    let mut all = vec!["-f".to_owned(), "lavfi".to_owned(), "-i".to_owned(), picture];
    let rest = format!(
        "-f lavfi -i sine=frequency=440:sample_rate=48000 -t {} -c:v libx264 -preset superfast \
         -pix_fmt yuv420p -b:v {kilobits}k -maxrate {kilobits}k -bufsize {kilobits}k -g {} -bf {b_frames} \
         -sc_threshold 0 -c:a aac -b:a 128k -ac 2 -f flv",
        LENGTH / 1000 + 1,
        fps * GOP_SECONDS,
    );
    all.extend(rest.split(' ').map(str::to_owned));
    all
}

fn ffmpeg(arguments: &[String], output: &Path) -> Result<()> {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .arg(output)
        .status()
        .context("ffmpeg is needed to draw the streams: apt-get install ffmpeg")?;
    ensure!(status.success(), "ffmpeg could not make {}", output.display());
    Ok(())
}
