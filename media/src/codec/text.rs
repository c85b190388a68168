//! Numbers in codec strings, without the machinery of `format!`.

use alloc::string::String;

/// Appends `byte` as two hexadecimal digits in lower case.
pub(crate) fn push_hex(out: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        out.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
    }
}

/// Appends `number` in decimal, with zeros in front up to `width` digits.
pub(crate) fn push_number(out: &mut String, number: u8, width: u32) {
    for (place, scale) in [(3, 100), (2, 10), (1, 1)] {
        if place <= width || number >= scale {
            let digit = number.checked_div(scale).unwrap_or(0) % 10;
            out.push(char::from_digit(digit.into(), 10).unwrap_or('0'));
        }
    }
}

/// A FourCC as text; what is no printable character becomes a question mark.
pub(crate) fn fourcc(bytes: [u8; 4]) -> String {
    bytes.map(|byte| if byte.is_ascii_graphic() { char::from(byte) } else { '?' }).iter().collect()
}

/// `prefix`, and `number` behind it.
pub(crate) fn numbered(prefix: &str, number: u8) -> String {
    let mut text = String::from(prefix);
    push_number(&mut text, number, 1);
    text
}

/// The type of MP4 with one track, as `addSourceBuffer` wants it: `kind` is `video` or `audio`.
pub(crate) fn mp4_mime(kind: &str, codec: &str) -> String {
    let mut mime = String::from(kind);
    mime.push_str("/mp4;codecs=\"");
    mime.push_str(codec);
    mime.push('"');
    mime
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(fourcc(*b"av0\0"), "av0?");
        assert_eq!(numbered("codec id ", 9), "codec id 9");
        assert_eq!(mp4_mime("audio", "opus"), "audio/mp4;codecs=\"opus\"");
    }

    #[test]
    fn digits() {
        for number in 0..=255u8 {
            let mut text = String::new();
            push_hex(&mut text, number);
            push_number(&mut text, number, 1);
            push_number(&mut text, number, 2);
            assert_eq!(text, format!("{number:02x}{number}{number:02}"));
        }
    }
}
