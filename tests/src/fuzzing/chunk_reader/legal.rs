//! A writer that uses all the forms the specification allows: every kind of header where it may stand, chunk streams
//! woven into each other, chunk sizes that change inside messages, messages given up.

use std::collections::BTreeMap;

use pushpull_rtmp::chunk::{DEFAULT_CHUNK_SIZE, Drops};
use pushpull_rtmp::message::kind;

use super::{CHUNK_STREAMS, KINDS, MAX_WRITTEN, Read, Script, expect};

pub(super) fn check(script: &mut Script<'_>, seed: u8) {
    let mut peer = Peer { chunk_size: DEFAULT_CHUNK_SIZE as usize, ..Peer::default() };
    while !script.is_over() && peer.out.len() < MAX_WRITTEN {
        match script.byte() % 8 {
            0 => peer.set_chunk_size(1 + u32::from(script.byte()) * 9),
            1 => peer.abort(script.pick(&CHUNK_STREAMS)),
            2..5 => peer.begin(script),
            _ => peer.go_on(script.pick(&CHUNK_STREAMS)),
        }
    }
    while let Some(&id) = peer.open.keys().next() {
        peer.go_on(id);
    }
    expect(&peer.out, seed, peer.expected, peer.drops);
}

#[derive(Default)]
struct Peer {
    chunk_size: usize,
    last: BTreeMap<u32, Last>,
    /// Messages that are not complete: what is known of each, and how much of it was written.
    open: BTreeMap<u32, (Read, usize)>,
    out: Vec<u8>,
    expected: Vec<Read>,
    drops: Drops,
}

/// The last header of a chunk stream.
#[derive(Clone, Copy)]
struct Last {
    time: u32,
    /// `None` straight after fmt 0: what fmt 3 would mean then, readers disagree on.
    delta: Option<u32>,
    len: usize,
    kind: u8,
    stream_id: u32,
    extended: Option<u32>,
    /// Whether this encoder repeats an extended timestamp in the chunks that follow.
    repeats: bool,
}

impl Peer {
    fn begin(&mut self, script: &mut Script<'_>) {
        let id = script.pick(&CHUNK_STREAMS);
        let known = self.last.get(&id).copied();
        // Fmt 3 in the middle of a message would go on with it.
        let fmts = match known {
            None => 1,
            Some(Last { delta: Some(_), .. }) if !self.open.contains_key(&id) => 4,
            Some(_) => 3,
        };
        let fmt = script.below(fmts);
        let field = script.time();
        let mut payload = script.payload();
        let mut now = known.unwrap_or(Last {
            time: 0,
            delta: None,
            len: 0,
            kind: 0,
            stream_id: 0,
            extended: None,
            repeats: true,
        });
        if fmt < 2 {
            (now.len, now.kind) = (payload.len(), script.pick(&KINDS));
        }
        if fmt == 0 {
            now.stream_id = script.pick(&[0, 1, 7]);
            (now.time, now.delta) = (field, None);
        } else {
            let delta = if fmt < 3 { field } else { now.delta.unwrap_or_default() };
            (now.time, now.delta) = (now.time.wrapping_add(delta), Some(delta));
        }
        if fmt < 3 {
            now.extended = (field >= 0xFF_FFFF).then_some(field);
            now.repeats = !script.byte().is_multiple_of(4) || now.len == 0;
        }
        payload.resize(now.len, 0);
        if !now.repeats {
            // Without the repetition a reader can only tell by what stands there: it must not look like one, nor like
            // the time of a message soon after the last.
            let before = known.map_or(0, |last| last.time);
            let like =
                [now.extended.unwrap_or(0), now.time, before, before.saturating_add(1 << 16)];
            let like = like.map(|time| time.to_be_bytes()[0]);
            payload.fill((0..5).find(|byte| !like.contains(byte)).unwrap_or_default());
        }
        if self.open.remove(&id).is_some() {
            self.drops.superseded += 1;
        }
        self.basic_header(fmt as u8, id);
        if fmt < 3 {
            self.out.extend_from_slice(&field.min(0xFF_FFFF).to_be_bytes()[1..]);
        }
        if fmt < 2 {
            self.out.extend_from_slice(&(now.len as u32).to_be_bytes()[1..]);
            self.out.push(now.kind);
        }
        if fmt == 0 {
            self.out.extend_from_slice(&now.stream_id.to_le_bytes());
        }
        if let Some(time) = now.extended.filter(|_| fmt < 3 || now.repeats) {
            self.out.extend_from_slice(&time.to_be_bytes());
        }
        self.last.insert(id, now);
        self.open.insert(id, ((id, now.time, now.kind, now.stream_id, payload), 0));
        self.piece(id);
    }

    fn go_on(&mut self, id: u32) {
        if !self.open.contains_key(&id) {
            return;
        }
        self.basic_header(3, id);
        let last = &self.last[&id];
        if let Some(time) = last.extended.filter(|_| last.repeats) {
            self.out.extend_from_slice(&time.to_be_bytes());
        }
        self.piece(id);
    }

    /// As much of the open message as a chunk holds.
    fn piece(&mut self, id: u32) {
        let Some((message, written)) = self.open.get_mut(&id) else { return };
        let rest = &message.4[*written..];
        let len = rest.len().min(self.chunk_size);
        self.out.extend_from_slice(&rest[..len]);
        *written += len;
        if *written == message.4.len()
            && let Some((message, _)) = self.open.remove(&id)
        {
            self.expected.push(message);
        }
    }

    fn set_chunk_size(&mut self, size: u32) {
        self.control(kind::SET_CHUNK_SIZE, size);
        self.chunk_size = size as usize;
    }

    fn abort(&mut self, id: u32) {
        self.control(kind::ABORT, id);
        if self.open.remove(&id).is_some() {
            self.drops.aborted += 1;
        }
    }

    /// A control message of four bytes on chunk stream 2, with a full header.
    fn control(&mut self, kind: u8, value: u32) {
        self.out.extend_from_slice(&[2, 0, 0, 0, 0, 0, 4, kind, 0, 0, 0, 0]);
        for (n, piece) in value.to_be_bytes().chunks(self.chunk_size).enumerate() {
            if n > 0 {
                self.out.push(0xC2);
            }
            self.out.extend_from_slice(piece);
        }
    }

    fn basic_header(&mut self, fmt: u8, id: u32) {
        let fmt = fmt << 6;
        match id {
            ..64 => self.out.push(fmt | id as u8),
            64..320 => self.out.extend_from_slice(&[fmt, (id - 64) as u8]),
            _ => {
                self.out.push(fmt | 1);
                self.out.extend_from_slice(&((id - 64) as u16).to_le_bytes());
            }
        }
    }
}
