//! `--demo`: the built-in clip, published for ever as `live/demo`.
//!
//! It goes the way of every other publisher, so what it shows is what a pushed stream would show. Once a second it says
//! what the clock on the wall shows, so that a player can tell how late its picture is.

use std::{sync::Arc, time::Duration};

use pushpull_media::{
    amf0::{self, Value},
    flv::{self, Item, Reader, Tag, TagBuffer, TagKind, audio, video},
};
use pushpull_rtmp::StreamName;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tracing::{error, info, warn};

use crate::config::Live;
use crate::hub::{ClaimError, Hub, Publisher, Source, StopReason};
use crate::time::unix_now;

/// The name it is published under.
pub const NAME: &str = "live/demo";

/// Publishes the clip whenever `is_on`, until the hub closes. Gives the name up to whoever takes it over, and takes it back
/// when it is free again.
pub async fn run(hub: Hub, is_on: Live<bool>) {
    let (name, clip) = match (StreamName::parse(NAME), Clip::read(CLIP)) {
        (Ok(name), Ok(clip)) => (name, clip),
        (name, clip) => {
            error!(name = ?name.err(), clip = ?clip.err(), "the built-in test stream is broken");
            return;
        }
    };
    let mut switch = is_on.subscribe();
    loop {
        turned(&mut switch, true).await;
        match hub.claim(&name, source()) {
            Ok(claim) => {
                info!(stream = NAME, "publishing the built-in test stream");
                match clip.publish(claim.go_live(), turned(&mut switch, false)).await {
                    Some(StopReason::ServerStopping) => return,
                    Some(reason) => {
                        warn!(stream = NAME, ?reason, "the built-in test stream was stopped");
                    }
                    None => {
                        info!(stream = NAME, "the built-in test stream is switched off");
                        continue;
                    }
                }
            }
            Err(ClaimError::Closing) => return,
            // Somebody has the name: theirs until they leave.
            Err(_) => {}
        }
        sleep(RETRY).await;
    }
}

/// Waits until the demo is on, or off.
async fn turned(switch: &mut watch::Receiver<Arc<bool>>, on: bool) {
    if switch.wait_for(|is_on| **is_on == on).await.is_err() {
        // Nobody is left who could.
        std::future::pending::<()>().await;
    }
}

/// The clip, ready to be published over and over.
#[derive(Debug)]
struct Clip {
    /// Metadata and sequence headers: sent once.
    headers: Vec<Tag>,
    /// Everything with a time, in the order of the file.
    frames: Vec<Tag>,
}

impl Clip {
    fn read(bytes: &[u8]) -> Result<Clip, flv::Error> {
        let mut reader = Reader::new();
        reader.push(bytes);
        let mut clip = Clip { headers: Vec::new(), frames: Vec::new() };
        while let Some(item) = reader.next()? {
            match item {
                Item::Tag(tag) if is_header(&tag) => clip.headers.push(tag),
                Item::Tag(tag) if !is_end(&tag) => clip.frames.push(tag),
                _ => {}
            }
        }
        Ok(clip)
    }

    /// Returns why it had to stop; nothing if it was `off`, with which the stream ends.
    async fn publish(
        &self,
        mut publisher: Publisher,
        off: impl Future<Output = ()>,
    ) -> Option<StopReason> {
        let stopped = publisher.stopped();
        tokio::select! {
            reason = stopped => return Some(reason),
            () = self.play(&mut publisher) => return Some(StopReason::Replaced),
            () = off => {}
        }
        publisher.finish();
        None
    }

