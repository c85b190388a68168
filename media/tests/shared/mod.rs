//! What several of these programs need.

use std::process::{Command, Stdio};

use pushpull_media::flv::{Item, Reader, Tag};

/// The tags of a file.
pub fn tags(flv: &[u8]) -> Vec<Tag> {
    let mut reader = Reader::new();
    reader.push(flv);
    let mut tags = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    tags
}

/// What ffmpeg or ffprobe writes; they must have nothing to complain about.
pub fn run(tool: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {tool}: {error}; install ffmpeg"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{tool} {arguments:?}: {complaints}");
    output.stdout
}
