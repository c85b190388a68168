//! Values that nobody is shown.

use std::fmt;

/// A secret of the configuration: nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` to itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(set)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_does_not_show_it() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "(set)");
        assert_eq!(secret.reveal(), "hunter2");
    }
}
