//! Source material, drawn by ffmpeg and kept below the target directory.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

use anyhow::Result;

use crate::{ffmpeg, stage::target_dir};

/// A short MP4 file: a moving test picture in H.264, a tone in AAC.
#[derive(Clone, Copy, Hash, PartialEq, Eq, Debug)]
pub enum Clip {
    /// Four seconds, a keyframe each second, no B-frames: what phones and OBS send.
    Plain,
    /// The same with B-frames, so that decoding and presentation times differ.
    BFrames,
    /// Four seconds without sound.
    Silent,
    /// Four seconds without a picture.
    Blind,
    /// Four seconds with MP3 for sound.
    Mp3,
    /// Four seconds of noise at about 8 Mbit/s.
    Heavy,
    /// Half a minute, small; each picture carries its number in the upper edge: black, white, ten bits from the least on.
    Numbered,
    /// The same pictures larger, with B-frames and of another profile.
    NumberedLarge,
    /// The same pictures in VP9.
    NumberedVp9,
}

/// Sources with a picture's number drawn into it.
macro_rules! numbered {
    ($size:literal) => {
        concat!(
            "-v error -f lavfi -i testsrc2=size=",
            $size,
            ":rate=25,drawbox=w=iw:h=ih/8:color=black:t=fill,format=yuv420p,geq=lum='if(lt(Y,H/8),16+219*if(lt(X*12/W,2),",
            "floor(X*12/W),mod(floor(N/pow(2,floor(X*12/W)-2)),2)),lum(X,Y))':cb='cb(X,Y)':cr='cr(X,Y)' ",
            "-f lavfi -i sine=frequency=440:sample_rate=44100 -t 30 -pix_fmt yuv420p "
        )
    };
}

impl Clip {
    /// The file, made first if this is the first time.
    pub async fn path(self) -> Result<PathBuf> {
        let arguments = self.arguments();
        let mut hasher = DefaultHasher::new();
        arguments.hash(&mut hasher);
        let folder = target_dir()?.join("e2e/clips");
        let path = folder.join(format!("{self:?}-{:016x}.mp4", hasher.finish()).to_lowercase());
        if path.is_file() {
            return Ok(path);
        }
        // Several tests may be here at once: each writes a file of its own, the last one to finish stays.
        std::fs::create_dir_all(&folder)?;
        let mine = tempfile::Builder::new().suffix(".mp4").tempfile_in(&folder)?.into_temp_path();
        let mut all: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        all.extend(["-y".to_owned(), mine.display().to_string()]);
        ffmpeg::run("ffmpeg", &all).await?;
        mine.persist(&path)?;
        Ok(path)
    }

    fn arguments(self) -> &'static str {
        match self {
            Clip::Plain => concat!(
                "-v error -f lavfi -i testsrc2=size=480x270:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 4 ",
                "-c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p -bf 0 -g 25 -sc_threshold 0 -b:v 500k -c:a aac -b:a 96k"
            ),
            Clip::BFrames => concat!(
                "-v error -f lavfi -i testsrc2=size=480x270:rate=25 -f lavfi -i sine=frequency=440:sample_rate=44100 -t 4 ",
                "-c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p -bf 3 -g 25 -sc_threshold 0 -b:v 500k -c:a aac -b:a 96k"
            ),
            Clip::Silent => concat!(
                "-v error -f lavfi -i testsrc2=size=480x270:rate=25 -t 4 ",
                "-c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 0 -g 25 -sc_threshold 0 -b:v 500k"
            ),
            Clip::Blind => {
                "-v error -f lavfi -i sine=frequency=440:sample_rate=48000 -t 4 -c:a aac -b:a 96k"
            }
            Clip::Mp3 => concat!(
                "-v error -f lavfi -i testsrc2=size=480x270:rate=25 -f lavfi -i sine=frequency=440:sample_rate=44100 -t 4 ",
                "-c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 0 -g 25 -sc_threshold 0 -b:v 500k -c:a libmp3lame -b:a 96k"
            ),
            Clip::Heavy => concat!(
                "-v error -f lavfi -i nullsrc=size=640x360:rate=25,geq=random(1)*255:128:128 ",
                "-f lavfi -i sine=frequency=440:sample_rate=48000 -t 4 ",
                "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 25 -sc_threshold 0 -b:v 8M -maxrate 8M -bufsize 2M -c:a aac -b:a 96k"
            ),
            Clip::Numbered => concat!(
                numbered!("320x180"),
                "-c:v libx264 -preset veryfast -profile:v main -bf 0 -g 25 -sc_threshold 0 -b:v 250k -c:a aac -b:a 64k"
            ),
            Clip::NumberedLarge => concat!(
                numbered!("480x270"),
                "-c:v libx264 -preset veryfast -profile:v high -bf 2 -g 25 -sc_threshold 0 -b:v 350k -c:a aac -b:a 64k"
            ),
            Clip::NumberedVp9 => concat!(
                numbered!("320x180"),
                "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -lag-in-frames 0 -g 25 -keyint_min 25 -b:v 300k -c:a aac -b:a 64k"
            ),
        }
    }
}
