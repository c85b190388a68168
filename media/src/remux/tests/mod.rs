#[cfg(feature = "codecs")]
mod codecs;
mod jumps;
mod output;
mod queues;
mod responses;
mod silence;
mod stream;
mod support;
