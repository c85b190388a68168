use alloc::vec::Vec;

use super::boxes::Writer;
use super::{NON_SYNC, SYNC};

/// One fragment: `moof` and `mdat` of one track.
#[derive(Clone, Copy, Debug)]
pub struct Fragment {
    /// `sequence_number`, rising in the order of the fragments.
    pub sequence: u32,
    /// The track's number in the initialisation segment.
    pub track_id: u32,
    /// Decode time of the first sample in ticks of the track's timescale.
    pub base_time: u64,
    /// Whether the samples are pictures: sync flags and composition offsets are written for pictures
    /// only, as every sound frame is a sync sample shown when it is decoded.
    pub pictures: bool,
}

/// A sample of a fragment.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Ticks until the next sample's decode time.
    pub duration: u32,
    /// Presentation minus decode time in ticks.
    pub composition_offset: i32,
    /// Whether decoding can start here.
    pub sync: bool,
    /// The coded frame.
    pub data: &'a [u8],
}

/// The samples are larger than the 32-bit sizes of a fragment can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fragment of {len} bytes is larger than 4 GiB")]
pub struct TooLarge {
    /// Bytes of all samples together.
    pub len: u64,
}

/// Appends a fragment to `out`. The samples' data is copied once.
///
/// # Errors
/// [`TooLarge`]; nothing is appended.
pub fn write_fragment<'a>(
    fragment: &Fragment,
    samples: impl Iterator<Item = Sample<'a>>,
    out: &mut Vec<u8>,
) -> Result<(), TooLarge> {
    let mut list = Vec::new();
    for sample in samples {
        list.push(sample);
    }
    write(fragment, &list, out)
}

fn write(fragment: &Fragment, samples: &[Sample<'_>], out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let mut len: u64 = 0;
    for sample in samples {
        len = len.wrapping_add(u64::try_from(sample.data.len()).unwrap_or(u64::MAX));
    }
    let count = u32::try_from(samples.len()).map_err(|_| TooLarge { len })?;
    let mdat_size =
        u32::try_from(len.wrapping_add(BOX_HEAD.into())).map_err(|_| TooLarge { len })?;

    let mut writer = Writer::new(out);
    let start = writer.position();
    let mut data_offset_at = start;
    writer.boxed(b"moof", |w| {
        w.full(b"mfhd", 0, 0, |w| w.u32(fragment.sequence));
        w.boxed(b"traf", |w| {
            w.full(b"tfhd", 0, DEFAULT_BASE_IS_MOOF, |w| w.u32(fragment.track_id));
            w.full(b"tfdt", 1, 0, |w| w.u64(fragment.base_time));
            let flags = if fragment.pictures { RUN_OF_PICTURES } else { RUN_OF_SOUND };
            w.full(b"trun", 1, flags, |w| {
                w.u32(count);
                data_offset_at = w.position();
                w.u32(0);
                for sample in samples {
                    w.u32(sample.duration);
                    // Not larger than mdat_size, which fits.
                    w.u32(u32::try_from(sample.data.len()).unwrap_or(u32::MAX));
                    if fragment.pictures {
                        w.u32(if sample.sync { SYNC } else { NON_SYNC });
                        w.i32(sample.composition_offset);
                    }
                }
            });
        });
    });
    let moof_size = u32::try_from(writer.position().wrapping_sub(start)).unwrap_or(u32::MAX);
    writer.patch_u32(data_offset_at, moof_size.wrapping_add(BOX_HEAD));
    writer.u32(mdat_size);
    writer.bytes(b"mdat");
    for sample in samples {
        writer.bytes(sample.data);
    }
    Ok(())
}

/// Size and type in front of a box.
const BOX_HEAD: u32 = 8;
/// `tfhd` flag (8.8.7.1).
const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
/// `trun` flags (8.8.8.1): data offset, and per sample duration and size …
const RUN_OF_SOUND: u32 = 0x001 | 0x100 | 0x200;
/// … and flags and composition offset.
const RUN_OF_PICTURES: u32 = RUN_OF_SOUND | 0x400 | 0x800;
