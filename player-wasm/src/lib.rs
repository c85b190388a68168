//! Plays live FLV in a browser: parses it, remuxes it to fragmented MP4 and feeds Media Source
//! Extensions.
//!
//! [`engine`] holds every state machine and knows no browser. [`Engine`], here, is its surface for
//! the JavaScript host in `js/`: input is written straight into the engine's memory, appends are
//! read straight from it, and numbers go one by one, so that steady play makes no garbage.

#![cfg_attr(all(feature = "package", target_arch = "wasm32"), no_std)]
#![cfg_attr(test, allow(clippy::float_cmp))]

extern crate alloc;

use alloc::vec::Vec;

pub mod engine;
mod numbered;
mod package;

use pushpull_media::remux::{Track as Kind, TrackInfo};

use numbered::numbered;

use engine::{Command, Pacing, Settings, Stat};

numbered! {
    /// What [`Engine::poll`] wants done. The operands are read from the engine.
    pub enum Op {
        /// Nothing, until something happens.
        None,
        /// Find out whether the browser plays the type `text` for `track`: `type_checked` tells it.
        CheckType,
        /// Add a SourceBuffer of type `text` for `track`.
        AddTrack,
        /// Change the type of `track`'s SourceBuffer to `text`.
        ChangeType,
        /// Append the `byte_len` bytes at `ptr` to `track`, before anything else is asked of the engine.
    /// `a`: `timestampOffset` to set first, NaN to leave it.
        Append,
        /// Remove from `track` what is between `a` and `b` seconds.
        Remove,
        /// Set the element's `currentTime` to `a`.
        Seek,
        /// Set the element's `playbackRate` to `a`.
        Rate,
        /// Tell what is known of the tracks: `info`, `codec`, `has_track`.
        MediaInfo,
        /// `byte_len` bytes at `ptr` are a script tag's AMF0 of time `a` (NaN if that is not known yet).
        Script,
        /// Tell of notice `code` with number `a` and name `text`.
        Notice,
        /// Tell of fault `code` with number `a` and name `text`, and stop.
        Fault,
        /// Everything is appended and nothing more will come.
        Complete,
        /// Go on with a new MediaSource.
        Rebuild,
        /// Open the source again: wait `a` seconds first; `b` is the number of this attempt since media
        /// last came. What is still open is closed now. A file may be gone on with where its bytes broke
        /// off instead: then `source_opened` is not called.
        Connect,
        /// The full build is needed, for `text`; this engine does nothing any more.
        Upgrade,
        /// `byte_len` bytes at `ptr` are the payload of a message of type `code` that belongs to the
        /// picture shown at `a` seconds.
        Sei,
    }
}

numbered! {
    /// A track, by number.
    pub enum Track {
        /// Pictures.
        Video,
        /// Sound.
        Audio,
    }
}

numbered! {
    /// What can be set before the first input.
    pub enum Setting {
        /// 1: follow the newest media; 0: play everything.
        Live,
        /// 0: never play pictures.
        HasVideo,
        /// 0: never play sound.
        HasAudio,
        /// Smallest distance behind the newest media, seconds.
        TargetLatency,
        /// Largest distance that uneven arrival may lead to, seconds.
        MaxTargetLatency,
        /// Largest playback rate.
        MaxPlaybackRate,
        /// How much of what was played is kept, seconds.
        BackBuffer,
        /// Seconds without input before a notice.
        SilenceWarning,
        /// Seconds without input after which the connection counts as lost.
        SilenceLimit,
        /// 0: the lowest delay until that proves too little; 1: the lowest delay; 2: evenly.
        Pacing,
        /// How often the source is opened again before that is given up.
        MaxReconnects,
        /// What the jitter of these attempts is drawn from.
        Seed,
        /// Number of the video track chosen among several.
        VideoTrackId,
        /// Number of the audio track chosen among several.
        AudioTrackId,
        /// 0: silence does not take the place of promised sound that does not come.
        FillAudio,
        /// Bytes of one track that wait for a SourceBuffer, at most.
        MaxQueueBytes,
        /// 1: [`Op::Sei`] is wanted.
        Sei,
        /// 1: the browser is Firefox.
        Gecko,
    }
}

