//! What somebody may have meant who writes a key that there is not.

use super::{
    keys::{self, Key},
    words::WORDS,
};

/// What comes near a name that is no key's.
#[derive(Debug)]
pub enum Near {
    /// It is a key's but for a slip of the pen.
    Misspelt(&'static Key),
    /// It is what other servers call something, and this is what there is here.
    Word(&'static str),
    /// It is a part of these keys' names.
    Part(Vec<&'static Key>),
    /// Nothing.
    Nothing,
}

/// What comes nearest to `name`.
pub fn nearest(name: &str) -> Near {
    let name = name.trim_start_matches('-').replace(['-', '.'], "_").to_lowercase();
    // What is longer is no slip of the pen, and would take long to compare.
    if name.len() > LONGEST {
        return Near::Nothing;
    }
    if let Some((_, word)) = WORDS.iter().find(|(names, _)| names.contains(&name.as_str())) {
        return Near::Word(word);
    }
    let by_distance = keys::all().map(|key| (distance(&name, key.name), key));
    if let Some((found, key)) = by_distance.min_by_key(|(distance, _)| *distance)
        && found <= slips(name.len())
    {
        return Near::Misspelt(key);
    }
    let has_name = |key: &&Key| name.len() >= SHORTEST_PART && key.name.contains(&name);
    let parts: Vec<&Key> = keys::all().filter(has_name).take(PARTS).collect();
    if parts.is_empty() { Near::Nothing } else { Near::Part(parts) }
}

impl Near {
    /// What to do about it; `write` makes of a key what one would have to write.
    pub fn hint(&self, write: impl Fn(&Key) -> String) -> String {
        match self {
            Near::Misspelt(key) => format!("did you mean `{}`?", write(key)),
            Near::Word(word) => (*word).to_owned(),
            Near::Part(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("`{}`", write(key))).collect();
                format!("did you mean {}?", keys.join(" or "))
            }
            Near::Nothing => "`pushpull --help` lists the keys".to_owned(),
        }
    }
}

/// How many letters were left out, added, mistaken, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: [Vec<usize>; 3] = [Vec::new(), Vec::new(), (0..=other.len()).collect()];
    for (i, letter) in one.iter().enumerate() {
        rows.rotate_left(1);
        let [before, above, row] = &mut rows;
        row.clear();
        row.push(i + 1);
        for (j, wanted) in other.iter().enumerate() {
            let mut least = (above[j] + usize::from(letter != wanted)).min(above[j + 1] + 1);
            least = least.min(row[j] + 1);
            if i > 0 && j > 0 && *letter == other[j - 1] && one[i - 1] == *wanted {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
    }
    rows[2][other.len()]
}

/// Slips that are likely in a name so long; with more of them it is another name.
fn slips(len: usize) -> usize {
    match len {
        0..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

const LONGEST: usize = 64;
const SHORTEST_PART: usize = 4;
const PARTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_found() {
        for (written, meant) in [
            ("gracee", "grace"),
            ("rmtp", "rtmp"),
            ("web-dir", "web_dir"),
            ("--web-dir", "web_dir"),
            ("Max_Viewers", "max_viewers"),
            ("max_viewer", "max_viewers"),
            ("http_max_conections", "http_max_connections"),
            ("takeover_ilde", "takeover_idle"),
        ] {
            assert!(
                matches!(nearest(written), Near::Misspelt(key) if key.name == meant),
                "{written}"
            );
        }
    }

    #[test]
    fn a_part_of_a_name_finds_the_names() {
        assert_eq!(
            nearest("max_connections").hint(|key| key.name.to_owned()),
            "did you mean `http_max_connections` or `http_max_connections_per_ip` or `rtmp_max_connections`?"
        );
    }

    #[test]
    fn strange_names_find_nothing() {
        for name in ["", "x", "server", "service_host", &"a".repeat(10_000), "ключ", "\u{0}"] {
            assert!(matches!(nearest(name), Near::Nothing), "{name}");
        }
    }

    #[test]
    fn distances_are_those_of_damerau() {
        for (one, other, expected) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("ca", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}
