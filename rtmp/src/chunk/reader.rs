use std::collections::BTreeMap;

use pushpull_media::flv::TagBuffer;

use super::header::{self, EXTENDED, MAX_HEADER_LEN, MessageHeader};
use super::{DEFAULT_CHUNK_SIZE, Message};
use crate::Error;
use crate::message::kind;

/// What a peer may make a [`Reader`] hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message, in bytes.
    pub max_message_len: u32,
    /// What all unfinished messages may hold together, in bytes.
    pub max_partial_len: usize,
    /// How many chunk streams may be in use.
    pub max_chunk_streams: usize,
}

impl Limits {
    /// Until a publish is accepted: commands are short, and anybody can send them.
    pub const SETUP: Self = Self {
        max_message_len: 64 << 10,
        max_partial_len: 128 << 10,
        max_chunk_streams: MAX_CHUNK_STREAMS,
    };

    /// For an accepted publisher: a keyframe of 10 MiB is beyond any encoder a live stream is made with.
    pub const MEDIA: Self = Self {
        max_message_len: 10 << 20,
        max_partial_len: 12 << 20,
        max_chunk_streams: MAX_CHUNK_STREAMS,
    };
}

/// Messages that never became complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Dropped because a new message began in the middle.
    pub superseded: u64,
    /// Dropped because the peer aborted them.
    pub aborted: u64,
}

/// Puts messages together from chunks.
///
/// Bytes go in as they come, in any pieces; each payload byte is copied once, into the buffer of its message, which
/// grows with what has been received and never with what was announced.
///
/// Where encoders disagree with the specification or each other:
/// - A message may begin with fmt 1, 2 or 3 on a fresh chunk stream: what is missing is 0.
/// - Fmt 3 at a message's start applies the delta again. Straight after fmt 0 the delta is that header's timestamp, as
///   section 5.3.1.2.4 says and ffmpeg relies on, if it could be a delta at all (`MAX_FIRST_DELTA`); otherwise it is 0,
///   as GStreamer and librtmp mean it.
/// - Fmt 3 after an extended timestamp repeats it, or does not (OBS until 2024): the four bytes are taken for one only
///   if they hold a value that makes sense.
/// - A header with fields in the middle of a message begins a new one; the unfinished one is dropped and counted.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    chunk_size: u32,
    streams: BTreeMap<u32, ChunkStream>,
    /// The chunk being read: its stream and how much of its payload is missing.
    chunk: Option<(u32, usize)>,
    /// The start of a header that has not come whole.
    carry: Vec<u8>,
    partial_len: usize,
    drops: Drops,
}

