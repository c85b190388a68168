//! Chance that can be repeated.

use std::time::Duration;

/// Numbers by the xorshift method.
pub struct Luck(u64);

impl Luck {
    /// Different for each `who`.
    pub fn new(seed: u64, who: u64) -> Self {
        let mut luck = Self((seed ^ who.wrapping_mul(0x9E37_79B9_7F4A_7C15)) | 1);
        luck.below(1);
        luck
    }

    /// A number less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// A time up to so many milliseconds.
    pub fn time(&mut self, milliseconds: u64) -> Duration {
        Duration::from_millis(self.below(milliseconds + 1))
    }
}
