//! What soaks on the server have in common: their options, and chance that can be repeated.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// `--minutes 30 --seed 7`
pub struct Options {
    /// How long it lasts.
    pub time: Duration,
    /// Decides what happens when.
    pub seed: u64,
}

impl Options {
    /// The words of the command line. Unless they say more, it lasts so many `minutes` and every run is different.
    pub fn parse(mut words: impl Iterator<Item = String>, mut minutes: u64) -> Result<Options> {
        let mut seed = u64::from(std::process::id());
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--minutes" => minutes = value()?.parse()?,
                "--seed" => seed = value()?.parse()?,
                // What `cargo bench` adds by itself.
                "--bench" => {}
                _ => bail!("unknown option {word}"),
            }
        }
        ensure!(minutes > 0, "no time");
        Ok(Options { time: Duration::from_secs(minutes * 60), seed })
    }
}

/// Numbers by the xorshift method.
pub struct Luck(u64);

impl Luck {
    /// Different for each `who`.
    pub fn new(seed: u64, who: u64) -> Luck {
        let mut luck = Luck((seed ^ who.wrapping_mul(0x9E37_79B9_7F4A_7C15)) | 1);
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

    /// One of `these`, which are some.
    pub fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len() as u64) as usize]
    }

    /// A time up to so many milliseconds.
    pub fn time(&mut self, milliseconds: u64) -> Duration {
        Duration::from_millis(self.below(milliseconds + 1))
    }
}
