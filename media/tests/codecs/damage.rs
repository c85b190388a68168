//! Damaged streams of each codec: whatever is broken, the remuxer goes on.

use proptest::prelude::*;
use pushpull_media::flv::Tag;
use pushpull_media::remux::{Config, Remuxer, Track, Tracks};

use crate::support::*;

const NAMES: [&str; 12] = [
    "ac3",
    "annex-b",
    "av1-opus",
    "codec-change",
    "flac",
    "g711a",
    "hevc-hdr",
    "mp3",
    "multitrack",
    "nanoseconds",
    "sei",
    "vp9-opus",
];

/// What is done to one tag.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: usize, by: u8 },
    Cut { to: usize },
    Drop,
    Noise(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        // The heads and the configurations are at the front.
        4 => (0usize..40, 1u8..).prop_map(|(at, by)| Damage::Flip { at, by }),
        2 => (0usize..60).prop_map(|to| Damage::Cut { to }),
        1 => Just(Damage::Drop),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Damage::Noise),
    ]
}

fn damaged(tag: &Tag, damage: &Damage) -> Option<Tag> {
    let mut data = tag.data().to_vec();
    match damage {
        Damage::Flip { at, by } => {
            let at = at % data.len();
            data[at] ^= by;
        }
        Damage::Cut { to } => data.truncate(*to),
        Damage::Drop => return None,
        Damage::Noise(noise) => data = noise.clone(),
    }
    Tag::new(tag.kind(), tag.time(), &data).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damage_never_stops_the_remuxer(
        name in prop::sample::select(&NAMES[..]),
        damages in prop::collection::vec((0usize..24, damage()), 1..12),
    ) {
        let sent = tags(name);
        let mut all: Vec<Option<Tag>> = sent.iter().cloned().map(Some).collect();
        for (at, damage) in &damages {
            // The beginning, where everything is announced, more than the rest.
            let at = if at % 3 == 0 { at * 7 % all.len() } else { *at };
            all[at] = damaged(&sent[at], damage);
        }
        let mut remuxer = Remuxer::new(Config { sei: true, ..Config::default() });
        remuxer.start(Tracks { video: true, audio: true });
        let mut samples = 0;
        for tag in all.iter().flatten() {
            let _ = remuxer.push(tag);
            while remuxer.next_event().is_some() {}
            for track in [Track::Video, Track::Audio] {
                let mut out = Vec::new();
                while let Some(segment) = remuxer.take(track, &mut out) {
                    prop_assert!(segment.samples == 0 || segment.end_us >= segment.start_us);
                    samples += segment.samples;
                }
            }
        }
        // Silence in holes is bounded: a second of frames for each that was lost, at the very most.
        prop_assert!(samples <= 64 * 400);
    }
}
