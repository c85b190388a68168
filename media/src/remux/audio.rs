//! The audio track: frames waiting to be taken, and how they are timed.

#[cfg(feature = "codecs")]
mod more;

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::Bytes;

use super::clock::{Clock, Step};
use super::config::Config;
use super::epochs::Due;
use super::event::{Announced, TrackInfo};
use super::sound::AudioConfig;
use super::ticks::{self, SECOND};
use super::{Error, Segment, WarningKind};
#[cfg(not(feature = "codecs"))]
use crate::codec::text;
use crate::flv::audio::{Codec, Head};
use crate::mp4::{self, Fragment};

/// Sound frames; the timescale is the sampling frequency of their configuration.
#[derive(Debug, Default)]
pub(super) struct AudioTrack {
    config: Option<Arc<AudioConfig>>,
    clock: Option<Clock>,
    queue: VecDeque<AudioSample>,
    queued_bytes: usize,
    /// The configuration of the last initialisation segment.
    written: Option<Arc<AudioConfig>>,
    /// Where the last segment ends, in ticks of a rate.
    end: Option<(i64, u32)>,
    /// Samples of all frames that came.
    coded: u64,
    /// Silence takes the place of sound that does not come.
    fills: bool,
}

/// A frame.
#[derive(Clone, Debug)]
struct AudioSample {
    /// Start in ticks of the configuration's rate.
    at: i64,
    /// How long it is, in the same.
    length: i64,
    data: Bytes,
    config: Arc<AudioConfig>,
}

impl AudioTrack {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Whether frames of `codec` can be taken.
    pub(super) fn has_config(&self, codec: Codec) -> bool {
        self.config.as_ref().is_some_and(|config| config.codec == codec)
    }

    /// Takes a sequence header. Gives what comes into force.
    pub(super) fn configure(
        &mut self,
        head: &Head,
        header: &Bytes,
    ) -> Result<Option<Announced>, Error> {
        if self.config.as_ref().is_some_and(|config| config.is_of(head.codec, header)) {
            return Ok(None);
        }
        let config = AudioConfig::from_header(head, &Bytes::copy_from_slice(header))?;
        Ok(config.map(|config| self.install(config)))
    }

    fn install(&mut self, config: AudioConfig) -> Announced {
        match &mut self.clock {
            Some(clock) => clock.retune(config.rate, config.frame),
            None => self.clock = Some(Clock::new(config.rate, config.frame)),
        }
        let codec = config.codec_string().to_owned();
        #[cfg(feature = "codecs")]
        let (mime, other_mimes) = config.types();
        #[cfg(not(feature = "codecs"))]
        let mime = text::mp4_mime("audio", &codec);
        let info = TrackInfo::Audio(config.info());
        let changed = self.config.replace(Arc::new(config)).is_some();
        Announced {
            codec,
            mime,
            #[cfg(feature = "codecs")]
            other_mimes,
            changed,
            info,
        }
    }

    /// Where the next frame is due, and from how far off it has jumped.
    pub(super) fn due(&self) -> Option<Due> {
        let clock = self.clock.as_ref()?;
        let tolerance = clock.frame_us().wrapping_mul(5).max(SECOND);
        Some(Due { time: clock.due_us()?, tolerance })
    }

    /// Queues what a tag stamped `time` on the stream's line holds. Gives the frames kept, and
    /// warnings with the number of frames.
    pub(super) fn push(
        &mut self,
        mut time: i64,
        mut certain: bool,
        body: &Bytes,
        mut warn: impl FnMut(WarningKind, u32),
    ) -> u32 {
        let (Some(config), Some(clock)) = (self.config.clone(), &mut self.clock) else {
            warn(WarningKind::FrameBeforeConfig, 1);
            return 0;
        };
        // Behind silence the first frame has the say, not the count.
        certain |= core::mem::take(&mut self.fills);
        let (mut kept, before): (u32, u64) = (0, self.coded);
        let mut rest = body.clone();
        while let Some(frame) = config.next_frame(&mut rest, self.coded) {
            if let Some(kind) = frame.repaired {
                warn(kind, 1);
            }
            let (data, length) = (frame.data, i64::from(frame.length));
            self.coded = self.coded.wrapping_add(frame.length.into());
            clock.set_frame(frame.length);
            match clock.place(time, certain, config.has_silence(length)) {
                Step::Drop => warn(WarningKind::AudioDropped, 1),
                Step::Play { at, silent } => {
                    if silent > 0 {
                        let count = u32::try_from(silent).unwrap_or(u32::MAX);
                        warn(WarningKind::SilenceInserted, count);
                    }
                    for left in (1..=silent).rev() {
                        let at = at.wrapping_sub(left.wrapping_mul(length));
                        if let Some(sample) = silent_sample(&config, at, length) {
                            self.queue.push_back(sample);
                        }
                    }
                    self.queued_bytes = self.queued_bytes.wrapping_add(data.len());
                    self.queue.push_back(AudioSample { at, length, data, config: config.clone() });
                    kept = kept.wrapping_add(1);
                }
            }
            time = time.wrapping_add(ticks::to_us(length, config.rate));
        }
        if self.coded == before {
            warn(WarningKind::CorruptFrame, 1);
        }
        kept
    }

