use alloc::vec::Vec;

mod response;
mod silence;
#[cfg(feature = "codecs")]
mod tracks;

use super::audio::AudioTrack;
#[cfg(feature = "codecs")]
use super::choice::Choice;
use super::epochs::{Due, Epochs, Jump, Placed};
use super::event::{Announced, Events};
use super::segment::{Evidence, Segment, Skipped, Track, Tracks};
use super::support;
use super::video::{Arrived, VideoTrack};
use super::{Config, Error, Event, MAX_SCRIPT_LEN, WarningKind};
#[cfg(not(feature = "codecs"))]
use crate::codec::aac::adts_header_len;
use crate::flv::{self, Tag, TagKind};
use crate::timeline::{Unwrapper, low_32_bits};
use response::Response;

/// Turns the tags of one stream into segments of two tracks.
///
/// The host pushes tags and reads events, decides from the [`Evidence`] which tracks play, calls
/// [`start`](Self::start), and then takes segments whenever it can use one: whatever came since the
/// last one is put into one fragment.
#[derive(Debug)]
pub struct Remuxer {
    config: Config,
    unwrapper: Unwrapper,
    epochs: Epochs,
    video: VideoTrack,
    audio: AudioTrack,
    events: Events,
    evidence: Evidence,
    #[cfg(feature = "codecs")]
    unsupported: (Option<flv::video::Codec>, Option<flv::audio::Codec>),
    /// `None` until the host has decided.
    tracks: Option<Tracks>,
    /// Which of several tracks of a kind.
    #[cfg(feature = "codecs")]
    choice: (Choice, Choice),
    response: Response,
    /// What is 0 on the output's line; `None` until the first keyframe (or sound alone) is there.
    base: Option<i64>,
    /// Pictures were dropped in front of the queue: the next segment shall follow the last one.
    rejoin: bool,
    sequence: u32,
}

