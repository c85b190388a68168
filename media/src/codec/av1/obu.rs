/// An open bitstream unit (5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obu<'a> {
    /// `obu_type`.
    pub kind: u8,
    /// What it holds, without header.
    pub payload: &'a [u8],
    /// The whole of it.
    pub bytes: &'a [u8],
}

/// The units of a temporal unit or of a record, in the low-overhead format (5.2). Ends at the first
/// that does not fit.
#[derive(Clone, Debug)]
pub struct Obus<'a> {
    rest: &'a [u8],
}

impl<'a> Obus<'a> {
    /// The units of `data`.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// Whether everything was units.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Obus<'a> {
    type Item = Obu<'a>;

    fn next(&mut self) -> Option<Obu<'a>> {
        let data = self.rest;
        let (&header, mut after) = data.split_first()?;
        if header & FORBIDDEN != 0 {
            return None;
        }
        if header & EXTENSION != 0 {
            after = after.get(1..)?;
        }
        // Only the last unit may leave its size out.
        let (payload, rest) = if header & HAS_SIZE == 0 {
            (after, &[][..])
        } else {
            let (size, after) = leb128(after)?;
            after.split_at_checked(usize::try_from(size).ok()?)?
        };
        self.rest = rest;
        let len = data.len().saturating_sub(rest.len());
        Some(Obu { kind: header >> 3 & 15, payload, bytes: data.get(..len)? })
    }
}

/// `leb128()` (4.10.5): a number in groups of seven bits, and what follows it.
fn leb128(data: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    for (index, &byte) in data.iter().take(8).enumerate() {
        let shift = u32::try_from(index).ok()?.saturating_mul(7);
        value |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, data.get(index.saturating_add(1)..)?));
        }
    }
    None
}

/// Where the samples of MP4 begin in a temporal unit: without the delimiters in front.
#[must_use]
pub fn without_delimiters(unit: &[u8]) -> usize {
    let mut start: usize = 0;
    for obu in Obus::new(unit) {
        if obu.kind != TEMPORAL_DELIMITER {
            break;
        }
        start = start.saturating_add(obu.bytes.len());
    }
    start
}

const FORBIDDEN: u8 = 0x80;
const EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;
/// `OBU_SEQUENCE_HEADER`.
pub const SEQUENCE_HEADER: u8 = 1;
/// `OBU_TEMPORAL_DELIMITER`.
pub const TEMPORAL_DELIMITER: u8 = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_with_and_without_size() {
        let data = [0x12, 0, 0x0A, 2, 7, 8, 0x34, 0x55, 9, 9];
        let units: Vec<_> = Obus::new(&data).collect();
        assert_eq!(units.len(), 3);
        assert_eq!((units[0].kind, units[0].payload), (TEMPORAL_DELIMITER, &[][..]));
        assert_eq!((units[1].kind, units[1].payload), (SEQUENCE_HEADER, &[7, 8][..]));
        assert_eq!((units[2].kind, units[2].payload), (6, &[9, 9][..]), "extension, no size");
        assert_eq!(units[1].bytes, &data[2..6]);
        assert_eq!(without_delimiters(&data), 2);
        assert_eq!(without_delimiters(&data[2..]), 0);
    }

    #[test]
    fn a_size_past_the_end_ends() {
        let mut units = Obus::new(&[0x0A, 0x80, 0x01, 1]);
        assert_eq!(units.next(), None);
        assert!(!units.is_at_end());
    }

    proptest! {
        #[test]
        fn any_bytes_end(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let total: usize = Obus::new(&data).map(|obu| obu.bytes.len()).sum();
            prop_assert!(total <= data.len());
            prop_assert!(without_delimiters(&data) <= data.len());
        }
    }
}
