//! Streams one by one, and who publishes and views.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use super::show;
use crate::{
    api,
    config::Live,
    hub::{Hub, StreamStatus},
    sessions::{Purpose, Sessions},
};

/// Reads the hub and the sessions at every scrape.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) hub: Hub,
    pub(super) sessions: Sessions,
    pub(super) config: Live<api::Config>,
}

/// Something that every stream has: its name, what it is, and how it is found. Nothing is shown where there is nothing.
type Gauge = (&'static str, &'static str, fn(&StreamStatus) -> Option<f64>);
type Counter = (&'static str, &'static str, fn(&StreamStatus) -> u64);

const GAUGES: [Gauge; 8] = [
    ("stream_viewers", "Viewers of a stream", |stream| Some(stream.viewers as f64)),
    (
        "stream_lag_bytes",
        "Bytes that the viewer who is furthest behind has not been sent",
        |stream| Some(stream.lag_bytes as f64),
    ),
    (
        "stream_lag_seconds",
        "Media that the viewer who is furthest behind has not been sent, in seconds",
        |stream| Some(seconds(stream.lag_ms as f64)),
    ),
    ("stream_frame_rate", "Pictures per second of a stream's default track", |stream| {
        stream.video.as_ref()?.fps
    }),
    ("stream_gop_seconds", "Time between the last two keyframes, in seconds", |stream| {
        stream.gop_ms.map(|ms| seconds(ms as f64))
    }),
    (
        "stream_jitter_seconds",
        "By how much intervals between frames' arrivals differ from those between their times",
        |stream| stream.jitter_ms.map(seconds),
    ),
    (
        "stream_av_offset_seconds",
        "By how much sound arrives later than the pictures of the same time",
        |stream| stream.av_offset_ms.map(seconds),
    ),
    ("stream_uptime_seconds", "Time since a stream went live", |stream| {
        Some(seconds(stream.uptime_ms as f64))
    }),
];

const COUNTERS: [Counter; 2] = [
    ("stream_received_bytes", "Bytes of media received of a stream", |stream| {
        stream.received_bytes
    }),
    (
        "stream_viewer_jumps",
        "Times a viewer of a stream had fallen behind and jumped to a later keyframe",
        |stream| stream.jumps,
    ),
];

impl Collector for Streams {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.hub.streams();
        let max = self.config.get().metrics_streams;
        let (shown, left_out) = all.split_at(max.min(all.len()));
        let help = "Streams that have no figures of their own here: see metrics_streams";
        let left_out = show::count(left_out.len());
        show::gauge(&mut encoder, "streams_without_figures", help, left_out)?;
        for (name, help, value) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for stream in shown {
                let Some(value) = value(stream) else { continue };
                let labels = [("stream", stream.name.as_str())];
                let place = family.encode_family(&labels)?;
                // A count is written as one.
                match value.fract() == 0.0 && value.abs() < LARGE {
                    true => ConstGauge::new(value as i64).encode(place)?,
                    false => ConstGauge::new(value).encode(place)?,
                }
            }
        }
        for (name, help, value) in COUNTERS {
            let values = shown.iter().map(|stream| (stream.name.as_str(), value(stream)));
            show::counters(&mut encoder, name, help, "stream", values)?;
        }
        let help = "Publishers and viewers at present, by protocol";
        let mut family = encoder.encode_descriptor("sessions", help, None, MetricType::Gauge)?;
        for ((purpose, protocol), count) in self.sessions.counts() {
            let purpose = match purpose {
                Purpose::Publish => "publish",
                Purpose::Play => "play",
            };
            let labels = [("purpose", purpose), ("protocol", protocol)];
            let gauge = ConstGauge::new(show::count(count));
            gauge.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// Up to here every whole number has a float of its own.
const LARGE: f64 = 9e15;

fn seconds(ms: f64) -> f64 {
    ms / 1000.0
}
