//! Sound of each codec.

use pushpull_media::codec::pcm::Coding;
use pushpull_media::flv::{Tag, TagKind, audio};
use pushpull_media::remux::{Config, Event, Track, WarningKind};

use crate::support::*;

#[test]
fn every_sound_frame_of_every_codec_is_decoded() {
    for (name, codec, expected, frames) in [
        ("av1-opus", "opus", "opus,48000,2", 101),
        ("vp9-opus", "opus", "opus,48000,2", 101),
        ("flac", "flac", "flac,16000,1", 28),
        ("ac3", "ac-3", "ac3,48000,2", 63),
        ("eac3", "ec-3", "eac3,48000,2", 63),
        ("g711a", "flac", "flac,8000,1", 50),
        ("g711u", "flac", "flac,8000,1", 100),
        ("pcm16", "flac", "flac,11025,1", 50),
        ("pcm8", "flac", "flac,11025,1", 50),
    ] {
        let played = play(name, Config::default());
        let [file] = played.files(Track::Audio).try_into().unwrap();
        let found = probe(&file, "codec_name,sample_rate,channels,nb_read_frames");
        let (stream, count) = found.rsplit_once(',').unwrap();
        assert_eq!(stream, expected, "{name}");
        let count: u32 = count.parse().unwrap();
        // What is before the first picture shown is not taken.
        assert!((frames - 5..=frames).contains(&count), "{name}: {count} frames");
        assert_eq!(count, played.samples(Track::Audio), "{name}");
        assert_eq!(played.configs(Track::Audio)[0].0, codec, "{name}");
    }
}

/// Sound that is coded anew is, sample for sample, what ffmpeg makes of the original.
#[test]
fn uncompressed_sound_is_not_changed() {
    for (name, format, rate) in [
        ("g711a", "alaw", 8000),
        ("g711u", "mulaw", 8000),
        ("pcm16", "s16le", 11_025),
        ("pcm8", "u8", 11_025),
    ] {
        let tags: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        let sent: Vec<u8> = tags.iter().flat_map(|tag| tag.data()[1..].to_vec()).collect();
        let played = play_tags(&tags, Config::default(), |_| {});
        let [file] = played.files(Track::Audio).try_into().unwrap();
        let raw = played.folder.path().join("raw");
        std::fs::write(&raw, &sent).unwrap();
        let (rate, raw) = (format!("{rate}"), raw.to_str().unwrap());
        let arguments =
            ["-v", "error", "-f", format, "-ar", &rate, "-ac", "1", "-i", raw, "-f", "s16le", "-"];
        let expected: Vec<i16> = Coding::Word.decode(&run("ffmpeg", &arguments)).collect();
        let found = decode(&file);
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(found == expected, "{name}");
    }
}

/// AAC that lists its channels gets a number for browsers, and sounds the same.
#[test]
fn listed_channels_are_not_changed() {
    for (name, channels) in [("aac-surround", 6), ("aac-quad", 4)] {
        let tags: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        let played = play_tags(&tags, Config::default(), |_| {});
        let [file] = played.files(Track::Audio).try_into().unwrap();
        assert_eq!(
            probe(&file, "codec_name,sample_rate,channels"),
            format!("aac,48000,{channels}")
        );
        let expected = decode(&path_of(name));
        let found = decode(&file);
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(found == expected, "{name}");
    }
}

/// Bare MP3 frames are an MP3 file; the browser that wants them in MP4 gets them so.
#[test]
fn mp3_comes_bare_or_in_mp4() {
    for (name, expected) in [("mp3", "mp3,48000,2"), ("mp3-enhanced", "mp3,22050,1")] {
        let tags: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        for index in 0..2 {
            let played = play_tags(&tags, Config::default(), |remuxer| {
                remuxer.choose_mime(Track::Audio, index);
            });
            let mimes = played.events.iter().find_map(|event| match event {
                Event::TrackConfig { mime, other_mimes, .. } => Some((mime, other_mimes)),
                _ => None,
            });
            let (mime, others) = mimes.unwrap();
            assert_eq!(
                (mime.as_str(), others[0].as_str()),
                ("audio/mpeg", "audio/mp4;codecs=\"mp3\"")
            );
            assert!(played.segments.iter().all(|(_, segment, _)| segment.raw == (index == 0)));
            assert_eq!(played.mime.as_ref(), Some([mime, &others[0]][index]));
            let [file] = played.files(Track::Audio).try_into().unwrap();
            let found = probe(&file, "codec_name,sample_rate,channels,nb_read_frames");
            let (stream, count) = found.rsplit_once(',').unwrap();
            assert_eq!(stream, expected, "{name} {index}");
            let count: usize = count.parse().unwrap();
            assert!(count + 1 >= tags.len() - 1, "{name} {index}: {count} of {}", tags.len());
        }
    }
}

