//! The incremental FLV reader: bytes in any pieces, tags out, without a copy.

use bytes::{Bytes, BytesMut};

use super::error::SyncLoss;
use super::{Error, Header, Tag, TagKind};

/// What the reader accepts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest data of one tag, in bytes. The reader buffers at most about one tag.
    pub max_tag_len: usize,
}

impl Default for Limits {
    /// 8 MiB: a 4K keyframe at a very high bitrate is about 2 MiB.
    fn default() -> Self {
        Self { max_tag_len: 8 << 20 }
    }
}

/// One item of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The header, once, before the first tag.
    Header(Header),
    /// A tag; its time is the unsigned 32-bit number of the wire (0 to 2³²−1).
    Tag(Tag),
}

/// Reads FLV from bytes that come in pieces of any size.
///
/// Tags share the input's buffer. When the boundaries are lost (a wrong size, noise between tags)
/// [`Reader::next`] says so once and then goes on at the next tag that is closed by its own size.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    buffer: BytesMut,
    /// Bytes of `buffer` that hold input; more than that are room handed out by `reserve`.
    filled: usize,
    offset: u64,
    state: State,
}

impl Reader {
    /// A reader with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A reader with limits of its own.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits: Limits { max_tag_len: limits.max_tag_len.min(Tag::MAX_DATA_LEN) },
            buffer: BytesMut::with_capacity(BLOCK),
            filled: 0,
            offset: 0,
            state: State::Header,
        }
    }

    /// Takes the next piece of input.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.truncate(self.filled);
        self.buffer.extend_from_slice(bytes);
        self.filled = self.buffer.len();
    }

    /// Room for the next `len` bytes of input, for a host that writes them in place; zeroed.
    ///
    /// Valid until the next call; [`Reader::commit`] says how much of it was written.
    pub fn reserve(&mut self, len: usize) -> &mut [u8] {
        self.buffer.truncate(self.filled);
        self.buffer.resize(self.filled.saturating_add(len), 0);
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// The first `len` bytes of the room given by [`Reader::reserve`] now hold input.
    pub fn commit(&mut self, len: usize) {
        self.filled = self.filled.saturating_add(len).min(self.buffer.len());
        self.buffer.truncate(self.filled);
    }

    /// Bytes of input consumed: where the next item begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The input begins anew with a header; what was not read yet is dropped.
    pub fn restart(&mut self) {
        self.take(self.filled);
        self.state = State::Header;
    }

    /// The input goes on somewhere else inside the stream; what was not read yet is dropped.
    pub fn seek(&mut self) {
        self.take(self.filled);
        self.state = State::Searching;
    }

    /// The next item, or `None` until more input is there.
    ///
    /// # Errors
    /// [`Error::LostSync`] once for each loss; call again to go on at the next tag. Errors of the
    /// header ([`Error::NotFlv`], …) are final and repeat.
    #[expect(
        clippy::should_implement_trait,
        reason = "not an iterator: None means more input is needed"
    )]
    pub fn next(&mut self) -> Result<Option<Item>, Error> {
        self.buffer.truncate(self.filled);
        match self.state {
            State::Header => {
                let Some((header, len)) = Header::parse(&self.buffer)? else {
                    return Ok(None);
                };
                self.take(len);
                self.state = State::Tags;
                Ok(Some(Item::Header(header)))
            }
            State::Tags => match inspect(&self.buffer, self.limits.max_tag_len) {
                Found::Tag(head) => Ok(Some(Item::Tag(self.take_tag(head)))),
                Found::Incomplete => Ok(None),
                Found::Nothing(reason) => {
                    self.state = State::Searching;
                    let offset = self.offset;
                    // Where the search starts is not a tag: that is what was found out.
                    self.take(1);
                    Err(Error::LostSync { offset, reason })
                }
            },
            State::Searching => Ok(self.search().map(|head| {
                self.state = State::Tags;
                Item::Tag(self.take_tag(head))
            })),
        }
    }

    /// Skips to the first place where a whole tag stands, closed by its own size.
    fn search(&mut self) -> Option<Head> {
        let mut skip = 0;
        let mut waiting = None;
        while let Some(rest) = self.buffer.get(skip..).filter(|rest| !rest.is_empty()) {
            match inspect_strictly(rest, self.limits.max_tag_len) {
                Found::Tag(head) => {
                    self.take(skip);
                    return Some(head);
                }
                Found::Incomplete => waiting = waiting.or(Some(skip)),
                Found::Nothing(_) => {}
            }
            skip = skip.saturating_add(1);
        }
        // Everything before the first place that may still become a tag is done with; noise that
        // looks like a huge tag for ever is given up byte by byte once the search is too long.
        let keep_from = waiting.unwrap_or(skip).max(self.filled.saturating_sub(MAX_SEARCH));
        self.take(keep_from);
        None
    }

    fn take_tag(&mut self, head: Head) -> Tag {
        Tag::from_wire(head.kind, i64::from(head.time), self.take(head.total), head.closed)
    }

    fn take(&mut self, len: usize) -> Bytes {
        let len = len.min(self.filled);
        self.filled = self.filled.saturating_sub(len);
        self.offset = self.offset.saturating_add(len as u64);
        self.buffer.split_to(len).freeze()
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Header,
    Tags,
    Searching,
}

