//! What a viewer says over a WebSocket (RFC 6455 §5): little, and all of it is read to be forgotten but for pings and
//! closes.
//!
//! ```text
//!  FIN RSV opcode | MASK length (7 bits) | length (0, 16 or 64 bits) | mask (32 bits) | payload, masked
//! ```

use axum::body::Bytes;
use bytes::{BufMut, BytesMut};

/// Reads frames without keeping them; see [`Reader::next`].
#[derive(Debug, Default)]
pub struct Reader {
    head: [u8; HEAD_MAX],
    /// Bytes of the head so far.
    have: usize,
    /// The frame whose payload is being read.
    frame: Option<Frame>,
    /// Bytes so far of a message whose end has not come.
    message: Option<u64>,
}

#[derive(Debug)]
struct Frame {
    opcode: u8,
    mask: [u8; 4],
    left: u64,
    /// Payload of a control frame.
    control: BytesMut,
}

/// Something that must be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// To be answered by a pong with the same bytes.
    Ping(Bytes),
    /// The peer closes, with this code if it gave one.
    Close(Option<u16>),
    /// The peer breaks the rules; it is to be told this code.
    Violation(u16),
}

impl Reader {
    /// Reads on in `bytes`, up to the next thing to answer.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<Said> {
        loop {
            if self.frame.is_none() {
                match self.read_head(bytes)? {
                    Ok(frame) => self.frame = Some(frame),
                    Err(code) => return Some(Said::Violation(code)),
                }
            }
            let frame = self.frame.as_mut()?;
            frame.read(bytes);
            if frame.left > 0 {
                return None;
            }
            let frame = self.frame.take()?;
            match frame.opcode {
                PING => return Some(Said::Ping(frame.control.freeze())),
                CLOSE => return Some(closing(&frame.control)),
                _ => {}
            }
        }
    }

    /// The next head; `None` if there is not all of it yet.
    fn read_head(&mut self, bytes: &mut &[u8]) -> Option<Result<Frame, u16>> {
        loop {
            let need = match self.head {
                [_, second, ..] if self.have >= 2 => 2 + extended(second) + 4,
                _ => 2,
            };
            // Before its length is waited for, what stands in front must be right.
            if self.have >= 2
                && let Err(code) = self.check()
            {
                return Some(Err(code));
            }
            if self.have == need {
                break;
            }
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            *self.head.get_mut(self.have)? = byte;
            self.have += 1;
        }
        Some(self.open())
    }

    /// Checks the first two bytes.
    fn check(&self) -> Result<(), u16> {
        let [first, second, ..] = self.head;
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0F);
        let is_right = first & 0x70 == 0
            && second & 0x80 != 0
            && match opcode {
                CONTINUATION => self.message.is_some(),
                TEXT | BINARY => self.message.is_none(),
                CLOSE | PING | PONG => is_final && second & 0x7F <= 125,
                _ => false,
            };
        if is_right { Ok(()) } else { Err(PROTOCOL_ERROR) }
    }

    /// A head is whole.
    fn open(&mut self) -> Result<Frame, u16> {
        let [first, second, rest @ ..] = self.head;
        let extended = extended(second);
        let (length, rest) = rest.split_at(extended);
        let length = match extended {
            0 => u64::from(second & 0x7F),
            _ => length.iter().fold(0, |length, &byte| length << 8 | u64::from(byte)),
        };
        let mask = rest.first_chunk().copied().unwrap_or_default();
        self.have = 0;
        let opcode = first & 0x0F;
        if matches!(opcode, CONTINUATION | TEXT | BINARY) {
            let len = self.message.unwrap_or(0).saturating_add(length);
            if len > MESSAGE_MAX {
                return Err(TOO_BIG);
            }
            self.message = (first & 0x80 == 0).then_some(len);
        }
        Ok(Frame { opcode, mask, left: length, control: BytesMut::new() })
    }
}

impl Frame {
    /// Takes what there is of the payload.
    fn read(&mut self, bytes: &mut &[u8]) {
        let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (payload, rest) = bytes.split_at(len);
        *bytes = rest;
        self.left -= len as u64;
        if matches!(self.opcode, CLOSE | PING) {
            for &byte in payload {
                let at = self.control.len() % self.mask.len();
                self.control.put_u8(byte ^ self.mask[at]);
            }
        }
    }
}

