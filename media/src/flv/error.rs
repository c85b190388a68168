//! What can be wrong with FLV bytes.

/// Why FLV bytes were refused. Offsets count from the first byte of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input does not begin with `FLV`.
    #[error("not FLV: the input begins with {found:02x?}")]
    NotFlv {
        /// The first three bytes.
        found: [u8; 3],
    },
    /// The header is of a version other than 1 (annex E.2).
    #[error("FLV version {version} is not supported, only 1")]
    UnsupportedVersion {
        /// The version byte.
        version: u8,
    },
    /// The header's `DataOffset` is not plausible (annex E.2: 9 in version 1).
    #[error("FLV header says it is {len} bytes long, expected 9 to {max}", max = super::header::MAX_LEN)]
    BadHeaderLength {
        /// The value of `DataOffset`.
        len: u32,
    },
    /// What stands where a tag should begin is not one; the reader looks for the next.
    #[error("no tag at byte {offset}: {reason}")]
    LostSync {
        /// Where the tag should have begun.
        offset: u64,
        /// What told it apart from a tag.
        reason: SyncLoss,
    },
    /// A tag's data is larger than the limit.
    #[error("tag of {len} bytes is over the limit of {limit}")]
    TagTooLarge {
        /// Data bytes of the tag.
        len: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A tag's data ends inside its head.
    #[error("{what} needs {needed} bytes, the tag has {len}")]
    Truncated {
        /// The part that was being read.
        what: &'static str,
        /// Bytes needed for it, from the start of the tag's data.
        needed: usize,
        /// Bytes the tag's data has.
        len: usize,
    },
    /// An extended head, which a build with the feature `codecs` reads.
    #[cfg(not(feature = "codecs"))]
    #[error("extended head")]
    Extended,
}

/// What told the reader that it had lost the tag boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncLoss {
    /// The type is not audio (8), video (9) or script (18).
    #[error("unknown tag type {0}")]
    Kind(u8),
    /// The data size is over the limit.
    #[error("data size {0} is over the limit")]
    Size(u32),
    /// The stream id is not 0.
    #[error("stream id {0} instead of 0")]
    StreamId(u32),
    /// The PreviousTagSize behind the tag does not match its size.
    #[error("the tag is not closed by its own size but by {0}")]
    PreviousTagSize(u32),
    /// Other tags stand where the tag's data should.
    #[error("other tags stand where its data should")]
    Tags,
}
