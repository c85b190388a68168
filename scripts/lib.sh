# shellcheck shell=bash
# Shared by the scripts beside this file, which source it: where things are, and how each tool gets installed.
# Everything installed for this repository alone goes below target/tools.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# Versions that Cargo.lock does not pin.
wasm_pack_version=0.15.1
binaryen_version=132.0.0
esbuild_version=0.28.2
terser_version=5.51.2
flv_js_version=1.6.2
mpegts_js_version=1.8.2
xgplayer_flv_version=3.0.24
node_media_server_version=4.4.3
geckodriver_version=0.37.1
schemathesis_version=4.32.5

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() {
    printf '\033[1;31merror:\033[0m %s\n' "$1" >&2
    shift
    if [ $# -gt 0 ]; then printf '       %s\n' "$@" >&2; fi
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

have cargo || fail "Rust is missing" "install it with rustup: https://rustup.rs"

# Where cargo builds: it knows CARGO_TARGET_DIR and the configuration files, so it is asked.
target_dir=$(cargo metadata --no-deps --format-version 1 --offline | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
[ -n "$target_dir" ] || fail "cargo metadata names no target directory" "is Cargo.toml readable?"
tools=$target_dir/tools
export PATH="$tools/bin:$PATH"

# The version of a package in Cargo.lock.
locked_version() {
    sed -n "/^name = \"$1\"\$/{n;s/^version = \"\(.*\)\"\$/\1/p;}" Cargo.lock
}

# cargo install into target/tools: with the lock file the tool was published with, else without, because some registries
# lag behind it. A tool runs for less than a second; compiling it is what it costs, and not optimising it more than halves
# that.
install_tool() {
    local crate=$1 version=$2
    local install=(cargo install --quiet --force --root "$tools" --version "$version" "$crate")
    mkdir -p "$tools"
    (
        export CARGO_TARGET_DIR="$tools/build" CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_OPT_LEVEL=0
        "${install[@]}" --locked 2>"$tools/install.log" || "${install[@]}"
    ) || fail "$crate $version could not be installed" \
        "try: cargo install --version $version $crate" \
        "and put it on PATH; then run this again"
    hash -r
}

# After the last of them: they share some of what they are built of.
tidy_tools() { rm -rf "$tools/build" "$tools/install.log"; }

have_npm() { have node && have npm; }

# Node.js with npm, for what a developer does with the player's package and for the players it is measured beside.
need_npm() {
    have_npm || fail "node or npm is missing" "install Node.js 20 or newer with npm; then run this again"
}

# npm install of packages into a folder, or of what its package.json names. No package's own scripts run, and standard
# output stays with whoever called.
npm_install() {
    local into=$1
    shift
    npm install --silent --no-package-lock --no-audit --no-fund --ignore-scripts --prefix "$into" "$@" >&2
}

# Rust's standard library for a target.
need_target() {
    local target=$1 libdir
    libdir=$(rustc --print target-libdir --target "$target")
    if compgen -G "$libdir/libcore-*.rlib" >/dev/null; then return; fi
    have rustup || fail "this Rust has no $target target, and rustup is missing" \
        "install Rust with rustup, or see docs/building.md for Debian's packages"
    say "Adding Rust's $target target (rustup)"
    rustup target add "$target" || fail "rustup could not add the target $target" \
        "try: rustup target add $target" "without a route to rustup's server, see docs/building.md"
}
need_wasm_target() { need_target wasm32-unknown-unknown; }

# wasm-bindgen's CLI and crate must be of the same version.
need_wasm_bindgen() {
    local version
    version=$(locked_version wasm-bindgen)
    if [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $version" ]; then return; fi
    say "Installing wasm-bindgen $version into $tools (compiles for some minutes, once)"
    install_tool wasm-bindgen-cli "$version"
}

# wasm-opt makes the player's WebAssembly smaller. Nothing else needs it: without it the build goes on.
want_wasm_opt() {
    if wasm-opt --version >/dev/null 2>&1; then return; fi
    if have_npm; then
        say "Installing binaryen $binaryen_version (wasm-opt) into $tools (npm, 104 MB, once)"
        if npm_install "$tools/npm" "binaryen@$binaryen_version"; then
            mkdir -p "$tools/bin"
            ln -sf "$tools/npm/node_modules/.bin/wasm-opt" "$tools/bin/wasm-opt"
            hash -r
            return
        fi
        say "npm could not install it"
    fi
    say "No wasm-opt: the player's WebAssembly will be larger than it could be" \
        "(to change that, put binaryen's wasm-opt on PATH, or install Node.js with npm)"
}

# The folder of a package of npm, once it is installed.
npm_folder() {
    local folder=$tools/$1-$2/node_modules/$1
    if [ -e "$folder/package.json" ] && have node; then printf '%s' "$folder"; fi
}
esbuild_folder() { npm_folder esbuild "$esbuild_version"; }
terser_folder() { npm_folder terser "$terser_version"; }

# What makes the player's JavaScript smaller. Nothing else needs it: without it the build goes on.
want_npm_package() {
    local name=$1 version=$2 size=$3
    if [ -n "$(npm_folder "$name" "$version")" ]; then return; fi
    if have_npm; then
        say "Installing $name $version into $tools (npm, $size MB, once)"
        if npm_install "$tools/$name-$version" "$name@$version"; then return; fi
        say "npm could not install it"
    fi
    say "No $name: the player's JavaScript will be larger than it could be" \
        "(to change that, install Node.js with npm)"
}
want_esbuild() { want_npm_package esbuild "$esbuild_version" 11; }
want_terser() { want_npm_package terser "$terser_version" 4; }

# The players that ours is measured beside, from npm.
need_peer_players() {
    local wanted="flv.js@$flv_js_version mpegts.js@$mpegts_js_version xgplayer-flv@$xgplayer_flv_version"
    local players=$tools/players
    if [ "$(cat "$players/installed" 2>/dev/null)" = "$wanted" ]; then return; fi
    need_npm
    want_esbuild
    [ -n "$(esbuild_folder)" ] || fail "the benchmark needs esbuild from npm"
    say "Installing $wanted into $players (npm)"
    mkdir -p "$players"
    # The variable holds words to be split. xgplayer-flv would bring xgplayer, its controls, which are not measured.
    # shellcheck disable=SC2086
    npm_install "$players" --omit=peer $wanted ||
        fail "npm could not install $wanted" "try: npm install --prefix $players $wanted"
    # Its core is published in modules only.
    "$(esbuild_folder)/bin/esbuild" "$players/node_modules/xgplayer-flv/es/flv/index.js" --bundle --minify \
        --format=iife --global-name=xgplayerFlv --outfile="$players/xgplayer-flv.js" --log-level=warning >&2 ||
        fail "esbuild could not bundle xgplayer-flv"
    echo "$wanted" >"$players/installed"
}

need_wasm_pack() {
    if [ "$(wasm-pack --version 2>/dev/null)" = "wasm-pack $wasm_pack_version" ]; then return; fi
    say "Installing wasm-pack $wasm_pack_version into $tools (compiles for some minutes, once)"
    install_tool wasm-pack "$wasm_pack_version"
}

# Drives Firefox; Debian has no package of it. Another version that is there already does as well.
need_geckodriver() {
    if have geckodriver; then return; fi
    say "Installing geckodriver $geckodriver_version into $tools (compiles for some minutes, once)"
    install_tool geckodriver "$geckodriver_version"
}

# Makes requests from the API's own description.
need_schemathesis() {
    local into=$tools/schemathesis
    if [ "$(cat "$into/installed" 2>/dev/null)" = "$schemathesis_version" ]; then return; fi
    say "Installing schemathesis $schemathesis_version into $into (pip, once)"
    have python3 || fail "python3 is missing" "install Python 3 with its module venv; then run this again"
    { python3 -m venv --clear "$into" && "$into/bin/pip" install --quiet "schemathesis==$schemathesis_version"; } ||
        fail "pip could not install schemathesis $schemathesis_version" \
            "Debian has Python's virtual environments in the package python3-venv"
    echo "$schemathesis_version" >"$into/installed"
}

# The relays that ours is measured beside: one from npm, one from Debian. What cannot be installed is told in the tables.
want_peer_relays() {
    local wanted="node-media-server@$node_media_server_version" relays=$tools/relays
    if [ "$(cat "$relays/installed" 2>/dev/null)" != "$wanted" ]; then
        if have_npm; then
            say "Installing $wanted into $relays (npm, 12 MB, once)"
            if npm_install "$relays" "$wanted"; then echo "$wanted" >"$relays/installed"; else say "npm could not install it"; fi
        else
            say "No Node-Media-Server: it needs Node.js 20 or newer with npm"
        fi
    fi
    if have nginx && have_nginx_module rtmp; then return; fi
    if [ "$(id -u)" = 0 ] && have apt-get; then
        (install_packages nginx libnginx-mod-rtmp) || say "nginx could not be installed"
    else
        say "No nginx with its RTMP module: run as root: apt-get install nginx libnginx-mod-rtmp"
    fi
}

# Whether nginx has a module as Debian has it: in a file of its own.
have_nginx_module() { compgen -G "/usr/lib*/nginx/modules/ngx_$1_module.so" >/dev/null; }

# Whether GStreamer has all of these elements.
have_gst() {
    local element
    for element in "$@"; do gst-inspect-1.0 --exists "$element" || return 1; done
}

# Debian's packages for the end-to-end tests, when their programs are missing.
need_test_packages() {
    local packages=""
    have chromedriver || packages="$packages chromium-driver"
    have chromium || have google-chrome || packages="$packages chromium"
    have firefox || have firefox-esr || packages="$packages firefox-esr"
    { have ffmpeg && have ffprobe; } || packages="$packages ffmpeg"
    have node || packages="$packages nodejs"
    have npm || packages="$packages npm"
    python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null || packages="$packages python3-venv"
    have rtmpdump || packages="$packages rtmpdump"
    have mpv || packages="$packages mpv"
    have obs || packages="$packages obs-studio"
    { have xvfb-run && have xauth; } || packages="$packages xvfb xauth"
    { have nginx && have_nginx_module stream; } || packages="$packages nginx libnginx-mod-stream"
    have caddy || packages="$packages caddy"
    have systemd-analyze || packages="$packages systemd"
    have curl || packages="$packages curl"
    have openssl || packages="$packages openssl"
    { have gst-launch-1.0 && have_gst flvmux souphttpsrc h264parse rtmp2sink rtmpsink; } ||
        packages="$packages gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
    # The variable holds words to be split.
    # shellcheck disable=SC2086
    if [ -n "$packages" ]; then install_packages $packages; fi
}

# apt-get install of packages by Debian's names.
install_packages() {
    local packages="$*" as_root=""
    have apt-get || fail "these programs are needed: $packages" \
        "install them with your system's package manager (names as in Debian), so that they are on PATH"
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        # Without a terminal sudo cannot ask for a password.
        [ -t 0 ] || as_root="sudo -n"
        have sudo || fail "packages are needed that only root can install" "run as root: apt-get install $packages"
    fi
    say "Installing $packages (${as_root:+$as_root }apt-get)"
    # The two variables hold words to be split.
    # shellcheck disable=SC2086
    if ! { $as_root apt-get update -qq &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >"$target_dir/apt.log" 2>&1; then
        tail -n 20 "$target_dir/apt.log" >&2
        fail "apt-get could not install: $packages" "try: ${as_root:+sudo }apt-get update && ${as_root:+sudo }apt-get install $packages"
    fi
}
