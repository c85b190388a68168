//! Several tracks, several codecs, and what pictures carry along.

use alloc::string::String;

use super::Remuxer;
use crate::flv::{self, Tag};
use crate::remux::choice::Chosen;
use crate::remux::{Error, Event, Track, WarningKind, sei};
use crate::timeline::low_32_bits;

impl Remuxer {
    /// The type of the last initialisation segment that was taken for `track`, of those that the host
    /// could choose from: what its buffer must be of. `None` before the first.
    #[must_use]
    pub fn mime(&self, track: Track) -> Option<String> {
        match track {
            Track::Video => self.video.mime(),
            Track::Audio => self.audio.mime(),
        }
    }

    /// Says which type the host has given the track's buffer: 0 is
    /// [`mime`](Event::TrackConfig::mime), 1 the first of the others.
    pub fn choose_mime(&mut self, track: Track, index: usize) {
        if track == Track::Audio {
            self.audio.choose_mime(index);
        }
    }

    pub(super) fn push_video(&mut self, tag: &Tag) -> Result<(), Error> {
        let mut next = Some(flv::video::Head::parse(tag.data())?);
        while let Some(head) = next {
            if self.chooses(Track::Video, head.track, head.is_sequence_header(), tag) {
                self.push_video_part(tag, &head)?;
            }
            next = head.next_track(tag.data())?;
        }
        Ok(())
    }

    pub(super) fn push_audio(&mut self, tag: &Tag) -> Result<(), Error> {
        let mut next = Some(flv::audio::Head::parse(tag.data())?);
        while let Some(head) = next {
            if self.chooses(Track::Audio, head.track, head.is_sequence_header(), tag) {
                self.push_audio_part(tag, &head)?;
            }
            next = head.next_track(tag.data())?;
        }
        Ok(())
    }

    /// Pictures of a codec that no browser plays.
    pub(super) fn refuse_video(&mut self, codec: flv::video::Codec) -> Result<(), Error> {
        if self.unsupported.0.replace(codec) != Some(codec) {
            let (track, codec) = (Track::Video, codec.name().into_owned());
            self.events.push(Event::Unsupported { track, codec });
        }
        Ok(())
    }

    /// Sound of such a codec.
    pub(super) fn refuse_audio(&mut self, codec: flv::audio::Codec) -> Result<(), Error> {
        if self.unsupported.1.replace(codec) != Some(codec) {
            let (track, codec) = (Track::Audio, codec.name().into_owned());
            self.events.push(Event::Unsupported { track, codec });
        }
        Ok(())
    }

    /// Tells the messages of a picture that was placed at `time` microseconds of the stream's line.
    pub(super) fn report_sei(&mut self, head: &flv::video::Head, body: &[u8], time: i64) {
        if let Some(framing) = self.video.framing().filter(|_| self.config.sei) {
            let shown = i64::from(head.composition_time).saturating_mul(1000);
            sei::report(&mut self.events, framing, body, time.saturating_add(shown));
        }
    }

    /// The track that is wanted and did not begin yet, while another of its kind is played.
    #[must_use]
    pub fn missed_track(&self, track: Track) -> Option<u8> {
        match track {
            Track::Video => self.choice.0.misses(),
            Track::Audio => self.choice.1.misses(),
        }
    }

    /// Whether the data of one track of a message, or of a plain one, is played.
    fn chooses(&mut self, track: Track, id: Option<u8>, begins: bool, tag: &Tag) -> bool {
        let choice = match track {
            Track::Video => &mut self.choice.0,
            Track::Audio => &mut self.choice.1,
        };
        let chosen = choice.choose(id, begins);
        match chosen {
            Chosen::Tell => self.warn_at(track, WarningKind::Multitrack, low_32_bits(tag.time())),
            // Nothing of the other one is of use any more, but for what was taken.
            Chosen::Change => match track {
                Track::Video => {
                    self.video.clear();
                    self.evidence.video_frames = 0;
                    self.evidence.video_span_us = 0;
                }
                Track::Audio => {
                    self.audio.clear();
                    self.evidence.audio_frames = 0;
                }
            },
            Chosen::Yes | Chosen::No => {}
        }
        matches!(chosen, Chosen::Yes | Chosen::Change)
    }
}
