# Every task of the repository. CI runs `just test`, the same recipe a person runs.
set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments

# List the recipes.
[private]
default:
    @just --list

# Build what is missing and serve, with the built-in test stream on; arguments go to the server.
run *args:
    @scripts/run "$@"

# Everything: formatting, lints, unit tests, the player in Chromium, end to end.
test:
    @scripts/test

# Formatting and lints, native and WebAssembly; warnings are errors.
check:
    @scripts/check

# Build the player package, `player-wasm/pkg/`.
player:
    @scripts/player

# Build what is handed out: a static program for Linux in an archive, `just release` or `just release aarch64`.
release *args:
    @scripts/release "$@"

# Format the Rust sources.
fmt:
    cargo fmt --all

# Measure: `just bench relay --viewers 1000`, `just bench player --only ttff,latency,cpu`.
bench name *args:
    @scripts/bench "$@"

# Half an hour, or as many minutes as said, and nothing grows: `just soak`, `just soak 5`, `just soak relay`, `just soak reload`.
soak *args:
    @scripts/soak "$@"

# Try the API with requests made from its own description: 200 for each operation, or as many as said.
fuzz-api *args:
    @scripts/fuzz-api "$@"

# Fuzz each target for a minute, or for as many seconds as said: `just fuzz 600`, `just fuzz 60 amf0`.
fuzz *args:
    @scripts/fuzz "$@"
