//! H.264: the configuration record, the sequence parameter set.
//!
//! Sources: ISO/IEC 14496-15 (5.3.3.1, the record) and ITU-T H.264 (7.3.2.1.1, the SPS; annex E,
//! the VUI).

mod error;
mod record;
mod sps;
mod vui;

pub use error::Error;
pub use record::{DecoderConfigurationRecord, first_sps};
pub use sps::Sps;
#[cfg(feature = "codecs")]
pub(in crate::codec) use vui::aspect_ratio;
pub use vui::{BitstreamRestriction, Colour, Timing, Vui};

/// `nal_unit_type` of a sequence parameter set.
pub const SPS: u8 = 7;
/// `nal_unit_type` of a picture parameter set.
pub const PPS: u8 = 8;
