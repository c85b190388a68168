//! What real encoders sent, recorded by `testdata/record.py`: the server must make of it what the encoder wrote to a file
//! at the same time.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

use std::time::Duration;

use pushpull_media::flv::{Item, Reader, TagKind};
use pushpull_rtmp::ServerConnection;
use pushpull_rtmp::handshake::RANDOM_LEN;
use pushpull_rtmp::server::{Counters, ServerConfig, ServerEvent};

struct Capture {
    name: &'static str,
    rtmp: &'static [u8],
    flv: &'static [u8],
    agent: &'static str,
    /// Whether the handshake is signed.
    signed: bool,
}

macro_rules! capture {
    ($name:literal, $agent:literal, $signed:literal) => {
        Capture {
            name: $name,
            rtmp: include_bytes!(concat!("../testdata/", $name, ".rtmp")),
            flv: include_bytes!(concat!("../testdata/", $name, ".flv")),
            agent: $agent,
            signed: $signed,
        }
    };
}

const CAPTURES: [Capture; 3] = [
    capture!("ffmpeg", "FMLE/3.0 (compatible; Lavf59.27.100)", true),
    capture!("ffmpeg-extended", "FMLE/3.0 (compatible; Lavf59.27.100)", true),
    capture!("gstreamer", "LNX 10,0,32,18", false),
];

type Media = (TagKind, u32, Vec<u8>);

/// Feeds a capture in pieces; the agent, the media, and the first 3073 bytes of the answer.
fn replay(capture: &Capture, piece: usize) -> (String, Vec<Media>, Vec<u8>) {
    let now = Duration::ZERO;
    let mut server = ServerConnection::new(ServerConfig::default(), [1; RANDOM_LEN], now);
    let mut answer = vec![];
    let mut connected = None;
    let mut media = vec![];
    let mut unpublished = false;
    for bytes in capture.rtmp.chunks(piece) {
        server.receive(bytes, now).unwrap();
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::Connected { app, agent } => {
                    assert_eq!(app, "live");
                    connected = Some(agent);
                }
                ServerEvent::Publish { stream_id, name, query } => {
                    assert_eq!(name.app(), "live");
                    assert_eq!(name.stream(), capture.name);
                    assert_eq!(query, "");
                    server.accept_publish(stream_id).unwrap();
                }
                ServerEvent::Media(message) => {
                    let tag = message.buffer.finish(message.kind, message.timestamp.into());
                    media.push((message.kind, message.timestamp, tag.data().to_vec()));
                }
                ServerEvent::Unpublish { .. } => unpublished = true,
                event => panic!("{event:?}"),
            }
        }
        answer.extend(server.take_output().into_iter().flatten());
    }
    assert!(unpublished);
    assert_eq!(server.counters(), Counters::default());
    answer.truncate(1 + 2 * 1536);
    (connected.unwrap(), media, answer)
}

fn tags(flv: &[u8]) -> Vec<Media> {
    let mut reader = Reader::new();
    reader.push(flv);
    let mut tags = vec![];
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push((tag.kind(), u32::try_from(tag.time()).unwrap(), tag.data().to_vec()));
        }
    }
    tags
}

#[test]
fn captures_are_understood_to_the_last_byte() {
    for capture in CAPTURES {
        let expected = tags(capture.flv);
        assert!(expected.len() > 30, "{}", capture.name);
        for piece in [usize::MAX, 1, 7, 1000] {
            let (agent, media, _) = replay(&capture, piece);
            assert_eq!(agent, capture.agent);
            assert_eq!(media.len(), expected.len(), "{}", capture.name);
            for (got, wanted) in media.iter().zip(&expected) {
                assert_eq!(got, wanted, "{}", capture.name);
            }
        }
    }
}

#[test]
fn handshakes_are_answered_in_kind() {
    for capture in CAPTURES {
        let (_, _, answer) = replay(&capture, usize::MAX);
        let (c1, s2) = (&capture.rtmp[1..1537], &answer[1537..]);
        assert_eq!(s2 == c1, !capture.signed, "{}", capture.name);
    }
}

#[test]
fn an_extended_capture_has_extended_timestamps() {
    let times: Vec<_> = tags(CAPTURES[1].flv).iter().map(|tag| tag.1).collect();
    // The headers in front of the first picture are at 0.
    assert!(times.iter().skip(3).all(|&time| time > 0xFF_FFFF), "{times:?}");
}
