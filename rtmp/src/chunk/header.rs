//! Chunk headers as they stand on the wire.

/// The longest basic header, message header and extended timestamp together.
pub(super) const MAX_HEADER_LEN: usize = 3 + 11 + 4;

/// The value of a timestamp field that says an extended timestamp follows.
pub(super) const EXTENDED: u32 = 0xFF_FFFF;

/// The highest chunk stream id the 3-byte form can hold.
pub(super) const MAX_CHUNK_STREAM: u32 = 64 + 0xFFFF;

/// The message header of a chunk, by its fmt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageHeader {
    Full { timestamp: u32, len: u32, kind: u8, stream_id: u32 },
    SameStream { delta: u32, len: u32, kind: u8 },
    DeltaOnly { delta: u32 },
    None,
}

impl MessageHeader {
    /// The 24-bit timestamp or delta field, if there is one.
    pub(super) fn time_field(&self) -> Option<u32> {
        match *self {
            Self::Full { timestamp: time, .. }
            | Self::SameStream { delta: time, .. }
            | Self::DeltaOnly { delta: time } => Some(time),
            Self::None => None,
        }
    }
}

/// Reads basic header and message header: chunk stream id, message header and their length; `None` when `input` is too
/// short.
pub(super) fn parse(input: &[u8]) -> Option<(u32, MessageHeader, usize)> {
    let (&first, mut rest) = input.split_first()?;
    let chunk_stream = match first & 0x3F {
        0 => 64u32.saturating_add(u32::from(take::<1>(&mut rest)?[0])),
        1 => 64u32.saturating_add(u32::from(u16::from_le_bytes(take(&mut rest)?))),
        id => u32::from(id),
    };
    let header = match first >> 6 {
        0 => MessageHeader::Full {
            timestamp: u24(&mut rest)?,
            len: u24(&mut rest)?,
            kind: take::<1>(&mut rest)?[0],
            stream_id: u32::from_le_bytes(take(&mut rest)?),
        },
        1 => MessageHeader::SameStream {
            delta: u24(&mut rest)?,
            len: u24(&mut rest)?,
            kind: take::<1>(&mut rest)?[0],
        },
        2 => MessageHeader::DeltaOnly { delta: u24(&mut rest)? },
        _ => MessageHeader::None,
    };
    Some((chunk_stream, header, input.len().saturating_sub(rest.len())))
}

/// Appends basic header, message header and extended timestamp. `time` is the full timestamp or delta, which the time
/// field of `header` repeats when it fits.
pub(super) fn write(
    chunk_stream: u32,
    header: MessageHeader,
    extended: Option<u32>,
    out: &mut impl bytes::BufMut,
) {
    let fmt: u8 = match header {
        MessageHeader::Full { .. } => 0,
        MessageHeader::SameStream { .. } => 1,
        MessageHeader::DeltaOnly { .. } => 2,
        MessageHeader::None => 3,
    };
    let fmt = fmt << 6;
    match chunk_stream {
        0..64 => out.put_u8(fmt | (chunk_stream & 0x3F) as u8),
        64..320 => out.put_slice(&[fmt, chunk_stream.saturating_sub(64) as u8]),
        _ => {
            out.put_u8(fmt | 1);
            out.put_u16_le(chunk_stream.saturating_sub(64) as u16);
        }
    }
    match header {
        MessageHeader::Full { timestamp, len, kind, stream_id } => {
            put_u24(timestamp, out);
            put_u24(len, out);
            out.put_u8(kind);
            out.put_u32_le(stream_id);
        }
        MessageHeader::SameStream { delta, len, kind } => {
            put_u24(delta, out);
            put_u24(len, out);
            out.put_u8(kind);
        }
        MessageHeader::DeltaOnly { delta } => put_u24(delta, out),
        MessageHeader::None => {}
    }
    if let Some(time) = extended {
        out.put_u32(time);
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*array)
}

fn u24(input: &mut &[u8]) -> Option<u32> {
    let [a, b, c] = take(input)?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

fn put_u24(value: u32, out: &mut impl bytes::BufMut) {
    let [_, a, b, c] = value.to_be_bytes();
    out.put_slice(&[a, b, c]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_chunk_stream_id() {
        let cases: [(&[u8], u32); 8] = [
            (&[0xC2], 2),
            (&[0xFF], 63),
            (&[0xC0, 0], 64),
            (&[0xC0, 255], 319),
            (&[0xC1, 0, 1], 320),
            (&[0xC1, 1, 0], 65),
            (&[0xC1, 0x34, 0x12], 64 + 0x1234),
            (&[0xC1, 255, 255], MAX_CHUNK_STREAM),
        ];
        for (bytes, id) in cases {
            assert_eq!(parse(bytes), Some((id, MessageHeader::None, bytes.len())));
            for len in 0..bytes.len() {
                assert_eq!(parse(&bytes[..len]), None);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back_in_the_shortest_form() {
        let headers = [
            MessageHeader::Full { timestamp: 1, len: 0x01_0203, kind: 9, stream_id: 0x0102_0304 },
            MessageHeader::SameStream { delta: 0xFF_FFFE, len: 3, kind: 8 },
            MessageHeader::DeltaOnly { delta: 40 },
            MessageHeader::None,
        ];
        for (id, id_len) in [(2, 1), (63, 1), (64, 2), (319, 2), (320, 3), (MAX_CHUNK_STREAM, 3)] {
            for (header, len) in headers.into_iter().zip([11, 7, 3, 0]) {
                let mut out = Vec::new();
                write(id, header, None, &mut out);
                assert_eq!(parse(&out), Some((id, header, id_len + len)));
                for short in 0..out.len() {
                    assert_eq!(parse(&out[..short]), None);
                }
            }
        }
    }
}