/// A tag's header fields, checked; `total` counts header, data and PreviousTagSize.
#[derive(Clone, Copy, Debug)]
struct Head {
    kind: TagKind,
    time: u32,
    total: usize,
    /// Whether PreviousTagSize says what it should.
    closed: bool,
}

enum Found {
    Tag(Head),
    Incomplete,
    Nothing(SyncLoss),
}

/// What stands at the start of `input`, which should be a tag.
///
/// A tag is handed out as soon as its PreviousTagSize agrees. Some writers get that number wrong:
/// then the beginning of the next tag decides.
fn inspect(input: &[u8], max_len: usize) -> Found {
    let found = inspect_strictly(input, max_len);
    if let Found::Nothing(SyncLoss::PreviousTagSize(_)) = found {
        let Ok(Some(head)) = head(input, max_len) else { return found };
        let Some(behind) = input.get(head.total..) else { return found };
        return match self::head(behind, max_len) {
            Ok(Some(_)) => Found::Tag(Head { closed: false, ..head }),
            Ok(None) => Found::Incomplete,
            Err(_) => found,
        };
    }
    found
}

fn inspect_strictly(input: &[u8], max_len: usize) -> Found {
    let head = match head(input, max_len) {
        Ok(Some(head)) => head,
        Ok(None) => return Found::Incomplete,
        Err(reason) => return Found::Nothing(reason),
    };
    let Some(&trailer) = input.get(..head.total).and_then(<[u8]>::last_chunk::<4>) else {
        return Found::Incomplete;
    };
    let closing = u32::from_be_bytes(trailer);
    let expected = head.total.saturating_sub(Tag::TRAILER_LEN);
    if usize::try_from(closing) == Ok(expected) {
        Found::Tag(head)
    } else {
        Found::Nothing(SyncLoss::PreviousTagSize(closing))
    }
}