numbered! {
    /// What is known of the tracks, by number.
    pub enum Info {
        /// Pixels.
        Width,
        /// Pixels.
        Height,
        /// Pictures per second, as the configuration says.
        Fps,
        /// The codec's number of the profile.
        Profile,
        /// The codec's number of the level.
        Level,
        /// Reference pictures at most.
        RefFrames,
        /// 1 is 4:2:0.
        ChromaFormat,
        /// Sample aspect ratio, width.
        SarNum,
        /// Sample aspect ratio, height.
        SarDen,
        /// Hz.
        SampleRate,
        /// Channels.
        Channels,
        /// Bits per luma sample.
        BitDepth,
        /// Colour primaries, a number of ISO/IEC 23091-2.
        ColourPrimaries,
        /// Transfer characteristics, alike.
        Transfer,
        /// Matrix coefficients, alike.
        Matrix,
        /// Pictures a decoder holds back to reorder them.
        ReorderFrames,
    }
}

/// The engine of one load of one stream. Times given are milliseconds of one clock; times read are
/// seconds of the element's timeline.
pub struct Engine {
    inner: engine::Engine,
    command: Option<Command>,
    headers: Vec<u8>,
}

impl Engine {
    /// An engine that has seen nothing.
    #[allow(clippy::new_without_default, reason = "constructed from JavaScript")]
    pub fn new() -> Self {
        let inner = engine::Engine::new(Settings::default());
        Self { inner, command: None, headers: Vec::new() }
    }

    /// Sets one of the settings. Only before the first input.
    pub fn set(&mut self, setting: Setting, value: f64) {
        let settings = &mut self.inner.settings;
        match setting {
            Setting::Live => settings.live = value != 0.0,
            Setting::HasVideo => settings.wanted.video = value != 0.0,
            Setting::HasAudio => settings.wanted.audio = value != 0.0,
            Setting::TargetLatency => settings.controller.floor = Some(value),
            Setting::MaxTargetLatency => settings.controller.ceiling = value,
            Setting::MaxPlaybackRate => settings.controller.max_rate = Some(value),
            Setting::BackBuffer => settings.back_buffer = value,
            Setting::SilenceWarning => settings.silence_warning = value,
            Setting::SilenceLimit => settings.silence_limit = value,
            Setting::Pacing => {
                settings.pacing = match value as u32 {
                    0 => Pacing::Auto,
                    1 => Pacing::Lowest,
                    _ => Pacing::Smooth,
                }
            }
            Setting::MaxReconnects => settings.max_reconnects = value as u32,
            Setting::Seed => settings.seed = value as u32,
            #[cfg(feature = "full")]
            Setting::VideoTrackId => settings.video_track = Some(value as u8),
            #[cfg(feature = "full")]
            Setting::AudioTrackId => settings.audio_track = Some(value as u8),
            Setting::FillAudio => settings.fill_audio = value != 0.0,
            Setting::MaxQueueBytes => settings.max_queue_bytes = value as usize,
            #[cfg(feature = "full")]
            Setting::Sei => settings.sei = value != 0.0,
            Setting::Gecko => settings.gecko = value != 0.0,
            #[cfg(not(feature = "full"))]
            Setting::VideoTrackId | Setting::AudioTrackId | Setting::Sei => {}
        }
        self.inner.configure();
    }

    /// The address of room for the next `len` bytes of input.
    pub fn reserve(&mut self, len: u32) -> u32 {
        self.inner.reserve(len as usize).as_ptr() as u32
    }

    /// The first `len` bytes of the room hold input now.
    pub fn commit(&mut self, len: u32, now: f64) {
        self.inner.commit(len as usize, seconds(now));
    }

    /// A connection is established, and bytes will follow from an FLV header. Not the first time: a
    /// new response begins, and the timeline goes on.
    pub fn source_opened(&mut self, now: f64) {
        self.inner.source_opened(seconds(now));
    }

    /// The source has ended: properly (`clean`), or the host knows how; `retry`: it may be worth
    /// opening it again.
    pub fn source_ended(&mut self, clean: bool, retry: bool, now: f64) {
        self.inner.source_ended(clean, retry, seconds(now));
    }

    /// A file is read on from another place, at or before what is shown at `time` seconds. The bytes
    /// that follow may begin inside a tag.
    pub fn seek(&mut self, time: f64, now: f64) {
        self.inner.seek(time, seconds(now));
    }

