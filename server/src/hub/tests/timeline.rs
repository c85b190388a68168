//! What viewers get of a publisher's clock: one line that goes on, and honest times as they are.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Whether it was a picture, and the time a viewer saw.
type Seen = (bool, i64);

/// A frame of a publisher: when it comes, and how it is stamped.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Milliseconds of real time.
    at: u64,
    is_video: bool,
    /// Written modulo 2³².
    time: i64,
}

/// A publisher's 25 pictures and 50 sounds per second, for so long, from `at` on, on a clock that says `time` then. The
/// sound is 7 ms behind the pictures.
fn steady(at: u64, time: i64, ms: u64) -> Vec<Frame> {
    let picture = |step: u64| step.is_multiple_of(40).then_some((true, 0));
    let sound = |step: u64| step.is_multiple_of(20).then_some((false, 7));
    let steps = (0..ms).flat_map(|step| {
        [picture(step), sound(step)].into_iter().flatten().map(move |frame| (step, frame))
    });
    steps
        .map(|(step, (is_video, late))| Frame {
            at: at + step,
            is_video,
            time: time + step as i64 + late,
        })
        .collect()
}

/// Pictures alone, one each `step` milliseconds, in real time or all at once.
fn sparse(step: u64, count: u64, in_real_time: bool) -> Vec<Frame> {
    let at = |number| if in_real_time { number * step } else { 0 };
    let frame = |number| Frame { at: at(number), is_video: true, time: (number * step) as i64 };
    (0..count).map(frame).collect()
}

/// A publisher and a viewer that was there from the beginning.
struct Scene {
    hub: Hub,
    publisher: Option<Publisher>,
    viewer: Option<Viewer>,
    begun: Instant,
    seen: Vec<Seen>,
}

impl Scene {
    fn new() -> Self {
        // The viewer is let in with the first frame.
        let tracks_wait = Duration::ZERO;
        let config = Config { takeover: Takeover::Replace, tracks_wait, ..Config::default() };
        let hub = Hub::new(config);
        let publisher = Some(publish(&hub, "live/x"));
        Self { hub, publisher, viewer: None, begun: Instant::now(), seen: Vec::new() }
    }

    async fn send(&mut self, frames: &[Frame]) {
        for frame in frames {
            self.wait_until(frame.at).await;
            let publisher = self.publisher.as_mut().unwrap();
            let time = frame.time as u32;
            match frame.is_video {
                // Keyframes all of them: what is tested is not where viewers begin.
                true => publisher.keyframe(time),
                false => publisher.sound(time),
            }
            self.read().await;
        }
        let end = self.begun.elapsed() + Duration::from_secs(1);
        self.wait_until(end.as_millis() as u64).await;
    }

    async fn wait_until(&mut self, at: u64) {
        let at = self.begun + Duration::from_millis(at);
        while let Some(flush) = self.publisher.as_ref().and_then(Publisher::flush_at)
            && flush < at
        {
            tokio::time::sleep_until(flush).await;
            self.publisher.iter_mut().for_each(Publisher::flush);
            self.read().await;
        }
        tokio::time::sleep_until(at).await;
    }

    async fn read(&mut self) {
        if self.viewer.is_none() {
            self.viewer = self.hub.view_now(&name("live/x"), Start::Gop, info()).await.ok();
        }
        let blocks = self.viewer.iter_mut().flat_map(Viewer::ready);
        let tags = blocks.flat_map(|block| block.tags().to_vec());
        self.seen.extend(tags.map(|tag| (tag.kind() == TagKind::Video, tag.time())));
    }

    fn jumps(&self) -> u64 {
        self.viewer.as_ref().map_or(0, Viewer::jumps)
    }
}

/// The frames as a viewer sees them.
async fn relayed(frames: &[Frame]) -> Vec<Seen> {
    let mut scene = Scene::new();
    scene.send(frames).await;
    assert_eq!(scene.seen.len(), frames.len(), "nothing is lost");
    assert_eq!(scene.jumps(), 0, "nobody fell behind");
    scene.seen
}

