//! The incremental FLV reader: bytes in any pieces, tags out.

use alloc::vec::Vec;

use super::error::SyncLoss;
use super::{Error, Header, Tag, TagKind};
use crate::Bytes;

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
/// When the boundaries are lost (a wrong size, noise between tags)
/// [`Reader::next`] says so once and then goes on at the next tag that is closed by its own size.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    /// Input that was not read yet is from `start` to `filled`. What is behind it is room for more.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    offset: u64,
    state: State,
    /// Bytes of the incomplete tag in front that were looked through for other tags.
    searched: usize,
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
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            offset: 0,
            state: State::Header,
            searched: 0,
        }
    }

    /// Takes the next piece of input.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len()).copy_from_slice(bytes);
        self.commit(bytes.len());
    }

    /// Room for the next `len` bytes of input, for a host that writes them in place.
    ///
    /// Valid until the next call; [`Reader::commit`] says how much of it was written.
    pub fn reserve(&mut self, len: usize) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled = self.filled.wrapping_sub(self.start);
            self.start = 0;
            if self.filled == 0 && self.buffer.len() > KEEP {
                self.buffer = Vec::new();
            }
        }
        let end = self.filled.wrapping_add(len);
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        self.buffer.get_mut(self.filled..end).unwrap_or_default()
    }

    /// The first `len` bytes of the room given by [`Reader::reserve`] now hold input.
    pub fn commit(&mut self, len: usize) {
        self.filled = self.filled.wrapping_add(len).min(self.buffer.len());
    }

    /// Bytes of input consumed: where the next item begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The input begins anew with a header; what was not read yet is dropped.
    pub fn restart(&mut self) {
        self.take(usize::MAX);
        self.state = State::Header;
    }

    /// The input goes on somewhere else inside the stream; what was not read yet is dropped.
    pub fn seek(&mut self) {
        self.take(usize::MAX);
        self.state = State::Searching;
    }

    /// Looks through what is there of an incomplete tag for a row of other tags: a wrong size would
    /// swallow up to [`Limits::max_tag_len`] of the stream. For a host that finds that a tag takes
    /// long; call [`Reader::next`] afterwards.
    ///
    /// # Errors
    /// [`Error::LostSync`] if it is no tag.
    pub fn doubt(&mut self) -> Result<(), Error> {
        if !matches!(self.state, State::Tags) {
            return Ok(());
        }
        let mut at = self.searched.max(1);
        let mut open = None;
        while let Some(rest) = self.input().get(at..).filter(|rest| !rest.is_empty()) {
            match row(rest, self.limits.max_tag_len) {
                // Where tags follow one another is no tag's data.
                Some(true) => return Err(self.lose_sync(at, SyncLoss::Tags)),
                Some(false) => {}
                None => open = open.or(Some(at)),
            }
            at = at.wrapping_add(1);
        }
        self.searched = open.unwrap_or(at).max(self.input().len().saturating_sub(MAX_ROW));
        Ok(())
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
        match self.state {
            State::Header => {
                let Some((header, len)) = Header::parse(self.input())? else {
                    return Ok(None);
                };
                self.take(len);
                self.state = State::Tags;
                Ok(Some(Item::Header(header)))
            }
            State::Tags => match inspect(self.input(), self.limits.max_tag_len) {
                Found::Tag(head) => Ok(Some(Item::Tag(self.take_tag(head)))),
                Found::Incomplete => Ok(None),
                // Where the search starts is not a tag: that is what was found out.
                Found::Nothing(reason) => Err(self.lose_sync(1, reason)),
            },
            State::Searching => Ok(self.search().map(|head| {
                self.state = State::Tags;
                Item::Tag(self.take_tag(head))
            })),
        }
    }

    fn lose_sync(&mut self, skip: usize, reason: SyncLoss) -> Error {
        let offset = self.offset;
        self.state = State::Searching;
        self.take(skip);
        Error::LostSync { offset, reason }
    }

    /// Skips to the first place where a whole tag stands, closed by its own size.
    fn search(&mut self) -> Option<Head> {
        let mut skip = 0;
        let mut waiting = None;
        while let Some(rest) = self.input().get(skip..).filter(|rest| !rest.is_empty()) {
            match inspect_strictly(rest, self.limits.max_tag_len) {
                Found::Tag(head) => {
                    self.take(skip);
                    return Some(head);
                }
                Found::Incomplete => waiting = waiting.or(Some(skip)),
                Found::Nothing(_) => {}
            }
            skip = skip.wrapping_add(1);
        }
        // Everything before the first place that may still become a tag is done with; noise that
        // looks like a huge tag for ever is given up byte by byte once the search is too long.
        let keep_from = waiting.unwrap_or(skip).max(self.input().len().saturating_sub(MAX_SEARCH));
        self.take(keep_from);
        None
    }

    fn take_tag(&mut self, head: Head) -> Tag {
        Tag::from_wire(
            head.kind,
            i64::from(head.time),
            Bytes::copy_from_slice(self.take(head.total)),
            head.closed,
        )
    }

    fn take(&mut self, len: usize) -> &[u8] {
        let from = self.start;
        let len = len.min(self.input().len());
        self.searched = 0;
        self.start = from.wrapping_add(len);
        self.offset = self.offset.wrapping_add(len as u64);
        self.buffer.get(from..self.start).unwrap_or_default()
    }

    fn input(&self) -> &[u8] {
        self.buffer.get(self.start..self.filled).unwrap_or_default()
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

/// Whether [`ROW`] whole tags stand at the start of `input`, one after the other; `None` while too few
/// bytes are there to tell.
fn row(input: &[u8], max_len: usize) -> Option<bool> {
    let mut rest = input;
    let mut last: Option<Head> = None;
    for _ in 0..ROW {
        let head = match inspect_strictly(rest, max_len) {
            Found::Tag(head) => head,
            Found::Incomplete => return None,
            Found::Nothing(_) => return Some(false),
        };
        let apart = last.map_or(0, |last| head.time.wrapping_sub(last.time).cast_signed());
        if apart.unsigned_abs() > MAX_APART {
            return Some(false);
        }
        last = Some(head);
        rest = rest.get(head.total..)?;
    }
    Some(true)
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
    let expected = head.total.wrapping_sub(Tag::TRAILER_LEN);
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

/// Room kept once everything is read: a large keyframe.
const KEEP: usize = 1 << 20;

/// Tags in a row that are not a coincidence: each is 56 bits that fit.
const ROW: usize = 3;

/// Bytes in which a row of tags has to stand: noise may look like the beginnings of many huge tags.
const MAX_ROW: usize = 256 << 10;

/// Milliseconds between two tags of such a row, at most.
const MAX_APART: u32 = 10_000;

/// Most bytes kept while looking for the next tag: a keyframe and its neighbours.
const MAX_SEARCH: usize = 1 << 20;

#[cfg(test)]
mod tests;
