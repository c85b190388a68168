//! The viewer's side: a cursor on a stream's ring.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use pushpull_media::flv;
use serde::Deserialize;
use tracing::debug;

use super::Hub;
use super::block::Block;
use super::headers::Headers;
use super::probe::Probe;
use super::ring::{Cursor, EndReason, Join, Lag, Release, Taken};
use super::selection::{Filter, Selection};
use super::stream::Stream;

/// Where a viewer begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// At the newest keyframe there is: a picture at once, up to one GOP old.
    #[default]
    Gop,
    /// At the next keyframe that comes: the least delay, after a wait of up to one GOP.
    Live,
}

/// Who views a stream; for the logs.
#[derive(Clone, Debug)]
pub struct ViewerInfo {
    /// The protocol, such as `http-flv`.
    pub protocol: &'static str,
    /// The peer's address.
    pub peer: String,
}

/// What comes next for a viewer.
#[derive(Clone, Debug)]
pub enum Next {
    /// A block to send. Blocks of headers come first, and again when a jump makes other headers necessary.
    Block(Arc<Block>),
    /// The stream is over.
    End(EndReason),
}

/// One viewer of a stream.
///
/// It holds no media but what [`Viewer::next`] returns: one that takes nothing costs nothing, and one that falls too far
/// behind goes on at the newest keyframe.
///
/// Its host takes little at a time, and the next only when its peer has that, so that a peer's lag is here, where something
/// can be done about it; and it calls [`Viewer::poll_hold`] while its peer takes nothing.
#[derive(Debug)]
pub struct Viewer {
    hub: Hub,
    stream: Arc<Stream>,
    cursor: Cursor,
    /// What is not looked at for each block stands elsewhere: a viewer is cold by the time its next one comes.
    info: Box<ViewerInfo>,
    _place: ViewerPlace,
    header: flv::Header,
    /// Taken and not yet returned: headers, and the block they belong in front of.
    headers: Option<Arc<Block>>,
    block: Option<Arc<Block>>,
    /// Whether the ring has no more than that.
    has_newest: bool,
    /// `None`: all tracks, untouched.
    filter: Option<Box<Filter>>,
    probe: Arc<Probe>,
    /// Bytes returned and not yet counted, and how many of them are worth it.
    uncounted: usize,
    count_from: usize,
    /// The block to go on with after a pause.
    paused_at: u64,
}

impl Viewer {
    /// Joins `stream`; `None` if it has as many viewers as it may.
    pub(super) fn join(
        hub: Hub,
        stream: Arc<Stream>,
        start: Start,
        info: ViewerInfo,
        place: ViewerPlace,
    ) -> Option<Self> {
        let join = match start {
            Start::Gop => Join::Newest,
            Start::Live => Join::Next,
        };
        let cursor = stream.ring.join(join, hub.config().max_viewers)?;
        let header = flv::Header::default();
        let probe = Probe::new(&stream, Some(cursor.slot()));
        Some(Self {
            hub,
            stream,
            cursor,
            info: Box::new(info),
            _place: place,
            header,
            headers: None,
            block: None,
            has_newest: false,
            filter: None,
            probe,
            uncounted: 0,
            count_from: 0,
            paused_at: 0,
        })
    }

    /// Waits for the first block, and with it for the truth about the tracks.
    pub(super) async fn begin(&mut self) -> Result<(), EndReason> {
        let taken =
            poll_fn(|context| self.stream.ring.poll(&mut self.cursor, context.waker())).await?;
        self.take(taken);
        // Nothing enters the ring before the tracks are known.
        let tracks = self.stream.tracks();
        self.header = flv::Header { has_audio: tracks.audio, has_video: tracks.video };
        self.hub.stats().viewed();
        debug!(
            stream = %self.stream.name,
            protocol = self.info.protocol,
            peer = %self.info.peer,
            "viewer joined"
        );
        Ok(())
    }

    /// The same viewer with the chosen tracks only, from its first block on; `None`: with all, untouched.
    #[must_use]
    pub fn choosing(mut self, selection: Option<Selection>) -> Self {
        self.filter = selection.map(Filter::new).map(Box::new);
        self
    }

    /// The FLV header that tells the truth about this stream.
    pub fn header(&self) -> flv::Header {
        self.header
    }

