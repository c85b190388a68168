//! What we write, read back by mp4-atom.

use mp4_atom::{Any, Atom, Codec, Colr, Decode, FourCC, Moof, Moov, TrunEntry};
use proptest::prelude::*;

use super::{
    AudioEntry, AudioRecord, Fragment, Init, NON_SYNC, SYNC, Sample, SampleEntry, VideoEntry,
    write_fragment, write_init,
};
use crate::codec::avc::{Colour, DecoderConfigurationRecord, Sps};
use crate::flv::{Item, Reader, TagKind, video};

/// The H.264 configuration record of a recording.
fn recorded_record() -> Vec<u8> {
    let mut reader = Reader::new();
    reader.push(include_bytes!("../../testdata/bframes.flv"));
    loop {
        let Item::Tag(tag) = reader.next().unwrap().unwrap() else { continue };
        if tag.kind() != TagKind::Video {
            continue;
        }
        let head = video::Head::parse(tag.data()).unwrap();
        if head.is_sequence_header() {
            return tag.data()[head.body..].to_vec();
        }
    }
}

fn atoms(mut bytes: &[u8]) -> Vec<Any> {
    let mut atoms = Vec::new();
    while !bytes.is_empty() {
        atoms.push(Any::decode(&mut bytes).unwrap());
    }
    atoms
}

fn moov(init: &Init<'_>) -> Moov {
    let mut out = Vec::new();
    write_init(init, &mut out);
    match atoms(&out).as_slice() {
        [Any::Ftyp(ftyp), Any::Moov(moov)] => {
            assert_eq!(ftyp.major_brand, FourCC::new(b"iso6"));
            // What it read, it writes the same, so nothing was skipped or misread.
            let mut again = Vec::new();
            mp4_atom::Encode::encode(moov, &mut again).unwrap();
            assert_eq!(moov, &Moov::decode(&mut again.as_slice()).unwrap());
            moov.clone()
        }
        other => panic!("{other:?}"),
    }
}

fn avc1(
    record: &[u8],
    width: u16,
    height: u16,
    sample_aspect_ratio: (u16, u16),
    colour: Option<Colour>,
) -> SampleEntry<'_> {
    SampleEntry::Video(VideoEntry {
        kind: *b"avc1",
        record_kind: *b"avcC",
        record,
        width,
        height,
        sample_aspect_ratio: Some(sample_aspect_ratio),
        colour,
        #[cfg(feature = "codecs")]
        light: Default::default(),
    })
}

fn mp4a(sample_rate: u32, config: &[u8]) -> SampleEntry<'_> {
    let record = AudioRecord::Descriptor(0x40, config);
    SampleEntry::Audio(AudioEntry { kind: *b"mp4a", channels: 2, sample_rate, record })
}

#[test]
fn a_video_track() {
    let record = recorded_record();
    let ours = DecoderConfigurationRecord::parse(&record).unwrap();
    let Sps { width, height, .. } = ours.parse_sps().unwrap();
    let colour = Colour { primaries: 1, transfer: 13, matrix: 6, full_range: true };
    let moov = moov(&Init {
        track_id: 1,
        timescale: 1_000_000,
        duration_ms: None,
        entry: avc1(&record, width, height, (4, 3), Some(colour)),
    });
    assert_eq!((moov.mvhd.duration, moov.mvhd.next_track_id), (0, 2));
    let mvex = moov.mvex.unwrap();
    assert_eq!(mvex.mehd, None);
    assert_eq!((mvex.trex[0].track_id, mvex.trex[0].default_sample_flags), (1, NON_SYNC));
    assert_eq!(mvex.trex[0].default_sample_description_index, 1);

    let track = &moov.trak[0];
    assert_eq!((track.tkhd.track_id, track.tkhd.duration), (1, 0));
    assert_eq!((track.tkhd.width.integer(), track.tkhd.height.integer()), (213, 120));
    assert_eq!(track.mdia.mdhd.timescale, 1_000_000);
    assert_eq!(track.mdia.hdlr.handler, FourCC::new(b"vide"));
    assert!(track.mdia.minf.vmhd.is_some());
    let [Codec::Avc1(entry)] = track.mdia.minf.stbl.stsd.codecs.as_slice() else { panic!() };
    assert_eq!((entry.visual.width, entry.visual.height), (160, 120));
    assert_eq!(entry.avcc.length_size, ours.nal_length_size);
    assert_eq!(entry.avcc.sequence_parameter_sets, ours.sps);
    assert_eq!(entry.avcc.picture_parameter_sets, ours.pps);
    assert_eq!(entry.avcc.avc_profile_indication, ours.profile);
    let pasp = entry.pasp.as_ref().unwrap();
    assert_eq!((pasp.h_spacing, pasp.v_spacing), (4, 3));
    assert_eq!(
        entry.colr,
        Some(Colr::Nclx {
            colour_primaries: 1,
            transfer_characteristics: 13,
            matrix_coefficients: 6,
            full_range_flag: true
        })
    );
}

#[test]
fn square_samples_need_no_pasp_and_a_known_length_is_said() {
    let record = recorded_record();
    let moov = moov(&Init {
        track_id: 1,
        timescale: 1_000_000,
        duration_ms: Some(5_000_000_000),
        entry: avc1(&record, 160, 120, (1, 1), None),
    });
    assert_eq!(moov.mvex.unwrap().mehd.unwrap().fragment_duration, 5_000_000_000);
    let [Codec::Avc1(entry)] = moov.trak[0].mdia.minf.stbl.stsd.codecs.as_slice() else { panic!() };
    assert!(entry.pasp.is_none() && entry.colr.is_none());
}