/// The frames as they were stamped, from 0 on.
fn honest(frames: &[Frame]) -> Vec<Seen> {
    let first = frames.iter().map(|frame| frame.time).min().unwrap();
    frames.iter().map(|frame| (frame.is_video, frame.time - first)).collect()
}

/// Fails unless each track goes on with steps of 1 to `max` milliseconds.
fn assert_continuous(seen: &[Seen], max: i64) {
    for kind in [true, false] {
        let times: Vec<_> = seen.iter().filter(|seen| seen.0 == kind).map(|seen| seen.1).collect();
        for pair in times.windows(2) {
            let step = pair[1] - pair[0];
            assert!((1..=max).contains(&step), "video {kind}: {} to {}", pair[0], pair[1]);
        }
    }
}

/// How far each of the last `count` frames is from its stamp: the same for all if the tracks kept their offset.
fn shifts(frames: &[Frame], seen: &[Seen], count: usize) -> Vec<i64> {
    let pairs = frames.iter().zip(seen).rev().take(count);
    let mut shifts: Vec<_> = pairs.map(|(frame, seen)| seen.1 - frame.time).collect();
    shifts.sort_unstable();
    shifts.dedup();
    shifts
}

const HOUR: i64 = 3_600_000;

#[tokio::test(start_paused = true)]
async fn every_edge_of_the_32_bits_is_crossed_from_any_start() {
    for edge in [0, 1 << 24, 1 << 31, 1 << 32, 12_345_678] {
        for before in [0, 7, 40, 1_000] {
            let frames = steady(0, edge - before, 2_000);
            assert_eq!(relayed(&frames).await, honest(&frames), "{edge} - {before}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_both_tracks_is_closed_once_and_they_keep_their_offset() {
    for jump in [10_000, HOUR, 24 * HOUR, -10_000, -HOUR, -24 * HOUR, 1 << 31, -(30 * 24 * HOUR)] {
        for start in [0, 5 * HOUR, (1 << 32) - 1_500] {
            // Video jumps first, or sound.
            for cut in [2_000, 2_020] {
                let mut frames = steady(0, start, cut);
                frames.extend(steady(cut, start + cut as i64 + jump, 2_000));
                let seen = relayed(&frames).await;
                assert_continuous(&seen, 100);
                assert_eq!(shifts(&frames, &seen, 100).len(), 1, "{jump} from {start}");
                assert_eq!(seen[..100], honest(&frames[..100]), "untouched before");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn jumps_are_counted_once_for_both_tracks() {
    let mut scene = Scene::new();
    let mut frames = steady(0, 0, 2_000);
    frames.extend(steady(2_000, HOUR, 2_000));
    frames.extend(steady(4_000, 2 * HOUR, 2_000));
    scene.send(&frames).await;
    assert_eq!(scene.hub.stats().clock_jumps(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_jump_with_the_old_clock_still_interleaved_is_the_same() {
    for jump in [10_000, HOUR, -10_000, -HOUR] {
        for late in [30, 300, 900] {
            let mut frames = steady(0, 50_000, 2_000);
            frames.extend(steady(2_000, 52_000 + jump, 3_000));
            // The sound comes so much later than pictures of its time.
            frames.iter_mut().filter(|frame| !frame.is_video).for_each(|frame| frame.at += late);
            frames.sort_by_key(|frame| frame.at);
            let seen = relayed(&frames).await;
            assert_continuous(&seen, 1_000);
            assert_eq!(shifts(&frames, &seen, 60).len(), 1, "{jump}, {late} late");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_track_that_jumps_alone_is_closed_alone_and_may_come_back() {
    for jump in [10_000, HOUR, -10_000, -HOUR] {
        for video_jumps in [true, false] {
            let mut frames = steady(0, 2 * HOUR, 6_000);
            for frame in &mut frames {
                if frame.is_video == video_jumps && (2_000..4_000).contains(&frame.at) {
                    frame.time += jump;
                }
            }
            let seen = relayed(&frames).await;
            assert_continuous(&seen, 50);
            assert_eq!(seen, honest(&steady(0, 0, 6_000)), "as if nothing had been");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn jump_after_jump_is_closed() {
    let mut frames = Vec::new();
    for turn in 0..40 {
        let clock = [0, HOUR, 5_000, 24 * HOUR][turn % 4];
        frames.extend(steady(turn as u64 * 3_000, clock, 3_000));
    }
    let seen = relayed(&frames).await;
    assert_continuous(&seen, 100);
    let last = seen.last().unwrap().1;
    assert!((119_000..122_000).contains(&last), "{last}: no time is won or lost");
}

#[tokio::test(start_paused = true)]
async fn tracks_with_clocks_of_their_own_begin_together() {
    let mut frames = steady(0, 0, 2_000);
    frames.iter_mut().filter(|frame| frame.is_video).for_each(|frame| frame.time += HOUR);
    let seen = relayed(&frames).await;
    assert_continuous(&seen, 40);
    assert!(seen.iter().all(|&(_, time)| time < 2_100));
}

#[tokio::test(start_paused = true)]
async fn a_track_that_pauses_goes_on_with_its_own_time() {
    for is_video in [true, false] {
        let mut frames = steady(0, HOUR, 70_000);
        frames.retain(|frame| frame.is_video != is_video || !(5_000..65_000).contains(&frame.at));
        assert_eq!(relayed(&frames).await, honest(&frames), "video {is_video}");
    }
    // The same out of a file, as fast as it can be sent.
    let mut frames = steady(0, HOUR, 70_000);
    frames.retain(|frame| !frame.is_video || !(5_000..65_000).contains(&frame.at));
    frames.iter_mut().for_each(|frame| frame.at = 0);
    assert_eq!(relayed(&frames).await, honest(&frames));
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_pauses_goes_on_with_its_own_time() {
    let mut frames = steady(0, HOUR, 70_000);
    frames.retain(|frame| !(5_000..65_000).contains(&frame.at));
    assert_eq!(relayed(&frames).await, honest(&frames));
}

#[tokio::test(start_paused = true)]
async fn few_pictures_are_honest() {
    // 25, 5, 3, 1, 0.2, 0.1 a second, one a minute.
    for step in [40, 200, 333, 1_000, 5_000, 10_000, 60_000] {
        let frames = sparse(step, 20, true);
        assert_eq!(relayed(&frames).await, honest(&frames), "{step} ms");
    }
    for step in [333, 5_000, 10_000] {
        let frames = sparse(step, 20, false);
        assert_eq!(relayed(&frames).await, honest(&frames), "{step} ms, out of a file");
    }
    // A picture in ten seconds beside sound.
    let mut frames = steady(0, 0, 60_000);
    frames.retain(|frame| !frame.is_video || frame.at.is_multiple_of(10_000));
    assert_eq!(relayed(&frames).await, honest(&frames));
}

#[tokio::test(start_paused = true)]
async fn a_network_that_stands_still_and_an_encoder_that_drops_are_no_jump() {
    let mut frames = steady(0, 0, 30_000);
    // Eight seconds nothing arrives; then all at once what was sent up to the second in which the encoder gave up.
    frames.retain(|frame| !(11_000..18_000).contains(&frame.time));
    let stalled = frames.iter_mut().filter(|frame| (10_000..18_200).contains(&frame.at));
    stalled.for_each(|frame| frame.at = 18_200);
    assert_eq!(relayed(&frames).await, honest(&frames));
}

#[tokio::test(start_paused = true)]
async fn times_slightly_out_of_order_are_relayed_as_they_are() {
    // Pictures stamped with the time they are shown at.
    let shown = [0, 160, 80, 40, 120, 320, 240, 200, 280];
    let frames: Vec<_> = shown.map(|time| Frame { at: 0, is_video: true, time }).into();
    assert_eq!(relayed(&frames).await, honest(&frames));
}

#[tokio::test(start_paused = true)]
async fn composition_times_below_0_are_forwarded() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let data = b"\x27\x01\xFF\xFF\xD8negative";
    publisher.message(TagKind::Video, 40, data);
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(viewer.ready().last().unwrap().tags().last().unwrap().data(), data);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_comes_back_or_is_replaced_goes_on() {
    for clock in [0, 20_000, HOUR, (1 << 32) - 500] {
        for is_lost in [true, false] {
            let mut scene = Scene::new();
            scene.send(&steady(0, HOUR, 2_000)).await;
            if is_lost {
                scene.publisher = None;
            }
            let publisher = publish(&scene.hub, "live/x");
            scene.publisher = Some(publisher);
            let frames = steady(8_000, clock, 2_000);
            scene.send(&frames).await;
            assert_eq!(scene.seen.len(), 2 * frames.len());
            assert_continuous(&scene.seen, 100);
            assert_eq!(shifts(&frames, &scene.seen, frames.len()).len(), 1);
            assert_eq!(scene.jumps(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_weeks_goes_on_past_32_bits() {
    // A picture every 33 minutes, in real time.
    let seen = relayed(&sparse(2_000_000, 3_000, true)).await;
    assert_eq!(seen.last(), Some(&(true, 5_998_000_000)));
}

/// Publishes and returns the times a viewer sees, headers left out.
async fn times(publish_all: impl FnOnce(&mut Publisher)) -> Vec<String> {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.video_header("avcC");
    publisher.audio_header("asc");
    publish_all(&mut publisher);
    let mut viewer = view(&hub, "live/x").await;
    publisher.finish();
    let mut read = viewer.read();
    read.retain(|word| !word.starts_with("avcC") && !word.starts_with("asc"));
    read
}

#[tokio::test(start_paused = true)]
async fn the_stream_begins_at_0_and_keeps_the_offset_of_its_tracks() {
    let times = times(|publisher| {
        publisher.keyframe(3_000_100);
        publisher.sound(3_000_000);
        publisher.sound(3_000_023);
        publisher.picture(3_000_140);
    });
    assert_eq!(times.await, ["key 100", "sound 0", "sound 23", "inter 140"]);
}

#[tokio::test(start_paused = true)]
async fn the_32_bit_clock_wraps_in_either_track_first() {
    let end = u32::MAX;
    let video_first = times(|publisher| {
        publisher.keyframe(end - 9);
        publisher.sound(end - 19);
        publisher.picture(30);
        publisher.sound(end - 4);
        publisher.sound(15);
        publisher.picture(70);
    });
    assert_eq!(
        video_first.await,
        ["key 10", "sound 0", "inter 50", "sound 15", "sound 35", "inter 90"]
    );
    let across = times(|publisher| {
        publisher.keyframe(5);
        publisher.sound(end - 4);
        publisher.picture(45);
    });
    assert_eq!(across.await, ["key 10", "sound 0", "inter 50"], "the second track is the earlier");
}

#[tokio::test(start_paused = true)]
async fn honest_times_stay_as_they_are_however_they_are_interleaved() {
    let times = times(|publisher| {
        publisher.keyframe(0);
        publisher.sound(400);
        publisher.picture(1_000);
        publisher.sound(380);
        publisher.sound(900);
        publisher.picture(2_000);
    });
    assert_eq!(
        times.await,
        ["key 0", "sound 400", "inter 1000", "sound 380", "sound 900", "inter 2000"]
    );
}

#[tokio::test(start_paused = true)]
async fn headers_and_scripts_stamped_0_do_not_move_the_timeline() {
    let times = times(|publisher| {
        publisher.keyframe(50_000);
        publisher.sound(50_000);
        publisher.message(TagKind::Script, 0, b"\x02\0\x0BonTextData!");
        publisher.video_header("avcC");
        publisher.message(TagKind::Script, 50_030, b"\x02\0\x0BonTextData!");
        publisher.picture(50_040);
        publisher.picture(58_000);
        publisher.message(TagKind::Script, 0, b"\x02\0\x0BonTextData!");
    });
    assert_eq!(
        times.await,
        ["key 0", "sound 0", "script 0", "script 30", "inter 40", "inter 8000", "script 8000"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_track_that_turns_up_late_brings_nothing_from_before_the_beginning() {
    let mut scene = Scene::new();
    scene.send(&sparse(40, 50, true)).await;
    scene.publisher = None;
    scene.publisher = Some(publish(&scene.hub, "live/x"));
    let video = |time| Frame { at: 5_000 + time as u64 - 60_000, is_video: true, time };
    scene.send(&[video(60_000), video(60_700)]).await;
    let late = [Frame { at: 6_000, is_video: false, time: 57_000 }];
    scene.send(&late).await;
    let times: Vec<_> = scene.seen[50..].iter().map(|seen| seen.1).collect();
    assert_eq!(times, [2_000, 2_700, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn each_track_of_a_multitrack_stream_is_on_the_line() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let other = b"\x96\x01vp09\x01picture";
    let mut viewer = view(&hub, "live/x").await;
    let mut seen = Vec::new();
    for step in 1..200_u32 {
        let clock = if step < 100 { 0 } else { 3_600_000 };
        publisher.message(TagKind::Video, clock + step * 40, other);
        publisher.keyframe(clock + step * 40);
        seen.extend(viewer.ready().iter().flat_map(|block| block.tags().to_vec()));
    }
    seen.retain(|tag| tag.data() == other);
    let times: Vec<_> = seen.iter().map(Tag::time).collect();
    assert_eq!(times, (1..200).map(|step| step * 40).collect::<Vec<_>>());
}

fn block_on(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(future);
}

proptest! {
    /// Any honest stream is untouched: any start, any frame rates from one in ten seconds to 60 a second, arriving up to a
    /// second late.
    #[test]
    fn honest_streams_are_untouched(
        start in 0..=i64::from(u32::MAX),
        video in 16..10_000_u64, audio in 10..2_000_u64,
        late in prop::collection::vec(0..1_000_u64, 100),
    ) {
        let video = (0..50).map(|number| (true, number * video));
        let audio = (0..50).map(|number| (false, number * audio));
        let mut frames: Vec<_> = video.chain(audio).collect();
        frames.sort_by_key(|frame| frame.1);
        let mut at = 0;
        let frames: Vec<_> = frames.iter().zip(late).map(|(&(is_video, time), late)| {
            at = at.max(time + late);
            Frame { at, is_video, time: start + time as i64 }
        }).collect();
        block_on(async { assert_eq!(relayed(&frames).await, honest(&frames)) });
    }

    /// Whatever the stamps are, no track goes back by more than what is taken for disorder, and all of it is relayed.
    #[test]
    fn no_stamps_make_a_track_go_back(
        stamps in prop::collection::vec((any::<bool>(), prop_oneof![any::<u32>(), 0..20_000_u32, (u32::MAX - 9_000)..], 0..3_000_u64), 1..120),
    ) {
        let mut at = 0;
        let frames: Vec<_> = stamps.iter().map(|&(is_video, time, wait)| {
            at += wait;
            Frame { at, is_video, time: i64::from(time) }
        }).collect();
        block_on(async {
            let mut scene = Scene::new();
            scene.send(&frames).await;
            for kind in [true, false] {
                let of_kind = scene.seen.iter().filter(|seen| seen.0 == kind).map(|seen| seen.1);
                let times: Vec<_> = of_kind.collect();
                assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= -1_000));
                assert!(times.iter().all(|&time| time >= 0));
            }
        });
    }
}
