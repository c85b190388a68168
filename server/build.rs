//! Rebuilds the program when a file of the page or the player appears: what is built in is listed at compile time.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Debug builds read both from disk at run time.
    if std::env::var("PROFILE").as_deref() == Ok("debug") {
        return;
    }
    println!("cargo::rerun-if-changed=../web");
    // Cargo takes a path that does not exist for changed, every time: watch for the package to come into being instead.
    let package = Path::new("../player-wasm/pkg");
    let watched = if package.exists() { package } else { Path::new("../player-wasm") };
    println!("cargo::rerun-if-changed={}", watched.display());
}