#[test]
fn a_sound_track_keeps_its_configuration_byte_for_byte() {
    // A two-byte configuration, ffmpeg's five bytes, and one longer than a single length byte says.
    let long = [&[0x11, 0x90][..], &[0; 198]].concat();
    for config in [&[0x11, 0x90][..], &[0x12, 0x10, 0x56, 0xE5, 0x00], &long] {
        let moov = moov(&Init {
            track_id: 2,
            timescale: 48_000,
            duration_ms: None,
            entry: mp4a(48_000, config),
        });
        assert_eq!(moov.mvex.unwrap().trex[0].default_sample_flags, SYNC);
        let track = &moov.trak[0];
        assert_eq!(track.mdia.mdhd.timescale, 48_000);
        assert_eq!(track.mdia.hdlr.handler, FourCC::new(b"soun"));
        assert!(track.mdia.minf.smhd.is_some());
        let [Codec::Mp4a(entry)] = track.mdia.minf.stbl.stsd.codecs.as_slice() else { panic!() };
        assert_eq!(entry.audio.channel_count, 2);
        assert_eq!(entry.audio.sample_rate.integer(), 48_000);
        let decoder = &entry.esds.es_desc.dec_config;
        assert_eq!((decoder.object_type_indication, decoder.stream_type), (0x40, 5));
        assert_eq!(decoder.dec_specific.as_ref().unwrap().raw, config);
    }
}

#[test]
fn a_rate_that_does_not_fit_is_left_to_the_decoder() {
    let entry = mp4a(96_000, &[0x10, 0x10]);
    let moov = moov(&Init { track_id: 2, timescale: 96_000, duration_ms: None, entry });
    assert_eq!(moov.trak[0].mdia.mdhd.timescale, 96_000);
    let [Codec::Mp4a(entry)] = moov.trak[0].mdia.minf.stbl.stsd.codecs.as_slice() else { panic!() };
    assert_eq!(entry.audio.sample_rate.integer(), 0);
}

/// A sample as a test makes it: duration, composition offset, sync, data.
type Made = (u32, i32, bool, Vec<u8>);

fn check_fragment(fragment: Fragment, made: &[Made], before: &[u8]) {
    let samples = made.iter().map(|(duration, composition_offset, sync, data)| Sample {
        duration: *duration,
        composition_offset: *composition_offset,
        sync: *sync,
        data,
    });
    let mut out = before.to_vec();
    write_fragment(&fragment, samples, &mut out).unwrap();
    assert_eq!(&out[..before.len()], before);
    let out = &out[before.len()..];

    let atoms = atoms(out);
    let [Any::Moof(moof), Any::Mdat(mdat)] = atoms.as_slice() else { panic!("{atoms:?}") };
    let data: Vec<u8> = made.iter().flat_map(|(.., data)| data.clone()).collect();
    assert_eq!(mdat.data, data);
    assert_eq!(moof.mfhd.sequence_number, fragment.sequence);
    let traf = &moof.traf[0];
    assert_eq!(traf.tfhd.track_id, fragment.track_id);
    assert!(traf.tfhd.default_base_is_moof && traf.tfhd.base_data_offset.is_none());
    assert_eq!(traf.tfdt.as_ref().unwrap().base_media_decode_time, fragment.base_time);
    let [run] = traf.trun.as_slice() else { panic!() };
    let offset = usize::try_from(run.data_offset.unwrap()).unwrap();
    assert_eq!(&out[offset..], data);
    let pictures = fragment.pictures;
    let expected: Vec<_> = made
        .iter()
        .map(|(duration, composition_offset, sync, data)| TrunEntry {
            duration: Some(*duration),
            size: Some(data.len() as u32),
            flags: pictures.then_some(if *sync { SYNC } else { NON_SYNC }),
            cts: pictures.then_some(i64::from(*composition_offset)),
        })
        .collect();
    assert!(run.samples.iter().eq(expected));
    assert_eq!(out[4..8], *Moof::KIND.as_ref());
}

#[test]
fn negative_composition_offsets_and_times_past_32_bits() {
    let made = [(33_333, -1, true, vec![1, 2, 3]), (66_666, i32::MIN, false, vec![])];
    let fragment = Fragment { sequence: 7, track_id: 1, base_time: 1 << 40, pictures: true };
    check_fragment(fragment, &made, b"what was there");
    // Version 1 of tfdt and trun, whatever the values.
    let mut out = Vec::new();
    let fragment = Fragment { sequence: 0, track_id: 1, base_time: 0, pictures: true };
    let sample = Sample { duration: 1, composition_offset: 0, sync: true, data: &[] };
    write_fragment(&fragment, [sample].into_iter(), &mut out).unwrap();
    for kind in [b"tfdt", b"trun"] {
        let at = out.windows(4).position(|window| window == kind).unwrap();
        assert_eq!(out[at + 4], 1);
    }
}

proptest! {
    #[test]
    fn any_fragment_reads_back(
        sequence in any::<u32>(),
        base_time in any::<u64>(),
        pictures in any::<bool>(),
        made in prop::collection::vec(
            (any::<u32>(), any::<i32>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 1..20
        ),
    ) {
        check_fragment(Fragment { sequence, track_id: 2, base_time, pictures }, &made, &[]);
    }
}
