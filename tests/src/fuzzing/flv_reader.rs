//! The FLV reader: any bytes in any pieces, and the way back after noise.

use pushpull_media::flv::{Error, Header, Item, Limits, Reader, Tag, TagKind};

use super::Script;
use super::script::cut;

/// The first byte says what is read: anything, or good tags with noise in one place.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let mode = script.byte();
    let seed = script.byte();
    if mode.is_multiple_of(2) {
        let doubts = mode & 4 != 0;
        anything(script.rest(), seed, if mode & 2 == 0 { 8 << 20 } else { 1000 }, doubts);
    } else {
        noise(&mut script, seed);
    }
}

/// Reads `pieces` and hands out what was read; how many items stood before the first loss of the boundaries.
fn read(pieces: Vec<&[u8]>, max_tag_len: usize, doubts: bool) -> (Vec<Item>, Option<Error>, usize) {
    let mut reader = Reader::with_limits(Limits { max_tag_len });
    let (mut items, mut lost, mut before_loss) = (Vec::new(), None, 0);
    let (mut pushed, mut errors) = (0_u64, 0);
    'pieces: for piece in pieces {
        reader.push(piece);
        pushed += piece.len() as u64;
        loop {
            let from = reader.offset();
            match reader.next() {
                Ok(Some(item)) => {
                    if let Item::Tag(tag) = &item {
                        look_at(tag, max_tag_len);
                    }
                    assert!(reader.offset() > from, "an item is made of bytes");
                    items.push(item);
                }
                Ok(None) if doubts && reader.doubt().is_err() => errors += 1,
                Ok(None) => break,
                Err(Error::LostSync { offset, reason }) => {
                    assert_eq!(offset, from);
                    assert!(reader.offset() > from, "the same loss is not found again");
                    lost.get_or_insert_with(|| {
                        before_loss = items.len();
                        Error::LostSync { offset, reason }
                    });
                    errors += 1;
                }
                Err(error) => {
                    assert!(items.is_empty(), "{error}");
                    assert_eq!(reader.next(), Err(error.clone()), "final");
                    lost = Some(error);
                    break 'pieces;
                }
            }
            assert!(errors <= pushed, "more losses than bytes");
        }
        assert!(reader.offset() <= pushed);
        // At most a tag is waited for, its PreviousTagSize, and the head behind when that is wrong.
        let waiting = pushed - reader.offset();
        assert!(waiting as usize <= max_tag_len + 15 + 11, "{waiting} bytes are held");
    }
    if lost.is_none() {
        before_loss = items.len();
    }
    (items, lost, before_loss)
}

/// A tag's bytes are what its header says.
fn look_at(tag: &Tag, max_tag_len: usize) {
    assert!(tag.data().len() <= max_tag_len);
    let time = u32::try_from(tag.time()).expect("times are 32 bits");
    let same = Tag::new(tag.kind(), time.into(), tag.data()).expect("it fits");
    assert_eq!(same.bytes(), tag.bytes());
}

/// Whole boundaries make the same items in any pieces; where they are lost, the loss is the same one.
fn anything(input: &[u8], seed: u8, max_tag_len: usize, doubts: bool) {
    let whole = read(cut(input, 0), max_tag_len, false);
    let pieces = read(cut(input, seed), max_tag_len, false);
    assert_eq!(pieces.1, whole.1);
    assert_eq!(pieces.0[..pieces.2], whole.0[..whole.2]);
    if doubts {
        read(cut(input, seed), max_tag_len, true);
    }
}

/// Noise costs at most what its last byte can claim, and one tag.
fn noise(script: &mut Script<'_>, seed: u8) {
    let max_tag_len = 300 + usize::from(script.byte());
    let mut tags = Vec::new();
    for n in 0..60 {
        let kind = script.pick(&[TagKind::Video, TagKind::Audio, TagKind::Script]);
        // Data that is not the beginning of a tag anywhere, together with the headers around it.
        let data = vec![0xFF; 9 + script.below(180)];
        tags.push(Tag::new(kind, n * 20, &data).expect("it fits"));
    }
    let before = script.below(10);
    let noise = script.rest();
    let mut bytes = Header { has_audio: true, has_video: true }.to_bytes().to_vec();
    let mut wanted = Vec::new();
    for (n, tag) in tags.iter().enumerate() {
        if n == before {
            bytes.extend_from_slice(noise);
        }
        wanted.push((bytes.len(), tag));
        bytes.extend_from_slice(tag.bytes());
    }
    let noise_end = wanted[before].0;
    let whole_from = noise_end + max_tag_len + Tag::HEADER_LEN + Tag::TRAILER_LEN + 9 + 180 + 15;
    let (items, _, _) = read(cut(&bytes, seed), max_tag_len, false);
    let read: Vec<&Tag> = items
        .iter()
        .filter_map(|item| match item {
            Item::Tag(tag) => Some(tag),
            Item::Header(_) => None,
        })
        .collect();
    let expected: Vec<&Tag> =
        wanted.iter().filter(|(at, _)| *at >= whole_from).map(|(_, tag)| *tag).collect();
    assert!(read.ends_with(&expected), "{} of {} tags", read.len(), tags.len());
    let first: Vec<&Tag> = tags[..before].iter().collect();
    assert!(read.starts_with(&first));
}
