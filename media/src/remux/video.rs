//! The video track: pictures waiting to be taken, and how they are timed.

mod kept;
#[cfg(feature = "codecs")]
mod more;

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::Bytes;

use self::kept::Kept;
use super::config::Config;
use super::epochs::Due;
use super::event::{Announced, TrackInfo};
#[cfg(feature = "codecs")]
use super::picture::Hint;
use super::picture::{Framing, VideoConfig};
use super::ticks::SECOND;
use super::{Error, Segment, WarningKind, payload};
use crate::codec::text;
use crate::flv::video::{Codec, Head};
#[cfg(feature = "codecs")]
use crate::mp4::Light;
use crate::mp4::{self, Fragment};
use crate::timeline::Cadence;

/// Pictures on the stream's line of microseconds, which is also the timescale.
#[derive(Debug, Default)]
pub(super) struct VideoTrack {
    config: Option<Arc<VideoConfig>>,
    /// The newest sequence header.
    #[cfg(feature = "codecs")]
    header: Bytes,
    /// What the container says of colours.
    #[cfg(feature = "codecs")]
    hint: Hint,
    /// What the pictures say of light.
    #[cfg(feature = "codecs")]
    light: Light,
    queue: VecDeque<VideoSample>,
    queued_bytes: usize,
    /// Nothing can be decoded before the next keyframe.
    needs_keyframe: bool,
    /// Steps between the sender's times.
    cadence: Cadence,
    last_sent: Option<i64>,
    last_dts: Option<i64>,
    /// The configuration of the last initialisation segment.
    written: Option<Arc<VideoConfig>>,
    /// Where the next picture after the last segment was due …
    end: Option<i64>,
    /// … and where the browser was told the last picture ends.
    told_end: Option<i64>,
    /// Pictures may have been lost since the last.
    doubtful: bool,
    kept: Kept,
    /// Where the last picture of the queue, which stands still, ends.
    hold: Option<i64>,
}

/// A picture.
#[derive(Debug)]
pub(super) struct VideoSample {
    pub(super) dts: i64,
    composition_offset: i32,
    sync: bool,
    data: Bytes,
    config: Arc<VideoConfig>,
}

/// A picture as it came.
#[derive(Debug)]
pub(super) struct Arrived {
    /// Decode time on the sender's line.
    pub(super) sent: i64,
    /// Decode time on the stream's line.
    pub(super) time: i64,
    /// Presentation minus decode time, milliseconds.
    pub(super) composition_ms: i32,
    pub(super) is_keyframe: bool,
    pub(super) body: Bytes,
}

impl VideoTrack {
    pub(super) fn new() -> Self {
        Self { needs_keyframe: true, ..Self::default() }
    }

    /// Whether pictures of `codec` can be taken.
    pub(super) fn has_config(&self, codec: Codec) -> bool {
        self.config.as_ref().is_some_and(|config| config.codec == codec)
    }

    /// Takes a sequence header. Gives what comes into force.
    pub(super) fn configure(
        &mut self,
        head: &Head,
        header: &Bytes,
    ) -> Result<Option<Announced>, Error> {
        let codec = head.codec;
        if self.config.as_ref().is_some_and(|config| config.is_of(codec, header)) {
            return Ok(None);
        }
        let header = Bytes::copy_from_slice(header);
        let config = VideoConfig::from_header(head, &header)?;
        #[cfg(feature = "codecs")]
        {
            self.header = header;
            if config.is_some() {
                self.light = Light::default();
            }
        }
        Ok(config.map(|config| self.install(config)))
    }

    /// Whether a keyframe needs a build with the feature `codecs`.
    #[cfg(not(feature = "codecs"))]
    pub(super) fn is_beyond(&self, keyframe: &[u8]) -> bool {
        VideoConfig::is_beyond(self.config.as_deref(), keyframe)
    }

    fn install(&mut self, config: VideoConfig) -> Announced {
        #[cfg(feature = "codecs")]
        let config = config.with_hint(&self.hint.or(self.light)).unwrap_or(config);
        let codec = config.codec_string().to_owned();
        let mime = text::mp4_mime("video", &codec);
        let info = TrackInfo::Video(config.info());
        let changed = self.config.replace(Arc::new(config)).is_some();
        Announced {
            codec,
            mime,
            #[cfg(feature = "codecs")]
            other_mimes: Vec::new(),
            changed,
            info,
        }
    }

    /// Where the next picture is due, and from how far off it has jumped.
    pub(super) fn due(&self) -> Option<Due> {
        let step = self.step();
        let time = self.last_dts?.wrapping_add(step);
        let tolerance = match self.cadence.median() {
            Some(median) => median.wrapping_mul(5).max(SECOND),
            // Slow cameras: the first step may be of any length.
            None => MAX_STEP,
        };
        Some(Due { time, tolerance })
    }

