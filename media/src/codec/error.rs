use super::bits::OutOfBits;

/// Why the configuration of a codec could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It ends too early.
    #[error("codec configuration is cut off")]
    Truncated,
    /// A version, marker or sync word that does not belong there.
    #[error("not a configuration of this codec")]
    NotIt,
    /// A field has a value the codec does not allow.
    #[error("codec configuration has a value out of range")]
    OutOfRange,
    /// It holds no parameter sets.
    #[error("codec configuration without parameter sets")]
    NoParameterSets,
}

impl From<OutOfBits> for Error {
    fn from(OutOfBits: OutOfBits) -> Self {
        Self::Truncated
    }
}
