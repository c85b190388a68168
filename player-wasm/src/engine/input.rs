//! From bytes to the remuxer, and what the remuxer has to say.

use alloc::string::String;
use alloc::vec::Vec;

use pushpull_media::flv::{Error, Item, Tag, TagKind, audio, video};
use pushpull_media::remux::{self, Event, Track, Tracks, WarningKind};

use super::arrival::Arrival;
use super::command::{Command, Fault, Notice};
use super::selection::Evidence;
use super::source::End;
use super::track::{Format, seconds};
use super::{Engine, Stage};

impl Engine {
    /// Room for the next `len` bytes of the stream, to be written in place.
    pub fn reserve(&mut self, len: usize) -> &mut [u8] {
        self.reader.reserve(len)
    }

    /// The first `len` bytes of the room hold input now.
    pub fn commit(&mut self, len: usize, now: f64) {
        self.reader.commit(len);
        if self.stage == Stage::Done {
            return;
        }
        self.meters.bytes.add(len as f64);
        self.counters.bytes += len as f64;
        self.input_at = Some(now);
        self.source.came();
        self.read(now);
        self.observe_arrival(now);
        self.tick(now);
    }

    /// A connection is established, and an FLV header follows. The first time that is what the
    /// engine is there for; later a new response begins, and the output's timeline goes on.
    pub fn source_opened(&mut self, now: f64) {
        self.input_at = Some(now);
        if self.source.opened() {
            self.reader.restart();
            self.tag_end = self.reader.offset();
            self.remuxer.begin_response();
            self.arrival = Arrival::new();
        }
    }

    /// The source has ended: properly (`clean`), or the host knows how; `retry`: it may be worth
    /// another attempt.
    pub fn source_ended(&mut self, clean: bool, retry: bool, now: f64) {
        if self.stage == Stage::Done {
            return;
        }
        self.lose(clean, retry, Fault::Source, 0.0);
        self.tick(now);
        if self.source.is_over() && self.playing.is_none() {
            self.fail(Fault::NoMedia, 0.0, String::new());
        }
    }

    /// A file goes on being read somewhere else, at or before what is shown at `time` seconds.
    pub fn seek(&mut self, time: f64, now: f64) {
        if self.settings.live || self.playing.is_none() {
            return;
        }
        // Everything may have been read, and even put out.
        self.source.goes_on();
        if self.stage == Stage::Done {
            self.stage = Stage::Running;
        }
        self.reader.seek();
        self.remuxer.seek();
        self.playhead.moved_to(time);
        self.read_from = self.reader.offset();
        self.tag_end = self.read_from;
        for track in self.playing_tracks() {
            self.tracks[track].sought();
        }
        self.tick(now);
    }

    /// A stream's beginning: header, metadata and configurations as they last came.
    #[must_use]
    pub fn headers(&self) -> Vec<u8> {
        let mut bytes = self.header.unwrap_or_default().to_bytes().to_vec();
        for head in &self.heads {
            bytes.extend_from_slice(head);
        }
        bytes
    }

    /// The source is lost or at its end; `fault` says why if it is not tried again.
    pub(super) fn lose(&mut self, clean: bool, retry: bool, fault: Fault, value: f64) {
        match self.source.ended(clean, retry, self.settings.live) {
            End::Again { delay, attempt } => {
                self.commands.push_back(Command::Connect { delay, attempt });
            }
            End::Complete => {}
            End::Failed => self.fail(fault, value, String::new()),
        }
    }

    /// The media of the time `time_ms`, as the sender counts, was captured at `unix_ms`.
    pub fn captured(&mut self, unix_ms: f64, time_ms: i64) {
        if unix_ms.is_finite() {
            self.wall_clock.set(unix_ms, self.remuxer.line_us(time_ms));
        }
    }

