//! The audio track: frames waiting to be taken, and how they are timed.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::clock::{Clock, Step};
use super::config::Config;
use super::epochs::Due;
use super::event::{AudioInfo, TrackInfo};
use super::ticks::{self, SECOND};
use super::{Segment, WarningKind};
use crate::codec::aac;
use crate::mp4::{self, Fragment, Init, SampleEntry};

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
}

/// A configuration and what it says.
#[derive(Debug)]
pub(super) struct AudioConfig {
    bytes: Bytes,
    parsed: aac::AudioSpecificConfig,
    silence: Option<Bytes>,
}

/// A frame; its duration is its configuration's frame length.
#[derive(Clone, Debug)]
struct AudioSample {
    /// Start in ticks of the configuration's rate.
    at: i64,
    data: Bytes,
    config: Arc<AudioConfig>,
}

impl AudioTrack {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn has_config(&self) -> bool {
        self.config.is_some()
    }

    /// Takes an AudioSpecificConfig. `None` if it is the one in force; else whether it replaces
    /// another, its codec string and what it says.
    pub(super) fn configure(
        &mut self,
        bytes: &[u8],
    ) -> Result<Option<(bool, String, TrackInfo)>, aac::Error> {
        if self.config.as_ref().is_some_and(|config| config.bytes == bytes) {
            return Ok(None);
        }
        let parsed = aac::AudioSpecificConfig::parse(bytes)?;
        let (rate, frame) = (parsed.sampling_frequency, parsed.frame_length);
        match &mut self.clock {
            Some(clock) => clock.retune(rate, frame),
            None => self.clock = Some(Clock::new(rate, frame)),
        }
        let info = AudioInfo {
            sample_rate: parsed.output_frequency(),
            channels: parsed.output_channels(),
            object_type: parsed.object_type,
            frame_length: parsed.frame_length,
        };
        let silence = parsed.silent_frame().map(Bytes::from);
        let config = AudioConfig { bytes: Bytes::copy_from_slice(bytes), parsed, silence };
        let changed = self.config.replace(Arc::new(config)).is_some();
        Ok(Some((changed, parsed.codec_string(), TrackInfo::Audio(info))))
    }

    /// Where the next frame is due, and from how far off it has jumped.
    pub(super) fn due(&self) -> Option<Due> {
        let clock = self.clock.as_ref()?;
        let tolerance = clock.frame_us().saturating_mul(5).max(SECOND);
        Some(Due { time: clock.due_us()?, tolerance })
    }

    /// Queues a frame stamped `time` on the stream's line. Gives whether it was kept, and warnings
    /// with the number of frames.
    pub(super) fn push(
        &mut self,
        time: i64,
        certain: bool,
        body: &Bytes,
        mut warn: impl FnMut(WarningKind, u32),
    ) -> bool {
        let (Some(config), Some(clock)) = (self.config.clone(), &mut self.clock) else {
            warn(WarningKind::FrameBeforeConfig, 1);
            return false;
        };
        let mut data = body.clone();
        if let Some(header) = aac::adts_header_len(body) {
            data = body.slice(header..);
            warn(WarningKind::AdtsHeader, 1);
        }
        if data.is_empty() {
            return false;
        }
        match clock.place(time, certain, config.silence.is_some()) {
            Step::Drop => {
                warn(WarningKind::AudioDropped, 1);
                false
            }
            Step::Play { at, silent } => {
                let frame = clock.frame();
                if silent > 0 {
                    warn(WarningKind::SilenceInserted, u32::try_from(silent).unwrap_or(u32::MAX));
                }
                for left in (1..=silent).rev() {
                    let at = at.saturating_sub(left.saturating_mul(frame));
                    self.queue.extend(config.silent_sample(at));
                }
                self.queued_bytes = self.queued_bytes.saturating_add(data.len());
                self.queue.push_back(AudioSample { at, data, config });
                true
            }
        }
    }

    /// Drops the oldest frames until the limits hold. Returns how many.
    pub(super) fn enforce(&mut self, limits: &Config) -> u32 {
        let mut dropped: u32 = 0;
        while self.queued_bytes > limits.max_queue_bytes
            || self.queue.len() > limits.max_queue_samples
        {
            self.pop();
            dropped = dropped.saturating_add(1);
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
            dropped = dropped.saturating_add(1);
        }
        dropped
    }

