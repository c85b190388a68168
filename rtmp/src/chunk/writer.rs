use std::collections::BTreeMap;

use bytes::BufMut;

use super::DEFAULT_CHUNK_SIZE;
use super::header::{self, EXTENDED, MAX_CHUNK_STREAM, MessageHeader};

/// Cuts messages into chunks.
///
/// Headers are as short as the messages before allow. Two forms are left out because readers disagree on them: fmt 3
/// straight after fmt 0, and an extended delta (fmt 0 is used instead). An extended timestamp is repeated in every chunk
/// of its message.
#[derive(Debug)]
pub struct Writer {
    chunk_size: u32,
    streams: BTreeMap<u32, Last>,
}

/// The last message of a chunk stream.
#[derive(Debug)]
struct Last {
    timestamp: u32,
    /// `None` after fmt 0.
    delta: Option<u32>,
    len: u32,
    kind: u8,
    stream_id: u32,
}

impl Writer {
    /// A writer at the start of a chunk stream.
    #[must_use]
    pub fn new() -> Self {
        Self { chunk_size: DEFAULT_CHUNK_SIZE, streams: BTreeMap::new() }
    }

    /// Cuts at `size` bytes (at least 1) from now on. The peer must be told first.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.chunk_size = size.max(1);
    }

    /// Appends one message to `out`, of `payload`'s first 0xFFFFFF bytes. `chunk_stream` is 2 to 65599.
    pub fn write(
        &mut self,
        chunk_stream: u32,
        timestamp: u32,
        kind: u8,
        stream_id: u32,
        payload: &[u8],
        out: &mut impl BufMut,
    ) {
        let chunk_stream = chunk_stream.clamp(2, MAX_CHUNK_STREAM);
        let payload = payload.get(..MAX_LEN).unwrap_or(payload);
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let message = Last { timestamp, delta: None, len, kind, stream_id };
        let (header, delta) = shortest(self.streams.get(&chunk_stream), &message);
        let extended = (header.time_field() == Some(EXTENDED)).then_some(timestamp);
        self.streams.insert(chunk_stream, Last { delta, ..message });

        let mut header = header;
        let mut rest = payload;
        loop {
            header::write(chunk_stream, header, extended, out);
            let size = usize::try_from(self.chunk_size).unwrap_or(usize::MAX);
            let (chunk, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            out.put_slice(chunk);
            if after.is_empty() {
                return;
            }
            rest = after;
            header = MessageHeader::None;
        }
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// The shortest header for `message` after `last`, and the delta it leaves behind.
fn shortest(last: Option<&Last>, message: &Last) -> (MessageHeader, Option<u32>) {
    let Last { timestamp, len, kind, stream_id, .. } = *message;
    let full = MessageHeader::Full { timestamp: timestamp.min(EXTENDED), len, kind, stream_id };
    let Some(last) = last.filter(|last| last.stream_id == stream_id) else {
        return (full, None);
    };
    // A step back in time wraps to a huge delta, which is not written either.
    let delta = timestamp.wrapping_sub(last.timestamp);
    if delta >= EXTENDED {
        return (full, None);
    }
    let header = if (len, kind) != (last.len, last.kind) {
        MessageHeader::SameStream { delta, len, kind }
    } else if last.delta != Some(delta) {
        MessageHeader::DeltaOnly { delta }
    } else {
        MessageHeader::None
    };
    (header, Some(delta))
}

const MAX_LEN: usize = 0xFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(messages: &[(u32, u8, usize)]) -> Vec<u8> {
        let mut writer = Writer::new();
        let mut out = Vec::new();
        for &(timestamp, kind, len) in messages {
            writer.write(4, timestamp, kind, 1, &vec![0xEE; len], &mut out);
        }
        out
    }

    #[test]
    fn headers_shrink_as_messages_repeat() {
        let out = written(&[(10, 8, 2), (50, 8, 2), (90, 8, 2), (130, 8, 2), (130, 9, 1)]);
        let expected: &[&[u8]] = &[
            &[0x04, 0, 0, 10, 0, 0, 2, 8, 1, 0, 0, 0, 0xEE, 0xEE],
            &[0x84, 0, 0, 40, 0xEE, 0xEE],
            &[0xC4, 0xEE, 0xEE],
            &[0xC4, 0xEE, 0xEE],
            &[0x44, 0, 0, 0, 0, 0, 1, 9, 0xEE],
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn extended_timestamps_are_repeated_in_every_chunk() {
        let out = written(&[(0x0100_0000, 9, 130)]);
        assert_eq!(out[..16], [4, 255, 255, 255, 0, 0, 130, 9, 1, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(out[16 + 128..16 + 128 + 5], [0xC4, 1, 0, 0, 0]);
        assert_eq!(out.len(), 16 + 128 + 5 + 2);
        // 0xFFFFFF itself does not fit the field, which it would mark as extended.
        let out = written(&[(0xFF_FFFF, 9, 1)]);
        assert_eq!(out[..16], [4, 255, 255, 255, 0, 0, 1, 9, 1, 0, 0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn a_step_back_in_time_is_written_in_full() {
        let out = written(&[(50, 8, 1), (40, 8, 1)]);
        assert_eq!(out[13..], [0x04, 0, 0, 40, 0, 0, 1, 8, 1, 0, 0, 0, 0xEE]);
    }

    #[test]
    fn an_empty_message_is_a_header() {
        assert_eq!(written(&[(0, 8, 0)]), [0x04, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0]);
    }
}