impl Reader {
    /// A reader at the start of a chunk stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            chunk_size: DEFAULT_CHUNK_SIZE,
            streams: BTreeMap::new(),
            chunk: None,
            carry: Vec::new(),
            partial_len: 0,
            drops: Drops::default(),
        }
    }

    /// Changes the limits for messages that begin from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes bytes off the front of `input` until a message is complete; `None` when `input` is used up.
    ///
    /// Set Chunk Size and Abort are obeyed here and not returned.
    ///
    /// # Errors
    /// When a limit is passed, or the peer sets a chunk size of 0. The reader is of no use afterwards.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        loop {
            let Some((id, left)) = self.chunk else {
                if self.open_chunk(input)? {
                    continue;
                }
                return Ok(None);
            };
            let left = self.fill_chunk(id, left, input)?;
            if left > 0 {
                self.chunk = Some((id, left));
                return Ok(None);
            }
            self.chunk = None;
            let Some(message) = self.take_complete(id) else {
                continue;
            };
            match message.kind {
                kind::SET_CHUNK_SIZE => self.set_chunk_size(message.payload.data())?,
                kind::ABORT => self.abort(message.payload.data()),
                _ => return Ok(Some(message)),
            }
        }
    }

    /// Messages dropped so far.
    #[must_use]
    pub fn drops(&self) -> Drops {
        self.drops
    }

    /// Bytes held for unfinished messages.
    #[must_use]
    pub fn partial_len(&self) -> usize {
        self.partial_len
    }

    /// Reads a header; whether it was all there.
    fn open_chunk(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        if self.carry.is_empty() {
            return Ok(match self.parse_header(input, input.len())? {
                Some(used) => {
                    *input = input.get(used..).unwrap_or_default();
                    true
                }
                None => {
                    self.carry.extend_from_slice(input);
                    *input = &[];
                    false
                }
            });
        }
        let carried = self.carry.len();
        let at_hand = carried.saturating_add(input.len());
        let borrowed = MAX_HEADER_LEN.saturating_sub(carried).min(input.len());
        let mut view = std::mem::take(&mut self.carry);
        view.extend_from_slice(input.get(..borrowed).unwrap_or_default());
        let used = self.parse_header(&view, at_hand)?;
        let kept = used.map_or(view.len(), |used| used.max(carried));
        *input = input.get(kept.saturating_sub(carried)..).unwrap_or_default();
        view.truncate(kept);
        view.drain(..used.unwrap_or(0));
        self.carry = view;
        Ok(used.is_some())
    }

    /// Reads the header at the front of `view` and opens its chunk; the header's length, or `None` if more is needed.
    /// `at_hand` is how many bytes have been received from the header's start on.
    fn parse_header(&mut self, view: &[u8], at_hand: usize) -> Result<Option<usize>, Error> {
        let Some((id, header, len)) = header::parse(view) else {
            return Ok(None);
        };
        let rest = view.get(len..).unwrap_or_default();
        let known = self.streams.get(&id);
        let extended = match header.time_field() {
            Some(EXTENDED) => rest
                .first_chunk()
                .map_or(Peek::Short, |&bytes| Peek::Present(u32::from_be_bytes(bytes))),
            Some(_) => Peek::Absent,
            None => known.map_or(Peek::Absent, |stream| stream.peek_extended(rest)),
        };
        let (extended, len) = match extended {
            Peek::Short => return Ok(None),
            Peek::Absent => (None, len),
            Peek::Present(value) => (Some(value), len.saturating_add(4)),
        };
        if known.is_none() && self.streams.len() >= self.limits.max_chunk_streams {
            let limit = self.limits.max_chunk_streams;
            return Err(Error::TooManyChunkStreams { chunk_stream: id, limit });
        }
        let stream = self.streams.entry(id).or_default();
        if header != MessageHeader::None || stream.partial.is_none() {
            if let Some(unfinished) = stream.partial.take() {
                self.drops.superseded = self.drops.superseded.saturating_add(1);
                self.partial_len = self.partial_len.saturating_sub(unfinished.buffer.len());
            }
            stream.apply(header, extended);
            if stream.len > self.limits.max_message_len {
                return Err(Error::MessageTooLarge {
                    kind: stream.kind,
                    chunk_stream: id,
                    len: stream.len,
                    limit: self.limits.max_message_len,
                });
            }
            stream.partial = Some(Partial::new(stream.len, at_hand.saturating_sub(len)));
        }
        let received = stream.partial.as_ref().map_or(0, |partial| partial.buffer.len());
        let missing = to_usize(stream.len).saturating_sub(received);
        self.chunk = Some((id, missing.min(to_usize(self.chunk_size))));
        Ok(Some(len))
    }

    /// Moves payload to the open chunk's message; how much of the chunk is still missing.
    fn fill_chunk(&mut self, id: u32, left: usize, input: &mut &[u8]) -> Result<usize, Error> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(0);
        };
        let Some(partial) = stream.partial.as_mut() else {
            return Ok(0);
        };
        let carried = left.min(self.carry.len());
        partial.append(self.carry.get(..carried).unwrap_or_default(), stream.len)?;
        self.carry.drain(..carried);
        let fresh = left.saturating_sub(carried).min(input.len());
        let (piece, rest) = input.split_at_checked(fresh).unwrap_or_default();
        partial.append(piece, stream.len)?;
        *input = rest;
        let moved = carried.saturating_add(fresh);
        self.partial_len = self.partial_len.saturating_add(moved);
        if self.partial_len > self.limits.max_partial_len {
            return Err(Error::PartialTooLarge { limit: self.limits.max_partial_len });
        }
        Ok(left.saturating_sub(moved))
    }

    /// The message of a chunk stream, if it is complete.
    fn take_complete(&mut self, id: u32) -> Option<Message> {
        let stream = self.streams.get_mut(&id)?;
        let partial =
            stream.partial.take_if(|partial| partial.buffer.len() >= to_usize(stream.len))?;
        self.partial_len = self.partial_len.saturating_sub(partial.buffer.len());
        Some(Message {
            chunk_stream: id,
            timestamp: stream.timestamp,
            kind: stream.kind,
            stream_id: stream.stream_id,
            payload: partial.buffer,
        })
    }

    fn set_chunk_size(&mut self, payload: &[u8]) -> Result<(), Error> {
        let size = payload.first_chunk().map(|&bytes| u32::from_be_bytes(bytes));
        // The top bit "must be zero" and is not part of the size.
        match size.map(|size| size & 0x7FFF_FFFF) {
            None | Some(0) => Err(Error::ChunkSize { size }),
            Some(usable) => {
                self.chunk_size = usable;
                Ok(())
            }
        }
    }

    fn abort(&mut self, payload: &[u8]) {
        let unfinished = payload
            .first_chunk()
            .and_then(|&id| self.streams.get_mut(&u32::from_be_bytes(id)))
            .and_then(|stream| stream.partial.take());
        if let Some(unfinished) = unfinished {
            self.drops.aborted = self.drops.aborted.saturating_add(1);
            self.partial_len = self.partial_len.saturating_sub(unfinished.buffer.len());
        }
    }
}