    /// Drops all but the newest frame. Returns how many.
    pub(super) fn drop_all_but_last(&mut self) -> u32 {
        let mut dropped: u32 = 0;
        while self.queue.len() > 1 {
            self.pop();
            dropped = dropped.saturating_add(1);
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
            let early = |at: i64| at.saturating_sub(shift) < end.saturating_sub(frame / 2);
            while self.queue.front().is_some_and(|front| early(front.at_rate(rate))) {
                if let Some(front) = self.queue.pop_front() {
                    self.queued_bytes = self.queued_bytes.saturating_sub(front.data.len());
                }
                dropped = dropped.saturating_add(1);
            }
            if let Some(front) = self.queue.front().cloned() {
                let gap = front.at_rate(rate).saturating_sub(shift).saturating_sub(end);
                let silent = gap.saturating_add(frame / 2).checked_div(frame).unwrap_or(0);
                let length = silent.saturating_mul(frame);
                if ticks::to_us(length, rate) <= SECOND
                    && (silent == 0 || front.config.silence.is_some())
                {
                    shift = shift.saturating_add(gap).saturating_sub(length);
                    for before in 1..=silent {
                        let at = front.at.saturating_sub(before.saturating_mul(frame));
                        if let Some(sample) = front.config.silent_sample(at) {
                            self.queue.push_front(sample);
                        }
                    }
                }
            }
        }
        let exact = ticks::to_us(shift, rate);
        for sample in &mut self.queue {
            let own = sample.config.rate();
            let shift = if own == rate { shift } else { ticks::from_us(exact, own) };
            sample.at = sample.at.saturating_sub(shift);
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
        let mut segment = Segment::default();
        if !self.written.as_ref().is_some_and(|written| Arc::ptr_eq(written, &config)) {
            config.write_init(limits, out);
            segment.init = true;
            self.written = Some(config.clone());
        }
        let Some(start) = self.queue.front().map(|sample| sample.at) else {
            return segment.init.then_some(segment);
        };
        let (rate, frame) = (config.rate(), config.frame());
        let mut end = start;
        let mut count: usize = 0;
        for sample in &self.queue {
            if sample.at != end || !Arc::ptr_eq(&sample.config, &config) {
                break;
            }
            end = end.saturating_add(frame);
            count = count.saturating_add(1);
        }
        let base = ticks::from_us(base, rate);
        let fragment = Fragment {
            sequence,
            track_id: TRACK_ID,
            base_time: u64::try_from(start.saturating_sub(base)).unwrap_or(0),
            pictures: false,
        };
        let samples = self.queue.iter().take(count).map(|sample| mp4::Sample {
            duration: u32::try_from(frame).unwrap_or(u32::MAX),
            composition_offset: 0,
            sync: true,
            data: &sample.data,
        });
        if mp4::write_fragment(&fragment, samples, out).is_err() {
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
        segment.start_us = us(start.saturating_sub(base));
        segment.end_us = us(end.saturating_sub(base));
        segment.gap_us = us(start).saturating_sub(told).max(0);
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
        ticks::to_us(self.at, self.config.rate())
    }

    fn end_us(&self) -> i64 {
        ticks::to_us(self.at.saturating_add(self.config.frame()), self.config.rate())
    }

    /// Its start in ticks of `rate`.
    fn at_rate(&self, rate: u32) -> i64 {
        if self.config.rate() == rate { self.at } else { ticks::from_us(self.start_us(), rate) }
    }
}

impl AudioConfig {
    fn rate(&self) -> u32 {
        self.parsed.sampling_frequency
    }

    fn frame(&self) -> i64 {
        self.parsed.frame_length.into()
    }

    fn silent_sample(self: &Arc<Self>, at: i64) -> Option<AudioSample> {
        Some(AudioSample { at, data: self.silence.clone()?, config: self.clone() })
    }

    fn write_init(&self, limits: &Config, out: &mut Vec<u8>) {
        let init = Init {
            track_id: TRACK_ID,
            timescale: self.rate(),
            duration_ms: limits.duration_ms,
            entry: SampleEntry::Mp4a {
                channels: self.parsed.output_channels().into(),
                sample_rate: self.rate(),
                config: &self.bytes,
            },
        };
        mp4::write_init(&init, out);
    }
}

/// The track's number in the output.
const TRACK_ID: u32 = 2;
