//! Enumerations that JavaScript knows by their numbers.

/// An enumeration with the list of its values, and their names for the test that compares them with
/// `js/engine.js`.
macro_rules! numbered {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $($(#[$each:meta])* $value:ident,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$each])* $value,)*
        }

        impl $name {
            /// All of them, each at its number.
            pub const ALL: &[Self] = &[$(Self::$value,)*];
            /// Their names.
            #[cfg(test)]
            pub(crate) const NAMES: &[&str] = &[$(stringify!($value),)*];
        }
    };
}

pub(crate) use numbered;

#[cfg(test)]
mod tests {
    use crate::engine::{Fault, Notice, Stat};
    use crate::{Info, Op, Setting, Track};

    /// The names in `js/engine.js`, each at its number.
    fn in_javascript(name: &str) -> Vec<String> {
        let begin = format!("export const {name} = {{");
        let (_, rest) = include_str!("../js/engine.js").split_once(&begin).unwrap();
        let (list, _) = rest.split_once('}').unwrap();
        let entry = |(number, line): (usize, &str)| {
            let (name, at) = line.trim().trim_end_matches(',').split_once(": ").unwrap();
            assert_eq!(at.parse(), Ok(number), "{line}");
            name.to_owned()
        };
        list.trim().lines().enumerate().map(entry).collect()
    }

    #[test]
    fn javascript_has_the_same_numbers() {
        assert_eq!(in_javascript("Op"), Op::NAMES);
        assert_eq!(in_javascript("Track"), Track::NAMES);
        assert_eq!(in_javascript("Setting"), Setting::NAMES);
        assert_eq!(in_javascript("Info"), Info::NAMES);
        assert_eq!(in_javascript("Stat"), Stat::NAMES);
        assert_eq!(in_javascript("Notice"), Notice::NAMES);
        assert_eq!(in_javascript("Fault"), Fault::NAMES);
    }
}