/// The header fields at the start of `input`; `None` while too few bytes are there.
fn head(input: &[u8], max_len: usize) -> Result<Option<Head>, SyncLoss> {
    let Some(&first) = input.first() else { return Ok(None) };
    // The upper bits are the filter flag (encrypted data, which nobody sends live) and reserved.
    let kind = TagKind::from_type(first).ok_or(SyncLoss::Kind(first))?;
    let Some(&[_, l2, l1, l0, t2, t1, t0, t3, s2, s1, s0]) =
        input.first_chunk::<{ Tag::HEADER_LEN }>()
    else {
        return Ok(None);
    };
    let len = u32::from_be_bytes([0, l2, l1, l0]);
    let stream_id = u32::from_be_bytes([0, s2, s1, s0]);
    if stream_id != 0 {
        return Err(SyncLoss::StreamId(stream_id));
    }
    let total = usize::try_from(len)
        .ok()
        .filter(|&len| len <= max_len)
        .and_then(|len| len.checked_add(Tag::HEADER_LEN + Tag::TRAILER_LEN))
        .ok_or(SyncLoss::Size(len))?;
    let time = u32::from_be_bytes([t3, t2, t1, t0]);
    Ok(Some(Head { kind, time, total, closed: true }))
}

/// How much is allocated at a time: some ten tags of a 2 Mbit/s stream.
const BLOCK: usize = 64 << 10;