/// Tags left out of the middle become silence: the frames of each codec that we make ourselves are
/// taken by its decoder.
#[test]
fn holes_are_filled_with_silence() {
    for (name, rate) in [
        ("av1-opus", 48_000),
        ("flac", 16_000),
        ("mp3", 48_000),
        ("g711a", 8000),
        ("pcm16", 11_025),
    ] {
        let sound: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        let holed: Vec<Tag> =
            sound.iter().filter(|tag| !(800..1300).contains(&tag.time())).cloned().collect();
        let play = |tags: &[Tag]| {
            let played = play_tags(tags, Config::default(), |remuxer| {
                remuxer.choose_mime(Track::Audio, 1);
            });
            let [file] = played.files(Track::Audio).try_into().unwrap();
            (decode(&file), played.warnings(WarningKind::SilenceInserted))
        };
        let ((whole, none), (filled, some)) = (play(&sound), play(&holed));
        assert!(none == 0 && some > 0, "{name}: {none}, {some}");
        let frame = i64::from(rate) / 8;
        let difference = whole.len() as i64 - filled.len() as i64;
        assert!(difference.abs() <= frame, "{name}: {difference} of {}", whole.len());
        // Well inside the hole, past what a decoder smears over its edges.
        let quiet = filled.len() * 21 / 40..filled.len() * 23 / 40;
        let loudest = filled[quiet].iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(loudest < 300, "{name}: {loudest}");
    }
}

/// ADTS headers say enough to play AAC whose configuration never came.
#[test]
fn aac_without_a_sequence_header_plays_by_its_adts_headers() {
    let sent: Vec<Tag> =
        tags("hevc").into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
    let with_adts = |tag: &Tag| {
        let frame = &tag.data()[2..];
        let len = (frame.len() + 7) as u32;
        // LC, 48 kHz, stereo.
        let head = 0x00FF_F14C_8000_0000u64 | u64::from(len) << 13 | 0x1FFC;
        let data = [&[0xAF, 1], &head.to_be_bytes()[1..], frame].concat();
        Tag::new(TagKind::Audio, tag.time(), &data).unwrap()
    };
    let tags: Vec<Tag> = sent[1..].iter().map(with_adts).collect();
    let played = play_tags(&tags, Config::default(), |_| {});
    let [file] = played.files(Track::Audio).try_into().unwrap();
    assert!(probe(&file, "codec_name,sample_rate,channels").starts_with("aac,48000,"));
    assert_eq!(played.samples(Track::Audio) as usize, tags.len());
    assert_eq!(played.warnings(WarningKind::AdtsHeader) as usize, tags.len());
}

/// Noise where a frame should be is left out and told; what follows plays.
#[test]
fn noise_is_no_frame() {
    for name in ["mp3", "flac", "ac3"] {
        let mut sound: Vec<Tag> =
            tags(name).into_iter().filter(|tag| tag.kind() == TagKind::Audio).collect();
        let head = audio::Head::parse(sound[5].data()).unwrap();
        let noise = [&sound[5].data()[..head.body], &[0x55; 40]].concat();
        sound[5] = Tag::new(TagKind::Audio, sound[5].time(), &noise).unwrap();
        let played = play_tags(&sound, Config::default(), |_| {});
        assert_eq!(played.warnings(WarningKind::CorruptFrame), 1, "{name}");
        let headers = u32::from(name == "flac");
        assert_eq!(played.samples(Track::Audio), sound.len() as u32 - headers - 1, "{name}");
    }
}