    /// Plays lap after lap, each frame at its time since the start, however late the one before was.
    async fn play(&self, publisher: &mut Publisher) {
        for tag in &self.headers {
            send(publisher, tag, 0);
        }
        let mut start = Instant::now();
        let mut lap_start = Duration::ZERO;
        let mut next_clock = Duration::ZERO;
        loop {
            for frame in &self.frames {
                let time =
                    lap_start + Duration::from_millis(u64::try_from(frame.time()).unwrap_or(0));
                let late = start.elapsed().saturating_sub(time);
                if late > MAX_LATE {
                    // The machine slept, or the process was stopped: nobody wants the missed part in a burst.
                    start += late;
                }
                wait_until(start + time, publisher).await;
                // Timestamps wrap at 2³² ms, as those of any publisher do.
                let timestamp = time.as_millis() as u32;
                if time >= next_clock {
                    next_clock = time + CLOCK_INTERVAL;
                    publisher.media(TagKind::Script, timestamp, wall_clock(start + time));
                }
                send(publisher, frame, timestamp);
            }
            lap_start += LAP;
            // A clip without frames would never wait.
            tokio::task::consume_budget().await;
        }
    }
}

/// Sleeps, and sends meanwhile what was held for long enough.
async fn wait_until(time: Instant, publisher: &mut Publisher) {
    while let Some(flush) = publisher.flush_at().filter(|&flush| flush < time) {
        sleep_until(flush).await;
        publisher.flush();
    }
    sleep_until(time).await;
}

fn send(publisher: &mut Publisher, tag: &Tag, timestamp: u32) {
    let mut buffer = TagBuffer::with_capacity(tag.data().len());
    // It came out of a tag, so it fits one.
    if buffer.extend_from_slice(tag.data()).is_ok() {
        publisher.media(tag.kind(), timestamp, buffer);
    }
}

/// A script tag's data: what the clock on the wall showed at `moment`, which is now or has just been.
fn wall_clock(moment: Instant) -> TagBuffer {
    let unix_time = unix_now().saturating_sub(moment.elapsed());
    let time = Value::Number(unix_time.as_micros() as f64 / 1000.0);
    let mut data = Vec::new();
    amf0::encode(&"onWallClock".into(), &mut data);
    amf0::encode(&Value::Object(vec![("unixTimeMs".into(), time)]), &mut data);
    let mut buffer = TagBuffer::with_capacity(data.len());
    // Some 40 bytes always fit; without them the hub would leave the tag out.
    drop(buffer.extend_from_slice(&data));
    buffer
}

fn is_header(tag: &Tag) -> bool {
    match tag.kind() {
        TagKind::Script => true,
        TagKind::Video => {
            video::Head::parse(tag.data()).is_ok_and(|head| head.is_sequence_header())
        }
        TagKind::Audio => {
            audio::Head::parse(tag.data()).is_ok_and(|head| head.is_sequence_header())
        }
    }
}

/// The end of the sequence is not ours to declare: the clip goes round.
fn is_end(tag: &Tag) -> bool {
    tag.kind() == TagKind::Video
        && video::Head::parse(tag.data())
            .is_ok_and(|head| head.packet == video::Packet::SequenceEnd)
}

