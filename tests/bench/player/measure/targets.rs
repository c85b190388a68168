//! What is wanted of ours: each measure with a name for people, and bounds beside the peers of the same run.

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Lower,
    Higher,
}

/// A bound on our figure.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// At most (at least, where higher is better) so many times the best peer's.
    Best(f64),
    /// The same beside one of them.
    Peer(&'static str, f64),
    /// At most this.
    Figure(f64),
}

/// One measure.
pub struct Target {
    pub id: &'static str,
    /// What it is, with its unit.
    pub title: &'static str,
    pub better: Better,
    pub must: Option<Bound>,
    pub aim: Option<Bound>,
}

const fn target(id: &'static str, title: &'static str, must: Bound, aim: Bound) -> Target {
    Target { id, title, better: Better::Lower, must: Some(must), aim: Some(aim) }
}

const fn known(id: &'static str, title: &'static str) -> Target {
    Target { id, title, better: Better::Lower, must: None, aim: None }
}

use Bound::{Best, Figure, Peer};

/// All of them, in the order of the report.
pub const TARGETS: &[Target] = &[
    target("ttff.first", "time to first picture, code loaded, ms", Best(1.1), Best(0.9)),
    known("ttff.again", "time to first picture, second player of a page, ms"),
    target("ttff.cold", "time to first picture, cold page, ms", Best(1.2), Best(1.0)),
    target("latency.3s", "latency 3 s after joining, ms", Best(1.0), Best(0.7)),
    target("latency.settled", "latency 10 s after joining, ms", Best(1.0), Figure(475.0)),
    known("latency.end", "latency at the end of the run, ms"),
    target("waiting", "`waiting` events after the first picture", Best(1.0), Figure(0.0)),
    target("dropped", "dropped pictures, %", Figure(0.2), Figure(0.0)),
    known("shown", "pictures decoded a second"),
    target("appends", "appends a second", Best(1.0), Best(0.5)),
    known("cpu.renderer", "renderer CPU in play, ms/s"),
    target("cpu.above", "renderer CPU in play above native MP4, ms/s", Best(1.0), Best(0.6)),
    known("cpu.main", "main thread in play, ms/s"),
    target("cpu.main.above", "main thread in play above native MP4, ms/s", Best(1.0), Best(0.7)),
    known("cpu.worker", "worker threads in play, ms/s"),
    known("cpu.all", "CPU of all of the browser in play, ms/s"),
    known("others", "what else ran on this machine meanwhile, ms/s"),
    known("stall.before", "latency before a network stall of 3 s, ms"),
    target("stall.after", "latency 15 s after it, beside before, ms", Figure(100.0), Figure(50.0)),
    known("stall.3s", "latency 3 s after it, beside before, ms"),
    known("stall.freeze", "longest time without a new picture, ms"),
    target("vod.cpu", "renderer CPU for 100 MB, ms", Best(0.8), Best(0.65)),
    target("vod.net", "the same without fetching, ms", Best(0.7), Best(0.45)),
    target("vod.main", "main thread for 100 MB, ms", Best(1.0), Best(0.3)),
    known("vod.worker", "worker threads for 100 MB, ms"),
    known("vod.all", "CPU of all of the browser for 100 MB, ms"),
    Target {
        better: Better::Higher,
        ..target("vod.speed", "demuxing and remuxing, MB/s", Best(1.1), Best(1.5))
    },
    known("vod.appends", "appends for the file"),
    target(
        "memory.private",
        "growth of the renderer's private memory, MB",
        Figure(3.0),
        Figure(2.0),
    ),
    known("memory.private.end", "the renderer's private memory at the end, MB"),
    target("memory.heap", "growth of the JavaScript heap, MB a minute", Figure(0.02), Figure(0.02)),
    known("memory.heap.end", "the JavaScript heap at the end, MB"),
    target("memory.wasm", "growth of the WebAssembly's memory, MB", Figure(0.0), Figure(0.0)),
    known("memory.wasm.end", "the WebAssembly's memory at the end, MB"),
    target("size", "bytes a live page loads, brotli", Peer("mpegts.js", 1.0), Peer("flv.js", 1.0)),
];
