//! H.264: the configuration record, the sequence parameter set, NAL units.
//!
//! Sources: ISO/IEC 14496-15 (5.3.3.1, the record) and ITU-T H.264 (7.3.2.1.1, the SPS; annex E,
//! the VUI; annex B, byte streams).

mod error;
mod nal;
mod record;
mod sps;
mod vui;

pub use error::Error;
pub use nal::{AnnexB, NalUnits, Overrun, is_annex_b, is_idr};
pub use record::DecoderConfigurationRecord;
pub use sps::Sps;
pub use vui::{BitstreamRestriction, Colour, Timing, Vui};
