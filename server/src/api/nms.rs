//! `/api/server` and `/api/streams` as Node-Media-Server 2 has them, for dashboards that ask for those. Read-only; what it
//! tells of itself and we do not have is 0 or empty.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use axum::{extract::State, response::Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Api, fresh_json, parameters::Named};
use crate::{
    hub::StreamStatus,
    problem::Problem,
    sessions::{Purpose, SessionStatus},
    time::{Moment, unix},
};

/// Streams by app and name: who publishes, who views.
pub async fn streams(State(api): State<Api>) -> Response {
    let mut apps: BTreeMap<String, BTreeMap<String, Stream>> = BTreeMap::new();
    let streams = api.parts.hub.streams();
    let (sessions, _) = api.parts.access.sessions().page(None, None, 0, MAX_SESSIONS);
    for session in sessions {
        let Some((app, stream)) = session.stream.rsplit_once('/') else { continue };
        let entry = apps.entry(app.to_owned()).or_default().entry(stream.to_owned()).or_default();
        match session.purpose {
            Purpose::Publish => {
                let status = streams.iter().find(|status| status.name == session.stream);
                entry.publisher = Some(publisher(&session, status));
            }
            Purpose::Play => entry.subscribers.push(subscriber(&session)),
        }
    }
    fresh_json(apps)
}

/// One stream in short; one that nobody publishes is not live.
pub async fn stream(State(api): State<Api>, Named(name): Named) -> Result<Response, Problem> {
    let status = api.parts.hub.stream(&name);
    let live = status.as_ref().map(|status| {
        let since = SystemTime::now() - Duration::from_millis(status.uptime_ms);
        (status.uptime_ms.div_ceil(1000), status.bitrate_kbps, instant(since))
    });
    let (duration, bitrate, start) = live.clone().unwrap_or_default();
    Ok(fresh_json(json!({
        "isLive": live.is_some(),
        "viewers": status.map_or(0, |status| status.viewers),
        "duration": duration,
        "bitrate": bitrate,
        "startTime": live.map(|_| start),
        // What a publisher says may be secret.
        "arguments": {},
    })))
}

/// The server in short.
pub async fn server(State(api): State<Api>) -> Response {
    let (hub, metrics) = (&api.parts.hub, &api.parts.metrics);
    let counts = api.parts.access.sessions().counts();
    let of = |start: &str| -> usize {
        let those = counts.iter().filter(|((_, protocol), _)| protocol.starts_with(start));
        those.map(|(_, count)| count).sum()
    };
    let (rtmp, http, ws) = (of("rtmp"), of("http"), of("ws"));
    let memory = meminfo();
    let memory = |label: &str| memory.get(label).copied().unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    fresh_json(json!({
        "os": {
            "arch": std::env::consts::ARCH,
            "platform": std::env::consts::OS,
            "release": read("/proc/sys/kernel/osrelease"),
        },
        "cpu": {"num": cores, "load": load(cores), "model": "", "speed": 0},
        // Spelt as it is there.
        "mem": {"totle": memory("MemTotal"), "free": memory("MemFree")},
        "net": {"inbytes": hub.stats().bytes_in(), "outbytes": hub.stats().bytes_out()},
        "nodejs": {
            "uptime": metrics.started.elapsed().as_secs(),
            "version": "",
            "mem": {"rss": 0, "heapTotal": 0, "heapUsed": 0, "external": 0},
        },
        "clients": {
            "accepted": metrics.http.accepted() + metrics.rtmp.accepted(),
            "active": rtmp + http + ws,
            "idle": 0,
            "rtmp": rtmp,
            "http": http,
            "ws": ws,
        },
        "version": concat!("pushpull/", env!("CARGO_PKG_VERSION")),
    }))
}

#[derive(Default, Serialize)]
struct Stream {
    publisher: Option<Value>,
    subscribers: Vec<Value>,
}

