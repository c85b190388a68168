//! As much of X.509 as it takes to tell until when a certificate is valid.

use crate::time::Moment;

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From then on.
    pub from: Moment,
    /// Up to then.
    pub until: Moment,
}

/// When the certificate in `der` is valid (RFC 5280 §4.1); `None` if it is not understood.
pub fn validity(der: &[u8]) -> Option<Validity> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut signed, _) = element(certificate, SEQUENCE)?;
    // Version (not in those of 1988), serial number, algorithm, issuer.
    if let Some((_, rest)) = element(signed, VERSION) {
        signed = rest;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, signed) = element(signed, tag)?;
    }
    let (validity, _) = element(signed, SEQUENCE)?;
    let (from, rest) = time(validity)?;
    let (until, _) = time(rest)?;
    Some(Validity { from, until })
}

/// The contents of the element in front, which must have this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let mut len = usize::from(first);
    if first & 0x80 != 0 {
        let bytes;
        (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
        if bytes.is_empty() || bytes.len() > 3 {
            return None;
        }
        len = bytes.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
    }
    rest.split_at_checked(len)
}

/// The time in front (RFC 5280 §4.1.2.5), and what follows it.
fn time(der: &[u8]) -> Option<(Moment, &[u8])> {
    let (year, text, rest) = if let Some((text, rest)) = element(der, UTC_TIME) {
        let year = number(text.get(..2)?)?;
        (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?, rest)
    } else {
        let (text, rest) = element(der, GENERALIZED_TIME)?;
        (number(text.get(..4)?)?, text.get(4..)?, rest)
    };
    let (digits, b"Z") = text.split_at_checked(10)? else { return None };
    let mut fields = digits.chunks(2).map(number);
    let mut field = |range: std::ops::RangeInclusive<i64>| {
        fields.next().flatten().filter(|value| range.contains(value))
    };
    let (month, day) = (field(1..=12)?, field(1..=31)?);
    let (hour, minute, second) = (field(0..=23)?, field(0..=59)?, field(0..=60)?);
    Some((Moment::of(year, month, day, hour * 3600 + minute * 60 + second), rest))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, &digit| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    })
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made(from: i32, until: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 2, 3);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        for (from, until) in [(1999, 2026), (2026, 2049), (2049, 2051), (1950, 9999)] {
            let validity = validity(&made(from, until)).unwrap();
            assert_eq!(validity.from.date(), (from.into(), 2, 3));
            assert_eq!(validity.until.date(), (until.into(), 12, 31));
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_file_is_survived(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            cut in 0_usize..600,
            at in 0_usize..200,
            byte: u8,
        ) {
            let _ = validity(&bytes);
            let mut der = made(2026, 2027);
            der.truncate(cut);
            if let Some(place) = der.get_mut(at) {
                *place = byte;
            }
            let _ = validity(&der);
        }
    }
}