    /// The browser said whether it plays the type of a track.
    pub fn type_checked(&mut self, track: Track, playable: bool, now: f64) {
        let Some(format) = &mut self.formats[track] else { return };
        #[cfg(feature = "full")]
        if !playable && let Some(mime) = format.others.next() {
            format.mime = mime.clone();
            format.choice += 1;
            self.commands.push_back(Command::CheckType { track, mime });
            return;
        }
        format.playable = Some(playable);
        #[cfg(feature = "full")]
        self.remuxer.choose_mime(track, format.choice);
        if !playable {
            let codec = format.codec.clone();
            self.unplayable(track, codec, now);
        }
        self.tick(now);
    }

    /// Keeps what a stream begins with; whether that is it.
    fn keep_head(&mut self, tag: &Tag) -> bool {
        let data = tag.data();
        let at = match tag.kind() {
            // A string that says onMetaData, perhaps after another that says @setDataFrame.
            TagKind::Script if data.windows(10).take(32).any(|name| name == b"onMetaData") => 0,
            TagKind::Video if video::Head::parse(data).is_ok_and(|h| h.is_sequence_header()) => 1,
            TagKind::Audio if audio::Head::parse(data).is_ok_and(|h| h.is_sequence_header()) => 2,
            _ => return false,
        };
        if data.len() <= MAX_HEAD
            && let Some(head) = self.heads.get_mut(at)
        {
            head.clear();
            head.extend_from_slice(tag.bytes());
        }
        true
    }

    /// What the tracks are decided by.
    pub(super) fn evidence(&self) -> Evidence {
        let seen = self.remuxer.evidence();
        let answer = |track| self.formats[track].as_ref().map(|format| format.playable);
        let playable = |track| answer(track) == Some(Some(true));
        Evidence {
            astray: [Track::Video, Track::Audio].iter().any(|&track| self.misses(track).is_some()),
            unchecked: [Track::Video, Track::Audio].map(answer).contains(&Some(None)),
            video_config: seen.video_config,
            video_ready: playable(Track::Video)
                && (seen.video_frames > 0 || self.unplayed[Track::Video] > 0),
            pictures: seen.video_frames.min(1000) as u32,
            video_span: seconds(seen.video_span_us),
            audio_ready: playable(Track::Audio)
                && (seen.audio_frames > 0 || self.unplayed[Track::Audio] >= LATE_FRAMES),
            audio_promised: seen.audio_config || self.header.is_some_and(|header| header.has_audio),
            can_fill: self.settings.fill_audio
                && self.settings.live
                && self.remuxer.can_fill_sound(),
        }
    }

    /// The track that was asked for and is not there, while another of its kind is.
    #[cfg(feature = "full")]
    pub(super) fn misses(&self, track: Track) -> Option<u8> {
        self.remuxer.missed_track(track)
    }

    /// One that tells tracks apart is another build.
    #[cfg(not(feature = "full"))]
    pub(super) fn misses(&self, _: Track) -> Option<u8> {
        None
    }

    fn read(&mut self, now: f64) {
        loop {
            match self.reader.next() {
                Ok(Some(Item::Header(header))) => self.header = Some(header),
                Ok(Some(Item::Tag(tag))) => {
                    self.tag_end = self.reader.offset();
                    self.take_tag(&tag, now);
                }
                Ok(None) => {
                    if !self.doubts_tag(now) {
                        break;
                    }
                    let Err(Error::LostSync { offset, .. }) = self.reader.doubt() else { break };
                    self.resync(offset, now);
                }
                Err(Error::LostSync { offset, .. }) => self.resync(offset, now),
                // What answers instead of a stream that broke off may give way to it again.
                Err(_) if self.playing.is_some() && self.settings.live => {
                    return self.lose(false, true, Fault::NotFlv, 0.0);
                }
                Err(Error::NotFlv { .. }) => return self.fail(Fault::NotFlv, 0.0, String::new()),
                Err(_) => return self.fail(Fault::BadHeader, 0.0, String::new()),
            }
        }
        if self.reader.offset() - self.tag_end > MAX_GARBAGE {
            self.fail(Fault::BadTags, self.tag_end as f64, String::new());
        }
    }

