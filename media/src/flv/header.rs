//! The FLV header (annex E.2) and the empty PreviousTagSize0 behind it.

use super::Error;

/// Which tracks the header promises. Senders are often wrong about it: a promise, not evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Header {
    /// `TypeFlagsAudio`.
    pub has_audio: bool,
    /// `TypeFlagsVideo`.
    pub has_video: bool,
}

impl Header {
    /// Bytes of a header and the PreviousTagSize0 behind it.
    pub const LEN: usize = 13;

    /// The header as it stands on the wire, PreviousTagSize0 included.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let flags = (u8::from(self.has_audio) << 2) | u8::from(self.has_video);
        [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
    }

    /// Reads the header at the start of `input`.
    ///
    /// Returns the header and the bytes up to the first tag, or `None` while too few bytes are there.
    ///
    /// # Errors
    /// [`Error::NotFlv`], [`Error::UnsupportedVersion`], [`Error::BadHeaderLength`].
    pub(super) fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        // Told as soon as it shows, so that a short wrong answer is not taken for a slow stream.
        if let Some(&found) = input.first_chunk::<3>()
            && &found != b"FLV"
        {
            return Err(Error::NotFlv { found });
        }
        let Some(&[_, _, _, version, flags, l0, l1, l2, l3]) = input.first_chunk::<9>() else {
            return Ok(None);
        };
        if version != 1 {
            return Err(Error::UnsupportedVersion { version });
        }
        let len = u32::from_be_bytes([l0, l1, l2, l3]);
        if !(9..=MAX_LEN).contains(&len) {
            return Err(Error::BadHeaderLength { len });
        }
        let Some(total) = usize::try_from(len).ok().and_then(|len| len.checked_add(4)) else {
            return Err(Error::BadHeaderLength { len });
        };
        if input.len() < total {
            return Ok(None);
        }
        let header = Self { has_audio: flags & 4 != 0, has_video: flags & 1 != 0 };
        Ok(Some((header, total)))
    }
}

/// Longest header accepted: version 1 says 9; room for what a later version may add.
pub(super) const MAX_LEN: u32 = 64;
