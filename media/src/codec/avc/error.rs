/// Why H.264 configuration could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The record or the parameter set ends too early.
    #[error("H.264 {what} is cut off")]
    Truncated {
        /// The part that was being read.
        what: &'static str,
    },
    /// A record of a version other than 1.
    #[error("H.264 configuration record of version {version}, expected 1")]
    UnsupportedVersion {
        /// The version byte.
        version: u8,
    },
    /// The record holds no SPS or no PPS: some senders put them into the pictures only.
    #[error("H.264 configuration record without parameter sets")]
    NoParameterSets,
    /// What should be an SPS is another NAL unit.
    #[error("H.264 SPS expected, found NAL unit type {unit_type}")]
    NotSps {
        /// `nal_unit_type`.
        unit_type: u8,
    },
    /// A field of the SPS has a value H.264 does not allow.
    #[error("H.264 SPS: {field} is {value}")]
    OutOfRange {
        /// The field's name in H.264.
        field: &'static str,
        /// Its value.
        value: u32,
    },
    /// The picture is empty after cropping, or larger than MP4 can say.
    #[error("H.264 SPS: picture of {width}x{height}")]
    PictureSize {
        /// Luma samples per line.
        width: u32,
        /// Lines.
        height: u32,
    },
}
