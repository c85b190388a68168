//! Numbers in codec strings, without the machinery of `format!`.

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

#[cfg(test)]
mod tests {
    use super::*;

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
