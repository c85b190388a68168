//! Whether the files that were read have changed since.
//!
//! They are looked at now and then. What the system tells of changes (inotify and its like) says nothing for network file
//! systems and loses a file that is replaced by another, which is how editors and Kubernetes change one.

use crate::config::mark::{Mark, Read};

/// Files, as they were read and as they were seen last.
#[derive(Debug, Default)]
pub struct Watch {
    files: Vec<Read>,
    seen: Vec<Option<Mark>>,
}

impl Watch {
    /// Watches `files`.
    pub fn new(files: Vec<Read>) -> Watch {
        Watch { files, seen: Vec::new() }
    }

    /// Whether there is nothing to watch.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether a file is another than the one that was read, and has been for two looks: one that is being written is
    /// let alone until it is finished.
    pub fn has_changed(&mut self) -> bool {
        let marks: Vec<_> = self.files.iter().map(|file| Mark::of(&file.path)).collect();
        let is_other = self.files.iter().zip(&marks).any(|(file, mark)| file.mark != *mark);
        let is_settled = self.seen == marks;
        self.seen = marks;
        is_other && is_settled
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_counts_once_it_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pushpull.toml");
        fs::write(&path, "one").unwrap();
        let mut watch = Watch::new(vec![Read::now(&path)]);
        assert!(!watch.has_changed() && !watch.has_changed());
        for text in ["thr", "three"] {
            fs::write(&path, text).unwrap();
            assert!(!watch.has_changed(), "it may go on");
        }
        assert!(watch.has_changed());
        fs::remove_file(&path).unwrap();
        assert!(!watch.has_changed(), "another may take its place");
        fs::write(&path, "four!").unwrap();
        assert!(!watch.has_changed());
        assert!(watch.has_changed());
        fs::remove_file(&path).unwrap();
        assert!(!watch.has_changed());
        assert!(watch.has_changed(), "it is gone for good");
    }

    #[test]
    fn a_file_that_was_not_there_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let mut watch = Watch::new(vec![Read::now(&path)]);
        assert!(!watch.has_changed() && !watch.has_changed());
        fs::write(&path, "one").unwrap();
        assert!(!watch.has_changed());
        assert!(watch.has_changed());
    }
}
