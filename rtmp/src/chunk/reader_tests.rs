use proptest::prelude::*;

use super::*;
use crate::chunk::Writer;

type Summary = (u32, u32, u8, u32, Vec<u8>);

fn summary(message: &Message) -> Summary {
    let Message { chunk_stream, timestamp, kind, stream_id, payload } = message;
    (*chunk_stream, *timestamp, *kind, *stream_id, payload.data().to_vec())
}

fn read_all(reader: &mut Reader, mut input: &[u8]) -> Result<Vec<Summary>, Error> {
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut input)? {
        messages.push(summary(&message));
    }
    assert!(input.is_empty());
    Ok(messages)
}

/// Reads `bytes` whole, and in pieces of every small size, and checks that all agree.
fn read(bytes: &[u8]) -> Vec<Summary> {
    let mut reader = Reader::new(Limits::MEDIA);
    let whole = read_all(&mut reader, bytes).unwrap();
    for size in 1..20 {
        let mut reader = Reader::new(Limits::MEDIA);
        let pieces: Vec<_> =
            bytes.chunks(size).flat_map(|piece| read_all(&mut reader, piece).unwrap()).collect();
        assert_eq!(pieces, whole, "pieces of {size}");
    }
    whole
}

fn times(bytes: &[u8]) -> Vec<u32> {
    read(bytes).into_iter().map(|(_, timestamp, ..)| timestamp).collect()
}

/// A chunk with a fmt 0 header for audio on chunk stream 4, message stream 1.
fn full(time: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new().write(4, time, 8, 1, payload, &mut out);
    out
}

#[test]
fn fmt_3_at_a_messages_start_applies_the_delta_again() {
    let mut bytes = full(0, b"a");
    bytes.extend([0x84, 0, 0, 40, b'b', 0xC4, b'c', 0xC4, b'd']);
    assert_eq!(times(&bytes), [0, 40, 80, 120]);
}

#[test]
fn fmt_3_after_fmt_0_repeats_its_timestamp_only_where_that_can_be_a_delta() {
    let mut ffmpeg = full(23, b"a");
    ffmpeg.extend([0xC4, b'b', 0xC4, b'c']);
    assert_eq!(times(&ffmpeg), [23, 46, 69]);

    let mut gstreamer = full(60_000, b"a");
    gstreamer.extend([0xC4, b'b']);
    assert_eq!(times(&gstreamer), [60_000, 60_000]);
}

#[test]
fn any_fmt_may_open_a_fresh_chunk_stream() {
    // librtmp opens chunk stream 2 with fmt 1; a DJI opens 33 with fmt 2; fmt 3 alone is an empty message.
    let ping = [0x42, 0, 0, 5, 0, 0, 6, 4, 0, 6, 0, 0, 0, 9];
    assert_eq!(read(&ping), [(2, 5, 4, 0, vec![0, 6, 0, 0, 0, 9])]);
    assert_eq!(read(&[0x80 | 33, 0, 0, 7]), [(33, 7, 0, 0, vec![])]);
    assert_eq!(read(&[0xC0 | 5]), [(5, 0, 0, 0, vec![])]);
}

#[test]
fn chunks_of_two_streams_interleave_in_mid_message() {
    // WeChat's pusher: an audio chunk, with an absolute time, inside a video message.
    let video: Vec<u8> = (0..200).map(|i| i as u8).collect();
    let mut bytes = vec![0x06, 0, 1, 0, 0, 0, 200, 9, 1, 0, 0, 0];
    bytes.extend(&video[..128]);
    bytes.extend(full(257, b"sound"));
    bytes.push(0xC6);
    bytes.extend(&video[128..]);
    bytes.extend([0xC6]);
    bytes.extend(&video[..128]);
    bytes.extend([0x84, 0, 0, 23]);
    bytes.extend(b"SOUND");
    bytes.push(0xC6);
    bytes.extend(&video[128..]);
    assert_eq!(
        read(&bytes),
        [
            (4, 257, 8, 1, b"sound".to_vec()),
            (6, 256, 9, 1, video.clone()),
            (4, 280, 8, 1, b"SOUND".to_vec()),
            (6, 512, 9, 1, video),
        ]
    );
}

