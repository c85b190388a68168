use bytes::{Bytes, BytesMut};
use pushpull_media::flv::{Tag, TagKind};

use super::header::{self, EXTENDED, MessageHeader};
use crate::message::kind;

/// Tags as messages in chunks, in a form that fits between any two messages of any connection with this chunk size:
/// every header is whole (fmt 0, the absolute time), on chunk streams that carry nothing else.
///
/// So the same bytes serve every player. Times are those of the tags, modulo 2^32.
#[must_use]
pub fn image<'a>(
    tags: impl Iterator<Item = &'a Tag> + Clone,
    stream_id: u32,
    chunk_size: u32,
) -> Bytes {
    let chunk_size = usize::try_from(chunk_size.max(1)).unwrap_or(usize::MAX);
    let mut out = BytesMut::with_capacity(tags.clone().map(|tag| len(tag, chunk_size)).sum());
    for tag in tags {
        write(tag, stream_id, chunk_size, &mut out);
    }
    out.freeze()
}

fn write(tag: &Tag, stream_id: u32, chunk_size: usize, out: &mut BytesMut) {
    let (chunk_stream, kind) = match tag.kind() {
        TagKind::Audio => (AUDIO_CHUNKS, kind::AUDIO),
        TagKind::Video => (VIDEO_CHUNKS, kind::VIDEO),
        TagKind::Script => (DATA_CHUNKS, kind::DATA_AMF0),
    };
    let (timestamp, extended) = times(tag);
    // A tag's length is a 24-bit number, as a message's.
    let len = u32::try_from(tag.data().len()).unwrap_or(u32::MAX);
    let mut header = MessageHeader::Full { timestamp, len, kind, stream_id };
    let mut rest = tag.data();
    loop {
        header::write(chunk_stream, header, extended, out);
        let (chunk, after) = rest.split_at_checked(chunk_size).unwrap_or((rest, &[]));
        out.extend_from_slice(chunk);
        if after.is_empty() {
            return;
        }
        rest = after;
        header = MessageHeader::None;
    }
}

/// The bytes [`write`] writes.
fn len(tag: &Tag, chunk_size: usize) -> usize {
    let data = tag.data().len();
    let chunks = data.div_ceil(chunk_size).max(1);
    let header = if times(tag).1.is_some() { 1 + 4 } else { 1 };
    chunks.saturating_mul(header).saturating_add(FULL_HEADER_LEN).saturating_add(data)
}

/// The header's time field, and the extended timestamp if that does not hold the time.
fn times(tag: &Tag) -> (u32, Option<u32>) {
    let time = (tag.time() & 0xFFFF_FFFF) as u32;
    (time.min(EXTENDED), (time >= EXTENDED).then_some(time))
}

/// A message header of fmt 0.
const FULL_HEADER_LEN: usize = 11;

