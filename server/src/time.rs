//! Times as they are told: in milliseconds, since 1970, and as dates.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Whole milliseconds, at most 2⁶⁴−1.
#[must_use]
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How long after 1970 that is. What is before that is of a clock that is wrong, and counts as 1970.
#[must_use]
pub fn unix(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// How long after 1970 it is now.
#[must_use]
pub fn unix_now() -> Duration {
    unix(SystemTime::now())
}

/// Seconds since 1970, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        Self::of_unix(unix_now())
    }

    /// So long after 1970.
    #[must_use]
    pub fn of_unix(since: Duration) -> Self {
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// So much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The day of a date of the Gregorian calendar, which must exist.
    pub(crate) fn of(year: i64, month: i64, day: i64, seconds: i64) -> Self {
        // Years that begin in March have their odd day at the end.
        let year = year - i64::from(month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - SHIFT;
        Self(days * DAY + seconds)
    }

    /// Year, month and day.
    pub(crate) fn date(self) -> (i64, i64, i64) {
        let days = self.0.div_euclid(DAY) + SHIFT;
        let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = (march + 2) % 12 + 1;
        (era * 400 + year + i64::from(month <= 2), month, day)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((year, month, day), seconds) = (self.date(), self.0.rem_euclid(DAY));
        let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }
}

/// Days of 400 years.
const ERA: i64 = 146_097;

/// Days from the first of March of the year 0 to the first of January 1970.
const SHIFT: i64 = 719_468;

/// Seconds of a day.
const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (date, seconds) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 951_782_400),
            ((2026, 11, 21), 1_795_219_200),
            ((2100, 3, 1), 4_107_542_400),
            ((9999, 12, 31), 253_402_214_400),
        ] {
            let (year, month, day) = date;
            assert_eq!(Moment::of(year, month, day, 0), Moment(seconds), "{date:?}");
            assert_eq!(Moment(seconds + 86_399).date(), date);
        }
        assert_eq!(Moment(951_782_400 + 3_660).to_string(), "2000-02-29 01:01 UTC");
    }

    #[test]
    fn every_day_of_four_centuries_is_found_again() {
        for day in 0..ERA {
            let (year, month, of_month) = Moment(day * DAY).date();
            assert_eq!(Moment::of(year, month, of_month, 0), Moment(day * DAY));
        }
    }
}