    /// Drops the oldest frames until the limits hold. Returns how many.
    pub(super) fn enforce(&mut self, limits: &Config) -> u32 {
        let mut dropped: u32 = 0;
        while self.queued_bytes > limits.max_queue_bytes
            || self.queue.len() > limits.max_queue_samples
        {
            self.pop();
            dropped = dropped.wrapping_add(1);
        }
        dropped
    }

    /// Drops frames that start before `start` or end by `shown`, microseconds. Returns how many.
    pub(super) fn drop_before(&mut self, start: i64, shown: i64) -> u32 {
        let mut dropped: u32 = 0;
        while let Some(front) = self.queue.front() {
            if front.start_us() >= start && front.end_us() > shown {
                break;
            }
            self.pop();
            dropped = dropped.wrapping_add(1);
        }
        dropped
    }

    /// Drops all but the newest frame. Returns how many.
    pub(super) fn drop_all_but_last(&mut self) -> u32 {
        let mut dropped: u32 = 0;
        while self.queue.len() > 1 {
            self.pop();
            dropped = dropped.wrapping_add(1);
        }
        dropped
    }

    /// The output begins anew, with an initialisation segment.
    pub(super) fn restart(&mut self) {
        self.written = None;
        self.end = None;
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
    }

    /// Whether silence can take the place of sound that does not come.
    pub(super) fn can_fill(&self) -> bool {
        self.config.as_ref().is_some_and(|config| config.has_silence(config.frame.into()))
    }

    /// Queues silence up to `until`, from `start` on if no sound came before; microseconds on the
    /// stream's line. Returns the number of frames.
    pub(super) fn fill(&mut self, start: i64, until: i64) -> u32 {
        let (Some(config), Some(clock)) = (&self.config, &mut self.clock) else { return 0 };
        let mut count: u32 = 0;
        clock.set_frame(config.frame);
        while count < MAX_FILL
            && config.has_silence(clock.frame())
            && let Some(at) = clock.pass(start, until)
        {
            if let Some(sample) = silent_sample(config, at, clock.frame()) {
                self.queue.push_back(sample);
            }
            count = count.wrapping_add(1);
        }
        self.fills |= count > 0;
        count
    }

    /// Another place in a file follows.
    pub(super) fn seek(&mut self) {
        self.clear();
        self.end = None;
        self.clock = self.config.as_ref().map(|config| Clock::new(config.rate, config.frame));
    }

    /// Start of the next frame to be taken, in microseconds.
    pub(super) fn front_us(&self) -> Option<i64> {
        self.queue.front().map(AudioSample::start_us)
    }

    /// Where the last segment ends, in microseconds.
    pub(super) fn end(&self) -> Option<i64> {
        self.end.map(|(end, rate)| ticks::to_us(end, rate))
    }

    /// Leaves about `length` microseconds out of the line before everything that is still queued, so
    /// that it follows the last segment without hole or overlap: frames too many are dropped, a hole
    /// of up to a second is filled. Returns how many frames were dropped.
    pub(super) fn cut(&mut self, length: i64) -> u32 {
        let Some(clock) = &mut self.clock else { return 0 };
        let (rate, frame) = (clock.rate(), clock.frame());
        let mut shift = ticks::from_us(length, rate);
        let end = self.end.map(|(end, own)| {
            if own == rate { end } else { ticks::from_us(ticks::to_us(end, own), rate) }
        });
        let mut dropped: u32 = 0;
        if let Some(end) = end {
            let early = |at: i64| at.wrapping_sub(shift) < end.wrapping_sub(frame / 2);
            while self.queue.front().is_some_and(|front| early(front.at_rate(rate))) {
                if let Some(front) = self.queue.pop_front() {
                    self.queued_bytes = self.queued_bytes.saturating_sub(front.data.len());
                }
                dropped = dropped.wrapping_add(1);
            }
            if let Some(front) = self.queue.front().cloned() {
                let frame = front.length.max(1);
                let gap = front.at_rate(rate).wrapping_sub(shift).wrapping_sub(end);
                let silent = gap.wrapping_add(frame / 2).checked_div(frame).unwrap_or(0);
                let length = silent.wrapping_mul(frame);
                if ticks::to_us(length, rate) <= SECOND
                    && (silent == 0 || front.config.has_silence(frame))
                {
                    shift = shift.wrapping_add(gap).wrapping_sub(length);
                    for before in 1..=silent {
                        let at = front.at.wrapping_sub(before.wrapping_mul(frame));
                        if let Some(sample) = silent_sample(&front.config, at, frame) {
                            self.queue.push_front(sample);
                        }
                    }
                }
            }
        }
        let exact = ticks::to_us(shift, rate);
        for sample in &mut self.queue {
            let own = sample.config.rate;
            let shift = if own == rate { shift } else { ticks::from_us(exact, own) };
            sample.at = sample.at.wrapping_sub(shift);
        }
        clock.rewind(shift, end.unwrap_or(i64::MIN));
        dropped
    }