#[test]
fn wechat_interleave_with_extended_timestamps_stays_per_chunk_stream() {
    let video = vec![0x55; 200];
    for repeated in [true, false] {
        let mut bytes = vec![0x06, 255, 255, 255, 0, 0, 200, 9, 1, 0, 0, 0, 1, 0, 0, 0];
        bytes.extend(&video[..128]);
        bytes.extend(full(0x0100_0003, b"sound"));
        bytes.push(0xC6);
        if repeated {
            bytes.extend([1, 0, 0, 0]);
        }
        bytes.extend(&video[128..]);
        assert_eq!(
            read(&bytes),
            [(4, 0x0100_0003, 8, 1, b"sound".to_vec()), (6, 0x0100_0000, 9, 1, video.clone())]
        );
    }
}

#[test]
fn extended_timestamps_in_fmt_3_are_read_in_both_forms() {
    for len in [129, 130, 131, 132, 133, 300] {
        let payload: Vec<u8> = (0..len).map(|i| (i % 7) as u8).collect();
        let repeated = full(0x0100_0000, &payload);
        let mut omitted = repeated[..16 + 128].to_vec();
        for chunk in payload[128..].chunks(128) {
            omitted.push(0xC4);
            omitted.extend(chunk);
        }
        for mut bytes in [repeated, omitted] {
            bytes.extend(full(0x0100_0028, b"next"));
            assert_eq!(
                read(&bytes),
                [(4, 0x0100_0000, 8, 1, payload.clone()), (4, 0x0100_0028, 8, 1, b"next".to_vec())],
                "{len}"
            );
        }
    }
}

#[test]
fn an_omitted_extended_timestamp_does_not_delay_the_end_of_a_message() {
    let mut reader = Reader::new(Limits::MEDIA);
    let mut bytes = full(0x0100_0000, &[0xAA; 129]);
    bytes.truncate(16 + 128);
    bytes.extend([0xC4, 0xAA]);
    assert_eq!(read_all(&mut reader, &bytes).unwrap().len(), 1);
}

#[test]
fn fmt_3_at_a_messages_start_with_an_extended_timestamp() {
    let start = full(0x0100_0000, b"a");
    let next = |time: Option<[u8; 4]>| {
        let mut bytes = start.clone();
        bytes.push(0xC4);
        bytes.extend(time.into_iter().flatten());
        bytes.push(b'b');
        // What follows shows that the byte count was right.
        bytes.extend(full(0x0200_0000, b"c"));
        times(&bytes)
    };
    assert_eq!(next(Some([1, 0, 0, 0])), [0x0100_0000, 0x0100_0000, 0x0200_0000]);
    assert_eq!(next(Some([1, 0, 0, 40])), [0x0100_0000, 0x0100_0028, 0x0200_0000]);
    assert_eq!(next(None), [0x0100_0000, 0x0100_0000, 0x0200_0000]);
}

#[test]
fn an_extended_delta_is_a_delta() {
    let mut bytes = full(11_000, b"a");
    bytes.extend([0x84, 255, 255, 255, 0, 0xFF, 0xFC, 0x18, b'b']);
    // Applied again, in both forms.
    bytes.extend([0xC4, 0, 0xFF, 0xFC, 0x18, b'c']);
    bytes.extend([0xC4, b'd']);
    bytes.extend([0x84, 0, 0, 1, b'e']);
    let delta = 16_776_216;
    let expected = [0, 1, 2, 3].map(|n| 11_000 + n * delta);
    assert_eq!(times(&bytes)[..4], expected);
    assert_eq!(times(&bytes)[4], expected[3] + 1);
}

#[test]
fn timestamps_wrap_at_32_bits() {
    let mut bytes = full(u32::MAX - 10, b"a");
    bytes.extend([0x84, 0, 0, 40, b'b', 0xC4, b'c']);
    assert_eq!(times(&bytes), [u32::MAX - 10, 29, 69]);
}

#[test]
fn set_chunk_size_applies_to_the_next_chunk_even_in_mid_message() {
    let payload = vec![7; 128 + 300 + 5];
    let mut bytes = vec![0x06, 0, 0, 0, 0, 1, 177, 9, 1, 0, 0, 0];
    bytes.extend(&payload[..128]);
    bytes.extend([0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 1, 44]);
    bytes.push(0xC6);
    bytes.extend(&payload[..300]);
    bytes.push(0xC6);
    bytes.extend(&payload[..5]);
    assert_eq!(read(&bytes), [(6, 0, 9, 1, payload)]);
}

