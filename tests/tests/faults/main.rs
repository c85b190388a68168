//! Streams with faults, played by the real player in real browsers: does it play on?
//!
//! All players of a test run side by side on one page, each from a server of its own, with large and with tiny pieces. Two
//! streams without a fault play beside them: what the machine does to those is not held against the others.

mod catalogue;
mod matrix;

use matrix::passes;
use pushpull_tests::Kind;

#[test]
fn network() {
    passes(Kind::Chromium, catalogue::network);
}

#[test]
fn clocks() {
    passes(Kind::Chromium, catalogue::clocks);
}

#[test]
fn tracks() {
    passes(Kind::Chromium, catalogue::tracks);
}

#[test]
fn damage() {
    passes(Kind::Chromium, catalogue::damage);
}

/// The core of the matrix.
#[test]
fn firefox() {
    passes(Kind::Firefox, catalogue::core);
}
