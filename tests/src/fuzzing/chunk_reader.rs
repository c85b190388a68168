//! The chunk reader: any bytes in any pieces within its limits, and every form a legal chunk stream can have.

use bytes::BytesMut;
use pushpull_rtmp::Error;
use pushpull_rtmp::chunk::{Drops, Limits, Reader, Writer};
use pushpull_rtmp::message::kind;

use super::Script;
use super::script::cut;

mod legal;

/// The first byte says what is read: anything, what our writer wrote, or a legal stream such as few encoders write.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let mode = script.byte();
    let seed = script.byte();
    match mode % 3 {
        0 => anything(script.rest(), seed, mode & 4 != 0),
        1 => written(&mut script, seed),
        _ => legal::check(&mut script, seed),
    }
}

/// A message as it was read: chunk stream, time, type, message stream, payload.
type Read = (u32, u32, u8, u32, Vec<u8>);

/// How reading ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    messages: Vec<Read>,
    error: Option<Error>,
    drops: Drops,
    partial_len: usize,
}

/// Reads `pieces` and looks after each whether the limits hold.
fn read(pieces: Vec<&[u8]>, limits: Limits) -> Outcome {
    let mut reader = Reader::new(limits);
    let (mut messages, mut error) = (Vec::new(), None);
    let (mut received, mut given) = (0, 0);
    'pieces: for piece in pieces {
        received += piece.len();
        let mut rest = piece;
        loop {
            match reader.read(&mut rest) {
                Ok(Some(message)) => {
                    let payload = message.payload.data().to_vec();
                    assert!(payload.len() <= limits.max_message_len as usize);
                    given += payload.len();
                    messages.push((
                        message.chunk_stream,
                        message.timestamp,
                        message.kind,
                        message.stream_id,
                        payload,
                    ));
                }
                Ok(None) => break assert!(rest.is_empty(), "all is read"),
                Err(reason) => {
                    error = Some(reason);
                    break 'pieces;
                }
            }
        }
        assert!(reader.partial_len() <= limits.max_partial_len);
        assert!(given + reader.partial_len() <= received, "more is held than was received");
    }
    let drops = reader.drops();
    Outcome { messages, error, drops, partial_len: reader.partial_len() }
}

fn anything(input: &[u8], seed: u8, small: bool) {
    let limits = if small {
        Limits { max_message_len: 700, max_partial_len: 900, max_chunk_streams: 4 }
    } else {
        Limits::SETUP
    };
    let whole = read(cut(input, 0), limits);
    let cut = read(cut(input, seed), limits);
    assert_eq!(cut.messages, whole.messages);
    assert_eq!(cut.error, whole.error);
    assert_eq!(cut.drops, whole.drops);
    if whole.error.is_none() {
        assert_eq!(cut.partial_len, whole.partial_len);
    }
}

/// What our writer writes, our reader reads, in whatever order and times.
fn written(script: &mut Script<'_>, seed: u8) {
    let mut writer = Writer::new();
    let mut out = BytesMut::new();
    let mut expected = Vec::new();
    while !script.is_over() && out.len() < MAX_WRITTEN {
        if script.byte().is_multiple_of(8) {
            let size = 1 + u32::from(script.byte()) * 31;
            writer.write(2, 0, kind::SET_CHUNK_SIZE, 0, &size.to_be_bytes(), &mut out);
            writer.set_chunk_size(size);
        }
        let chunk_stream = script.pick(&CHUNK_STREAMS);
        let (time, kind) = (script.time(), script.pick(&KINDS));
        let stream_id = script.pick(&[0, 1, 2, u32::MAX]);
        let payload = script.payload();
        writer.write(chunk_stream, time, kind, stream_id, &payload, &mut out);
        expected.push((chunk_stream, time, kind, stream_id, payload));
    }
    expect(&out, seed, expected, Drops::default());
}

/// Reads `bytes` in pieces: exactly these messages must come, and nothing be left.
fn expect(bytes: &[u8], seed: u8, expected: Vec<Read>, drops: Drops) {
    let outcome = read(cut(bytes, seed), Limits::MEDIA);
    assert_eq!(outcome.error, None);
    for (n, (read, expected)) in outcome.messages.iter().zip(&expected).enumerate() {
        assert!(read == expected, "message {n} is {} and not {}", brief(read), brief(expected));
    }
    assert_eq!(outcome.messages.len(), expected.len());
    assert_eq!((outcome.drops, outcome.partial_len), (drops, 0));
}

fn brief((chunk_stream, time, kind, stream_id, payload): &Read) -> String {
    let start = &payload[..payload.len().min(20)];
    format!(
        "[chunk stream {chunk_stream}, time {time}, type {kind}, message stream {stream_id}, {} bytes: {start:02x?}]",
        payload.len()
    )
}

/// Ids of every form: of one, two and three bytes.
const CHUNK_STREAMS: [u32; 6] = [3, 4, 63, 64, 319, 65_599];

/// Types the reader hands out.
const KINDS: [u8; 5] = [kind::AUDIO, kind::VIDEO, kind::DATA_AMF0, kind::COMMAND_AMF0, 99];

/// Enough to have everything in one input.
const MAX_WRITTEN: usize = 16 << 10;