    /// Whether the tag that is incomplete takes so long that its size may be wrong.
    fn doubts_tag(&mut self, now: f64) -> bool {
        let at = self.reader.offset();
        if self.waits_for.0 != at {
            self.waits_for = (at, now);
        }
        self.settings.live && now - self.waits_for.1 >= TAG_PATIENCE
    }

    fn resync(&mut self, offset: u64, now: f64) {
        self.counters.resyncs += 1;
        self.remuxer.lost();
        self.notify(Notice::Resync, offset as f64, now);
    }

    fn take_tag(&mut self, tag: &Tag, now: f64) {
        let track = match tag.kind() {
            TagKind::Video => Some(Track::Video),
            TagKind::Audio => Some(Track::Audio),
            TagKind::Script => None,
        };
        let is_head = self.keep_head(tag);
        if let Some(track) = track {
            self.media_at.get_or_insert(now);
            self.source.media(now);
            self.meters.media[track].add(tag.data().len() as f64);
            self.tracks[track].received(tag.time());
        }
        let is_keyframe = track == Some(Track::Video)
            && video::Head::parse(tag.data()).is_ok_and(|head| head.is_keyframe());
        if let Some(track) = track
            && (is_keyframe || track == Track::Audio)
            && self.playing.is_some()
            && !self.plays(track)
        {
            self.unplayed[track] += 1;
        }
        if let Some(track) = track
            && !is_head
        {
            self.note_frame(track, now);
        }
        if is_keyframe {
            self.keyframes_waiting += 1;
            self.counters.keyframes += 1;
            let before = self.keyframe_time.replace(tag.time());
            self.gop_length = before.map(|before| tag.time() - before).filter(|&gop| gop > 0);
            self.add_late_track(now);
        }
        match self.remuxer.push(tag) {
            Ok(()) => {}
            Err(error) if error.is_beyond() => self.upgrade(track),
            Err(_) => {
                self.counters.bad_tags += 1;
                self.notify(Notice::BadTag, tag.time() as f64, now);
            }
        }
        self.take_events(now);
    }

    pub(super) fn take_events(&mut self, now: f64) {
        while let Some(event) = self.remuxer.next_event() {
            self.take_event(event, now);
        }
    }

    /// A track that came after the others started is added with a keyframe: until then, what plays
    /// plays on.
    fn add_late_track(&mut self, now: f64) {
        if let Some(playing) = self.playing
            && self.planned.is_none()
            && let Some(tracks) = self.selection.late(playing, &self.evidence())
        {
            // The new one begins with this keyframe.
            self.remuxer.forget_played();
            self.plan(tracks, Notice::LateTrack, now);
        }
    }

    fn take_event(&mut self, event: Event, now: f64) {
        match event {
            Event::TrackConfig {
                track,
                codec,
                mime,
                #[cfg(feature = "full")]
                other_mimes,
                info,
                changed,
                ..
            } => {
                match &mut self.formats[track] {
                    Some(known) if known.codec == codec && known.playable == Some(true) => {
                        known.info = info;
                        #[cfg(feature = "full")]
                        self.remuxer.choose_mime(track, known.choice);
                    }
                    format => {
                        // Of what was refused this is another kind.
                        self.selection.admit(track, self.settings.wanted);
                        self.commands.push_back(Command::CheckType { track, mime: mime.clone() });
                        *format = Some(Format {
                            codec,
                            mime,
                            info,
                            playable: None,
                            #[cfg(feature = "full")]
                            others: other_mimes.into_iter(),
                            #[cfg(feature = "full")]
                            choice: 0,
                        });
                    }
                }
                if changed && self.plays(track) {
                    self.commands.push_back(Command::MediaInfo);
                }
            }
            Event::Script { data, time_ms } => {
                let time = self.remuxer.output_us(time_ms).map_or(f64::NAN, seconds);
                self.commands.push_back(Command::Script { time, data, time_ms });
            }
            #[cfg(feature = "full")]
            Event::Sei { payload_type, payload, time_us } => {
                let begins = self.remuxer.base_us();
                let time =
                    begins.map_or(f64::NAN, |begins| seconds(time_us.saturating_sub(begins)));
                self.commands.push_back(Command::Sei { kind: payload_type, time, payload });
            }
            Event::Discontinuity { from_ms, to_ms, .. } => {
                self.counters.discontinuities += 1;
                // What was missing in between is left out: everything is later by that from now on.
                self.arrival = Arrival::new();
                self.notify(Notice::Discontinuity, (to_ms - from_ms) as f64, now);
            }
            #[cfg(feature = "full")]
            Event::Unsupported { track, codec } => self.unplayable(track, codec, now),
            Event::Warning(warning) => self.take_warning(warning, now),
            _ => {}
        }
    }