    /// Unix time minus the clock given with each call, milliseconds; 0 if it is not set.
    pub fn set_wall_clock(&mut self, offset: f64) {
        self.inner.wall_clock_offset = seconds(offset);
    }

    /// Puts an FLV header and the newest metadata and configurations, as tags, where `ptr` and
    /// `byte_len` say. Not while an operation is being carried out.
    pub fn headers(&mut self) {
        self.command = None;
        self.headers = self.inner.headers();
    }

    /// The MediaSource is open.
    pub fn opened(&mut self, now: f64) {
        self.inner.opened(seconds(now));
    }

    /// The answer to [`Op::CheckType`].
    pub fn type_checked(&mut self, track: Track, playable: bool, now: f64) {
        self.inner.type_checked(track.into(), playable, seconds(now));
    }

    /// The SourceBuffer of `track` has finished an append or a removal.
    pub fn finished(&mut self, track: Track, now: f64) {
        self.inner.finished(track.into(), seconds(now));
    }

    /// The SourceBuffer of `track` is full: it refused the append just asked for.
    pub fn refused(&mut self, track: Track) {
        self.inner.refused(track.into());
    }

    /// The SourceBuffer of `track` could not read what it was given, or does not take its type;
    /// `output_failed` follows.
    pub fn spoiled(&mut self, track: Track) {
        self.inner.spoiled(track.into());
    }

    /// The element or a SourceBuffer failed.
    pub fn output_failed(&mut self, now: f64) {
        self.inner.output_failed(seconds(now));
    }

    /// Where the element was at `at`: `currentTime` in seconds, rate, flags of [`engine::playhead`],
    /// totals of pictures.
    pub fn playhead(
        &mut self,
        at: f64,
        time: f64,
        rate: f64,
        flags: u32,
        decoded: f64,
        dropped: f64,
    ) {
        self.inner.report(seconds(at), time, rate, flags, decoded, dropped);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: f64) {
        self.inner.tick(seconds(now));
    }

    /// Whether the source should go on reading.
    pub fn wants_data(&self) -> bool {
        self.inner.wants_data()
    }

    /// The next thing to do.
    pub fn poll(&mut self, now: f64) -> Op {
        self.headers = Vec::new();
        self.command = self.inner.next(seconds(now));
        match self.command {
            None => Op::None,
            Some(Command::CheckType { .. }) => Op::CheckType,
            Some(Command::AddTrack { .. }) => Op::AddTrack,
            Some(Command::ChangeType { .. }) => Op::ChangeType,
            Some(Command::Append { .. }) => Op::Append,
            Some(Command::Remove { .. }) => Op::Remove,
            Some(Command::Seek(_)) => Op::Seek,
            Some(Command::Rate(_)) => Op::Rate,
            Some(Command::MediaInfo) => Op::MediaInfo,
            Some(Command::Script { .. }) => Op::Script,
            Some(Command::Notice { .. }) => Op::Notice,
            Some(Command::Fault { .. }) => Op::Fault,
            Some(Command::Complete) => Op::Complete,
            Some(Command::Rebuild) => Op::Rebuild,
            Some(Command::Connect { .. }) => Op::Connect,
            Some(Command::Upgrade(_)) => Op::Upgrade,
            #[cfg(feature = "full")]
            Some(Command::Sei { .. }) => Op::Sei,
        }
    }

    /// Operand: the track.
    pub fn track(&self) -> Track {
        match self.target() {
            Some(Kind::Audio) => Track::Audio,
            _ => Track::Video,
        }
    }

    /// Operand: the address of the bytes.
    pub fn ptr(&self) -> u32 {
        self.media().as_ptr() as u32
    }

    /// Operand: how many bytes.
    pub fn byte_len(&self) -> u32 {
        self.media().len() as u32
    }

    /// Operand: the first number.
    pub fn a(&self) -> f64 {
        match self.command {
            Some(Command::Seek(value) | Command::Rate(value)) => value,
            Some(Command::Remove { from, .. }) => from,
            Some(Command::Append { track }) => self.inner.placed_at(track),
            Some(Command::Notice { value, .. } | Command::Fault { value, .. }) => value,
            Some(Command::Connect { delay, .. }) => delay,
            Some(Command::Script { time, .. }) => time,
            #[cfg(feature = "full")]
            Some(Command::Sei { time, .. }) => time,
            _ => 0.0,
        }
    }

