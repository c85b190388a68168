mod jumps;
mod output;
mod queues;
mod stream;
mod support;
