use super::*;

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
async fn a_stream_of_weeks_goes_on_past_32_bits() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.ready();
    let mut time = 0_u64;
    let mut last = 0;
    for _ in 0..3_000 {
        time += 2_000_000;
        publisher.keyframe(time as u32);
        last = viewer.ready().last().unwrap().tags()[0].time();
    }
    assert_eq!(last, 6_000_000_000);
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
    });
    assert_eq!(times.await, ["key 0", "sound 0", "script 0", "script 30", "inter 40"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_neither_stops_the_stream_nor_throws_viewers_out() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.ready();
    for time in [40, 3_600_000, 3_600_040, 17, 57, u32::MAX / 2, 3, u32::MAX] {
        publisher.picture(time);
        publisher.sound(time);
    }
    publisher.keyframe(0);
    assert_eq!(viewer.ready().iter().flat_map(|block| block.tags()).count(), 1 + 8 + 8 + 1);
    assert_eq!(viewer.jumps(), 0);
}