    /// Appends what is queued for one configuration, up to a hole. `base` microseconds is 0 on the
    /// output's line.
    pub(super) fn take(
        &mut self,
        base: i64,
        sequence: u32,
        limits: &Config,
        out: &mut Vec<u8>,
    ) -> Option<Segment> {
        self.drop_before(base, i64::MIN);
        let config = match self.queue.front() {
            Some(sample) => sample.config.clone(),
            None => self.config.clone()?,
        };
        #[cfg(feature = "codecs")]
        let raw = config.is_raw();
        #[cfg(not(feature = "codecs"))]
        let raw = false;
        let mut segment = Segment { raw, ..Segment::default() };
        if !self.written.as_ref().is_some_and(|written| Arc::ptr_eq(written, &config)) {
            if !raw {
                config.write_init(TRACK_ID, limits, out);
            }
            segment.init = true;
            self.written = Some(config.clone());
        }
        let Some(start) = self.queue.front().map(|sample| sample.at) else {
            return segment.init.then_some(segment);
        };
        let rate = config.rate;
        let mut end = start;
        let mut count: usize = 0;
        for sample in &self.queue {
            if sample.at != end || !Arc::ptr_eq(&sample.config, &config) {
                break;
            }
            end = end.wrapping_add(sample.length);
            count = count.wrapping_add(1);
        }
        let base = ticks::from_us(base, rate);
        let fragment = Fragment {
            sequence,
            track_id: TRACK_ID,
            base_time: u64::try_from(start.wrapping_sub(base)).unwrap_or(0),
            pictures: false,
        };
        let samples = self.queue.iter().take(count).map(|sample| mp4::Sample {
            duration: u32::try_from(sample.length).unwrap_or(u32::MAX),
            composition_offset: 0,
            sync: true,
            data: &sample.data,
        });
        if raw {
            samples.for_each(|sample| out.extend_from_slice(sample.data));
        } else if mp4::write_fragment(&fragment, samples, out).is_err() {
            self.clear();
            return segment.init.then_some(segment);
        }
        for _ in 0..count {
            self.pop();
        }
        let us = |ticks: i64| ticks::to_us(ticks, rate);
        let told = self.end().unwrap_or(us(start));
        self.end = Some((end, rate));
        segment.samples = u32::try_from(count).unwrap_or(u32::MAX);
        segment.start_us = us(start.wrapping_sub(base));
        segment.end_us = us(end.wrapping_sub(base));
        segment.gap_us = us(start).wrapping_sub(told).max(0);
        Some(segment)
    }

    fn pop(&mut self) {
        if let Some(sample) = self.queue.pop_front() {
            self.queued_bytes = self.queued_bytes.saturating_sub(sample.data.len());
        }
    }
}

impl AudioSample {
    fn start_us(&self) -> i64 {
        ticks::to_us(self.at, self.config.rate)
    }

    fn end_us(&self) -> i64 {
        ticks::to_us(self.at.wrapping_add(self.length), self.config.rate)
    }

    /// Its start in ticks of `rate`.
    fn at_rate(&self, rate: u32) -> i64 {
        if self.config.rate == rate { self.at } else { ticks::from_us(self.start_us(), rate) }
    }
}

/// A frame of silence at `at` that lasts `length` samples.
fn silent_sample(config: &Arc<AudioConfig>, at: i64, length: i64) -> Option<AudioSample> {
    let data = config.silent_frame(length)?;
    Some(AudioSample { at, length, data, config: config.clone() })
}

/// Frames of silence queued at a time, at most.
const MAX_FILL: u32 = 100;
/// The track's number in the output.
const TRACK_ID: u32 = 2;
