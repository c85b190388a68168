//! The inside of a coded picture.

use alloc::vec::Vec;

use crate::Bytes;

use super::WarningKind;
#[cfg(feature = "codecs")]
use crate::codec::av1;
#[cfg(feature = "codecs")]
use crate::codec::nal::{AnnexB, is_annex_b};
use crate::codec::nal::{Nal, NalUnits};

/// A picture whose lengths fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) data: Bytes,
    /// It has a slice of an IDR picture.
    pub(super) idr: bool,
    /// It had to be repaired.
    pub(super) repaired: Option<WarningKind>,
}

#[cfg(feature = "codecs")]
impl Picture {
    /// A picture that is taken as it is.
    pub(super) fn whole(data: Bytes) -> Self {
        Self { data, idr: false, repaired: None }
    }
}

/// An AV1 temporal unit without its delimiter, as MP4 has it. `None` is one of nothing.
#[cfg(feature = "codecs")]
pub(super) fn temporal_unit(body: Bytes) -> Option<Picture> {
    let data = body.slice(av1::without_delimiters(&body).min(body.len())..);
    (!data.is_empty()).then(|| Picture::whole(data))
}

/// Checks the lengths of a picture of NAL units: a browser that meets a wrong one gives up the stream.
///
/// With the feature `codecs` start codes are turned into lengths. Empty NAL units and padding are left out. `None` is a
/// picture of nothing.
pub(super) fn picture(
    body: Bytes,
    nal: Nal,
    length_size: u8,
) -> Result<Option<Picture>, WarningKind> {
    let mut idr = false;
    let mut end: usize = 0;
    let mut units: usize = 0;
    let mut empty: usize = 0;
    for unit in NalUnits::new(&body, length_size) {
        let Ok(unit) = unit else {
            #[cfg(feature = "codecs")]
            return from_start_codes(&body, nal, length_size);
            #[cfg(not(feature = "codecs"))]
            return Err(WarningKind::CorruptFrame);
        };
        end = end.wrapping_add(length_size.into()).saturating_add(unit.len());
        units = units.wrapping_add(1);
        empty = empty.wrapping_add(usize::from(unit.is_empty()));
        idr |= nal.is_idr(unit);
    }
    if units == empty {
        return Ok(None);
    }
    let data = if empty > 0 {
        let units = NalUnits::new(&body, length_size).flatten().filter(|unit| !unit.is_empty());
        with_lengths(units, length_size, body.len())?
    } else {
        body.slice(..end)
    };
    Ok(Some(Picture { data, idr, repaired: None }))
}

#[cfg(feature = "codecs")]
fn from_start_codes(
    body: &[u8],
    nal: Nal,
    length_size: u8,
) -> Result<Option<Picture>, WarningKind> {
    if !is_annex_b(body) {
        return Err(WarningKind::CorruptFrame);
    }
    let idr = AnnexB::new(body).any(|unit| nal.is_idr(unit));
    // A start code of three bytes may become a length of four.
    let room = body.len().wrapping_add(AnnexB::new(body).count());
    let data = with_lengths(AnnexB::new(body), length_size, room)?;
    let picture = Picture { data, idr, repaired: Some(WarningKind::AnnexB) };
    Ok((!picture.data.is_empty()).then_some(picture))
}

fn with_lengths<'a>(
    units: impl Iterator<Item = &'a [u8]>,
    length_size: u8,
    room: usize,
) -> Result<Bytes, WarningKind> {
    let mut data = Vec::with_capacity(room);
    for unit in units {
        let length =
            u32::try_from(unit.len()).map_err(|_| WarningKind::CorruptFrame)?.to_be_bytes();
        let (unsaid, said) =
            length.split_at(length.len().saturating_sub(length_size.clamp(1, 4).into()));
        if unsaid.iter().any(|&byte| byte != 0) {
            return Err(WarningKind::CorruptFrame);
        }
        data.extend_from_slice(said);
        data.extend_from_slice(unit);
    }
    Ok(data.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &'static [u8], length_size: u8) -> Result<Option<Picture>, WarningKind> {
        picture(Bytes::from_static(body), Nal::Avc, length_size)
    }

    #[test]
    fn a_sound_picture_is_not_copied() {
        let body = Bytes::from_static(&[0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 0x06]);
        let picture = picture(body.clone(), Nal::Avc, 4).unwrap().unwrap();
        assert_eq!(picture.data.as_ptr(), body.as_ptr());
        assert_eq!(picture.data, body);
        assert!(picture.idr && picture.repaired.is_none());
    }

    #[test]
    fn padding_and_empty_units_are_left_out() {
        let padded = check(&[0, 0, 0, 1, 0x41, 0, 0], 4).unwrap().unwrap();
        assert_eq!(padded.data, [0, 0, 0, 1, 0x41][..]);
        assert!(!padded.idr);
        let empty = check(&[0, 0, 0, 0, 0, 0, 0, 1, 0x65], 4).unwrap().unwrap();
        assert_eq!(empty.data, [0, 0, 0, 1, 0x65][..]);
        assert_eq!(check(&[], 4), Ok(None));
        assert_eq!(check(&[0, 0, 0, 0], 4), Ok(None));
    }

    #[cfg(feature = "codecs")]
    #[test]
    fn start_codes_become_lengths_of_the_size_announced() {
        let stream = &[0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x65, 8, 7];
        let picture = check(stream, 4).unwrap().unwrap();
        assert_eq!(picture.data, [0, 0, 0, 2, 0x67, 9, 0, 0, 0, 3, 0x65, 8, 7][..]);
        assert!(picture.idr);
        assert_eq!(picture.repaired, Some(WarningKind::AnnexB));
        let picture = check(stream, 2).unwrap().unwrap();
        assert_eq!(picture.data, [0, 2, 0x67, 9, 0, 3, 0x65, 8, 7][..]);
    }

    #[test]
    fn lengths_past_the_end_are_corrupt() {
        assert_eq!(check(&[0, 0, 0, 9, 0x65], 4), Err(WarningKind::CorruptFrame));
        assert_eq!(check(&[0xFF, 0xFF, 0xFF, 0xFF], 4), Err(WarningKind::CorruptFrame));
    }

    #[test]
    fn a_unit_too_long_for_its_length_is_corrupt() {
        let mut stream = vec![0, 0, 1];
        stream.resize(303, 0x65);
        assert_eq!(picture(stream.into(), Nal::Avc, 1), Err(WarningKind::CorruptFrame));
    }
}