/// Bytes of the length behind the first two of a head.
fn extended(second: u8) -> usize {
    match second & 0x7F {
        126 => 2,
        127 => 8,
        _ => 0,
    }
}

/// The meaning of a close frame's payload (RFC 6455 §5.5.1, §7.4).
fn closing(payload: &[u8]) -> Said {
    match payload {
        [] => Said::Close(None),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let may_be_sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            match (may_be_sent, std::str::from_utf8(reason)) {
                (true, Ok(_)) => Said::Close(Some(code)),
                (true, Err(_)) => Said::Violation(NOT_TEXT),
                (false, _) => Said::Violation(PROTOCOL_ERROR),
            }
        }
        [_] => Said::Violation(PROTOCOL_ERROR),
    }
}

/// Two bytes, the length's eight, the mask's four.
const HEAD_MAX: usize = 14;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The peer does not follow the protocol.
pub const PROTOCOL_ERROR: u16 = 1002;
/// What should be text is not.
const NOT_TEXT: u16 = 1007;
/// The message is larger than will be read.
pub const TOO_BIG: u16 = 1009;

/// The largest message a viewer may send before it is shown out.
const MESSAGE_MAX: u64 = 4 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            len @ ..=125 => bytes.push(0x80 | len as u8),
            len => {
                bytes.push(0x80 | 126);
                bytes.extend((len as u16).to_be_bytes());
            }
        }
        let mask = [0x12, 0x34, 0x56, 0x78];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// Everything that is said in `bytes` when they come in pieces of `size`.
    fn read(bytes: &[u8], size: usize) -> Vec<Said> {
        let mut reader = Reader::default();
        let mut said = Vec::new();
        for mut piece in bytes.chunks(size) {
            while let Some(word) = reader.next(&mut piece) {
                let is_end = !matches!(word, Said::Ping(_));
                said.push(word);
                if is_end {
                    return said;
                }
            }
        }
        said
    }

    #[test]
    fn words_are_forgotten_but_for_pings_and_closes() {
        let bytes = [
            frame(0x81, b"hello"),
            frame(0x89, b"one"),
            frame(0x02, &[7; 2000]),
            frame(0x89, b""),
            frame(0x80, &[7; 2096]),
            frame(0x8A, b"pong"),
            frame(0x88, b"\x03\xE8bye"),
            frame(0x89, b"unheard"),
        ]
        .concat();
        let said = [
            Said::Ping(Bytes::from_static(b"one")),
            Said::Ping(Bytes::new()),
            Said::Close(Some(1000)),
        ];
        for size in [1, 2, 3, 7, 100, 10_000] {
            assert_eq!(read(&bytes, size), said, "pieces of {size}");
        }
    }

    #[test]
    fn who_breaks_the_rules_is_told_which() {
        let unmasked = vec![0x81, 1, b'x'];
        let huge = vec![0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
        for (bytes, code) in [
            (unmasked, PROTOCOL_ERROR),
            (frame(0xC1, b"reserved bit"), PROTOCOL_ERROR),
            (frame(0x83, b"reserved opcode"), PROTOCOL_ERROR),
            (frame(0x80, b"continues nothing"), PROTOCOL_ERROR),
            ([frame(0x01, b"not over"), frame(0x81, b"new")].concat(), PROTOCOL_ERROR),
            (frame(0x09, b"half a ping"), PROTOCOL_ERROR),
            (frame(0x89, &[0; 126]), PROTOCOL_ERROR),
            (frame(0x88, &[3]), PROTOCOL_ERROR),
            (frame(0x88, &1005_u16.to_be_bytes()), PROTOCOL_ERROR),
            (frame(0x88, b"\x03\xE8\xFF"), NOT_TEXT),
            (frame(0x82, &[0; 4097]), TOO_BIG),
            ([frame(0x02, &[0; 4000]), frame(0x00, &[0; 97])].concat(), TOO_BIG),
            (huge, TOO_BIG),
        ] {
            for size in [1, 10_000] {
                assert_eq!(read(&bytes, size), [Said::Violation(code)], "{bytes:02X?}");
            }
        }
    }

    proptest! {
        #[test]
        fn noise_is_said_the_same_in_any_pieces(bytes: Vec<u8>, size in 1..50_usize) {
            prop_assert_eq!(read(&bytes, size), read(&bytes, usize::MAX));
        }
    }
}
