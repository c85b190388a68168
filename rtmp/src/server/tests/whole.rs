//! A client and a server together, and input without sense.

use proptest::prelude::*;

use super::*;
use crate::client::{ClientConfig, ClientConnection, ClientEvent, PublishUrl};

/// Runs a client against a server, both sides' bytes cut into pieces by `splits`.
fn publish(
    signed: bool,
    chunk_size: u32,
    tags: &[(TagKind, u32, Vec<u8>)],
    splits: &[usize],
) -> Vec<(TagKind, u32, Vec<u8>)> {
    let url = PublishUrl::parse("rtmp://h/live/s?k=1").unwrap();
    let config = ClientConfig { signed, chunk_size, ..ClientConfig::new(url) };
    let mut client = ClientConnection::new(config, [9; RANDOM_LEN]);
    let mut server = server();
    let mut splits = splits.iter().copied().cycle();
    let mut received = vec![];
    let mut unpublished = false;
    loop {
        let mut quiet = true;
        while let Some(bytes) = client.take_output() {
            quiet = false;
            let mut rest = bytes.as_ref();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(splits.next().unwrap().min(rest.len()));
                server.receive(piece, START).unwrap();
                rest = after;
            }
        }
        while let Some(event) = server.next_event() {
            match event {
                ServerEvent::Connected { .. } => {}
                ServerEvent::Publish { name, query, .. } => {
                    assert_eq!((name.as_str(), query.as_str()), ("live/s", "k=1"));
                    server.accept_publish(1).unwrap();
                }
                ServerEvent::Media(media) => {
                    let tag = media.buffer.finish(media.kind, media.timestamp.into());
                    received.push((media.kind, media.timestamp, tag.data().to_vec()));
                }
                ServerEvent::Unpublish { .. } => unpublished = true,
                event => panic!("{event:?}"),
            }
        }
        while let Some(bytes) = server.take_output() {
            quiet = false;
            for piece in bytes.chunks(splits.next().unwrap()) {
                client.receive(piece).unwrap();
            }
        }
        while let Some(event) = client.next_event() {
            match event {
                ClientEvent::Published => {
                    for (kind, timestamp, data) in tags {
                        client.send(*kind, *timestamp, data).unwrap();
                    }
                    client.unpublish();
                }
                ClientEvent::Refused { code, .. } => panic!("{code}"),
                _ => {}
            }
        }
        if quiet {
            assert!(unpublished);
            assert_eq!(server.counters(), Counters::default());
            return received;
        }
    }
}

fn tag() -> impl Strategy<Value = (TagKind, u32, Vec<u8>)> {
    let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
    let time = prop_oneof![0..100u32, 0xFF_FFF0..0x100_0010u32, Just(u32::MAX), any::<u32>()];
    (kind, time, prop::collection::vec(any::<u8>(), 1..600)).prop_map(|(kind, time, data)| {
        match kind {
            TagKind::Script => (kind, time, values(&["onMetaData".into(), Value::Null])),
            _ => (kind, time, data),
        }
    })
}

proptest! {
    #[test]
    fn what_a_client_publishes_arrives_whatever_the_pieces(
        signed in any::<bool>(),
        chunk_size in prop_oneof![1..300u32, Just(60_000u32)],
        tags in prop::collection::vec(tag(), 0..12),
        splits in prop::collection::vec(prop_oneof![1..40usize, 1..5000usize], 1..12),
    ) {
        prop_assert_eq!(publish(signed, chunk_size, &tags, &splits), tags);
    }

    #[test]
    fn arbitrary_messages_never_panic(
        messages in prop::collection::vec(
            (0..24u8, 0..3u32, prop::collection::vec(any::<u8>(), 0..60)),
            0..60,
        ),
        accept in any::<bool>(),
    ) {
        let mut peer = Peer::connected();
        for (kind, stream_id, payload) in &messages {
            if peer.try_send(*kind, *stream_id, payload).is_err() {
                return Ok(());
            }
            while peer.server.next_event().is_some() {}
            if accept {
                let _ = peer.server.accept_publish(1);
            }
            peer.server.reject_play(1, PlayRefusal::NotFound, "no");
            peer.server.take_output();
        }
    }

    #[test]
    fn arbitrary_commands_never_panic(
        commands in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "connect", "createStream", "publish", "play", "play2", "closeStream",
                    "deleteStream", "FCPublish", "FCUnpublish", "releaseStream", "pause", "pauseRaw",
                    "receiveAudio", "receiveVideo", "seek", "x",
                ]),
                0..3u32,
                prop_oneof![Just(0.0), Just(1.0), any::<f64>()],
                prop::collection::vec(
                    prop_oneof![
                        any::<bool>().prop_map(Value::Boolean),
                        any::<f64>().prop_map(Value::Number),
                        ".{0,8}".prop_map(Value::String),
                        Just(Value::Object(vec![("streamName".into(), Value::Null)])),
                    ],
                    0..4,
                ),
            ),
            0..40,
        ),
    ) {
        let mut peer = Peer::connected();
        for (name, stream_id, transaction, arguments) in commands {
            let payload = Command::new(name, transaction, arguments).encode();
            peer.try_send(20, stream_id, &payload).unwrap();
            peer.try_send(9, stream_id, b"media").unwrap();
            while let Some(event) = peer.server.next_event() {
                match event {
                    ServerEvent::Publish { stream_id, .. } => {
                        peer.server.accept_publish(stream_id).unwrap();
                    }
                    ServerEvent::Play { stream_id, .. } if stream_id % 2 == 0 => {
                        peer.server.reject_play(stream_id, PlayRefusal::NotFound, "no");
                    }
                    ServerEvent::Play { stream_id, .. } => peer.server.accept_play(stream_id),
                    _ => {}
                }
            }
            peer.said();
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut peer = Peer::connected();
        let _ = peer.server.receive(&bytes, START);
        let mut fresh = server();
        let _ = fresh.receive(&[&[3], &bytes[..]].concat(), START);
    }
}