#[test]
fn chunk_sizes_a_peer_may_set() {
    let set = |size: [u8; 4]| {
        let mut bytes = vec![0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0];
        bytes.extend(size);
        read_all(&mut Reader::new(Limits::MEDIA), &bytes)
    };
    assert_eq!(set([0x7F, 255, 255, 255]), Ok(vec![]));
    assert_eq!(set([0, 0, 0, 1]), Ok(vec![]));
    assert_eq!(set([0, 0, 0, 0]), Err(Error::ChunkSize { size: Some(0) }));
    assert_eq!(set([0x80, 0, 0, 0]), Err(Error::ChunkSize { size: Some(0x8000_0000) }));
    let short = [0x02, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 9];
    assert_eq!(
        read_all(&mut Reader::new(Limits::MEDIA), &short),
        Err(Error::ChunkSize { size: None })
    );
}

#[test]
fn abort_drops_the_unfinished_message() {
    let mut bytes = full(0, &[1; 200]);
    bytes.truncate(12 + 128);
    bytes.extend([0x02, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 4]);
    // The next fmt 3 chunk begins a message again.
    bytes.push(0xC4);
    bytes.extend([2; 128]);
    bytes.push(0xC4);
    bytes.extend([2; 72]);
    let mut reader = Reader::new(Limits::MEDIA);
    assert_eq!(read_all(&mut reader, &bytes).unwrap(), [(4, 0, 8, 1, vec![2; 200])]);
    assert_eq!(reader.drops(), Drops { aborted: 1, superseded: 0 });
    assert_eq!(reader.partial_len(), 0);
}

#[test]
fn a_header_with_fields_in_mid_message_begins_a_new_one() {
    for header in [&[0x04, 0, 0, 9, 0, 0, 2, 8, 1, 0, 0, 0][..], &[0x44, 0, 0, 9, 0, 0, 2, 8][..]] {
        let mut bytes = full(0, &[1; 200]);
        bytes.truncate(12 + 128);
        bytes.extend(header);
        bytes.extend(b"ok");
        let mut reader = Reader::new(Limits::MEDIA);
        assert_eq!(read_all(&mut reader, &bytes).unwrap(), [(4, 9, 8, 1, b"ok".to_vec())]);
        assert_eq!(reader.drops(), Drops { aborted: 0, superseded: 1 });
        assert_eq!(reader.partial_len(), 0);
    }
}

#[test]
fn limits_are_enforced_when_they_are_passed() {
    let limits = Limits { max_message_len: 1000, max_partial_len: 1500, max_chunk_streams: 3 };
    let open = |id: u8, len: u16| {
        let [high, low] = len.to_be_bytes();
        let mut bytes = vec![id, 0, 0, 0, 0, high, low, 9, 1, 0, 0, 0];
        bytes.extend([0; 128]);
        bytes
    };
    let result = read_all(&mut Reader::new(limits), &open(4, 1001));
    assert_eq!(
        result,
        Err(Error::MessageTooLarge { kind: 9, chunk_stream: 4, len: 1001, limit: 1000 })
    );

    let many = [open(4, 500), open(5, 500), open(6, 500), open(7, 500)].concat();
    let result = read_all(&mut Reader::new(limits), &many);
    assert_eq!(result, Err(Error::TooManyChunkStreams { chunk_stream: 7, limit: 3 }));

    let mut reader = Reader::new(limits);
    let mut bytes = [open(4, 900), open(5, 900), open(6, 900)].concat();
    for id in [4, 5, 6, 4, 5, 6, 4, 5, 6, 4] {
        bytes.push(0xC0 | id);
        bytes.extend([0; 128]);
    }
    let result = read_all(&mut reader, &bytes);
    assert_eq!(result, Err(Error::PartialTooLarge { limit: 1500 }));
}

