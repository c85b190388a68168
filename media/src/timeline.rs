//! Time on the wire and time on a line: unwrapping 32-bit milliseconds, and the usual step between
//! samples.

/// Turns the 32-bit millisecond timestamps of FLV and RTMP into a line without wraps.
///
/// Each timestamp is taken as the nearest one to the last: forward by less than 2³¹ ms (24.8 days),
/// backward by up to 2³¹ ms. The first is taken as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapper {
    last: Option<i64>,
}

impl Unwrapper {
    /// An unwrapper that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time of `wire` in milliseconds; the next one is measured against it.
    pub fn unwrap(&mut self, wire: u32) -> i64 {
        let time = self.nearest(wire);
        self.last = Some(time);
        time
    }

    /// The time of `wire` in milliseconds, leaving the line where it is: for tags that are often
    /// stamped 0, such as headers and scripts.
    #[must_use]
    pub fn nearest(&self, wire: u32) -> i64 {
        match self.last {
            None => i64::from(wire),
            Some(last) => {
                let step = wire.wrapping_sub(low_32_bits(last)).cast_signed();
                last.wrapping_add(i64::from(step))
            }
        }
    }
}

/// What the wire holds of a time.
pub(crate) fn low_32_bits(time: i64) -> u32 {
    let [.., b3, b2, b1, b0] = time.to_be_bytes();
    u32::from_be_bytes([b3, b2, b1, b0])
}

/// The last [`Cadence::WINDOW`] values of a quantity, kept in order.
///
/// A median does not move for an outlier; that is why frame steps and clock errors are judged by it.
#[derive(Clone, Debug, Default)]
pub struct Cadence {
    /// In order of arrival; `next` is the oldest once the window is full.
    ring: [i64; Self::WINDOW],
    /// The first `len` are the window in ascending order.
    sorted: [i64; Self::WINDOW],
    next: usize,
    len: usize,
}

impl Cadence {
    /// About a second of video or half a second of sound.
    pub const WINDOW: usize = 31;

    /// Adds a value; the oldest leaves a full window.
    pub fn add(&mut self, value: i64) {
        let Some(slot) = self.ring.get_mut(self.next) else { return };
        let oldest = core::mem::replace(slot, value);
        if self.len == Self::WINDOW {
            let at = self.values().partition_point(|&v| v < oldest);
            self.sorted.copy_within(at.wrapping_add(1).., at);
        } else {
            self.len = self.len.wrapping_add(1);
        }
        // The last place of `len` is free now.
        let end = self.len.wrapping_sub(1);
        let at = self.sorted.iter().take(end).take_while(|&&v| v < value).count();
        self.sorted.copy_within(at..end, at.wrapping_add(1));
        if let Some(slot) = self.sorted.get_mut(at) {
            *slot = value;
        }
        self.next = self.next.wrapping_add(1);
        if self.next == Self::WINDOW {
            self.next = 0;
        }
    }

    /// The median (the upper one of an even count), or `None` before the first value.
    #[must_use]
    pub fn median(&self) -> Option<i64> {
        self.values().get(self.len / 2).copied()
    }

    /// The value that nine tenths of the window do not exceed.
    #[must_use]
    pub fn upper(&self) -> Option<i64> {
        self.values().get(self.len.wrapping_mul(9) / 10).copied()
    }

    /// The value that nine tenths of the window are not below.
    #[must_use]
    pub fn lower(&self) -> Option<i64> {
        self.values().get(self.len / 10).copied()
    }

    /// Whether the window is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == Self::WINDOW
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn values(&self) -> &[i64] {
        self.sorted.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_timestamp_is_taken_as_it_is() {
        assert_eq!(Unwrapper::new().unwrap(0), 0);
        assert_eq!(Unwrapper::new().unwrap(u32::MAX), i64::from(u32::MAX));
    }

    #[test]
    fn wraps_go_on() {
        let mut unwrapper = Unwrapper::new();
        assert_eq!(unwrapper.unwrap(u32::MAX - 9), (1 << 32) - 10);
        assert_eq!(unwrapper.unwrap(30), (1 << 32) + 30);
        assert_eq!(unwrapper.unwrap(u32::MAX - 9), (1 << 32) - 10);
    }

    #[test]
    fn a_header_stamped_0_does_not_move_the_line() {
        let mut unwrapper = Unwrapper::new();
        unwrapper.unwrap(3_000_000_000);
        assert_eq!(unwrapper.nearest(0), 1 << 32);
        assert_eq!(unwrapper.unwrap(3_000_000_033), 3_000_000_033);
    }

    proptest! {
        /// A line through 2²⁴, 2³¹, 2³² and further comes back as it was, backward steps included.
        #[test]
        fn a_line_survives_the_wire(
            start in prop_oneof![
                Just(0i64), Just((1 << 24) - 50), Just((1 << 31) - 50), Just((1 << 32) - 50), 0..=i64::from(u32::MAX)
            ],
            steps in prop::collection::vec(
                prop_oneof![8 => -100i64..200, 1 => -(1i64 << 31)..(1 << 31)], 0..200
            ),
        ) {
            let start = start.min(i64::from(u32::MAX));
            let mut unwrapper = Unwrapper::new();
            let mut time = start;
            prop_assert_eq!(unwrapper.unwrap(low_32_bits(time)), time);
            for step in steps {
                time += step;
                prop_assert_eq!(unwrapper.unwrap(low_32_bits(time)), time);
            }
        }

        #[test]
        fn any_timestamps_stay_equal_to_the_wire_modulo_2_32(wires in prop::collection::vec(any::<u32>(), 1..200)) {
            let mut unwrapper = Unwrapper::new();
            for wire in wires {
                let before = unwrapper.last;
                let time = unwrapper.unwrap(wire);
                prop_assert_eq!(low_32_bits(time), wire);
                if let Some(before) = before {
                    prop_assert!((time - before).abs() <= 1 << 31);
                }
            }
        }

        #[test]
        fn the_window_is_the_last_values_in_order(values in prop::collection::vec(-5i64..100, 1..120)) {
            let mut cadence = Cadence::default();
            for (index, value) in values.iter().enumerate() {
                cadence.add(*value);
                let mut window = values[(index + 1).saturating_sub(Cadence::WINDOW)..=index].to_vec();
                window.sort_unstable();
                prop_assert_eq!(cadence.values(), window.as_slice());
                prop_assert_eq!(cadence.median(), Some(window[window.len() / 2]));
                prop_assert!(cadence.upper() >= cadence.median());
                prop_assert!(cadence.lower() <= cadence.median());
                let tenth = window.len() / 10;
                prop_assert_eq!(cadence.lower(), Some(window[tenth]));
                prop_assert_eq!(cadence.upper(), Some(window[window.len() * 9 / 10]));
            }
        }
    }
}
