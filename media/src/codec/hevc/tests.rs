//! Against the record of a recording by x265, and what mp4-atom reads in it.

use mp4_atom::{Atom, Hvcc};
use proptest::prelude::*;

use super::{DecoderConfigurationRecord, PPS, ProfileTierLevel, SPS, Sps, VPS, parameter_set_id};
use crate::codec::Error;
use crate::flv::{Item, Reader, TagKind, video};

fn record_of(flv: &[u8]) -> Vec<u8> {
    let mut reader = Reader::new();
    reader.push(flv);
    loop {
        let Item::Tag(tag) = reader.next().unwrap().unwrap() else { continue };
        if tag.kind() == TagKind::Video {
            let head = video::Head::parse(tag.data()).unwrap();
            if head.is_sequence_header() {
                return tag.data()[head.body..].to_vec();
            }
        }
    }
}

fn recorded() -> Vec<u8> {
    record_of(include_bytes!("../../../../tests/fixtures/codecs/hevc.flv"))
}

fn recorded_hdr() -> Vec<u8> {
    record_of(include_bytes!("../../../../tests/fixtures/codecs/hevc-hdr.flv"))
}

#[test]
fn mp4_atom_reads_the_same() {
    for record in [recorded(), recorded_hdr()] {
        let theirs = Hvcc::decode_body(&mut record.as_slice()).unwrap();
        let ours = DecoderConfigurationRecord::parse(&record).unwrap();
        let sps = ours.parse_sps().unwrap();
        assert_eq!(ours.profile.profile & 0x1F, theirs.general_profile_idc);
        assert_eq!(
            ours.profile.compatibility.to_be_bytes(),
            theirs.general_profile_compatibility_flags
        );
        assert_eq!(ours.profile.constraints, theirs.general_constraint_indicator_flags);
        assert_eq!(ours.profile.level, theirs.general_level_idc);
        assert_eq!(ours.nal_length_size, theirs.length_size_minus_one + 1);
        assert_eq!(sps.chroma_format, theirs.chroma_format_idc);
        assert_eq!(sps.luma_bit_depth, theirs.bit_depth_luma_minus8 + 8);
        assert_eq!(sps.profile, ours.profile);
        assert_eq!((sps.width, sps.height), (192, 108));
        assert_eq!(sps.max_num_reorder, 2);
        let timing = sps.timing.unwrap();
        assert_eq!(timing.time_scale / timing.num_units_in_tick, 25);
    }
    let colour = |record: &[u8]| {
        let sps = DecoderConfigurationRecord::parse(record).unwrap().parse_sps().unwrap();
        sps.colour.map(|colour| (colour.primaries, colour.transfer, colour.matrix))
    };
    assert_eq!(colour(&recorded_hdr()), Some((9, 16, 9)));
}

#[test]
fn a_record_made_of_its_sets_says_the_same() {
    let parsed = DecoderConfigurationRecord::parse(&recorded()).unwrap();
    let sets: Vec<_> = parsed.sets.iter().cloned().chain([vec![39 << 1, 1, 5, 0, 0x80]]).collect();
    for length_size in 1..=4 {
        let written = DecoderConfigurationRecord::write(&sets, length_size).unwrap();
        let again = DecoderConfigurationRecord::parse(&written).unwrap();
        assert_eq!((again.nal_length_size, &again.sets), (length_size, &parsed.sets));
        assert_eq!(again.profile, parsed.profile);
        Hvcc::decode_body(&mut written.as_slice()).unwrap();
    }
    let without = &sets[..2];
    assert_eq!(DecoderConfigurationRecord::write(without, 4), Err(Error::NoParameterSets));
}

#[test]
fn sets_have_ids() {
    let parsed = DecoderConfigurationRecord::parse(&recorded()).unwrap();
    for set in &parsed.sets {
        assert_eq!(parameter_set_id(set), Some(0));
        assert!(matches!(set[0] >> 1, VPS | SPS | PPS));
    }
    assert_eq!(parameter_set_id(&[19 << 1, 1, 0x80]), None);
}

#[test]
fn codec_strings_of_annex_e() {
    let string = |profile, compatibility: u32, level, constraints: &[u8]| {
        let mut all = [0; 6];
        all[..constraints.len()].copy_from_slice(constraints);
        ProfileTierLevel { profile, compatibility, constraints: all, level }.codec_string()
    };
    assert_eq!(string(1, 0x6000_0000, 93, &[0xB0]), "hvc1.1.6.L93.b0");
    assert_eq!(string(0x22, 0x2000_0000, 153, &[]), "hvc1.2.4.H153");
    assert_eq!(string(0x44, 0x0800_0000, 120, &[0, 8]), "hvc1.A4.10.L120.0.8");
}

proptest! {
    #[test]
    fn any_bytes_any_cut(
        noise in prop::collection::vec(any::<u8>(), 0..80),
        cut in 0usize..200,
        at in 0usize..200,
        flip in 1u8..,
    ) {
        let _ = DecoderConfigurationRecord::parse(&noise);
        let _ = Sps::parse(&[&[SPS << 1, 1], noise.as_slice()].concat());
        let mut record = recorded_hdr();
        let at = at % record.len();
        record[at] ^= flip;
        record.truncate(cut.max(1));
        if let Ok(parsed) = DecoderConfigurationRecord::parse(&record)
            && let Ok(sps) = parsed.parse_sps()
        {
            prop_assert!(sps.width > 0 && sps.height > 0);
            let _ = DecoderConfigurationRecord::write(&parsed.sets, 4);
        }
    }
}
