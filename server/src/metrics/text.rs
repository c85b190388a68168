//! From OpenMetrics to the text format that came before it.

use std::collections::HashSet;

/// The same in version 0.0.4 of the text format: there a counter's type is said of the name with `_total`, a unit is a comment
/// like any other, and nothing marks the end.
pub(super) fn older(open: &str) -> String {
    let kinds = open.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let counters: HashSet<&str> = kinds.filter_map(|kind| kind.strip_suffix(" counter")).collect();
    let mut text = String::with_capacity(open.len());
    for line in open.lines() {
        let said = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        match said.and_then(|said| said.split_once(' ')) {
            Some((name, rest)) if counters.contains(name) => {
                let start = line.get(..7).unwrap_or_default();
                text.extend([start, name, "_total ", rest]);
            }
            _ if line == "# EOF" || line.starts_with("# UNIT ") => continue,
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_their_whole_name_and_nothing_marks_the_end() {
        let open = "# HELP a_b Bytes.\n# TYPE a_b counter\n# UNIT a_b bytes\na_b_total{x=\"y\"} 1\n\
                    # HELP c Some.\n# TYPE c gauge\nc 2\n# EOF\n";
        let text = "# HELP a_b_total Bytes.\n# TYPE a_b_total counter\na_b_total{x=\"y\"} 1\n\
                    # HELP c Some.\n# TYPE c gauge\nc 2\n";
        assert_eq!(older(open), text);
    }
}
