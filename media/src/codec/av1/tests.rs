//! Against the record of a recording by libaom, and what mp4-atom reads in it.

use mp4_atom::{Atom, Av1c};
use proptest::prelude::*;

use super::{Obus, SEQUENCE_HEADER, Sequence, from_ts_descriptor, record, sequence_of, units_in};
use crate::codec::Error;
use crate::flv::{Item, Reader, TagKind, video};

/// The sequence header and the first picture of a recording.
fn recorded(flv: &[u8]) -> [Vec<u8>; 2] {
    let mut reader = Reader::new();
    reader.push(flv);
    let mut found = Vec::new();
    while found.len() < 2 {
        let Item::Tag(tag) = reader.next().unwrap().unwrap() else { continue };
        if tag.kind() == TagKind::Video {
            let head = video::Head::parse(tag.data()).unwrap();
            found.push(tag.data()[head.body..].to_vec());
        }
    }
    found.try_into().unwrap()
}

const WITH_RECORD: &[u8] = include_bytes!("../../../../tests/fixtures/codecs/av1-opus.flv");
const WITH_DESCRIPTOR: &[u8] = include_bytes!("../../../../tests/fixtures/codecs/av1-ts.flv");

#[test]
fn mp4_atom_reads_the_same() {
    let [header, _] = recorded(WITH_RECORD);
    let theirs = Av1c::decode_body(&mut header.as_slice()).unwrap();
    let (ours, unit) = sequence_of(units_in(&header).unwrap()).unwrap();
    assert_eq!((ours.width, ours.height), (192, 108));
    assert_eq!((ours.profile, ours.level), (theirs.seq_profile, theirs.seq_level_idx_0));
    assert_eq!(ours.bit_depth > 8, theirs.high_bitdepth);
    assert_eq!(
        (ours.subsampling_x, ours.subsampling_y),
        (theirs.chroma_subsampling_x, theirs.chroma_subsampling_y)
    );
    assert_eq!(theirs.config_obus, unit);
    assert_eq!(record(&ours, unit)[..3], header[..3]);
    assert_eq!(ours.chroma_format(), 1);
}

#[test]
fn a_descriptor_is_completed_by_the_first_picture() {
    let [descriptor, picture] = recorded(WITH_DESCRIPTOR);
    let [header, _] = recorded(WITH_RECORD);
    assert_eq!(from_ts_descriptor(&descriptor).unwrap(), header[..4]);
    let (sequence, unit) = sequence_of(&picture).unwrap();
    assert_eq!(record(&sequence, unit)[4..], header[4..]);
    assert_eq!(from_ts_descriptor(&[0x80, 4, 0x81]), Err(Error::Truncated));
    assert_eq!(from_ts_descriptor(&[0x81, 4, 0x81, 0, 0, 0]), Err(Error::NotIt));
}

proptest! {
    #[test]
    fn any_bytes_any_flip(
        noise in prop::collection::vec(any::<u8>(), 0..40), at in 0usize..40, flip in 1u8.., cut in 0usize..40,
    ) {
        let _ = Sequence::parse(&noise);
        let _ = (units_in(&noise), from_ts_descriptor(&noise));
        let [header, _] = recorded(WITH_RECORD);
        let unit = Obus::new(&header[4..]).find(|obu| obu.kind == SEQUENCE_HEADER).unwrap();
        let mut payload = unit.payload.to_vec();
        let at = at % payload.len();
        payload[at] ^= flip;
        payload.truncate(cut);
        if let Ok(sequence) = Sequence::parse(&payload) {
            prop_assert!(sequence.width > 0 && sequence.codec_string().len() >= 13);
        }
    }
}
