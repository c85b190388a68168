//! H.265: the configuration record, the sequence parameter set.
//!
//! Sources: ISO/IEC 14496-15 (8.3.3.1, the record; annex E, the codec string) and ITU-T H.265 (7.3,
//! the parameter sets; annex E, the VUI).

mod record;
mod sps;

pub use record::{DecoderConfigurationRecord, parameter_set_id};
pub use sps::{ProfileTierLevel, Sps};

/// `nal_unit_type` of a video parameter set.
pub const VPS: u8 = 32;
/// `nal_unit_type` of a sequence parameter set.
pub const SPS: u8 = 33;
/// `nal_unit_type` of a picture parameter set.
pub const PPS: u8 = 34;

#[cfg(test)]
mod tests;
