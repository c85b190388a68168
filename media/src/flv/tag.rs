//! One FLV tag in one shared buffer (annex E.4.1).

use alloc::vec::Vec;
use core::fmt;

use super::Error;
use crate::Bytes;

/// What a tag carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// Audio data.
    Audio = 8,
    /// Video data.
    Video = 9,
    /// Script data: AMF0, `onMetaData` above all.
    Script = 18,
}

impl TagKind {
    /// The kind of a tag (or RTMP message) type number; `None` for any other number.
    #[must_use]
    pub fn from_type(number: u8) -> Option<Self> {
        match number {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}

/// A complete tag: header, data and PreviousTagSize as they stand on the wire, in one buffer.
///
/// Cloning shares the buffer.
#[derive(Clone, PartialEq, Eq)]
pub struct Tag {
    kind: TagKind,
    time: i64,
    bytes: Bytes,
}

impl Tag {
    /// Bytes in front of the data.
    pub const HEADER_LEN: usize = 11;
    /// Bytes behind the data: PreviousTagSize.
    pub const TRAILER_LEN: usize = 4;
    /// The most data a tag can hold: its size is a 24-bit number.
    pub const MAX_DATA_LEN: usize = 0xFF_FFFF;

    /// A tag around a copy of `data`, at `time` milliseconds.
    ///
    /// # Errors
    /// [`Error::TagTooLarge`] when `data` is over [`Tag::MAX_DATA_LEN`].
    pub fn new(kind: TagKind, time: i64, data: &[u8]) -> Result<Self, Error> {
        if data.len() > Self::MAX_DATA_LEN {
            return Err(Error::TagTooLarge { len: data.len(), limit: Self::MAX_DATA_LEN });
        }
        let (header, trailer) = frame(kind, time, data.len());
        Ok(Self { kind, time, bytes: [&header, data, &trailer].concat().into() })
    }

    /// What the tag carries.
    #[must_use]
    pub fn kind(&self) -> TagKind {
        self.kind
    }

    /// Milliseconds on the stream's timeline; the wire holds the low 32 bits.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.time
    }

    /// The exact FLV bytes: header, data, PreviousTagSize.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The tag's data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        data_range(self.bytes.len()).and_then(|range| self.bytes.get(range)).unwrap_or_default()
    }

    /// The tag's data, sharing the buffer.
    #[must_use]
    pub fn body(&self) -> Bytes {
        data_range(self.bytes.len()).map_or_else(Bytes::new, |range| self.bytes.slice(range))
    }

    /// The same tag on a buffer that holds the same bytes: the one it shares with its neighbours.
    ///
    /// Returns `None` when `bytes` differ in length from the tag's own.
    #[must_use]
    pub fn rebind(&self, bytes: Bytes) -> Option<Self> {
        debug_assert_eq!(self.bytes, bytes);
        (bytes.len() == self.bytes.len()).then_some(Self {
            kind: self.kind,
            time: self.time,
            bytes,
        })
    }

    /// A tag over bytes the reader has checked: `HEADER_LEN` + data + `TRAILER_LEN` of them.
    ///
    /// When the writer did not close the tag with its own size, the tag is built anew, so that
    /// whoever gets its bytes gets right ones.
    pub(super) fn from_wire(kind: TagKind, time: i64, bytes: Bytes, closed: bool) -> Self {
        let tag = Self { kind, time, bytes };
        if closed {
            return tag;
        }
        Self::new(kind, time, tag.data()).unwrap_or(tag)
    }
}

impl fmt::Debug for Tag {
    /// Without the data: a tag may hold megabytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tag")
            .field("kind", &self.kind)
            .field("time", &self.time)
            .field("data_len", &self.data().len())
            .finish()
    }
}

/// A tag under construction: room for the header in front, data appended in pieces, header and
/// PreviousTagSize filled in at the end. This is how a message is assembled without a second copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagBuffer {
    bytes: Vec<u8>,
}

impl TagBuffer {
    /// An empty tag with room for `data_len` bytes of data; more is allocated as it comes.
    ///
    /// The caller bounds `data_len`: what a peer announces is not a reason to allocate.
    #[must_use]
    pub fn with_capacity(data_len: usize) -> Self {
        let data_len = data_len.min(Tag::MAX_DATA_LEN);
        let mut bytes = Vec::with_capacity(data_len.saturating_add(OVERHEAD));
        bytes.resize(Tag::HEADER_LEN, 0);
        Self { bytes }
    }

