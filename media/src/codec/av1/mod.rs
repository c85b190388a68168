//! AV1: open bitstream units, the sequence header, the configuration record.
//!
//! Sources: the AV1 bitstream specification (5.3 and 5.5), "AV1 Codec ISO Media File Format Binding"
//! (2.3, the record; 5, the codec string) and "Carriage of AV1 in MPEG-2 TS" (2.1, the descriptor).

mod obu;
mod record;
mod sequence;

pub use obu::{Obu, Obus, SEQUENCE_HEADER, TEMPORAL_DELIMITER, without_delimiters};
pub use record::{from_ts_descriptor, record, sequence_of, units_in};
pub use sequence::Sequence;

#[cfg(test)]
mod tests;