fn publisher(session: &SessionStatus, status: Option<&StreamStatus>) -> Value {
    let audio = status.and_then(|status| status.audio.as_ref()).map(|audio| {
        json!({
            "codec": audio.codec,
            "profile": audio.codec_string.as_deref().map_or("", aac_profile),
            "samplerate": audio.sample_rate.unwrap_or_default(),
            "channels": audio.channels.unwrap_or_default(),
        })
    });
    let video = status.and_then(|status| status.video.as_ref()).map(|video| {
        let (profile, level) = video.codec_string.as_deref().map_or(("", 0.0), avc_profile);
        json!({
            "codec": video.codec.replace('.', ""),
            "width": video.width.unwrap_or_default(),
            "height": video.height.unwrap_or_default(),
            "profile": profile,
            "level": level,
            "fps": video.fps.unwrap_or_default(),
        })
    });
    let mut publisher = client(session);
    publisher["audio"] = audio.into();
    publisher["video"] = video.into();
    publisher
}

fn subscriber(session: &SessionStatus) -> Value {
    let mut subscriber = client(session);
    // `http-flv` is `http` there.
    let protocol = session.protocol.split('-').next().unwrap_or_default();
    subscriber["protocol"] = protocol.into();
    subscriber
}

fn client(session: &SessionStatus) -> Value {
    let (app, stream) = session.stream.rsplit_once('/').unwrap_or_default();
    let since = SystemTime::now() - Duration::from_millis(session.since_ms);
    let address = session.peer.parse::<std::net::SocketAddr>();
    json!({
        "app": app,
        "stream": stream,
        "clientId": session.id,
        "connectCreated": instant(since),
        "bytes": session.bytes,
        "ip": address.map_or_else(|_| session.peer.clone(), |address| address.ip().to_string()),
    })
}

/// The profile and level in `avc1.PPCCLL`.
fn avc_profile(codec: &str) -> (&'static str, f64) {
    let digits = codec.strip_prefix("avc1.").unwrap_or_default();
    let profile = match digits.get(..2) {
        Some("42") => "Baseline",
        Some("4d") => "Main",
        Some("58") => "Extended",
        Some("64") => "High",
        _ => "",
    };
    let level = digits.get(4..6).and_then(|level| u8::from_str_radix(level, 16).ok());
    (profile, f64::from(level.unwrap_or_default()) / 10.0)
}

fn aac_profile(codec: &str) -> &'static str {
    match codec {
        "mp4a.40.1" => "Main",
        "mp4a.40.2" => "LC",
        "mp4a.40.5" => "HE",
        "mp4a.40.29" => "HEv2",
        _ => "",
    }
}

/// A moment as JavaScript writes it: `2026-11-21T22:30:00.000Z`.
fn instant(at: SystemTime) -> String {
    let since = unix(at);
    let (year, month, day) = Moment::of_unix(since).date();
    let (second, ms) = (since.as_secs() % 86_400, since.subsec_millis());
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The share of the cores that was at work in the last minute, in percent.
fn load(cores: usize) -> u64 {
    let running = read("/proc/loadavg").split(' ').next().and_then(|load| load.parse::<f64>().ok());
    (running.unwrap_or_default() * 100.0 / cores as f64).clamp(0.0, 100.0) as u64
}

/// The lines of `/proc/meminfo`, in bytes.
fn meminfo() -> BTreeMap<String, u64> {
    let text = read("/proc/meminfo");
    let line = |line: &str| {
        let (label, rest) = line.split_once(':')?;
        let kilobytes: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some((label.to_owned(), kilobytes.saturating_mul(1024)))
    };
    text.lines().filter_map(line).collect()
}

/// What the system tells; nothing where it does not.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// More are not listed: that shape has no pages.
const MAX_SESSIONS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_javascript_does() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (1_795_300_205, "2026-11-21T22:30:05.000Z"),
        ] {
            assert_eq!(instant(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn profiles_are_read_from_codec_strings() {
        assert_eq!(avc_profile("avc1.64001f"), ("High", 3.1));
        assert_eq!(avc_profile("avc1.42c01e"), ("Baseline", 3.0));
        assert_eq!(avc_profile("hvc1.1.6.L93.B0"), ("", 0.0));
        assert_eq!((aac_profile("mp4a.40.2"), aac_profile("opus")), ("LC", ""));
    }
}
