//! Whatever publishers send, and whenever viewers come: no panic, bounded memory, and FLV that a reader can read.

use std::time::Duration;

use proptest::prelude::*;
use pushpull_media::flv::{Item, Reader};

use super::super::multitrack::{self, Plain};
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Media { kind: TagKind, time: u32, data: Vec<u8> },
    Wait { ms: u64 },
    Flush,
    Lose,
    Finish,
    Publish,
    Join { tracks: Option<(u8, u8)> },
    Read { viewer: usize },
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        Just(&b"\x17\x00\0\0\0"[..]),
        Just(&b"\x17\x01\0\0\0"[..]),
        Just(&b"\x27\x01\0\0\0"[..]),
        Just(&b"\xAF\x00"[..]),
        Just(&b"\xAF\x01"[..]),
        Just(&b"\x91hvc1"[..]),
        Just(&b"\x96\x01avc1\x01\0\0\0"[..]),
        Just(&b"\xA6\x11vp09\x00\0\0\x03"[..]),
        Just(&b"\x96\x20hvc1\x02\0\0\x03"[..]),
        Just(&b"\x95\x01mp4a\x01"[..]),
        Just(&b"\x02\0\x0AonMetaData\x08\0\0\0\x01\0\x06stereo\x01\x01"[..]),
        Just(&b""[..]),
    ];
    (head, proptest::collection::vec(any::<u8>(), 0..30))
        .prop_map(|(head, rest)| [head, &rest].concat())
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
    let time = prop_oneof![0..2_000_u32, any::<u32>(), u32::MAX - 1_000..=u32::MAX];
    prop_oneof![
        20 => (kind, time, data()).prop_map(|(kind, time, data)| Step::Media { kind, time, data }),
        4 => (0..700_u64).prop_map(|ms| Step::Wait { ms }),
        4 => Just(Step::Flush),
        1 => Just(Step::Lose),
        1 => Just(Step::Finish),
        2 => Just(Step::Publish),
        2 => proptest::option::of((0..3_u8, 0..3_u8)).prop_map(|tracks| Step::Join { tracks }),
        4 => (0..4_usize).prop_map(|viewer| Step::Read { viewer }),
    ]
}

async fn run(steps: Vec<Step>) {
    let config = Config {
        lag_bytes: 500,
        gop_bytes: 1_000,
        missing_wait: Duration::ZERO,
        start_wait: Duration::ZERO,
        ..Config::default()
    };
    let hub = Hub::new(config.clone());
    let mut publisher = None;
    let mut viewers: Vec<(Viewer, Reader, Option<Selection>)> = Vec::new();
    for step in steps {
        match step {
            Step::Media { kind, time, data } => {
                if let Some(publisher) = &mut publisher {
                    Publisher::message(publisher, kind, time, &data);
                }
            }
            Step::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::Flush => publisher.iter_mut().for_each(Publisher::flush),
            Step::Lose => publisher = None,
            Step::Finish => publisher.take().into_iter().for_each(Publisher::finish),
            Step::Publish => {
                let claim = hub.claim(&name("live/x"), source());
                publisher = claim.ok().map(Claim::go_live).or(publisher);
            }
            Step::Join { tracks } => {
                if let Ok(viewer) = hub.view(&name("live/x"), Start::Gop, info()).await {
                    let mut reader = Reader::new();
                    reader.push(&viewer.header().to_bytes());
                    assert!(matches!(reader.next(), Ok(Some(Item::Header(_)))));
                    let selection = tracks
                        .map(|(audio, video)| Selection { audio: Some(audio), video: Some(video) });
                    viewers.push((viewer.choosing(selection), reader, selection));
                }
            }
            Step::Read { viewer } => {
                let Some((viewer, reader, selection)) = viewers.get_mut(viewer) else { continue };
                for block in viewer.ready() {
                    reader.push(block.bytes());
                    for tag in block.tags() {
                        let Ok(Some(Item::Tag(read))) = reader.next() else { panic!("no tag") };
                        assert_eq!(read.data(), tag.data());
                        // Who chose gets no multitrack head.
                        let is_plain =
                            multitrack::plain(tag.kind(), tag.data(), 0) == Plain::AsItIs;
                        assert!(is_plain || selection.is_none());
                        assert_eq!(read.time(), tag.time() & 0xFFFF_FFFF);
                    }
                    assert_eq!(reader.next(), Ok(None));
                }
            }
        }
        for stream in hub.names().values().filter_map(|name| name.stream.as_ref()) {
            // A single block may be larger.
            let held = stream.ring.load().bytes;
            assert!(held <= config.gop_bytes || stream.ring.blocks() == 1);
        }
    }
}

proptest! {
    #[test]
    fn nothing_a_publisher_sends_does_harm(steps in proptest::collection::vec(step(), 1..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(steps));
    }
}
