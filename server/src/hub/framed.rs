//! Bytes with room for a transport's framing around them, in one allocation that all viewers share.
//!
//! What stands around media is the same for every viewer of a transport, so it is written once, not once per viewer:
//!
//! ```text
//! | head of a WebSocket frame | size in hex, CR LF | the bytes | CR LF |
//!                             '------- a chunk of HTTP/1.1 -------'
//! ```

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

/// Some bytes, and the same bytes as one chunk or one message.
#[derive(Clone)]
pub struct Framed {
    whole: Bytes,
    /// The bytes themselves, a part of `whole`.
    bytes: Bytes,
    /// Length of the frame's head.
    frame_head: usize,
}

impl Framed {
    /// Joins `parts`; this is the only copy.
    pub fn join<'a>(parts: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let len = parts.clone().map(<[u8]>::len).sum();
        let mut whole = BytesMut::with_capacity(len + OVERHEAD_MAX);
        put_frame_head(&mut whole, len);
        let frame_head = whole.len();
        put_size(&mut whole, len);
        let start = whole.len();
        for part in parts {
            whole.put_slice(part);
        }
        whole.put_slice(b"\r\n");
        let whole = whole.freeze();
        let bytes = whole.slice(start..start + len);
        Self { whole, bytes, frame_head }
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes as one chunk (RFC 9112 §7.1); nothing if there are none, because an empty chunk would be the last.
    pub fn chunk(&self) -> Bytes {
        if self.bytes.is_empty() { Bytes::new() } else { self.whole.slice(self.frame_head..) }
    }

    /// The head that makes the bytes one binary message of a server (RFC 6455 §5.2), to be sent in front of them.
    pub fn frame_head(&self) -> Bytes {
        self.whole.slice(..self.frame_head)
    }
}

impl fmt::Debug for Framed {
    /// Without the bytes: there may be megabytes of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framed").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// FIN, opcode 2; a server does not mask.
fn put_frame_head(out: &mut BytesMut, len: usize) {
    out.put_u8(0x82);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ ..=125), _) => out.put_u8(short),
        (_, Ok(len)) => {
            out.put_u8(126);
            out.put_u16(len);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(len as u64);
        }
    }
}

fn put_size(out: &mut BytesMut, len: usize) {
    let digits = (usize::BITS - len.leading_zeros()).div_ceil(4).max(1);
    for at in (0..digits).rev() {
        out.put_u8(b"0123456789ABCDEF"[len >> (4 * at) & 0xF]);
    }
    out.put_slice(b"\r\n");
}

/// The longest frame's head, the longest size, and both line ends.
const OVERHEAD_MAX: usize = 10 + 16 + 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_stands_around_the_same_bytes() {
        for (len, size, head) in [
            (0, "0", &[0x82, 0][..]),
            (1, "1", &[0x82, 1]),
            (125, "7D", &[0x82, 125]),
            (126, "7E", &[0x82, 126, 0, 126]),
            (4096, "1000", &[0x82, 126, 0x10, 0]),
            (65_535, "FFFF", &[0x82, 126, 0xFF, 0xFF]),
            (65_536, "10000", &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let data: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let framed = Framed::join(data.chunks(1000));
            assert!(framed.bytes() == &data);
            assert_eq!(framed.frame_head(), head);
            let chunk = [size.as_bytes(), b"\r\n", &data, b"\r\n"].concat();
            assert!(framed.chunk() == if len == 0 { vec![] } else { chunk });
        }
    }
}
