//! Streams of two seconds that nothing here can encode: the heads are real, the payloads are numbers.

use pushpull_media::flv::{Tag, TagKind};

/// The streams, by name.
pub fn streams() -> Vec<(&'static str, Vec<Tag>)> {
    STREAMS.iter().map(|made| (made.name, made.tags())).collect()
}

struct Made {
    name: &'static str,
    video_headers: &'static [&'static [u8]],
    audio_headers: &'static [&'static [u8]],
    /// The head of the picture, or the sound, of this number.
    picture: fn(u32) -> Vec<u8>,
    sound: fn(u32) -> Vec<u8>,
}

impl Made {
    fn tags(&self) -> Vec<Tag> {
        let header = |kind| move |data: &&[u8]| Tag::new(kind, 0, data).ok();
        let mut tags: Vec<Tag> = Vec::new();
        tags.extend(self.video_headers.iter().filter_map(header(TagKind::Video)));
        tags.extend(self.audio_headers.iter().filter_map(header(TagKind::Audio)));
        for number in 0..100_u32 {
            let payload = number.to_be_bytes().repeat(16);
            let time = i64::from(number) * 20 + START;
            let picture = [(self.picture)(number), payload.clone()].concat();
            tags.extend(Tag::new(TagKind::Video, time, &picture));
            let sound = [(self.sound)(number), payload].concat();
            tags.extend(Tag::new(TagKind::Audio, time + 3, &sound));
        }
        tags
    }
}

const STREAMS: [Made; 11] = [
    Made {
        name: "vp8",
        video_headers: &[],
        audio_headers: &[],
        picture: |n| extended(n, b"vp08"),
        sound: |_| b"\x91Opus".to_vec(),
    },
    Made {
        name: "speex",
        video_headers: &[AVC],
        audio_headers: &[],
        picture: legacy,
        sound: |_| b"\xB6".to_vec(),
    },
    Made {
        name: "nellymoser",
        video_headers: &[AVC],
        audio_headers: &[],
        picture: legacy,
        sound: |_| b"\x62".to_vec(),
    },
    Made {
        name: "aac-fourcc",
        video_headers: &[AVC],
        audio_headers: &[b"\x90mp4a\x11\x90"],
        picture: legacy,
        sound: |_| b"\x91mp4a".to_vec(),
    },
    Made {
        name: "opus-channels",
        video_headers: &[AVC],
        audio_headers: &[b"\x90OpusOpusHead\x01\x06", b"\x94Opus\x01\x06\x3F"],
        picture: legacy,
        sound: |_| b"\x91Opus".to_vec(),
    },
    // Two video tracks, a message each, in turns; the sound is track 2.
    Made {
        name: "one-track-each",
        video_headers: &[b"\x96\x00hvc1\x00config", b"\x96\x00av01\x01config"],
        audio_headers: &[b"\x95\x00mp4a\x02\x11\x90"],
        picture: |n| {
            let head = if n % 50 < 2 { b"\x96\x01" } else { b"\xA6\x01" };
            let track: &[u8] = if n.is_multiple_of(2) { b"hvc1\x00\0\0\0" } else { b"av01\x01" };
            [head, track].concat()
        },
        sound: |_| b"\x95\x01mp4a\x02".to_vec(),
    },
    Made {
        name: "many-tracks",
        video_headers: &[b"\x96\x10hvc1\x00\0\0\x02c0\x01\0\0\x02c1"],
        audio_headers: &[],
        picture: |n| {
            let first = if n.is_multiple_of(50) { 0x96 } else { 0xA6 };
            [&[first][..], b"\x13hvc1\x00\0\0\x04nalu\x01\0\0\x40"].concat()
        },
        sound: |_| b"\x95\x11Opus\x00\0\0\x03one\x01\0\0\x40".to_vec(),
    },
    Made {
        name: "many-codecs",
        video_headers: &[b"\x96\x20hvc1\x00\0\0\x02c0av01\x01\0\0\x02c1"],
        audio_headers: &[],
        picture: |n| {
            let first = if n.is_multiple_of(50) { 0x96 } else { 0xA6 };
            [&[first][..], b"\x23hvc1\x00\0\0\x04naluav01\x01\0\0\x40"].concat()
        },
        sound: |_| b"\x95\x21mp4a\x00\0\0\x03aacOpus\x01\0\0\x40".to_vec(),
    },
    // Nanoseconds in front of the configurations, the keyframes and the sound.
    Made {
        name: "mod-ex",
        video_headers: &[b"\x97\x02\0\0\x01\0hvc1config"],
        audio_headers: &[b"\x97\x02\0\0\x01\0fLaCconfig"],
        picture: |n| {
            let first = if n.is_multiple_of(50) { 0x97 } else { 0xA7 };
            [&[first][..], b"\x02\x01\x02\x03\x03hvc1"].concat()
        },
        sound: |_| b"\x97\x02\x01\x02\x03\x01fLaC".to_vec(),
    },
    Made {
        name: "ends",
        video_headers: &[AVC],
        audio_headers: &[b"\xAF\0\x11\x90"],
        picture: |n| if n % 25 == 24 { b"\x17\x02\0\0\0".to_vec() } else { legacy(n) },
        sound: |n| if n % 25 == 24 { b"\x92mp4a".to_vec() } else { b"\xAF\x01".to_vec() },
    },
    // Codecs and packet types that nobody knows; the stamps are as good as any.
    Made {
        name: "unknown",
        video_headers: &[b"\x90abcdconfig"],
        audio_headers: &[b"\x90efghconfig"],
        picture: |n| match n {
            5 => b"\x9Fabcd".to_vec(),
            6 => b"\x9D".to_vec(),
            n => extended(n, b"abcd"),
        },
        sound: |n| if n == 5 { b"\x9Fefgh".to_vec() } else { b"\x91efgh".to_vec() },
    },
];

/// H.264, the composition time below 0.
fn legacy(number: u32) -> Vec<u8> {
    let first: &[u8] = if number.is_multiple_of(50) { b"\x17\x01" } else { b"\x27\x01" };
    [first, b"\xFF\xFF\xD8"].concat()
}

fn extended(number: u32, codec: &[u8]) -> Vec<u8> {
    [&[if number.is_multiple_of(50) { 0x91 } else { 0xA1 }][..], codec].concat()
}

/// H.264's configuration, as far as a relay that cannot read it is concerned.
const AVC: &[u8] = b"\x17\0\0\0\0\x01\x64\0\x1F";

/// In the middle of each stream the 32 bits of time are over.
const START: i64 = (1 << 32) - 1_000;
