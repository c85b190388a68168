//! AMF0: whatever is decoded can be written, and what was written is read back as it was.

use pushpull_media::amf0::{Decoder, MAX_DEPTH, MAX_VALUES, Value, encode};
use pushpull_rtmp::command::Command;
use pushpull_rtmp::message::kind;

/// Reads `input` as values in a row, and as a command.
pub fn check(input: &[u8]) {
    let (values, read) = decode(input);
    assert!(read <= input.len());
    let mut count = 0;
    for value in &values {
        measure(value, 0, &mut count);
    }
    assert!(count <= MAX_VALUES, "{count} values");

    // Writing may shorten (names over 65,535 bytes) and complete (end markers), but only once.
    let written = written(&values);
    let (again, read) = decode(&written);
    assert_eq!(read, written.len(), "what was written is read to its end");
    assert_eq!(again.len(), values.len());
    assert_eq!(self::written(&again), written);

    for kind in [kind::COMMAND_AMF0, kind::COMMAND_AMF3] {
        if let Some(command) = Command::decode(kind, input) {
            let payload = command.encode();
            let again = Command::decode(kind::COMMAND_AMF0, &payload).expect("it has a name");
            assert_eq!(again.encode(), payload);
        }
    }
}

/// The values up to the end or the first that cannot be read, and how many bytes were read.
fn decode(input: &[u8]) -> (Vec<Value>, usize) {
    let mut decoder = Decoder::new(input);
    let mut values = Vec::new();
    while let Ok(Some(value)) = decoder.next_value() {
        values.push(value);
    }
    assert_eq!(decoder.next_value(), Ok(None), "nothing follows an error or the end");
    (values, decoder.offset())
}

fn written(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        encode(value, &mut out);
    }
    out
}

fn measure(value: &Value, depth: usize, count: &mut usize) {
    assert!(depth < MAX_DEPTH);
    *count += 1;
    if let Value::StrictArray(values) = value {
        for value in values {
            measure(value, depth + 1, count);
        }
    }
    for (_, value) in value.properties().unwrap_or_default() {
        measure(value, depth + 1, count);
    }
}
