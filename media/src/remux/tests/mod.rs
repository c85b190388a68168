mod jumps;
mod output;
mod queues;
mod responses;
mod stream;
mod support;