    /// The next block, or the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Next {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// [`Viewer::next`], for hosts that poll.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            let headers = self.headers.take();
            let is_headers = headers.is_some();
            let Some(block) = headers.or_else(|| self.block.take()) else {
                match self.stream.ring.poll(&mut self.cursor, context.waker()) {
                    Poll::Ready(Ok(taken)) => self.take(taken),
                    Poll::Ready(Err(reason)) => return Poll::Ready(Next::End(reason)),
                    Poll::Pending => return Poll::Pending,
                }
                continue;
            };
            if let Some(filter) = &mut self.filter
                && filter.changes(&block)
                && !is_headers
            {
                self.headers = headers_of(&block, block.headers());
                self.block = Some(block);
                continue;
            }
            let block = match &mut self.filter {
                None => Some(block),
                Some(filter) => filter.pass(block),
            };
            if let Some(block) = block {
                self.uncounted += block.bytes().len();
                if self.uncounted >= self.count_from {
                    self.count();
                }
                return Poll::Ready(Next::Block(block));
            }
        }
    }

    /// Whether what [`Viewer::poll_next`] has just returned is all there is: its task is woken when there is more, and need
    /// not ask to be.
    pub fn has_all(&self) -> bool {
        self.has_newest && self.block.is_none()
    }

    /// For a host whose peer takes no more at present, with `unsent` bytes still to go: ready when there is no point in
    /// waiting for the peer any longer. When the peer takes them first, the host goes on with [`Viewer::next`].
    pub fn poll_hold(&mut self, context: &mut Context<'_>, unsent: usize) -> Poll<Release> {
        // The waker is not kept for the next block any more, which may come before what was taken has been returned.
        self.has_newest = false;
        self.stream.ring.hold(&self.cursor, unsent, context.waker())
    }

    /// How far this viewer is behind.
    pub fn lag(&self) -> Lag {
        self.stream.ring.lag(&self.cursor)
    }

    /// Remembers where it is: what it returns from now on is left out.
    pub fn pause(&mut self) {
        // A block that was taken and not yet returned still belongs to what comes.
        let taken = u64::from(self.block.is_some());
        self.paused_at = self.cursor.number().saturating_sub(taken);
    }

    /// Goes on at the newest keyframe since [`Viewer::pause`], headers first; where it was, if there is none: time never
    /// goes back.
    pub fn resume(&mut self) {
        (self.headers, self.block) = (None, None);
        self.filter.iter_mut().for_each(|filter| filter.jumped());
        self.cursor.resume(self.paused_at);
    }

    /// The headers in force at `block`, which this viewer has returned, in the form in which it returns everything.
    pub fn headers_at(&mut self, block: &Block) -> Option<Arc<Block>> {
        let time = block.tags().first().map_or(0, flv::Tag::time);
        let headers = Arc::new(block.headers().block(time)?);
        match &mut self.filter {
            None => Some(headers),
            Some(filter) => filter.pass(headers),
        }
    }

    /// How often this viewer had fallen behind and jumped.
    pub fn jumps(&self) -> u64 {
        self.probe.jumps()
    }

    /// What others may know of this viewer while it watches.
    pub fn probe(&self) -> Arc<Probe> {
        self.probe.clone()
    }

    /// Tells those who count: the counters of all viewers, and what others see of this one, are elsewhere in memory.
    fn count(&mut self) {
        let bytes = std::mem::take(&mut self.uncounted);
        self.hub.stats().sent(bytes);
        self.probe.count(bytes);
        self.count_from = COUNT_FROM;
    }

    fn take(&mut self, taken: Taken) {
        if taken.jumped {
            self.probe.jumped();
            self.stream.jumps.add(1);
            self.hub.stats().jumped();
            self.filter.iter_mut().for_each(|filter| filter.jumped());
        }
        self.headers = taken.headers.and_then(|headers| headers_of(&taken.block, &headers));
        self.block = Some(taken.block);
        self.has_newest = taken.is_newest;
    }
}

/// The headers to send in front of a block.
fn headers_of(block: &Block, headers: &Arc<Headers>) -> Option<Arc<Block>> {
    let time = block.tags().first().map_or(0, flv::Tag::time);
    headers.block(time).map(Arc::new)
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let lag = self.lag();
        self.count();
        self.probe.leave();
        self.stream.ring.leave(&self.cursor);
        debug!(
            stream = %self.stream.name,
            protocol = self.info.protocol,
            peer = %self.info.peer,
            jumps = self.probe.jumps(),
            lag_bytes = lag.bytes,
            lag_ms = lag.ms,
            "viewer left"
        );
    }
}

/// Bytes that a viewer counts at once: what others know of it is not older than three pictures of an average stream.
const COUNT_FROM: usize = 32 << 10;

/// A viewer's place among all viewers of the server; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct ViewerPlace(Arc<AtomicUsize>);

impl ViewerPlace {
    /// `None` if `max` are taken.
    pub(super) fn take(taken: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        if taken.fetch_add(1, Ordering::Relaxed) < max {
            return Some(Self(taken.clone()));
        }
        taken.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for ViewerPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
