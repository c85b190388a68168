//! The `pushpull` program.

fn main() {}
