use super::Error;

/// A place in a tag's data, moved forward by what is read.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    pub(super) position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    #[cfg(feature = "codecs")]
    pub(super) fn at(data: &'a [u8], position: usize) -> Self {
        Self { data, position }
    }

    /// Where the data ends.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let needed = self.position.saturating_add(N);
        let bytes = self.data.get(self.position..).and_then(<[u8]>::first_chunk::<N>);
        let &bytes = bytes.ok_or(Error::Truncated { what, needed, len: self.data.len() })?;
        self.position = needed;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, Error> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    #[cfg(feature = "codecs")]
    pub(super) fn slice(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let needed = self.position.saturating_add(len);
        let bytes = self.data.get(self.position..needed);
        let bytes = bytes.ok_or(Error::Truncated { what, needed, len: self.data.len() })?;
        self.position = needed;
        Ok(bytes)
    }
}
