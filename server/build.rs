//! Rebuilds the program when what is built into it changes: the files are listed at compile time.

use std::path::Path;

fn main() {
    watch("build.rs");
    // Debug builds read the files at run time; where the player is, they must know too.
    let is_debug = std::env::var("PROFILE").as_deref() == Ok("debug");
    if !is_debug {
        watch("../web");
    }
    if !Path::new(PLAYER).exists() {
        // Cargo takes a path that does not exist for changed, every time: watch for it to come into being instead.
        watch("../player-wasm");
    } else if !is_debug {
        watch(PLAYER);
    }
}

fn watch(path: &str) {
    println!("cargo::rerun-if-changed={path}");
}

const PLAYER: &str = "../player-wasm/pkg";
