//! Bytes and times as text.

use std::{
    borrow::Cow,
    fmt::{self, Write},
    time::{Duration, SystemTime},
};

use crate::hex::unhex_pair;

/// RFC 4648 §5, without padding.
pub(super) fn base64url(bytes: &[u8]) -> String {
    let letter = |bits: u32| match (bits & 63) as u8 {
        value @ 0..26 => b'A' + value,
        value @ 26..52 => b'a' + (value - 26),
        value @ 52..62 => b'0' + (value - 52),
        62 => b'-',
        _ => b'_',
    };
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or_default()));
        let letters = [bits >> 18, bits >> 12, bits >> 6, bits].map(letter).map(char::from);
        text.extend(letters.into_iter().take(group.len() + 1));
    }
    text
}

/// Letters of an MD5 in base64 without padding.
pub(super) const BASE64_MD5_LEN: usize = 22;

/// Replaces `%41` by `A`; a `%` that begins no escape stays.
pub(in crate::access) fn percent_decode(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after
            .split_first_chunk::<2>()
            .filter(|_| byte == b'%')
            .and_then(|(pair, after)| Some((unhex_pair(*pair)?, after)));
        let (byte, after) = escaped.unwrap_or((byte, after));
        decoded.push(byte);
        rest = after;
    }
    Cow::Owned(decoded)
}

/// Escapes all but letters, digits, `-._~` and what is in `kept`.
pub(in crate::access) fn percent_encode(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || "-._~".contains(letter) || kept.contains(letter) {
            encoded.push(letter);
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Seconds as people say them.
pub(super) struct Span(pub(super) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds @ ..120 => write!(f, "{seconds} s"),
            seconds @ 120..7200 => write!(f, "{} min", seconds / 60),
            seconds @ 7200..172_800 => write!(f, "{} h", seconds / 3600),
            seconds => write!(f, "{} days", seconds / 86_400),
        }
    }
}

/// Unix seconds as a date.
pub(super) struct Clock(pub(super) u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A date that HTTP cannot say is no date of a clock.
        match SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.0)) {
            Some(time) if self.0 < YEAR_9999 => write!(f, "{}", httpdate::HttpDate::from(time)),
            _ => write!(f, "{}", self.0),
        }
    }
}

/// The last year of four digits begins.
const YEAR_9999: u64 = 253_370_764_800;
