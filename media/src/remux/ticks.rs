//! Microseconds and ticks of a track's timescale.

/// `us` microseconds in ticks of `rate` per second, rounded down.
pub(super) fn from_us(us: i64, rate: u32) -> i64 {
    let rate = i64::from(rate);
    let part = us.rem_euclid(SECOND).wrapping_mul(rate).div_euclid(SECOND);
    us.div_euclid(SECOND).wrapping_mul(rate).wrapping_add(part)
}

/// `ticks` of `rate` per second in microseconds, rounded down.
pub(super) fn to_us(ticks: i64, rate: u32) -> i64 {
    let rate = i64::from(rate.max(1));
    let part = ticks.rem_euclid(rate).wrapping_mul(SECOND).div_euclid(rate);
    ticks.div_euclid(rate).wrapping_mul(SECOND).wrapping_add(part)
}

/// Microseconds in a second.
pub(super) const SECOND: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn there_and_back_is_within_a_tick(us in -(1i64 << 50)..(1 << 50), rate in 1u32..200_000) {
            let ticks = from_us(us, rate);
            let tick = SECOND / i64::from(rate) + 1;
            prop_assert!((us - to_us(ticks, rate)).abs() <= tick);
            prop_assert_eq!(i128::from(ticks), (i128::from(us) * i128::from(rate)).div_euclid(1_000_000));
        }

        #[test]
        fn nothing_overflows(value in any::<i64>(), rate in any::<u32>()) {
            let _ = (from_us(value, rate), to_us(value, rate));
        }
    }
}