impl Remuxer {
    /// A remuxer that has seen nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            unwrapper: Unwrapper::new(),
            epochs: Epochs::default(),
            video: VideoTrack::new(),
            audio: AudioTrack::new(),
            events: Events::default(),
            evidence: Evidence::default(),
            #[cfg(feature = "codecs")]
            unsupported: (None, None),
            tracks: None,
            #[cfg(feature = "codecs")]
            choice: (Choice::new(config.video_track), Choice::new(config.audio_track)),
            response: Response::default(),
            base: None,
            rejoin: false,
            sequence: 1,
        }
    }

    /// Changes limits and kind, before the first tag.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
        #[cfg(feature = "codecs")]
        {
            self.choice = (Choice::new(config.video_track), Choice::new(config.audio_track));
        }
    }

    /// Takes one tag. Of its time the low 32 bits count.
    ///
    /// # Errors
    /// What is wrong with this tag; the stream goes on without it.
    pub fn push(&mut self, tag: &Tag) -> Result<(), Error> {
        match tag.kind() {
            #[cfg(feature = "codecs")]
            TagKind::Video => self.push_video(tag),
            #[cfg(feature = "codecs")]
            TagKind::Audio => self.push_audio(tag),
            #[cfg(not(feature = "codecs"))]
            TagKind::Video => self.push_video_part(tag, &flv::video::Head::parse(tag.data())?),
            #[cfg(not(feature = "codecs"))]
            TagKind::Audio => self.push_audio_part(tag, &flv::audio::Head::parse(tag.data())?),
            TagKind::Script => self.push_script(tag),
        }
    }

    /// The next thing the host should know.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// What came so far.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// Says which tracks are put out, from the first keyframe in the queue on (or from the first
    /// sound, without video). What is queued for another track is dropped, and what comes for it.
    pub fn start(&mut self, tracks: Tracks) {
        self.tracks = Some(tracks);
        if !tracks.video {
            self.video.clear();
            self.epochs.forget(Track::Video);
        }
        if !tracks.audio {
            self.audio.clear();
            self.epochs.forget(Track::Audio);
        }
    }

    /// Appends everything queued for `track` to `out`: an initialisation segment if the
    /// configuration is new, then one fragment, up to the next change of configuration or, for
    /// sound, up to a hole. `None` if there is nothing; call again for what is behind a change.
    pub fn take(&mut self, track: Track, out: &mut Vec<u8>) -> Option<Segment> {
        let tracks = self.tracks?;
        self.settle(tracks);
        let base = self.base?;
        let segment = match track {
            Track::Video if tracks.video => {
                self.video.take(base, self.sequence, &self.config, out)?
            }
            Track::Audio if tracks.audio => {
                self.audio.take(base, self.sequence, &self.config, out)?
            }
            _ => return None,
        };
        self.sequence = self.sequence.wrapping_add(1);
        Some(segment)
    }

    /// Catches up with the stream: drops what is queued before the last keyframe, sound alike. The
    /// output goes on without a hole, so the host need not seek. Without video, all but the newest
    /// sound is dropped.
    pub fn skip_to_last_keyframe(&mut self) -> Skipped {
        let with_video = self.plays_video();
        let before = self.front();
        let mut skipped = Skipped::default();
        if with_video {
            skipped.video_frames = self.video.drop_before_last_keyframe();
            if skipped.video_frames > 0 {
                skipped.audio_frames = self.drop_sound_before_picture();
            }
        } else {
            skipped.audio_frames = self.audio.drop_all_but_last();
        }
        if let (Some(before), Some(after)) = (before, self.front()) {
            skipped.duration_us = after.wrapping_sub(before).max(0);
        }
        self.rejoin |= skipped.duration_us > 0;
        skipped
    }

    /// The host begins a new output (it rebuilt its media source): the next segments begin with
    /// initialisation segments and the next keyframe, which is 0 on a new line.
    pub fn reset_output(&mut self) {
        self.base = None;
        self.rejoin = false;
        self.repeat_output();
    }

    fn push_video_part(&mut self, tag: &Tag, head: &flv::video::Head) -> Result<(), Error> {
        let wanted = head.is_sequence_header() || head.packet == flv::video::Packet::Frames;
        if wanted && !support::of_video(head.codec) {
            #[cfg(feature = "codecs")]
            return self.refuse_video(head.codec);
            #[cfg(not(feature = "codecs"))]
            return Err(Error::Beyond);
        }
        let body = part(tag, head.body, head.end);
        match head.packet {
            flv::video::Packet::SequenceStart | flv::video::Packet::Mpeg2TsSequenceStart => {
                if let Some(new) = self.video.configure(head, &body)? {
                    self.announce(Track::Video, new);
                }
            }
            #[cfg(feature = "codecs")]
            flv::video::Packet::Metadata => self.video.take_metadata(&body),
            #[cfg(feature = "codecs")]
            flv::video::Packet::SequenceEnd => {
                self.events.push(Event::SequenceEnd { track: Track::Video });
            }
            flv::video::Packet::Frames if self.plays_video() && !body.is_empty() => {
                #[cfg(not(feature = "codecs"))]
                if head.is_keyframe() && self.video.is_beyond(&body) {
                    return Err(Error::Beyond);
                }
                self.push_picture(low_32_bits(tag.time()), head, body);
            }
            _ => {}
        }
        Ok(())
    }

    fn push_picture(&mut self, wire: u32, head: &flv::video::Head, body: crate::Bytes) {
        #[cfg(feature = "codecs")]
        if head.is_keyframe()
            && let Some(new) = self.video.adopt(head.codec, &body)
        {
            self.announce(Track::Video, new);
        }
        if !self.video.has_config(head.codec) {
            self.warn_at(Track::Video, WarningKind::FrameBeforeConfig, wire);
            return;
        }
        let sent = self.sent_us(wire, head.nano_offset);
        let key = head.is_keyframe();
        if self.leaves_out_picture(sent, key, &body) {
            return;
        }
        self.video.check_loss(sent, key);
        let due = self.video.due();
        let anchor = due.or_else(|| self.audio.due()).map_or(sent, |due| due.time);
        let placed = self.place(Track::Video, sent, due, anchor);
        let arrived = Arrived {
            sent,
            time: placed.time,
            composition_ms: head.composition_time,
            is_keyframe: key,
            body: body.clone(),
        };
        let events = &mut self.events;
        let kept = self.video.push(arrived, |kind| events.warn(Track::Video, kind, 1, sent));
        if let Some(dts) = kept {
            if key {
                self.remember(&body, dts);
            }
            #[cfg(feature = "codecs")]
            self.report_sei(head, &body, placed.time);
            let evidence = &mut self.evidence;
            evidence.video_first_ms.get_or_insert(sent.div_euclid(1000));
            evidence.video_frames = evidence.video_frames.wrapping_add(1);
            let first = self.video.front().map_or(dts, |front| front.dts);
            let span = dts.wrapping_sub(first);
            evidence.video_span_us = evidence.video_span_us.max(span);
        }
        let dropped = self.video.enforce(&self.config);
        if dropped > 0 {
            self.events.warn(Track::Video, WarningKind::QueueFull, dropped, sent);
            self.drop_sound_before_picture();
            self.rejoin = true;
        }
    }

    fn push_audio_part(&mut self, tag: &Tag, head: &flv::audio::Head) -> Result<(), Error> {
        let wanted = head.is_sequence_header() || head.packet == flv::audio::Packet::Frames;
        if wanted && !support::of_audio(head.codec) {
            #[cfg(feature = "codecs")]
            return self.refuse_audio(head.codec);
            #[cfg(not(feature = "codecs"))]
            return Err(Error::Beyond);
        }
        let body = part(tag, head.body, head.end);
        match head.packet {
            flv::audio::Packet::SequenceStart => {
                if let Some(new) = self.audio.configure(head, &body)? {
                    self.announce(Track::Audio, new);
                }
            }
            #[cfg(feature = "codecs")]
            flv::audio::Packet::SequenceEnd => {
                self.events.push(Event::SequenceEnd { track: Track::Audio });
            }
            flv::audio::Packet::Frames
                if !body.is_empty() && self.tracks.is_none_or(|tracks| tracks.audio) =>
            {
                #[cfg(not(feature = "codecs"))]
                if adts_header_len(&body).is_some() {
                    return Err(Error::Beyond);
                }
                self.push_sound(low_32_bits(tag.time()), head, &body);
            }
            _ => {}
        }
        Ok(())
    }

    fn push_sound(&mut self, wire: u32, head: &flv::audio::Head, body: &crate::Bytes) {
        #[cfg(feature = "codecs")]
        if let Some(new) = self.audio.adopt(head, body) {
            self.announce(Track::Audio, new);
        }
        if !self.audio.has_config(head.codec) {
            self.warn_at(Track::Audio, WarningKind::FrameBeforeConfig, wire);
            return;
        }
        let sent = self.sent_us(wire, head.nano_offset);
        if self.leaves_out_sound(sent) {
            return;
        }
        let due = self.audio.due();
        let anchor = self.sound_anchor(due, sent);
        let placed = self.place(Track::Audio, sent, due, anchor);
        let events = &mut self.events;
        let warn = |kind, count| events.warn(Track::Audio, kind, count, sent);
        let kept = self.audio.push(placed.time, placed.certain, body, warn);
        if kept > 0 {
            self.evidence.audio_first_ms.get_or_insert(sent.div_euclid(1000));
            self.evidence.audio_frames = self.evidence.audio_frames.wrapping_add(kept.into());
        }
        let dropped = self.audio.enforce(&self.config);
        if dropped > 0 {
            self.events.warn(Track::Audio, WarningKind::QueueFull, dropped, sent);
            self.rejoin |= !self.plays_video();
        }
    }

    fn push_script(&mut self, tag: &Tag) -> Result<(), Error> {
        let wire = low_32_bits(tag.time());
        if tag.data().len() > MAX_SCRIPT_LEN {
            self.warn_at(Track::Video, WarningKind::ScriptTooLarge, wire);
            return Ok(());
        }
        let time_ms = self.unwrapper.nearest(wire);
        self.events.push(Event::Script { data: tag.body(), time_ms });
        Ok(())
    }

    /// Places a frame on the stream's line, and reports jumps.
    fn place(&mut self, track: Track, sent: i64, due: Option<Due>, anchor: i64) -> Placed {
        let placed = self.epochs.place(track, sent, due, anchor);
        let other = match track {
            Track::Video => Track::Audio,
            Track::Audio => Track::Video,
        };
        for (track, jump) in [(other, placed.other_jump), (track, placed.jump)] {
            if let Some(Jump { from, to }) = jump {
                let (from_ms, to_ms) = (from.div_euclid(1000), to.div_euclid(1000));
                self.events.push(Event::Discontinuity { track, from_ms, to_ms });
            }
        }
        if placed.outlier {
            self.events.warn(track, WarningKind::OutlierTime, 1, sent);
        }
        placed
    }

    /// Where an epoch begun by sound starts: where sound is due, but within a step before the next
    /// picture is, as the tags come interleaved. So pictures need not move; sound can be filled or
    /// dropped. A picture that is due far from there says nothing.
    fn sound_anchor(&self, due: Option<Due>, sent: i64) -> i64 {
        let picture = self.video.due().map(|due| due.time);
        match (due.map(|due| due.time), picture) {
            (Some(sound), Some(picture)) => {
                let anchor = sound.clamp(picture.wrapping_sub(self.video.step()), picture);
                if anchor.abs_diff(sound) <= MAX_OVERLAP.unsigned_abs() { anchor } else { sound }
            }
            (Some(due), None) | (None, Some(due)) => due,
            (None, None) => sent,
        }
    }

    /// Finds the start of the output, and closes the line after drops.
    fn settle(&mut self, tracks: Tracks) {
        if self.base.is_none() {
            if tracks.video {
                let Some(first) = self.video.front() else { return };
                let (start, shown) = (first.dts, first.pts());
                self.base = Some(start);
                self.audio.drop_before(start, shown);
            } else {
                self.base = self.audio.front_us();
            }
            self.rejoin = false;
        }
        if !self.rejoin {
            return;
        }
        let Some(front) = self.front() else { return };
        self.rejoin = false;
        let end = match (tracks.video, self.video.end(), self.audio.end()) {
            // Sound that was put out well beyond the pictures stays, and the pictures have a hole.
            (true, Some(video), Some(audio)) if audio.wrapping_sub(video) > MAX_OVERLAP => audio,
            (true, Some(end), _) | (_, _, Some(end)) => end,
            _ => return,
        };
        let length = front.wrapping_sub(end);
        if length > 0 {
            self.cut(length);
        }
    }

    /// The time of the next frame to be taken, of the track that leads.
    fn front(&self) -> Option<i64> {
        if self.plays_video() {
            self.video.front().map(|front| front.dts)
        } else {
            self.audio.front_us()
        }
    }

    fn drop_sound_before_picture(&mut self) -> u32 {
        match self.video.front() {
            Some(front) => {
                let start = front.dts;
                self.audio.drop_before(start, start)
            }
            None => 0,
        }
    }

    fn plays_video(&self) -> bool {
        self.tracks.is_none_or(|tracks| tracks.video)
    }

    fn announce(&mut self, track: Track, new: Announced) {
        match track {
            Track::Video => self.evidence.video_config = true,
            Track::Audio => self.evidence.audio_config = true,
        }
        self.events.push(Event::TrackConfig {
            track,
            codec: new.codec,
            mime: new.mime,
            #[cfg(feature = "codecs")]
            other_mimes: new.other_mimes,
            changed: new.changed,
            info: new.info,
        });
    }

    fn warn_at(&mut self, track: Track, kind: WarningKind, wire: u32) {
        let time = self.unwrapper.nearest(wire).wrapping_mul(1000);
        self.events.warn(track, kind, 1, time);
    }

    /// A frame's time on the sender's line, in microseconds.
    fn sent_us(&mut self, wire: u32, nano_offset: u32) -> i64 {
        let ms = self.unwrapper.unwrap(wire);
        ms.wrapping_mul(1000).wrapping_add(i64::from(nano_offset / 1000))
    }
}

/// The data of one track in a tag.
fn part(tag: &Tag, from: usize, to: usize) -> crate::Bytes {
    let body = tag.body();
    let to = to.min(body.len());
    body.slice(from.min(to)..to)
}

/// How much sound already put out may overlap with pictures that follow the last one: it is cut from
/// the sound that comes. More would be heard as a jump back.
const MAX_OVERLAP: i64 = 500_000;
