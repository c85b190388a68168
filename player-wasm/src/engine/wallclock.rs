//! When the publisher captured what is shown, if the stream says so.
//!
//! * `onWallClock` with `{unixTimeMs}`: the media of this tag's time was captured then.
//! * `onFI` with `{sd: "DD-MM-YYYY", st: "HH:MM:SS.mmm"}`, as Flash Media Live Encoder sends it; UTC.

use pushpull_media::amf0::Value;

use super::track::seconds;

/// The latest pair of capture time and media time.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock {
    /// Capture time minus media time on the stream's line, seconds.
    ahead: Option<f64>,
}

impl WallClock {
    /// Media at `line_us` on the stream's line was captured at `unix_ms`.
    pub fn set(&mut self, unix_ms: f64, line_us: i64) {
        self.ahead = Some(unix_ms / 1000.0 - seconds(line_us));
    }

    /// When what is shown at `time`, seconds of an output that begins at `base_us` of the stream's
    /// line, was captured; Unix seconds.
    #[must_use]
    pub fn at(&self, base_us: i64, time: f64) -> Option<f64> {
        Some(self.ahead? + seconds(base_us) + time)
    }

    /// From here on the stream's line leaves out `length` seconds.
    pub fn cut(&mut self, length: f64) {
        self.ahead = self.ahead.map(|ahead| ahead + length);
    }
}

/// The Unix time in milliseconds that the script tag `name` with `value` tells.
#[must_use]
pub fn read(name: &str, value: &Value) -> Option<f64> {
    match name {
        "onWallClock" => value.get("unixTimeMs")?.as_f64().filter(|ms| ms.is_finite()),
        "onFI" => {
            let [day, month, year] = numbers(value.get("sd")?.as_str()?, '-')?;
            let (clock, fraction) = split(value.get("st")?.as_str()?);
            let [hour, minute, second] = numbers(clock, ':')?;
            let in_range = (1..=31).contains(&day)
                && (1..=12).contains(&month)
                && (1970..=9999).contains(&year)
                && hour < 24
                && minute < 60
                && second <= 60;
            let time = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
            in_range.then_some(time as f64 * 1000.0 + fraction)
        }
        _ => None,
    }
}

/// A time of day and its milliseconds.
fn split(time: &str) -> (&str, f64) {
    let Some((time, digits)) = time.split_once('.') else { return (time, 0.0) };
    let mut fraction = 0.0;
    let mut unit = 100.0;
    for digit in digits.bytes().take(6).filter(u8::is_ascii_digit) {
        fraction += f64::from(digit - b'0') * unit;
        unit /= 10.0;
    }
    (time, fraction)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut next = || parts.next()?.trim().parse::<u16>().ok().map(i64::from);
    Some([next()?, next()?, next()?])
}

/// Days from 1970-01-01 in the Gregorian calendar; years begin in March here, so that a leap day is
/// the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(entries: &[(&str, Value)]) -> Value {
        Value::Object(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect())
    }

    #[test]
    fn both_kinds_are_read() {
        let value = object(&[("unixTimeMs", Value::from(1234.5))]);
        assert_eq!(read("onWallClock", &value), Some(1234.5));
        assert_eq!(read("onMetaData", &value), None);
        let fi = |sd: &str, st: &str| {
            read("onFI", &object(&[("sd", Value::from(sd)), ("st", Value::from(st))]))
        };
        assert_eq!(fi("01-01-1970", "00:00:00.5"), Some(500.0));
        assert_eq!(fi("29-02-2024", "12:34:56.789"), Some(1_709_210_096_789.0));
        assert_eq!(fi("31-12-1999", "23:59:59"), Some(946_684_799_000.0));
        assert_eq!(fi("2024-02-29", "12:34:56"), None);
        assert_eq!(fi("", ""), None);
    }

    #[test]
    fn the_line_leads_to_the_output() {
        let mut clock = WallClock::default();
        assert_eq!(clock.at(0, 1.0), None);
        clock.set(1_000_000.0, 5_000_000);
        assert_eq!(clock.at(4_000_000, 2.0), Some(1001.0));
        clock.cut(3.0);
        assert_eq!(clock.at(4_000_000, 2.0), Some(1004.0));
    }
}