    /// Appends a piece of the data.
    ///
    /// # Errors
    /// [`Error::TagTooLarge`] when the data would pass [`Tag::MAX_DATA_LEN`]; nothing is appended.
    pub fn extend_from_slice(&mut self, piece: &[u8]) -> Result<(), Error> {
        let len = self.len().saturating_add(piece.len());
        if len > Tag::MAX_DATA_LEN {
            return Err(Error::TagTooLarge { len, limit: Tag::MAX_DATA_LEN });
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Bytes of data so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len().saturating_sub(Tag::HEADER_LEN)
    }

    /// Whether there is no data yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The data so far.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.bytes.get(Tag::HEADER_LEN..).unwrap_or_default()
    }

    /// Removes the first `len` bytes of the data (all of it if it is shorter).
    ///
    /// For the `@setDataFrame` in front of published metadata: the data moves to the front once.
    pub fn strip_front(&mut self, len: usize) {
        let rest = self.data().get(len..).unwrap_or_default().to_vec();
        self.bytes.truncate(Tag::HEADER_LEN);
        self.bytes.extend_from_slice(&rest);
    }

    /// Writes header and PreviousTagSize around the data and seals the tag.
    ///
    /// `time` is in milliseconds; its low 32 bits are written.
    #[must_use]
    pub fn finish(mut self, kind: TagKind, time: i64) -> Tag {
        // extend_from_slice keeps the length within 24 bits.
        let (header, trailer) = frame(kind, time, self.len());
        if let Some(room) = self.bytes.first_chunk_mut::<{ Tag::HEADER_LEN }>() {
            *room = header;
        }
        self.bytes.extend_from_slice(&trailer);
        Tag { kind, time, bytes: self.bytes.into() }
    }
}

/// What stands before and behind `len` bytes of data, at most [`Tag::MAX_DATA_LEN`].
fn frame(kind: TagKind, time: i64, len: usize) -> ([u8; Tag::HEADER_LEN], [u8; Tag::TRAILER_LEN]) {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let [_, l2, l1, l0] = len.to_be_bytes();
    let [.., t3, t2, t1, t0] = time.to_be_bytes();
    let header = [kind as u8, l2, l1, l0, t2, t1, t0, t3, 0, 0, 0];
    (header, len.wrapping_add(HEADER_LEN_U32).to_be_bytes())
}

fn data_range(total: usize) -> Option<core::ops::Range<usize>> {
    Some(Tag::HEADER_LEN..total.checked_sub(Tag::TRAILER_LEN)?)
}

const OVERHEAD: usize = Tag::HEADER_LEN + Tag::TRAILER_LEN;
const HEADER_LEN_U32: u32 = Tag::HEADER_LEN as u32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_tag_has_the_layout_of_annex_e_4_1() {
        let tag = Tag::new(TagKind::Video, 0x0102_0304, &[0x17, 0xAA]).unwrap();
        assert_eq!(
            tag.bytes().as_ref(),
            [9, 0, 0, 2, 2, 3, 4, 1, 0, 0, 0, 0x17, 0xAA, 0, 0, 0, 13]
        );
        assert_eq!(tag.data(), [0x17, 0xAA]);
        assert_eq!(tag.body().as_ref(), [0x17, 0xAA]);
    }

    #[test]
    fn the_wire_holds_the_low_32_bits_of_the_time() {
        let tag = Tag::new(TagKind::Audio, (1 << 32) + 5, &[]).unwrap();
        assert_eq!(tag.time(), (1 << 32) + 5);
        assert_eq!(tag.bytes()[4..8], [0, 0, 5, 0]);
        let negative = Tag::new(TagKind::Audio, -1, &[]).unwrap();
        assert_eq!(negative.bytes()[4..8], [0xFF; 4]);
    }

    #[test]
    fn data_past_24_bits_is_refused() {
        let mut buffer = TagBuffer::with_capacity(0);
        buffer.extend_from_slice(&vec![0; Tag::MAX_DATA_LEN]).unwrap();
        assert!(matches!(buffer.extend_from_slice(&[0]), Err(Error::TagTooLarge { .. })));
        assert_eq!(buffer.finish(TagKind::Video, 0).data().len(), Tag::MAX_DATA_LEN);
    }

    #[test]
    fn stripping_the_front_keeps_the_rest() {
        let mut buffer = TagBuffer::with_capacity(4);
        buffer.extend_from_slice(b"abcd").unwrap();
        buffer.strip_front(3);
        assert_eq!(buffer.data(), b"d");
        buffer.strip_front(9);
        assert!(buffer.is_empty());
        assert_eq!(buffer.finish(TagKind::Script, 0).data(), b"");
    }
}