    /// Queues a picture. Gives its decode time if it was kept, and warnings.
    pub(super) fn push(
        &mut self,
        arrived: Arrived,
        mut warn: impl FnMut(WarningKind),
    ) -> Option<i64> {
        let Some(config) = self.config.clone() else {
            warn(WarningKind::FrameBeforeConfig);
            return None;
        };
        let dts = self.advance(arrived.sent, arrived.time, &mut warn);
        let picture = match config.framing {
            Framing::Nal(nal, length_size) => payload::picture(arrived.body, nal, length_size),
            #[cfg(feature = "codecs")]
            Framing::Obu => Ok(payload::temporal_unit(arrived.body)),
            #[cfg(feature = "codecs")]
            Framing::Whole => Ok(Some(payload::Picture::whole(arrived.body))),
        };
        let picture = match picture {
            Ok(picture) => picture?,
            Err(kind) => {
                warn(kind);
                return None;
            }
        };
        if let Some(kind) = picture.repaired {
            warn(kind);
        }
        let sync = arrived.is_keyframe || picture.idr;
        if self.needs_keyframe && !sync {
            return None;
        }
        self.needs_keyframe = false;
        let composition = i64::from(arrived.composition_ms).wrapping_mul(1000);
        let bounded = composition.clamp(-MAX_COMPOSITION, MAX_COMPOSITION);
        if bounded != composition {
            warn(WarningKind::CompositionTime);
        }
        // A decode time that was moved does not move the presentation.
        let offset = arrived.time.wrapping_add(bounded).wrapping_sub(dts);
        self.queued_bytes = self.queued_bytes.wrapping_add(picture.data.len());
        self.queue.push_back(VideoSample {
            dts,
            composition_offset: saturate(offset),
            sync,
            data: picture.data,
            config,
        });
        Some(dts)
    }

    /// Drops the oldest groups of pictures until the limits hold. Returns how many pictures.
    pub(super) fn enforce(&mut self, limits: &Config) -> u32 {
        let mut dropped: u32 = 0;
        while self.queued_bytes > limits.max_queue_bytes
            || self.queue.len() > limits.max_queue_samples
        {
            let next = self.queue.iter().skip(1).position(|sample| sample.sync);
            let count = match next {
                Some(at) => at.wrapping_add(1),
                None => {
                    self.needs_keyframe = true;
                    self.queue.len()
                }
            };
            dropped = dropped.wrapping_add(self.drop_front(count));
            self.kept.clear();
        }
        dropped
    }

    /// Drops everything before the last keyframe in the queue. Returns how many pictures.
    pub(super) fn drop_before_last_keyframe(&mut self) -> u32 {
        let last = self.queue.iter().rposition(|sample| sample.sync).unwrap_or(0);
        if last > 0 {
            self.kept.clear();
        }
        self.drop_front(last)
    }

    /// The output begins anew: with an initialisation segment and the next keyframe.
    pub(super) fn restart(&mut self) {
        self.written = None;
        self.end = None;
        self.told_end = None;
        self.bring_back();
        if let Some(next) = self.queue.iter().position(|sample| sample.sync) {
            self.drop_front(next);
        } else {
            self.clear();
        }
    }