/// Most bytes kept while looking for the next tag: a keyframe and its neighbours.
const MAX_SEARCH: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flv(tags: &[Tag]) -> Vec<u8> {
        let mut bytes = Header { has_audio: true, has_video: true }.to_bytes().to_vec();
        for tag in tags {
            bytes.extend_from_slice(tag.bytes());
        }
        bytes
    }

    fn drain(reader: &mut Reader) -> (Vec<Tag>, Vec<Error>) {
        let (mut tags, mut errors) = (Vec::new(), Vec::new());
        loop {
            match reader.next() {
                Ok(Some(Item::Tag(tag))) => tags.push(tag),
                Ok(Some(Item::Header(_))) => {}
                Ok(None) => return (tags, errors),
                Err(error) => {
                    errors.push(error);
                    assert!(errors.len() < 1000, "the same error for ever: {errors:?}");
                }
            }
        }
    }

    fn tag(kind: TagKind, time: i64, len: usize) -> Tag {
        let data: Vec<u8> = (0..len).map(|i| (i * 7 + len) as u8).collect();
        Tag::new(kind, time, &data).unwrap()
    }

    fn three() -> Vec<Tag> {
        vec![
            tag(TagKind::Script, 0, 30),
            tag(TagKind::Video, 0xFFFF_FFFF, 500),
            tag(TagKind::Audio, 20, 0),
            tag(TagKind::Video, 40, 5000),
        ]
    }

    #[test]
    fn an_answer_that_is_not_flv_is_told_from_its_first_bytes() {
        let mut reader = Reader::new();
        reader.push(b"{\"e");
        assert_eq!(reader.next(), Err(Error::NotFlv { found: *b"{\"e" }));
        reader.push(b"rror");
        assert!(reader.next().is_err(), "the error is final");
    }

    #[test]
    fn other_versions_and_absurd_header_lengths_are_refused() {
        let mut reader = Reader::new();
        reader.push(b"FLV\x02\x05\x00\x00\x00\x09");
        assert_eq!(reader.next(), Err(Error::UnsupportedVersion { version: 2 }));
        let mut reader = Reader::new();
        reader.push(b"FLV\x01\x05\xFF\x00\x00\x09");
        assert_eq!(reader.next(), Err(Error::BadHeaderLength { len: 0xFF00_0009 }));
    }

    #[test]
    fn a_wrong_previous_tag_size_is_forgiven_when_a_tag_follows() {
        let tags = three();
        let mut bytes = flv(&tags);
        let end_of_first = Header::LEN + tags[0].bytes().len();
        bytes[end_of_first - 4..end_of_first].copy_from_slice(&[0; 4]);
        let mut reader = Reader::new();
        reader.push(&bytes);
        assert_eq!(drain(&mut reader), (tags, vec![]));
    }

    #[test]
    fn noise_between_tags_costs_the_noise_alone() {
        let tags = three();
        let mut bytes = flv(&tags[..2]);
        let noise: Vec<u8> =
            (0..777_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let at = bytes.len() as u64;
        bytes.extend_from_slice(&noise);
        bytes.extend_from_slice(tags[2].bytes());
        bytes.extend_from_slice(tags[3].bytes());
        let mut reader = Reader::new();
        let (mut seen, mut errors) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(100) {
            reader.push(piece);
            let (t, e) = drain(&mut reader);
            seen.extend(t);
            errors.extend(e);
        }
        assert_eq!(seen, tags);
        assert!(
            matches!(errors[..], [Error::LostSync { offset, .. }] if offset == at),
            "{errors:?}"
        );
    }

    #[test]
    fn a_wrong_size_costs_its_own_tag_alone() {
        let tags = three();
        let mut bytes = flv(&tags);
        bytes[Header::LEN + tags[0].bytes().len() + 3] ^= 0x55;
        let mut reader = Reader::new();
        reader.push(&bytes);
        let (seen, errors) = drain(&mut reader);
        assert_eq!(seen, [tags[0].clone(), tags[2].clone(), tags[3].clone()]);
        assert_eq!(errors.len(), 1);
    }

    #[test]
    fn a_tag_over_the_limit_is_named_and_passed_over() {
        let tags = three();
        let mut reader = Reader::with_limits(Limits { max_tag_len: 4000 });
        reader.push(&flv(&tags));
        reader.push(tags[0].bytes());
        let (seen, errors) = drain(&mut reader);
        assert_eq!(seen, [tags[0].clone(), tags[1].clone(), tags[2].clone(), tags[0].clone()]);
        assert!(
            matches!(errors[..], [Error::LostSync { reason: SyncLoss::Size(5000), .. }]),
            "{errors:?}"
        );
    }

    #[test]
    fn endless_noise_is_not_kept() {
        let mut reader = Reader::new();
        reader.push(&flv(&[]));
        // Looks like the beginning of an 8 MB tag at every twelfth byte.
        let noise = [9, 0x7F, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1].repeat(1000);
        for _ in 0..300 {
            reader.push(&noise);
            drain(&mut reader);
            assert!(reader.filled <= Limits::default().max_tag_len + noise.len());
        }
    }

    #[test]
    fn a_host_may_write_in_place() {
        let tags = three();
        let bytes = flv(&tags);
        let mut reader = Reader::new();
        let mut seen = Vec::new();
        for piece in bytes.chunks(333) {
            let room = reader.reserve(400);
            assert_eq!(room.len(), 400);
            room[..piece.len()].copy_from_slice(piece);
            reader.commit(piece.len());
            seen.extend(drain(&mut reader).0);
        }
        assert_eq!(seen, tags);
        assert_eq!(reader.offset(), bytes.len() as u64);
    }

    fn any_tag() -> impl Strategy<Value = Tag> {
        let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
        (kind, any::<u32>(), prop::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(kind, time, data)| Tag::new(kind, i64::from(time), &data).unwrap())
    }

    proptest! {
        #[test]
        fn split_anywhere_gives_the_same_tags(
            tags in prop::collection::vec(any_tag(), 0..20),
            cuts in prop::collection::vec(1_usize..200, 1..50),
        ) {
            let bytes = flv(&tags);
            let mut reader = Reader::new();
            let (mut rest, mut seen) = (&bytes[..], Vec::new());
            for cut in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                reader.push(piece);
                let (tags, errors) = drain(&mut reader);
                prop_assert_eq!(errors, vec![]);
                seen.extend(tags);
                rest = behind;
                if rest.is_empty() { break }
            }
            prop_assert_eq!(seen, tags);
        }

        #[test]
        fn any_bytes_end_in_items_or_errors(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut reader = Reader::new();
            reader.push(&bytes);
            // Errors of the header repeat by design; past it every error makes progress.
            if reader.next().is_ok() { drain(&mut reader); }
            let mut reader = Reader::new();
            reader.push(&flv(&[]));
            reader.push(&bytes);
            drain(&mut reader);
        }
    }
}
