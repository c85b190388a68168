//! Fragmented MP4, as Media Source Extensions and HLS take it: an initialisation segment
//! (`ftyp`, `moov`), then fragments (`moof`, `mdat`) of one track each.
//!
//! Sources: ISO/IEC 14496-12 (the boxes), 14496-14 (`mp4a`, `esds`), 14496-15 (`avc1`, `avcC`), and
//! the W3C's ISO BMFF byte stream format. Fragments are addressed from their own `moof`
//! (default-base-is-moof), carry 64-bit decode times and signed composition offsets.

mod boxes;
mod fragment;
mod init;

pub use fragment::{Fragment, Sample, TooLarge, write_fragment};
#[cfg(feature = "codecs")]
pub use init::Light;
pub use init::{AudioEntry, AudioRecord, Init, SampleEntry, VideoEntry, write_init};

/// `sample_flags` (8.8.3.1) of a sample that depends on no other: `sample_depends_on` 2.
const SYNC: u32 = 0x0200_0000;
/// `sample_flags` of one that does: `sample_depends_on` 1, `sample_is_non_sync_sample`.
const NON_SYNC: u32 = 0x0101_0000;

#[cfg(test)]
mod tests;
