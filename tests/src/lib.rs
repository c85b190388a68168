//! End to end: a real server process, real ffmpeg, real browsers.
//!
//! A test gets a [`Stage`]: it starts the processes, ends them, and when the test fails prints what each of them said
//! and takes a picture of every page. The server is `target/release/pushpull`, or the file `PUSHPULL_BIN` names.

pub mod browser;
pub mod clip;
pub mod driver;
pub mod encoder;
pub mod fault;
pub mod ffmpeg;
pub mod files;
pub mod fuzzing;
pub mod hook;
pub mod http;
pub mod phone;
pub mod player;
pub mod process;
pub mod renderers;
pub mod rtmp;
pub mod scene;
pub mod server;
pub mod soak;
pub mod stage;
pub mod statistics;
pub mod steady;
pub mod tls;
pub mod usage;
pub mod viewer;
pub mod wait;
pub mod webdriver;

pub use crate::{
    browser::Browser,
    clip::Clip,
    driver::Kind,
    encoder::Encoder,
    ffmpeg::Publisher,
    hook::{Answer, HookServer},
    player::Player,
    scene::Scene,
    server::Server,
    stage::{Stage, stage},
    viewer::Viewer,
    wait::until,
};