    /// Drops everything; the next picture must be a keyframe.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
        self.needs_keyframe = true;
        self.kept.clear();
    }

    /// The next picture to be taken.
    pub(super) fn front(&self) -> Option<&VideoSample> {
        self.queue.front()
    }

    /// Where the next picture after the last segment was due.
    pub(super) fn end(&self) -> Option<i64> {
        self.end
    }

    /// Leaves `length` out of the line before everything that is still queued.
    pub(super) fn cut(&mut self, length: i64) {
        for sample in &mut self.queue {
            sample.dts = sample.dts.wrapping_sub(length);
        }
        self.last_dts = self.last_dts.map(|dts| dts.wrapping_sub(length));
    }

    /// Appends what is queued for one configuration. `base` is 0 on the output's line.
    pub(super) fn take(
        &mut self,
        base: i64,
        sequence: u32,
        limits: &Config,
        out: &mut Vec<u8>,
    ) -> Option<Segment> {
        let config = match self.queue.front() {
            Some(sample) => sample.config.clone(),
            None => self.config.clone()?,
        };
        let mut segment = Segment::default();
        if !self.written.as_ref().is_some_and(|written| Arc::ptr_eq(written, &config)) {
            config.write_init(TRACK_ID, limits, out);
            segment.init = true;
            self.written = Some(config.clone());
        }
        let count = self.queue.iter().take_while(|s| Arc::ptr_eq(&s.config, &config)).count();
        let hole = self.close_hole();
        let Some(first) = self.queue.front().filter(|_| count > 0) else {
            return segment.init.then_some(segment);
        };
        let start = first.dts;
        let last_dts = self.queue.get(count.wrapping_sub(1)).map_or(start, |last| last.dts);
        let last_dts = if count == 1 { last_dts.wrapping_add(hole) } else { last_dts };
        // The picture behind the segment is known if the configuration changes there.
        let hold = self.hold.take();
        let told_end = match (hold, self.queue.get(count)) {
            (Some(end), _) => end,
            (None, Some(next)) => next.dts,
            (None, None) => last_dts.wrapping_add(self.provisional(limits.exact_durations)),
        };
        let samples = (0..count).filter_map(|number| {
            let sample = self.queue.get(number)?;
            let next = number.wrapping_add(1);
            let end = if next < count { self.queue.get(next)?.dts } else { told_end };
            Some(mp4::Sample {
                duration: u32::try_from(end.wrapping_sub(sample.dts)).unwrap_or(u32::MAX),
                composition_offset: sample.composition_offset,
                sync: sample.sync,
                data: &sample.data,
            })
        });
        let fragment = Fragment {
            sequence,
            track_id: TRACK_ID,
            base_time: u64::try_from(start.wrapping_sub(base)).unwrap_or(0),
            pictures: true,
        };
        // The queue is bounded far below what a fragment can hold; if a host lifted the bounds to
        // more, the pictures are lost and the next keyframe starts over.
        let written = mp4::write_fragment(&fragment, samples, out).is_ok();
        if !written {
            self.clear();
            return segment.init.then_some(segment);
        }
        for sample in self.queue.iter().take(count).filter(|sample| sample.sync) {
            let shown = sample.dts.wrapping_add(sample.composition_offset.into());
            segment.keyframes = segment.keyframes.wrapping_add(1);
            segment.last_keyframe_us = Some(shown.wrapping_sub(base));
        }
        segment.samples = self.keep_front(count);
        segment.start_us = start.wrapping_sub(base);
        let end = hold.unwrap_or_else(|| last_dts.wrapping_add(self.step()));
        segment.end_us = end.wrapping_sub(base);
        segment.gap_us = self.told_end.map_or(0, |told| start.wrapping_sub(told).max(0));
        self.end = Some(end);
        self.told_end = Some(told_end);
        Some(segment)
    }

    /// The decode time for a picture placed at `time`: after the one before in any case.
    fn advance(&mut self, sent: i64, time: i64, warn: &mut impl FnMut(WarningKind)) -> i64 {
        let step = self.last_sent.map_or(0, |last| sent.wrapping_sub(last));
        if (1..=MAX_STEP).contains(&step) {
            self.cadence.add(step);
        }
        self.last_sent = Some(sent);
        let mut dts = time;
        if let Some(last) = self.last_dts.filter(|last| time <= *last) {
            dts = last.wrapping_add((self.step() / 4).max(1));
            warn(WarningKind::DecodeTime);
        }
        self.last_dts = Some(dts);
        dts
    }

    /// The usual step between pictures: the median of the last, before that what the SPS says.
    pub(super) fn step(&self) -> i64 {
        self.cadence.median().unwrap_or_else(|| {
            self.config
                .as_ref()
                .map_or(super::picture::DEFAULT_STEP, |config| config.nominal_step())
        })
    }

    /// The duration of a picture whose successor has not come: twice the usual step, as browsers
    /// take a step of up to twice the last duration as continuous; more if longer steps are usual.
    fn provisional(&self, exact: bool) -> i64 {
        if exact {
            return self.step().max(1);
        }
        let usual = self.step().wrapping_mul(2);
        usual.max(self.cadence.upper().unwrap_or(0)).max(1)
    }

    fn drop_front(&mut self, count: usize) -> u32 {
        let mut dropped: u32 = 0;
        for _ in 0..count {
            let Some(sample) = self.queue.pop_front() else { break };
            self.queued_bytes = self.queued_bytes.saturating_sub(sample.data.len());
            dropped = dropped.wrapping_add(1);
        }
        dropped
    }
}

impl VideoSample {
    /// When the picture is shown.
    pub(super) fn pts(&self) -> i64 {
        self.dts.wrapping_add(self.composition_offset.into())
    }
}

fn saturate(offset: i64) -> i32 {
    i32::try_from(offset).unwrap_or(if offset < 0 { i32::MIN } else { i32::MAX })
}

/// The track's number in the output.
const TRACK_ID: u32 = 1;
/// The longest step that counts as the stream's rhythm.
const MAX_STEP: i64 = 10 * SECOND;
/// Composition times beyond are nonsense: no encoder reorders over ten seconds.
const MAX_COMPOSITION: i64 = 10 * SECOND;
