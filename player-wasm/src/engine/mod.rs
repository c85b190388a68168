//! The player's state machines: bytes of the stream and reports of the element in, commands out.
//!
//! ```text
//! bytes ─► flv::Reader ─► remux::Remuxer ─► Output (one per track) ─► Append
//!               │               │
//!           Selection       Buffered ─► eviction ─► Remove
//! reports ─► Playhead ─► Live, Watchdog ─► Rate, Seek, Rebuild
//! ```
//!
//! Nothing here knows a browser or a clock: the host tells the time with each call, in seconds of
//! any origin. Media times are seconds of the element's timeline.

use alloc::string::String;
use alloc::vec::Vec;

pub mod arrival;
pub mod buffered;
pub mod command;
pub mod filling;
mod input;
pub mod live;
pub mod output;
pub mod playhead;
pub mod selection;
pub mod settings;
pub mod source;
pub mod stats;
mod supervise;
#[cfg(test)]
mod tests;
pub mod track;
pub mod wallclock;
pub mod watchdog;

use alloc::collections::VecDeque;

use pushpull_media::flv::{Header, Reader};
use pushpull_media::remux::{Remuxer, Segment, Track, TrackInfo, Tracks};

pub use command::{Command, Fault, Notice};
pub use settings::{Pacing, Settings};
pub use stats::Stat;

use arrival::Arrival;
use filling::Filling;
use live::Live;
use output::Work;
use playhead::Playhead;
use selection::Selection;
use source::Source;
use stats::{Counters, Meter};
use track::{Format, PerTrack, State};
use wallclock::WallClock;
use watchdog::Watchdog;

/// The engine of one load of one stream.
#[derive(Debug)]
pub struct Engine {
    /// To be changed before the first input only; then [`Engine::configure`].
    pub settings: Settings,
    reader: Reader,
    remuxer: Remuxer,
    header: Option<Header>,
    selection: Selection,
    /// The tracks that play, once that is decided.
    playing: Option<Tracks>,
    tracks: PerTrack<State>,
    /// What is known of each track.
    formats: PerTrack<Option<Format>>,
    commands: VecDeque<Command>,
    /// When each kind of notice was last given.
    notified_at: [Option<f64>; Notice::COUNT],
    stage: Stage,
    playhead: Playhead,
    arrival: Arrival,
    live: Live,
    filling: Filling,
    watchdog: Watchdog,
    /// The browser is asked to pace pictures evenly.
    smooth: bool,
    /// The playhead, since when it has been there (0: never looked at), and whether that was told.
    progress: (f64, f64, bool),
    /// Nothing is appended: the element is paused or hidden and has enough.
    parked: bool,
    /// There will be a new MediaSource with these tracks, why, and since when media is gathered for it.
    planned: Option<(Tracks, Notice, f64)>,
    /// Keyframes received since pictures were last taken.
    keyframes_waiting: u32,
    /// Frames received of a track that does not play.
    unplayed: PerTrack<u32>,
    counters: Counters,
    meters: Meters,
    /// When input last came, or could have.
    input_at: Option<f64>,
    /// When the first picture or sound came.
    media_at: Option<f64>,
    silence_told: bool,
    /// Byte offset of the end of the last tag.
    tag_end: u64,
    /// Where the tag that is incomplete begins, and when it was first seen.
    waits_for: (u64, f64),
    source: Source,
    /// The tags a stream begins with, as they last came: metadata, configurations.
    heads: [Vec<u8>; 3],
    wall_clock: WallClock,
    /// Unix time minus the host's clock, seconds.
    pub wall_clock_offset: f64,
    /// Wire time of the last keyframe, and the distance to the one before; milliseconds.
    keyframe_time: Option<i64>,
    gop_length: Option<i64>,
    /// Bytes of a file that were read before the last seek.
    read_from: u64,
}

/// How far the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The MediaSource is not open yet.
    Closed,
    /// It is open; SourceBuffers are added as soon as the tracks are decided.
    Open,
    /// There are SourceBuffers, but not yet something of every track in them.
    Filling,
    /// Something can be played.
    Running,
    /// Everything is appended, or it failed: nothing more happens.
    Done,
}

#[derive(Debug, Default)]
struct Meters {
    bytes: Meter,
    media: PerTrack<Meter>,
    shown: Meter,
}