    fn take_warning(&mut self, warning: remux::Warning, now: f64) {
        let count = warning.count;
        match warning.kind {
            WarningKind::QueueFull => {
                self.counters.skipped += count;
                self.notify(Notice::QueueFull, f64::from(count), now);
            }
            WarningKind::SilenceInserted => self.counters.silence += count,
            WarningKind::AudioDropped => self.counters.sound_dropped += count,
            // A build that cannot tell tracks apart has said that it needs another.
            WarningKind::Multitrack => self.notify(Notice::OtherTracks, 0.0, now),
            WarningKind::CorruptFrame
            | WarningKind::FrameBeforeConfig
            | WarningKind::ScriptTooLarge => {
                self.counters.bad_tags += count;
                self.notify(Notice::BadTag, warning.time_ms as f64, now);
            }
            // The rest was repaired so that nobody sees or hears it.
            _ => {}
        }
    }

    /// Another engine is needed, for `track`; this one has done what it could.
    fn upgrade(&mut self, track: Option<Track>) {
        if self.stage != Stage::Done {
            self.stage = Stage::Done;
            self.commands.push_back(Command::Upgrade(track.unwrap_or(Track::Video)));
        }
    }

    /// A track cannot be played: without pictures it goes no further, without sound it does.
    fn unplayable(&mut self, track: Track, codec: String, now: f64) {
        self.selection.rule_out(track);
        if track == Track::Video || !self.settings.wanted.video {
            self.fail(Fault::CodecUnsupported, 0.0, codec);
            return;
        }
        self.notify_about(Notice::CodecUnsupported, 0.0, codec, now);
        if self.plays(Track::Audio) {
            // Its SourceBuffer would starve, and the pictures with it.
            self.rebuild(Tracks { video: true, audio: false }, Notice::CodecUnsupported, now);
        }
    }

    /// The browser took the type of a track and then not the track: the other one plays alone, until
    /// this one is of another kind. False if there is no other.
    pub(super) fn play_without(&mut self, track: Track, now: f64) -> bool {
        let Some(Tracks { video: true, audio: true }) = self.playing else { return false };
        let Some(format) = &mut self.formats[track] else { return false };
        format.playable = Some(false);
        let codec = format.codec.clone();
        self.selection.rule_out(track);
        let video = track == Track::Audio;
        self.notify_about(Notice::CodecUnsupported, f64::from(u8::from(!video)), codec, now);
        self.rebuild(Tracks { video, audio: !video }, Notice::CodecUnsupported, now);
        true
    }
}

/// Seconds after which an incomplete tag is looked through for others.
const TAG_PATIENCE: f64 = 0.1;

/// Sound frames that make a late track; a stray one does not.
const LATE_FRAMES: u32 = 10;

/// The largest metadata kept for a dump, bytes.
const MAX_HEAD: usize = 64 << 10;

/// Bytes without a tag after which the input is not taken for FLV any longer.
const MAX_GARBAGE: u64 = 8 << 20;
