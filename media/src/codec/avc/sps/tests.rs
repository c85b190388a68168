use proptest::prelude::*;

use super::super::Colour;
use super::*;

/// What x264 wrote for thirteen kinds of picture: name and NAL unit (`testdata/make.sh`).
fn recorded() -> Vec<(&'static str, Vec<u8>)> {
    include_str!("../../../../testdata/sps.txt")
        .lines()
        .map(|line| {
            let (name, hex) = line.split_once(' ').unwrap();
            let bytes = hex.as_bytes().chunks(2);
            let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            (name, bytes.map(byte).collect())
        })
        .collect()
}

fn sps(name: &str) -> Sps {
    let found = recorded().into_iter().find(|(n, _)| n.starts_with(name)).unwrap();
    Sps::parse(&found.1).unwrap()
}

#[test]
fn sizes_are_those_that_were_encoded() {
    for (name, size) in [
        ("baseline", (640, 360)),
        ("main-cropped", (1920, 1080)),
        ("high-cropped", (854, 480)),
        ("high-interlaced", (720, 576)),
        ("high422-cropped", (322, 242)),
        ("high444-cropped", (321, 241)),
        ("high-grey", (320, 240)),
    ] {
        let sps = sps(name);
        assert_eq!((sps.width, sps.height), size, "{name}");
    }
}

#[test]
fn formats_and_codec_strings() {
    assert_eq!(sps("baseline").codec_string(), "avc1.42c01e");
    assert_eq!(sps("main").codec_string(), "avc1.4d4028");
    assert_eq!(sps("high-cropped").codec_string(), "avc1.64001f");
    let ten_bit = sps("high10");
    assert_eq!((ten_bit.luma_bit_depth, ten_bit.chroma_bit_depth), (10, 10));
    assert_eq!(sps("high422").chroma_format, 2);
    assert_eq!(sps("high444").chroma_format, 3);
    assert_eq!(sps("baseline").chroma_format, 1);
}

#[test]
fn usability_information() {
    let sps_of_four_thirds = sps("high-pixels-4:3");
    assert_eq!(sps_of_four_thirds.vui.sample_aspect_ratio, Some((16, 15)));
    assert_eq!(sps("high-pixels-table").vui.sample_aspect_ratio, Some((40, 33)));

    let timing = sps("baseline").vui.timing.unwrap();
    assert!((timing.frame_rate() - 30000.0 / 1001.0).abs() < 1e-9);
    assert!(!timing.fixed_frame_rate, "ffmpeg asks x264 for a variable rate");

    let reorder = |name| sps(name).vui.bitstream_restriction.unwrap().max_num_reorder_frames;
    assert_eq!(reorder("baseline"), 0);
    assert_eq!(reorder("high-cropped"), 2);
    assert_eq!(reorder("high-hrd"), 2);

    let colour = Colour { primaries: 1, transfer: 1, matrix: 1, full_range: true };
    assert_eq!(sps("high-colour").vui.colour, Some(colour));
    assert_eq!(sps("baseline").vui.colour, None);
}

#[test]
fn scuffle_h264_reads_the_same() {
    for (name, unit) in recorded() {
        let ours = Sps::parse(&unit).unwrap();
        let theirs = scuffle_h264::Sps::parse_with_emulation_prevention(unit.as_slice()).unwrap();
        assert_eq!((ours.profile, ours.level), (theirs.profile_idc, theirs.level_idc), "{name}");
        assert_eq!(ours.max_ref_frames, u32::from(theirs.max_num_ref_frames), "{name}");
        let ext = theirs.ext.as_ref();
        assert_eq!(ours.chroma_format, ext.map_or(1, |e| e.chroma_format_idc), "{name}");
        assert_eq!(ours.luma_bit_depth, ext.map_or(8, |e| e.bit_depth_luma_minus8 + 8), "{name}");
        // It assumes frames of 4:2:0 when it crops.
        if ours.chroma_format == 1 && theirs.mb_adaptive_frame_field_flag.is_none() {
            let size = (u64::from(ours.width), u64::from(ours.height));
            assert_eq!(size, (theirs.width(), theirs.height()), "{name}");
        }
        assert_eq!(ours.vui.timing.map(|t| t.frame_rate()), theirs.frame_rate(), "{name}");
        assert_eq!(
            ours.vui.colour.map(|c| (c.primaries, c.transfer, c.matrix, c.full_range)),
            theirs.color_config.map(|c| (
                c.color_primaries,
                c.transfer_characteristics,
                c.matrix_coefficients,
                c.video_full_range_flag
            )),
            "{name}"
        );
    }
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(Sps::parse(&[]), Err(TRUNCATED));
    assert_eq!(Sps::parse(&[0x68, 0xCE]), Err(Error::NotSps { unit_type: 8 }));
    assert_eq!(Sps::parse(&[0x67, 100, 0, 31]), Err(TRUNCATED));
    // chroma_format_idc 4 (00101).
    assert_eq!(
        Sps::parse(&[0x67, 100, 0, 31, 0b1001_0111]),
        Err(Error::OutOfRange { field: "chroma_format_idc", value: 4 })
    );
}

#[test]
fn usability_information_may_be_cut_off() {
    let (_, unit) = recorded().remove(0);
    let whole = Sps::parse(&unit).unwrap();
    let cut = Sps::parse(&unit[..unit.len() - 2]).unwrap();
    assert_eq!((cut.width, cut.height), (whole.width, whole.height));
    assert_eq!(cut.vui.bitstream_restriction, None);
    assert_eq!(cut.vui.timing, whole.vui.timing);
}

proptest! {
    #[test]
    fn any_bytes_give_an_sps_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Sps::parse(&bytes);
        let mut unit = vec![0x67, 100, 0, 31];
        unit.extend(bytes);
        let _ = Sps::parse(&unit);
    }

    #[test]
    fn recorded_units_with_a_byte_changed(which in 0usize..13, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, mut unit) = recorded().remove(which);
        let at = at.index(unit.len());
        unit[at] = byte;
        if let Ok(sps) = Sps::parse(&unit) {
            prop_assert!(sps.width > 0 && sps.height > 0);
        }
    }
}