impl Engine {
    /// An engine that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            reader: Reader::new(),
            remuxer: Remuxer::new(settings.remux()),
            header: None,
            selection: Selection::new(settings.wanted),
            playing: None,
            tracks: PerTrack::default(),
            formats: PerTrack::default(),
            commands: VecDeque::new(),
            notified_at: [None; Notice::COUNT],
            stage: Stage::Closed,
            playhead: Playhead::new(),
            arrival: Arrival::new(),
            live: Live::new(settings.controller),
            filling: Filling::default(),
            watchdog: Watchdog::default(),
            smooth: false,
            progress: (0.0, 0.0, false),
            parked: false,
            planned: None,
            keyframes_waiting: 0,
            unplayed: PerTrack::default(),
            counters: Counters::default(),
            meters: Meters::default(),
            input_at: None,
            media_at: None,
            silence_told: false,
            tag_end: 0,
            waits_for: (0, 0.0),
            source: Source::new(settings.max_reconnects, settings.seed),
            heads: Default::default(),
            wall_clock: WallClock::default(),
            wall_clock_offset: 0.0,
            keyframe_time: None,
            gop_length: None,
            read_from: 0,
        }
    }

    /// The settings have changed. Only before the first input.
    pub fn configure(&mut self) {
        let settings = &self.settings;
        self.remuxer.configure(settings.remux());
        self.selection = Selection::new(settings.wanted);
        self.live = Live::new(settings.controller);
        self.source = Source::new(settings.max_reconnects, settings.seed);
    }

    /// The MediaSource is open.
    pub fn opened(&mut self, now: f64) {
        if self.stage == Stage::Closed {
            self.stage = Stage::Open;
        }
        self.tick(now);
    }

    /// A SourceBuffer has finished an append or a removal.
    pub fn finished(&mut self, track: Track, now: f64) {
        self.tracks[track].finished();
        self.begin_playback(now);
        self.tick(now);
    }

    /// A SourceBuffer is full: it refused the append just asked for.
    pub fn refused(&mut self, track: Track) {
        self.tracks[track].output.refused();
        self.notify(Notice::BufferFull, 0.0, self.input_at.unwrap_or_default());
    }

    /// The SourceBuffer of `track` could not read what it was given, or does not take its type;
    /// [`Engine::output_failed`] follows.
    pub fn spoiled(&mut self, track: Track) {
        self.tracks[track].spoiled();
    }

    /// The element or a SourceBuffer failed: the browser could not decode.
    pub fn output_failed(&mut self, now: f64) {
        if matches!(self.stage, Stage::Closed | Stage::Done) {
            // Of the MediaSource before, or no matter any more.
            return;
        }
        let unfit = self.playing_tracks().find(|&track| self.tracks[track].is_unfit());
        if let Some(track) = unfit
            && self.play_without(track, now)
        {
            return;
        }
        self.remuxer.forget_played();
        let step = self.watchdog.start_over(now);
        self.start_over(step, Notice::Output, Fault::Output, now);
    }

    /// Where the element is; see [`Playhead::report`]. Counts of pictures are totals.
    pub fn report(
        &mut self,
        at: f64,
        time: f64,
        rate: f64,
        flags: u32,
        decoded: f64,
        dropped: f64,
    ) {
        self.playhead.report(at, time, rate, flags);
        self.playhead.decoded = decoded;
        self.playhead.dropped = dropped;
        self.meters.shown.set(decoded - dropped);
        self.tick(at);
    }

    /// The next thing to do; `None` until something happens.
    pub fn next(&mut self, now: f64) -> Option<Command> {
        if let Some(command) = self.commands.pop_front() {
            return Some(command);
        }
        if !matches!(self.stage, Stage::Filling | Stage::Running) {
            return None;
        }
        for track in self.playing_tracks() {
            if let Some(command) = self.work_on(track, now) {
                return Some(command);
            }
        }
        if self.source.is_over() && self.is_drained() {
            self.stage = Stage::Done;
            return Some(Command::Complete);
        }
        None
    }

    /// The bytes of the append just asked for.
    #[must_use]
    pub fn media(&self, track: Track) -> &[u8] {
        self.tracks[track].output.slice()
    }

    /// What is known of a track that plays.
    #[must_use]
    pub fn info(&self, track: Track) -> Option<&TrackInfo> {
        self.playing_format(track).map(|format| &format.info)
    }

    /// The RFC 6381 name of a track's codec.
    #[must_use]
    pub fn codec(&self, track: Track) -> Option<&str> {
        self.playing_format(track).map(|format| format.codec.as_str())
    }

    /// Whether the track plays.
    #[must_use]
    pub fn plays(&self, track: Track) -> bool {
        self.playing.is_some_and(|playing| track::has(playing, track))
    }

    /// Whether the source should go on reading: always when live, else while little
    /// is ahead of the playhead and the output keeps up: what it does not take would be dropped.
    #[must_use]
    pub fn wants_data(&self) -> bool {
        let behind = self.playing_tracks().any(|track| !self.tracks[track].output.wants_media());
        let enough = behind
            || match self.newest() {
                Some(newest) => newest - self.playhead.reported() >= READ_AHEAD,
                None => self.reader.offset() - self.read_from >= READ_BEFORE_START,
            };
        self.settings.live || !enough
    }

    /// What the SourceBuffer of `track` should do next.
    fn work_on(&mut self, track: Track, now: f64) -> Option<Command> {
        // Of a file nothing is gathered: it comes faster than it is played.
        if self.tracks[track].output.wants_media()
            && (!self.settings.live || self.may_append(track, now))
        {
            #[cfg(not(feature = "full"))]
            self.take(track, now);
            // What media is put into depends on the type that the browser takes.
            #[cfg(feature = "full")]
            if self.formats[track].as_ref().is_none_or(|format| format.playable.is_some())
                && let Some(segment) = self.take(track, now)
                && let Some(command) = self.retype(track, segment)
            {
                return Some(command);
            }
        }
        match self.tracks[track].output.next_work()? {
            Work::Append => {
                self.counters.appends += 1;
                Some(Command::Append { track })
            }
            Work::Remove(from, to) => Some(Command::Remove { track, from, to }),
        }
    }

    /// Moves what the remuxer has to the track's output.
    fn take(&mut self, track: Track, now: f64) -> Option<Segment> {
        let state = &mut self.tracks[track];
        let segment = self.remuxer.take(track, state.output.room())?;
        state.took(&segment, now);
        state.output.place(segment.raw.then(|| track::seconds(segment.start_us)));
        if track == Track::Video {
            self.keyframes_waiting = 0;
        }
        Some(segment)
    }

    /// A command if the SourceBuffer has to get another type before it gets `segment`.
    #[cfg(feature = "full")]
    fn retype(&mut self, track: Track, segment: Segment) -> Option<Command> {
        // Not the newest type: media of the one before may still wait.
        let mime = self.remuxer.mime(track).filter(|_| segment.init)?;
        let state = &mut self.tracks[track];
        if state.mime.as_deref().map(family) == Some(family(&mime)) {
            return None;
        }
        state.mime = Some(mime.clone());
        Some(Command::ChangeType { track, mime })
    }

    /// Where on the timeline the append under way begins, seconds, if its bytes do not say it; else
    /// NaN.
    #[must_use]
    pub fn placed_at(&self, track: Track) -> f64 {
        self.tracks[track].output.placed_at().unwrap_or(f64::NAN)
    }

    fn playing_format(&self, track: Track) -> Option<&Format> {
        self.formats[track].as_ref().filter(|_| self.plays(track))
    }

    fn is_drained(&self) -> bool {
        self.playing_tracks().all(|track| self.tracks[track].output.is_idle())
    }

    fn playing_tracks(&self) -> impl Iterator<Item = Track> + use<> {
        let playing = self.playing;
        [Track::Video, Track::Audio]
            .into_iter()
            .filter(move |&track| playing.is_some_and(|playing| track::has(playing, track)))
    }

    fn notify(&mut self, notice: Notice, value: f64, now: f64) {
        self.notify_about(notice, value, String::new(), now);
    }

    fn notify_about(&mut self, notice: Notice, value: f64, text: String, now: f64) {
        let Some(last) = self.notified_at.get_mut(notice as usize) else { return };
        if last.is_none_or(|last| now - last >= NOTICE_PAUSE) {
            *last = Some(now);
            self.commands.push_back(Command::Notice { notice, value, text });
        }
    }

    fn fail(&mut self, fault: Fault, value: f64, text: String) {
        if self.stage != Stage::Done {
            self.stage = Stage::Done;
            self.commands.push_back(Command::Fault { fault, value, text });
        }
    }
}

/// `value` within `low` and `high`. `f64::clamp` can panic, and its message brings 18 kB of number
/// printing into the WebAssembly.
fn between(value: f64, low: f64, high: f64) -> f64 {
    value.max(low).min(high)
}

/// A type without the codec's profile: another profile needs no `changeType`.
#[cfg(feature = "full")]
fn family(mime: &str) -> &str {
    mime.split_once('.').map_or(mime, |(family, _)| family)
}

/// Seconds between two notices of the same kind: damage comes in swarms.
const NOTICE_PAUSE: f64 = 1.0;

/// Holes and offsets below this, seconds, are crossed by every browser without help.
const REACH: f64 = 0.1;

/// How far a file is read ahead of the playhead, seconds.
const READ_AHEAD: f64 = 30.0;

/// Bytes of a file read while it cannot start: well within what the remuxer queues.
const READ_BEFORE_START: u64 = 8 << 20;