#[test]
fn announced_lengths_allocate_nothing() {
    // Chunk streams without end announce the longest message, 46 GB in all, and send one byte of it.
    let longest = Limits::MEDIA.max_message_len;
    let mut bytes = vec![0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    let mut announced = 0u64;
    for id in 3u16.. {
        bytes.extend([1, (id - 3) as u8, ((id - 3) >> 8) as u8, 0, 0, 0]);
        bytes.extend(&longest.to_be_bytes()[1..]);
        bytes.extend([9, 1, 0, 0, 0, 0xEE]);
        announced += u64::from(longest);
        if announced > 46_000_000_000 {
            break;
        }
    }
    let mut reader = Reader::new(Limits::MEDIA);
    let mut failed = None;
    for piece in bytes.chunks(64) {
        failed = read_all(&mut reader, piece).err();
        if failed.is_some() {
            break;
        }
    }
    assert!(matches!(failed, Some(Error::TooManyChunkStreams { limit: 128, .. })), "{failed:?}");
    let partials = reader.streams.values().filter_map(|stream| stream.partial.as_ref());
    let held: usize = partials.map(|partial| partial.capacity).sum();
    assert_eq!(reader.partial_len(), 127);
    assert!(held <= 127 * MIN_CAPACITY, "{held} bytes held for 127 received");
}

#[test]
fn a_finished_message_holds_no_spare_room() {
    let mut writer = Writer::new();
    let mut out = Vec::new();
    writer.write(4, 0, 9, 1, &[1; 100_000], &mut out);
    let mut reader = Reader::new(Limits::MEDIA);
    let mut grown = 0;
    for piece in out.chunks(1000) {
        for stream in reader.streams.values() {
            let Some(partial) = &stream.partial else { continue };
            assert!(partial.capacity <= partial.buffer.len().max(512) * 2 + 2000);
            grown = partial.capacity;
        }
        read_all(&mut reader, piece).unwrap();
    }
    assert_eq!(grown, 100_000);
}

/// One message to encode: chunk stream, time since the last on it, kind, payload length, and wishes of form.
#[derive(Clone, Debug)]
struct Plan {
    id: u32,
    step: i64,
    kind: u8,
    len: usize,
    fmt: u8,
}

/// Encodes messages the way a wilful encoder might, apart from [`Writer`]: any permitted fmt, chunks of several streams
/// interleaved by `picks`, Set Chunk Size anywhere.
fn encode(plans: &[Plan], picks: &[u8], sizes: &[u32], repeat: bool) -> (Vec<u8>, Vec<Summary>) {
    struct Sent {
        time: u32,
        delta: Option<u32>,
        len: usize,
        kind: u8,
        extended: Option<u32>,
    }
    struct Open {
        id: u32,
        extended: Option<u32>,
        rest: Vec<u8>,
        whole: Summary,
    }
    let mut out = Vec::new();
    let mut expected = Vec::new();
    let mut last: BTreeMap<u32, Sent> = BTreeMap::new();
    let mut open: Vec<Open> = Vec::new();
    let mut plans = plans.iter().peekable();
    let mut picks = picks.iter().copied().cycle();
    let mut sizes = sizes.iter().copied().cycle();
    let mut size = DEFAULT_CHUNK_SIZE;
    let basic = |fmt: u8, id: u32, out: &mut Vec<u8>| match id {
        0..64 => out.push(fmt << 6 | id as u8),
        64..320 => out.extend([fmt << 6, (id - 64) as u8]),
        _ => out.extend([fmt << 6 | 1, ((id - 64) & 0xFF) as u8, ((id - 64) >> 8) as u8]),
    };
    loop {
        let pick = picks.next().unwrap();
        if pick % 16 == 0 {
            size = sizes.next().unwrap();
            out.extend([0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0]);
            out.extend(size.to_be_bytes());
        }
        let free = plans.peek().filter(|plan| open.iter().all(|open| open.id != plan.id)).copied();
        if let Some(plan) = free.filter(|_| open.is_empty() || pick % 2 == 0) {
            plans.next();
            let before = last.get(&plan.id);
            let time = before.map_or(plan.step as u32, |b| b.time.wrapping_add(plan.step as u32));
            let delta = before.map(|b| time.wrapping_sub(b.time));
            let payload: Vec<u8> = (0..plan.len).map(|i| 0xE0 | (i % 13) as u8).collect();
            let same = before.is_some_and(|b| (b.len, b.kind) == (plan.len, plan.kind));
            let again = before.is_some_and(|b| match b.delta {
                Some(delta_before) => Some(delta_before) == delta,
                None => b.time <= MAX_FIRST_DELTA && Some(b.time) == delta,
            });
            // An extended fmt 3 start is tested by hand above.
            let fmt = match plan.fmt {
                3 if same && again && before.is_some_and(|b| b.extended.is_none()) => 3,
                2.. if same => 2,
                1.. if before.is_some() => 1,
                _ => 0,
            };
            let field = match fmt {
                0 => Some(time),
                3 => None,
                _ => delta,
            };
            let extended = field.filter(|&field| field >= 0xFF_FFFF);
            basic(fmt, plan.id, &mut out);
            if let Some(field) = field {
                out.extend(&field.min(0xFF_FFFF).to_be_bytes()[1..]);
            }
            if fmt < 2 {
                out.extend(&(plan.len as u32).to_be_bytes()[1..]);
                out.push(plan.kind);
            }
            if fmt == 0 {
                out.extend([1, 0, 0, 0]);
            }
            out.extend(extended.into_iter().flat_map(u32::to_be_bytes));
            let cut = payload.len().min(size as usize);
            out.extend(&payload[..cut]);
            let delta = if fmt == 0 { None } else { delta };
            let (len, kind) = (plan.len, plan.kind);
            last.insert(plan.id, Sent { time, delta, len, kind, extended });
            let rest = payload[cut..].to_vec();
            let whole = (plan.id, time, plan.kind, 1, payload);
            open.push(Open { id: plan.id, extended, rest, whole });
        } else if !open.is_empty() {
            let index = usize::from(pick) % open.len();
            let message = &mut open[index];
            if !message.rest.is_empty() {
                basic(3, message.id, &mut out);
                let extended = message.extended.filter(|_| repeat);
                out.extend(extended.into_iter().flat_map(u32::to_be_bytes));
                let cut = message.rest.len().min(size as usize);
                out.extend(message.rest.drain(..cut));
            }
        } else {
            return (out, expected);
        }
        open.retain(|message| {
            let done = message.rest.is_empty();
            if done {
                expected.push(message.whole.clone());
            }
            !done
        });
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let id = prop_oneof![Just(3), Just(4), Just(6), Just(63), Just(64), Just(319), Just(320)];
    let step = prop_oneof![
        4 => Just(40i64),
        2 => Just(0i64),
        2 => 0..2000i64,
        1 => Just(-20i64),
        1 => 0x00FF_FFF0..0x0100_0010i64,
    ];
    let len = prop_oneof![Just(5usize), Just(5), 0..400usize, 0..3000usize];
    (id, step, 8..10u8, len, 0..4u8).prop_map(|(id, step, kind, len, fmt)| Plan {
        id,
        step,
        kind,
        len,
        fmt,
    })
}

proptest! {
    #[test]
    fn messages_survive_any_encoding_interleaving_and_split(
        plans in prop::collection::vec(plan(), 1..30),
        picks in prop::collection::vec(any::<u8>(), 1..40),
        // From 4 on, so that Set Chunk Size itself fits a chunk.
        sizes in prop::collection::vec(prop_oneof![4..200u32, Just(4096), Just(0x7FFF_FFFF)], 1..4),
        repeat in any::<bool>(),
        splits in prop::collection::vec(1..300usize, 1..20),
    ) {
        let (bytes, expected) = encode(&plans, &picks, &sizes, repeat);
        let mut reader = Reader::new(Limits::MEDIA);
        prop_assert_eq!(&read_all(&mut reader, &bytes).unwrap(), &expected);
        prop_assert_eq!(reader.partial_len(), 0);
        prop_assert_eq!(reader.drops(), Drops::default());

        let mut reader = Reader::new(Limits::MEDIA);
        let mut rest = bytes.as_slice();
        let mut messages = Vec::new();
        for size in splits.iter().copied().cycle() {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            messages.extend(read_all(&mut reader, piece).unwrap());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&messages, &expected);
    }

    #[test]
    fn the_writers_chunks_are_read_back(
        plans in prop::collection::vec(plan(), 1..30),
        size in prop_oneof![1..200u32, Just(60_000u32)],
    ) {
        let mut writer = Writer::new();
        let mut bytes = Vec::new();
        writer.write(2, 0, 1, 0, &size.to_be_bytes(), &mut bytes);
        writer.set_chunk_size(size);
        let mut time = 0u32;
        let mut expected = Vec::new();
        for plan in &plans {
            time = time.wrapping_add(plan.step as u32);
            let payload = vec![0xE7; plan.len];
            writer.write(plan.id, time, plan.kind, 1, &payload, &mut bytes);
            expected.push((plan.id, time, plan.kind, 1, payload));
        }
        prop_assert_eq!(read_all(&mut Reader::new(Limits::MEDIA), &bytes).unwrap(), expected);
    }

    #[test]
    fn arbitrary_bytes_neither_panic_nor_read_differently_in_pieces(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        size in 1..50usize,
    ) {
        let limits = Limits { max_message_len: 300, max_partial_len: 500, max_chunk_streams: 8 };
        let read = |size: usize| {
            let mut reader = Reader::new(limits);
            let mut messages = Vec::new();
            for mut piece in bytes.chunks(size) {
                loop {
                    match reader.read(&mut piece) {
                        Ok(Some(message)) => messages.push(summary(&message)),
                        Ok(None) => break,
                        Err(error) => return (messages, Some(error)),
                    }
                }
                assert!(reader.partial_len() <= 500);
                assert!(reader.carry.len() < MAX_HEADER_LEN);
            }
            (messages, None)
        };
        prop_assert_eq!(read(size), read(usize::MAX));
    }
}
