/// Choices and data, read from the front of an input. Past its end every choice is 0 and all data is empty.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    /// Reads `input` from its start.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Whether all was read.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let (&first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        first
    }

    /// A choice of `options`, 256 at most.
    pub fn below(&mut self, options: usize) -> usize {
        usize::from(self.byte()) % options
    }

    /// One of `options`.
    pub fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }

    /// The next `len` bytes, or as many as there are.
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        bytes
    }

    /// A length in one byte, and so many bytes.
    pub fn short_bytes(&mut self) -> &'a [u8] {
        let len = self.byte().into();
        self.bytes(len)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// 32 bits.
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// A time of 32 bits, more often near the places where one field of it runs over.
    pub fn time(&mut self) -> u32 {
        let near = |base: u32, step: u8| base.wrapping_add(step.into()).wrapping_sub(128);
        match self.byte() % 8 {
            0..3 => self.byte().into(),
            3 => u32::from(self.byte()) << 8,
            4 => near(0xFF_FFFF, self.byte()),
            5 => near(0x8000_0000, self.byte()),
            6 => near(0, self.byte()),
            _ => self.u32(),
        }
    }

    /// Up to about 5 KB of data: short and from the input, or long and regular.
    pub fn payload(&mut self) -> Vec<u8> {
        let len = match self.byte() {
            short @ 0..=199 => short.into(),
            long => usize::from(long - 199) * 89,
        };
        if self.byte().is_multiple_of(2) {
            return self.bytes(len).to_vec();
        }
        let pattern = [self.byte(), self.byte(), self.byte(), self.byte()];
        pattern.into_iter().cycle().take(len).collect()
    }

    /// Cuts `input` into pieces, as a socket might: all of it, single bytes, or any lengths.
    pub fn pieces(&mut self, input: &'a [u8]) -> Vec<&'a [u8]> {
        let seed = self.byte();
        cut(input, seed)
    }
}

/// Cuts `input` as `seed` says: 0 leaves it whole, 1 makes single bytes of its beginning.
pub(super) fn cut(input: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut state = u32::from(seed).wrapping_mul(0x9E37_79B9) | 1;
    let mut rest = input;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let len = match seed {
            0 => usize::MAX,
            1 if pieces.len() < 1600 => 1,
            // Mostly shorter than a header, sometimes longer than a chunk.
            _ => 1 + (state >> 8) as usize % [3, 17, 300][(state >> 4) as usize % 3],
        };
        let (piece, after) = rest.split_at(len.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
