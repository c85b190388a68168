//! By what a file that has changed is told from one that has not.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// A file that was read, and as what it was found right before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The path as it was given.
    pub path: PathBuf,
    /// `None` if there was none.
    pub mark: Option<Mark>,
}

/// What the system says of a file without reading it. A file that is replaced by another, be it by a link that leads
/// elsewhere now, has another mark, as has one that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    len: u64,
    /// Written, and changed in any way: copying may set the first back.
    times: [(i64, i64); 2],
    /// The file system, and the number of the file in it.
    identity: (u64, u64),
}

impl Read {
    /// Notes what `path` is before it is read.
    pub fn now(path: &Path) -> Read {
        Read { path: path.to_owned(), mark: Mark::of(path) }
    }
}

/// Adds the file at `path` to `files` and tells what is in it apart from anything else: by a digest, which is `None` where
/// there is no file.
pub fn note(path: &Path, files: &mut Vec<Read>) -> Option<Digest> {
    if path.as_os_str().is_empty() {
        return None;
    }
    let file = Read::now(path);
    // A pipe is for the one who needs what is in it.
    let content = file.mark.as_ref().and_then(|_| fs::read(path).ok());
    files.push(file);
    content.map(|content| Sha256::digest(content).into())
}

/// What is in a file, made short.
pub type Digest = [u8; 32];

impl Mark {
    /// `None` if there is no file, or what there is cannot be read a second time, such as a pipe.
    pub fn of(path: &Path) -> Option<Mark> {
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| Mark::new(&found))
    }

    #[cfg(unix)]
    fn new(found: &fs::Metadata) -> Mark {
        use std::os::unix::fs::MetadataExt;
        Mark {
            len: found.len(),
            times: [(found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())],
            identity: (found.dev(), found.ino()),
        }
    }

    #[cfg(not(unix))]
    fn new(found: &fs::Metadata) -> Mark {
        let written = found.modified().ok();
        let since = written.map(crate::time::unix).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Mark {
            len: found.len(),
            times: [(seconds, since.subsec_nanos().into()), (0, 0)],
            identity: (0, 0),
        }
    }
}

/// Whether what is at `path` would be the same if it were read once more.
///
/// # Errors
/// It is there, and it is no file: a pipe is empty the second time, which must not pass for a file that says nothing.
pub fn check_readable_again(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(io::Error::other("it is not a regular file, which can be read again"))
        }
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_change_a_file_changes_its_mark() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pushpull.toml");
        assert_eq!(Mark::of(&path), None);
        fs::write(&path, "one").unwrap();
        let mut marks = vec![Mark::of(&path)];
        assert_eq!(Mark::of(&path), marks[0], "nothing has happened");

        fs::write(&path, "three").unwrap();
        marks.push(Mark::of(&path));

        // As editors save: another file takes its place, here one of the same size and age.
        let other = directory.path().join("other");
        fs::write(&other, "three").unwrap();
        let age = fs::metadata(&path).unwrap().modified().unwrap();
        fs::File::options().write(true).open(&other).unwrap().set_modified(age).unwrap();
        fs::rename(&other, &path).unwrap();
        marks.push(Mark::of(&path));

        // As Kubernetes does it: the path is a link, and leads to another file from now on.
        fs::remove_file(&path).unwrap();
        for name in ["a", "b"] {
            fs::write(directory.path().join(name), "three").unwrap();
            drop(fs::remove_file(&path));
            std::os::unix::fs::symlink(directory.path().join(name), &path).unwrap();
            marks.push(Mark::of(&path));
        }
        for (number, mark) in marks.iter().enumerate() {
            assert!(mark.is_some());
            assert!(!marks[..number].contains(mark), "{number}: {marks:?}");
        }
    }

    #[test]
    fn a_pipe_is_not_read_again() {
        assert_eq!(Mark::of(Path::new("/dev/null")), None);
        assert!(check_readable_again(Path::new("/dev/null")).is_err());
        assert!(check_readable_again(Path::new("/nowhere")).is_ok(), "reading it tells more");
    }
}
