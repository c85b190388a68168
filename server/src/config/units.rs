//! Values as people write them: `5s`, `16MiB`, `0.0.0.0:1935`.

use std::{
    fmt::Display, net::SocketAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration,
};

use super::Secret;

/// A time with its unit: `40ms`, `5s`, `2m`, `1h`.
pub fn time(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let wrong = || {
        format!("{text:?} is not a time: write a whole number and a unit, such as 40ms, 5s or 2m")
    };
    let (number, unit) = split(text);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let value = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_ms))
        .map(Duration::from_millis)
        .ok_or_else(wrong)?;
    within(value, &range, text, |limit| format!("{limit:?}"))
}

/// A size in bytes, or with a unit: `65536`, `64KiB`, `16MiB`, `1GiB`.
pub fn size(text: &str, range: RangeInclusive<usize>) -> Result<usize, String> {
    let wrong = || {
        format!(
            "{text:?} is not a size: write a number of bytes, or one with KiB, MiB or GiB, such as 16MiB"
        )
    };
    let (number, unit) = split(text);
    let unit_bytes: usize = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let value = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(unit_bytes))
        .ok_or_else(wrong)?;
    within(value, &range, text, |limit| format!("{limit} bytes"))
}

/// A whole number.
pub fn number<T>(text: &str, range: RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    let value = text.parse().map_err(|_| {
        format!("{text:?} is not a whole number between {} and {}", range.start(), range.end())
    })?;
    within(value, &range, text, T::to_string)
}

/// One of some words, each for a value. `what` it would be is said of others.
pub fn one_of<T: Copy>(text: &str, what: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    let words = match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => words.concat(),
    };
    Err(format!("{text:?} is not {what}: write {words}"))
}

/// `true` or `false`.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// One listening address.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| {
        format!("{text:?} is not a listening address: write IP:PORT, such as 0.0.0.0:1935, 127.0.0.1:8082 or [::]:8082")
    })
}

/// One or more listening addresses, separated by commas.
pub fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    text.split(',').map(address).collect()
}

/// Any number of words, separated by commas.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Any number of secrets, one on each line: they may hold commas.
pub fn secrets(text: &str) -> Vec<Secret> {
    text.lines().filter(|line| !line.is_empty()).map(Secret::new).collect()
}

/// A directory with a page in it.
pub fn page_directory(text: &str) -> Result<PathBuf, String> {
    let directory = PathBuf::from(text);
    match directory.join("index.html").metadata() {
        Ok(_) => Ok(directory),
        Err(error) => Err(format!("{text:?} is not a directory with an index.html ({error})")),
    }
}

fn split(text: &str) -> (&str, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    (number, unit.trim_start())
}

fn within<T: PartialOrd>(
    value: T,
    range: &RangeInclusive<T>,
    text: &str,
    show: impl Fn(&T) -> String,
) -> Result<T, String> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(format!(
        "{text:?} is out of range: it must be between {} and {}",
        show(range.start()),
        show(range.end())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: RangeInclusive<Duration> = Duration::ZERO..=Duration::MAX;

    #[test]
    fn who_writes_another_word_is_told_those_that_there_are() {
        let words = [("reject", 1), ("replace", 2), ("replace_if_idle", 3)];
        assert_eq!(one_of("replace", "a policy", &words), Ok(2));
        let said = one_of("Replace", "a policy", &words).unwrap_err();
        assert_eq!(said, "\"Replace\" is not a policy: write reject, replace or replace_if_idle");
        let said = one_of("", "a policy", &words[..2]).unwrap_err();
        assert_eq!(said, "\"\" is not a policy: write reject or replace");
    }

    #[test]
    fn times_carry_their_unit() {
        assert_eq!(time("40ms", ANY), Ok(Duration::from_millis(40)));
        assert_eq!(time("5s", ANY), Ok(Duration::from_secs(5)));
        assert_eq!(time("2 m", ANY), Ok(Duration::from_secs(120)));
        assert_eq!(time("1h", ANY), Ok(Duration::from_secs(3600)));
        for wrong in
            ["", "5", "s", "5sec", "-5s", "1.5s", "99999999999999999999s", "18446744073709551615h"]
        {
            assert!(time(wrong, ANY).unwrap_err().contains("is not a time"), "{wrong}");
        }
    }

    #[test]
    fn a_value_out_of_range_says_the_range() {
        let range = Duration::from_millis(500)..=Duration::from_secs(4);
        assert_eq!(
            time("9s", range).unwrap_err(),
            "\"9s\" is out of range: it must be between 500ms and 4s"
        );
    }

    #[test]
    fn sizes_are_bytes_or_binary_units() {
        assert_eq!(size("65536", 0..=usize::MAX), Ok(65536));
        assert_eq!(size("64KiB", 0..=usize::MAX), Ok(65536));
        assert_eq!(size("16MiB", 0..=usize::MAX), Ok(16 << 20));
        for wrong in ["", "MiB", "16MB", "16mib", "1e3", "99999999999GiB"] {
            assert!(size(wrong, 0..=usize::MAX).unwrap_err().contains("is not a size"), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_a_list() {
        assert_eq!(addresses("0.0.0.0:8082, [::1]:8000").unwrap().len(), 2);
        for wrong in ["", "8082", "localhost:8082", "0.0.0.0", "0.0.0.0:8082,"] {
            assert!(addresses(wrong).unwrap_err().contains("write IP:PORT"), "{wrong}");
        }
    }

    #[test]
    fn lists_may_be_empty() {
        assert_eq!(list("a, b,").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(list("").count(), 0);
        let secrets = secrets("a, b\n\nc");
        assert_eq!(secrets.iter().map(Secret::reveal).collect::<Vec<_>>(), ["a, b", "c"]);
    }

    #[test]
    fn numbers_and_switches() {
        assert_eq!(number("7", 1..=10u32), Ok(7));
        assert!(number("0", 1..=10u32).unwrap_err().contains("between 1 and 10"));
        assert!(number::<u32>("many", 1..=10).unwrap_err().contains("whole number"));
        assert_eq!(switch("true"), Ok(true));
        assert!(switch("yes").is_err());
    }
}