fn source() -> Source {
    Source {
        protocol: "demo",
        peer: "built in".to_owned(),
        agent: concat!("pushpull/", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

const CLIP: &[u8] = include_bytes!("../assets/demo.flv");

/// The length of the clip: 288 pictures at 30 per second, 450 AAC frames at 48 kHz. Both come out even, so that a lap
/// joins the next without a gap in either track.
const LAP: Duration = Duration::from_millis(9600);

/// How often the clock on the wall is told.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

const RETRY: Duration = Duration::from_secs(2);
const MAX_LATE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{self, Next, Start, ViewerInfo};

    #[test]
    fn the_clip_fills_its_lap_exactly() {
        let clip = Clip::read(CLIP).unwrap();
        let times = |kind| -> Vec<i64> {
            clip.frames.iter().filter(|tag| tag.kind() == kind).map(Tag::time).collect()
        };
        let (pictures, sound) = (times(TagKind::Video), times(TagKind::Audio));
        assert_eq!(pictures.len(), 288);
        assert_eq!(sound.len(), 450);
        for (times, expected_ms) in [(&pictures, 1000.0 / 30.0), (&sound, 1024.0 / 48.0)] {
            for (n, &time) in times.iter().enumerate() {
                assert!((time as f64 - n as f64 * expected_ms).abs() <= 1.0, "frame {n} at {time}");
            }
        }
        assert!(clip.frames.is_sorted_by_key(Tag::time), "paced in the order of the file");
        assert_eq!(clip.headers.iter().filter(|tag| tag.kind() != TagKind::Script).count(), 2);
        let first = clip.frames.iter().find(|tag| tag.kind() == TagKind::Video).unwrap();
        assert!(video::Head::parse(first.data()).unwrap().is_keyframe(), "a lap can follow a lap");
    }

    #[tokio::test(start_paused = true)]
    async fn laps_join_without_a_gap() {
        let hub = Hub::new(hub::Config::default());
        let task = tokio::spawn(run(hub.clone(), true.into()));
        let mut viewer = view(&hub).await;

        let begin = Instant::now();
        let (mut pictures, mut sequence_headers) = (Vec::new(), 0);
        while pictures.last().is_none_or(|&time| time < 3 * 9600) {
            let Next::Block(block) = viewer.next().await else { panic!("the stream ended") };
            for tag in block.tags().iter().filter(|tag| tag.kind() == TagKind::Video) {
                let is_header = is_header(tag);
                sequence_headers += usize::from(is_header);
                pictures.extend((!is_header).then(|| tag.time()));
            }
        }
        assert_eq!(sequence_headers, 1, "sent once, not with every lap");
        for pair in pictures.windows(2) {
            assert!((33..=34).contains(&(pair[1] - pair[0])), "{pair:?}");
        }
        let media =
            Duration::from_millis((pictures[pictures.len() - 1] - pictures[0]).unsigned_abs());
        let paced = begin.elapsed();
        assert!(paced <= media + LAP && paced + LAP >= media, "{media:?} of media in {paced:?}");

        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_told_once_a_second() {
        let hub = Hub::new(hub::Config::default());
        let task = tokio::spawn(run(hub.clone(), true.into()));
        let mut viewer = view(&hub).await;

        let mut told = Vec::new();
        while told.len() < 12 {
            let Next::Block(block) = viewer.next().await else { panic!("the stream ended") };
            for tag in block.tags().iter().filter(|tag| tag.kind() == TagKind::Script) {
                let mut values = amf0::Decoder::new(tag.data());
                if values.next_value().unwrap().unwrap().as_str() == Some("onWallClock") {
                    let value = values.next_value().unwrap().unwrap();
                    told.push((tag.time(), value.get("unixTimeMs").unwrap().as_f64().unwrap()));
                }
            }
        }
        for pair in told.windows(2) {
            assert!((1000..=1034).contains(&(pair[1].0 - pair[0].0)), "{pair:?}");
        }
        let now = unix_now().as_secs_f64() * 1000.0;
        assert!(told.iter().all(|&(_, time)| (now - time).abs() < 3_600_000.0), "{told:?}");

        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_switched_on_and_off() {
        let (hub, is_on) = (Hub::new(hub::Config::default()), Live::new(false));
        let task = tokio::spawn(run(hub.clone(), is_on.clone()));
        for _ in 0..2 {
            let mut streams = hub.subscribe();
            is_on.set(true);
            streams.changed().await.unwrap();
            let mut viewer = view(&hub).await;
            is_on.set(false);
            // It ends at once, and nobody is held for a publisher who may come back.
            loop {
                if let Next::End(reason) = viewer.next().await {
                    assert_eq!(reason, hub::EndReason::Finished);
                    break;
                }
            }
            assert!(hub.streams().is_empty());
        }
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_closing_hub_ends_it() {
        let hub = Hub::new(hub::Config::default());
        let task = tokio::spawn(run(hub.clone(), true.into()));
        drop(view(&hub).await);
        hub.close();
        task.await.unwrap();
    }

    async fn view(hub: &Hub) -> hub::Viewer {
        let info = ViewerInfo { protocol: "test", peer: String::new() };
        hub.view(&StreamName::parse(NAME).unwrap(), Start::Gop, info).await.unwrap()
    }
}
