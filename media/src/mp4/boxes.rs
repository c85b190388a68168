use alloc::vec::Vec;

/// Appends boxes (4.2) to a buffer.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// A box: its size is filled in once `contents` has written what is in it.
    ///
    /// There are dozens of these, so all that is not their contents is called, not copied.
    #[inline(always)]
    pub(super) fn boxed(&mut self, kind: &[u8; 4], contents: impl FnOnce(&mut Self)) {
        let start = self.begin(u32::from_be_bytes(*kind));
        contents(self);
        self.end(start);
    }

    /// A full box: version and 24 bits of flags in front.
    #[inline(always)]
    pub(super) fn full(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        contents: impl FnOnce(&mut Self),
    ) {
        let start = self.begin(u32::from_be_bytes(*kind));
        self.u32(u32::from(version) << 24 | flags & 0xFF_FFFF);
        contents(self);
        self.end(start);
    }

    /// The head of a box without its size. Gives where it begins.
    #[inline(never)]
    fn begin(&mut self, kind: u32) -> usize {
        let start = self.position();
        self.u32(0);
        self.u32(kind);
        start
    }

    /// The size of the box that began at `start`.
    #[inline(never)]
    fn end(&mut self, start: usize) {
        let size = self.position().wrapping_sub(start);
        // Only moov and moof are written this way: headers, far from 4 GiB.
        self.patch_u32(start, u32::try_from(size).unwrap_or(u32::MAX));
    }

    #[inline(never)]
    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    #[inline(never)]
    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    #[inline(never)]
    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.u32(value.cast_unsigned());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    #[inline(never)]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    #[inline(never)]
    pub(super) fn zeros(&mut self, count: usize) {
        self.out.resize(self.out.len().wrapping_add(count), 0);
    }

    /// The identity matrix of `mvhd` and `tkhd`.
    pub(super) fn matrix(&mut self) {
        for value in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] {
            self.u32(value);
        }
    }

    /// Where the next byte goes.
    pub(super) fn position(&self) -> usize {
        self.out.len()
    }

    /// Overwrites the four bytes at `position`.
    pub(super) fn patch_u32(&mut self, position: usize, value: u32) {
        if let Some(room) = self.out.get_mut(position..).and_then(<[u8]>::first_chunk_mut) {
            *room = value.to_be_bytes();
        }
    }
}
