//! Values that nobody is shown.

use std::{fmt, fs, path::Path};

use subtle::ConstantTimeEq;

use super::{keys::Kind, mark};

/// A secret of the configuration: nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` to itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `given` is it. How long that takes tells nothing but its length.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
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

/// A web address without what may be secret in it: its query, and a user with a password. What is no web address may be one
/// that was written wrongly.
#[must_use]
pub fn hide_in_url(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = match authority.rsplit_once('@') {
        Some((_, host)) => ("…@", host),
        // A password with a slash in it, or the like, seems to end where a port would.
        None if path.contains('@') && has_odd_port(authority) => return format!("{scheme}…"),
        None => ("", authority),
    };
    let (path, query) = match path.split_once(['?', '#']) {
        Some((path, _)) => (path, "?…"),
        None => (path, ""),
    };
    format!("{scheme}{user}{host}{path}{query}")
}

fn has_odd_port(authority: &str) -> bool {
    let host_end = authority.rfind(']').unwrap_or_default();
    let port = authority.get(host_end..).and_then(|end| end.split_once(':'));
    port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The secrets that `items` say or name the files of, one on each line, as [`super::units::secrets`] reads them. The files
/// are added to `files`.
pub(super) fn resolve(
    kind: Kind,
    items: Vec<String>,
    files: &mut Vec<mark::Read>,
) -> Result<String, String> {
    let is_said = !items.is_empty();
    let mut secrets = Vec::with_capacity(items.len());
    for item in items {
        match item.strip_prefix(FILE) {
            Some(path) => {
                files.push(mark::Read::now(Path::new(path)));
                secrets.extend(read(Path::new(path))?);
            }
            None if item.contains(['\n', '\r']) => {
                return Err("a secret is one line".to_owned());
            }
            None => secrets.push(item),
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    if secrets.is_empty() && is_said {
        // Such as a variable that was to be filled in: nobody means to let everybody in by it.
        return Err("it is empty: say a secret, or leave the key out".to_owned());
    }
    if kind == Kind::Secret && secrets.len() > 1 {
        return Err(format!("it takes one secret, and here are {}", secrets.len()));
    }
    Ok(secrets.join("\n"))
}

/// The lines of a file that has secrets in it. What is wrong is told without them.
fn read(path: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the secret in {}: {error}", path.display()))?;
    let lines: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return Err(format!("there is no secret in {}", path.display()));
    }
    Ok(lines)
}

/// What the name of a secret's file begins with.
const FILE: &str = "file:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_may_stand_in_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets");
        fs::write(&path, "one, two\r\n\n  three \n").unwrap();
        let mut files = Vec::new();
        let items = ["zero".to_owned(), format!("file:{}", path.display()), String::new()];
        let secrets = resolve(Kind::Secrets, items.to_vec(), &mut files).unwrap();
        assert_eq!(secrets, "zero\none, two\nthree");
        assert_eq!(files, [mark::Read::now(&path)]);

        let error = resolve(Kind::Secret, items.to_vec(), &mut files).unwrap_err();
        assert_eq!(error, "it takes one secret, and here are 3");
        fs::write(&path, "\n").unwrap();
        let error = resolve(Kind::Secrets, items.to_vec(), &mut files).unwrap_err();
        assert_eq!(error, format!("there is no secret in {}", path.display()));
        fs::remove_file(&path).unwrap();
        let error = resolve(Kind::Secrets, items.to_vec(), &mut files).unwrap_err();
        assert!(
            error.starts_with(&format!("cannot read the secret in {}", path.display())),
            "{error}"
        );
    }

    #[test]
    fn a_secret_that_is_said_and_empty_is_a_mistake() {
        for items in [vec![String::new()], vec![String::new(); 2]] {
            let error = resolve(Kind::Secrets, items, &mut Vec::new()).unwrap_err();
            assert!(error.starts_with("it is empty"), "{error}");
        }
        assert_eq!(resolve(Kind::Secrets, vec![], &mut Vec::new()), Ok(String::new()));
    }

    #[test]
    fn web_addresses_are_shown_without_what_is_secret_in_them() {
        for (url, shown) in [
            ("http://h:1/p", "http://h:1/p"),
            ("https://[::1]/", "https://[::1]/"),
            ("http://h:1/p?key=hunter2", "http://h:1/p?…"),
            ("http://h?key=a/b@c", "http://h?…"),
            ("http://h/p#hunter2", "http://h/p?…"),
            ("http://me:hunter2@h/p@q", "http://…@h/p@q"),
            ("h/p?key=hunter2", "h/p?…"),
            ("me:hunter2@h/p", "…@h/p"),
            ("http://me:hun/ter2@h/p", "http://…"),
            ("http://me:hun?ter2@h/p", "http://…"),
            ("http://me:hun#ter2@h/p?k", "http://…"),
            ("http://h:x?key=a@hunter2", "http://…"),
            ("http://h:x/p", "http://h:x/p"),
            ("http://[::1]:9/p@q?k", "http://[::1]:9/p@q?…"),
            ("", ""),
        ] {
            assert_eq!(hide_in_url(url), shown, "{url}");
        }
    }

    #[test]
    fn debugging_does_not_show_it() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "(set)");
        assert_eq!(secret.reveal(), "hunter2");
        assert!(secret.is("hunter2"));
        assert!(!secret.is("hunter") && !secret.is("hunter22") && !secret.is("Hunter2"));
    }
}