    /// Operand: the second number.
    pub fn b(&self) -> f64 {
        match self.command {
            Some(Command::Remove { to, .. }) => to,
            Some(Command::Connect { attempt, .. }) => attempt.into(),
            _ => 0.0,
        }
    }

    /// Operand: which notice or fault.
    pub fn code(&self) -> u32 {
        match self.command {
            Some(Command::Notice { notice, .. }) => notice as u32,
            Some(Command::Fault { fault, .. }) => fault as u32,
            #[cfg(feature = "full")]
            Some(Command::Sei { kind, .. }) => kind,
            _ => 0,
        }
    }

    /// Operand: the text.
    pub fn text(&self) -> &str {
        match &self.command {
            Some(
                Command::CheckType { mime: text, .. }
                | Command::AddTrack { mime: text, .. }
                | Command::ChangeType { mime: text, .. }
                | Command::Notice { text, .. }
                | Command::Fault { text, .. },
            ) => text,
            Some(Command::Upgrade(Kind::Video)) => "this video",
            Some(Command::Upgrade(Kind::Audio)) => "this sound",
            _ => "",
        }
    }

    /// The script tag just told of says that the media of its time was captured at `unix_ms`.
    pub fn captured(&mut self, unix_ms: f64) {
        if let Some(Command::Script { time_ms, .. }) = self.command {
            self.inner.captured(unix_ms, time_ms);
        }
    }

    /// A number of the statistics.
    pub fn stat(&mut self, stat: Stat, now: f64) -> f64 {
        self.inner.stat(stat, seconds(now))
    }

    /// Whether a track plays.
    pub fn has_track(&self, track: Track) -> bool {
        self.inner.plays(track.into())
    }

    /// RFC 6381 name of a track's codec; empty if it does not play.
    pub fn codec(&self, track: Track) -> &str {
        self.inner.codec(track.into()).unwrap_or_default()
    }

    /// What is known of the tracks; NaN if it is not.
    pub fn info(&self, info: Info) -> f64 {
        self.known(info).unwrap_or(f64::NAN)
    }

    fn known(&self, info: Info) -> Option<f64> {
        let video = match self.inner.info(Kind::Video) {
            Some(TrackInfo::Video(video)) => Some(video),
            _ => None,
        };
        let audio = match self.inner.info(Kind::Audio) {
            Some(TrackInfo::Audio(audio)) => Some(audio),
            _ => None,
        };
        Some(match info {
            Info::Width => video?.width.into(),
            Info::Height => video?.height.into(),
            Info::Fps => video?.fps?,
            Info::Profile => video?.profile.into(),
            Info::Level => video?.level.into(),
            Info::RefFrames => video?.max_ref_frames.into(),
            Info::ChromaFormat => video?.chroma_format.into(),
            Info::SarNum => video?.sample_aspect_ratio.0.into(),
            Info::SarDen => video?.sample_aspect_ratio.1.into(),
            Info::SampleRate => audio?.sample_rate.into(),
            Info::Channels => audio?.channels.into(),
            Info::BitDepth => video?.bit_depth.into(),
            Info::ColourPrimaries => video?.colour?.0.into(),
            Info::Transfer => video?.colour?.1.into(),
            Info::Matrix => video?.colour?.2.into(),
            Info::ReorderFrames => video?.reorder_frames?.into(),
        })
    }

    fn target(&self) -> Option<Kind> {
        match self.command {
            Some(
                Command::CheckType { track, .. }
                | Command::AddTrack { track, .. }
                | Command::ChangeType { track, .. }
                | Command::Append { track }
                | Command::Remove { track, .. },
            ) => Some(track),
            _ => None,
        }
    }

    fn media(&self) -> &[u8] {
        match &self.command {
            None => &self.headers,
            Some(Command::Append { track }) => self.inner.media(*track),
            #[cfg(feature = "full")]
            Some(Command::Sei { payload, .. }) => payload,
            Some(Command::Script { data, .. }) => data,
            _ => &[],
        }
    }
}

impl From<Track> for Kind {
    fn from(track: Track) -> Self {
        match track {
            Track::Video => Self::Video,
            Track::Audio => Self::Audio,
        }
    }
}

fn seconds(milliseconds: f64) -> f64 {
    milliseconds / 1000.0
}