/// Chunk streams of the media; [`super::Writer`]s of the same connection must leave them alone.
const AUDIO_CHUNKS: u32 = 4;
const DATA_CHUNKS: u32 = 5;
const VIDEO_CHUNKS: u32 = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chunk::{Limits, Message, Reader, Writer};

    type Summary = (u32, u8, u32, Vec<u8>);

    fn read(bytes: &[u8], chunk_size: u32) -> Vec<Summary> {
        let mut reader = Reader::new(Limits::MEDIA);
        let mut set_size = vec![];
        let size = chunk_size.to_be_bytes();
        Writer::new().write(2, 0, kind::SET_CHUNK_SIZE, 0, &size, &mut set_size);
        let bytes = [&set_size, bytes].concat();
        let mut input = &bytes[..];
        let mut messages = vec![];
        while let Some(message) = reader.read(&mut input).unwrap() {
            let Message { timestamp, kind, stream_id, payload, .. } = message;
            messages.push((timestamp, kind, stream_id, payload.data().to_vec()));
        }
        assert_eq!(reader.partial_len(), 0);
        messages
    }

    fn summary(tag: &Tag, stream_id: u32) -> Summary {
        (tag.time() as u32, tag.kind() as u8, stream_id, tag.data().to_vec())
    }

    #[test]
    fn a_message_is_laid_out_as_in_section_5_3() {
        let tag = Tag::new(TagKind::Video, 40, &[0xEE; 5]).unwrap();
        let expected: &[&[u8]] =
            &[&[6, 0, 0, 40, 0, 0, 5, 9, 1, 0, 0, 0, 0xEE, 0xEE, 0xEE], &[0xC6, 0xEE, 0xEE]];
        assert_eq!(image([&tag].into_iter(), 1, 3), expected.concat());
    }

    #[test]
    fn an_extended_time_is_repeated_in_every_chunk() {
        let tag = Tag::new(TagKind::Audio, (1 << 32) + 0x0100_0000, &[0xEE; 3]).unwrap();
        let expected: &[&[u8]] = &[
            &[4, 255, 255, 255, 0, 0, 3, 8, 1, 0, 0, 0, 1, 0, 0, 0, 0xEE, 0xEE],
            &[0xC4, 1, 0, 0, 0, 0xEE],
        ];
        assert_eq!(image([&tag].into_iter(), 1, 2), expected.concat());
    }

    #[test]
    fn times_on_either_side_of_24_and_32_bits() {
        let edges = [0xFF_FFFE, 0xFF_FFFF, 0x100_0000, 0xFFFF_FFFF, 1 << 32, (1 << 32) + 40];
        let tags: Vec<_> =
            edges.map(|time| Tag::new(TagKind::Video, time, &[7; 10]).unwrap()).into();
        let read: Vec<_> =
            read(&image(tags.iter(), 1, 4), 4).into_iter().map(|message| message.0).collect();
        assert_eq!(read, [0xFF_FFFE, 0xFF_FFFF, 0x100_0000, u32::MAX, 0, 40]);
    }

    fn tags() -> impl Strategy<Value = Vec<Tag>> {
        let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
        let time =
            prop_oneof![0..100i64, 0xFF_FFF0..0x100_0010i64, (1i64 << 32) - 9..(1i64 << 32) + 9];
        let data = prop::collection::vec(any::<u8>(), 0..700);
        let tag =
            (kind, time, data).prop_map(|(kind, time, data)| Tag::new(kind, time, &data).unwrap());
        prop::collection::vec(tag, 1..6)
    }

    proptest! {
        /// Between other images and control messages of any kind, a reader gives back what went in.
        #[test]
        fn images_are_read_back_wherever_they_stand(
            blocks in prop::collection::vec((tags(), 1..4u32, any::<bool>()), 1..8),
            chunk_size in prop_oneof![1..200u32, Just(60_000)],
        ) {
            let mut writer = Writer::new();
            writer.set_chunk_size(chunk_size);
            let (mut bytes, mut expected) = (vec![], vec![]);
            for (number, (tags, stream_id, with_control)) in blocks.iter().enumerate() {
                if *with_control {
                    let ping = [0, 6, 0, 0, 0, number as u8];
                    writer.write(2, 0, kind::USER_CONTROL, 0, &ping, &mut bytes);
                    expected.push((0, kind::USER_CONTROL, 0, ping.to_vec()));
                    writer.write(3, 0, kind::COMMAND_AMF0, *stream_id, b"status", &mut bytes);
                    expected.push((0, kind::COMMAND_AMF0, *stream_id, b"status".to_vec()));
                }
                let image = image(tags.iter(), *stream_id, chunk_size);
                let announced: usize = tags.iter().map(|tag| len(tag, chunk_size as usize)).sum();
                prop_assert_eq!(image.len(), announced);
                bytes.extend_from_slice(&image);
                expected.extend(tags.iter().map(|tag| summary(tag, *stream_id)));
            }
            prop_assert_eq!(read(&bytes, chunk_size), expected);
        }
    }
}