/// What one chunk stream remembers between chunks.
#[derive(Debug, Default)]
struct ChunkStream {
    timestamp: u32,
    delta: u32,
    len: u32,
    kind: u8,
    stream_id: u32,
    /// The extended timestamp of the last header that had a time field, if that one was extended.
    extended: Option<u32>,
    partial: Option<Partial>,
}

impl ChunkStream {
    /// Begins a message.
    fn apply(&mut self, header: MessageHeader, extended: Option<u32>) {
        match header {
            MessageHeader::Full { timestamp, len, kind, stream_id } => {
                self.timestamp = extended.unwrap_or(timestamp);
                self.delta = if self.timestamp <= MAX_FIRST_DELTA { self.timestamp } else { 0 };
                self.len = len;
                self.kind = kind;
                self.stream_id = stream_id;
            }
            MessageHeader::SameStream { delta, len, kind } => {
                self.advance(extended.unwrap_or(delta));
                self.len = len;
                self.kind = kind;
            }
            MessageHeader::DeltaOnly { delta } => self.advance(extended.unwrap_or(delta)),
            MessageHeader::None => match extended {
                // Not the field repeated, so it is the new message's own time.
                Some(time) if self.extended != Some(time) => self.timestamp = time,
                _ => self.advance(self.delta),
            },
        }
        if header != MessageHeader::None || extended.is_some() {
            self.extended = extended;
        }
    }

    fn advance(&mut self, delta: u32) {
        self.delta = delta;
        self.timestamp = self.timestamp.wrapping_add(delta);
    }

    /// Whether the four bytes after a fmt 3 header are an extended timestamp: the field of the last header again, or the
    /// message's own time.
    fn peek_extended(&self, rest: &[u8]) -> Peek {
        let Some(field) = self.extended else {
            return Peek::Absent;
        };
        let spread = if self.partial.is_some() { 0 } else { MAX_STEP };
        let known = rest.len().min(4);
        let mut first = [0; 4];
        let mut last = [0xFF; 4];
        for ((first, last), byte) in first.iter_mut().zip(&mut last).zip(rest) {
            (*first, *last) = (*byte, *byte);
        }
        let (first, last) = (u32::from_be_bytes(first), u32::from_be_bytes(last));
        let could_be = |low: u32, high: u32| first <= high && last >= low;
        if !could_be(field, field)
            && !could_be(self.timestamp, self.timestamp.saturating_add(spread))
        {
            Peek::Absent
        } else if known < 4 {
            Peek::Short
        } else {
            Peek::Present(first)
        }
    }
}

/// What stands where an extended timestamp may be.
enum Peek {
    Absent,
    Present(u32),
    /// Too few bytes to tell.
    Short,
}

/// A message being put together.
#[derive(Debug)]
struct Partial {
    buffer: TagBuffer,
    capacity: usize,
}

impl Partial {
    /// Room for a message of `len` bytes, as far as bytes at hand justify it.
    fn new(len: u32, at_hand: usize) -> Self {
        let capacity = at_hand.saturating_mul(2).max(MIN_CAPACITY).min(to_usize(len));
        Self { buffer: TagBuffer::with_capacity(capacity), capacity }
    }

    /// Appends `piece`. The buffer doubles, but not past the message's `len`: a finished tag lives on in the ring and
    /// should not hold room it does not use.
    fn append(&mut self, piece: &[u8], len: u32) -> Result<(), Error> {
        let needed = self.buffer.len().saturating_add(piece.len());
        if needed > self.capacity {
            self.capacity = needed.max(self.capacity.saturating_mul(2)).min(to_usize(len));
            let mut larger = TagBuffer::with_capacity(self.capacity);
            larger.extend_from_slice(self.buffer.data())?;
            self.buffer = larger;
        }
        Ok(self.buffer.extend_from_slice(piece)?)
    }
}

fn to_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// The highest timestamp of a fmt 0 header, in milliseconds, that a fmt 3 header straight after it can mean as a delta: the
/// distance of two pictures, or two blocks of sound, is hardly ever more than a second.
const MAX_FIRST_DELTA: u32 = 1000;

/// How far the time of a message may be ahead of the one before, in milliseconds, to be recognised as an extended
/// timestamp in a fmt 3 header.
const MAX_STEP: u32 = 10_000;

/// Encoders use 4 to 8; one in the field was seen with over 32.
const MAX_CHUNK_STREAMS: usize = 128;

/// Room made for a message of which nothing has come yet.
const MIN_CAPACITY: usize = 512;

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
