use std::time::Duration;

use pushpull_media::flv::Header;

use super::*;

/// Lets the publisher's own time limits pass.
async fn settle(publisher: &mut Publisher) {
    while let Some(at) = publisher.flush_at() {
        tokio::time::sleep_until(at).await;
        publisher.flush();
    }
}

#[tokio::test(start_paused = true)]
async fn tracks_are_what_was_seen_within_the_limit() {
    type Send = fn(&mut Publisher);
    let cases: [(Send, Header); 4] = [
        (|p| p.open(0), Header { has_audio: true, has_video: true }),
        (|p| p.keyframe(0), Header { has_audio: false, has_video: true }),
        (
            |p| {
                p.video_header("avcC");
                p.audio_header("asc");
                p.sound(0);
            },
            Header { has_audio: true, has_video: false },
        ),
        (
            |p| {
                let lie = [("hasAudio", true.into()), ("audiocodecid", 10.0.into())];
                p.message(TagKind::Script, 0, &metadata(&lie));
                p.audio_header("asc");
                p.keyframe(0);
            },
            Header { has_audio: false, has_video: true },
        ),
    ];
    for (index, (send, header)) in cases.into_iter().enumerate() {
        let hub = Hub::new(Config::default());
        let mut publisher = publish(&hub, "live/x");
        send(&mut publisher);
        settle(&mut publisher).await;
        assert_eq!(view(&hub, "live/x").await.header(), header, "case {index}");
    }
}

#[tokio::test(start_paused = true)]
async fn tracks_are_decided_as_soon_as_both_are_there_and_else_at_the_limit() {
    let config = Config::default();
    let hub = Hub::new(config.clone());
    let mut both = publish(&hub, "live/both");
    let before = Instant::now();
    both.open(0);
    view(&hub, "live/both").await;
    assert_eq!(before.elapsed(), Duration::ZERO);

    let mut one = publish(&hub, "live/one");
    assert_eq!(one.flush_at(), None, "the time begins with the first frame");
    one.video_header("avcC");
    assert_eq!(one.flush_at(), None);
    one.keyframe(0);
    assert_eq!(one.flush_at(), Some(before + config.tracks_wait));
    let viewing = tokio::spawn({
        let hub = hub.clone();
        async move { view(&hub, "live/one").await.read() }
    });
    settle(&mut one).await;
    assert_eq!(before.elapsed(), config.tracks_wait);
    assert_eq!(viewing.await.unwrap(), ["avcC 0", "key 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_track_that_comes_late_is_relayed_and_joiners_are_told() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.sound(0);
    settle(&mut publisher).await;
    let mut early = view(&hub, "live/x").await;
    early.read();
    publisher.video_header("avcC");
    publisher.keyframe(900);
    publisher.sound(920);
    publisher.picture(940);
    assert_eq!(early.read(), ["avcC 0", "key 900", "sound 920", "inter 940"]);
    let mut late = view(&hub, "live/x").await;
    assert!(late.header().has_video);
    assert_eq!(late.read(), ["avcC 900", "key 900", "sound 920", "inter 940"]);
}

#[tokio::test(start_paused = true)]
async fn metadata_does_not_speak_of_tracks_that_are_not_there() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    let claims = metadata(&[
        ("width", 640.0.into()),
        ("audiocodecid", 10.0.into()),
        ("stereo", true.into()),
        ("hasAudio", true.into()),
        ("hasVideo", true.into()),
        ("encoder", "e".into()),
    ]);
    let truth = metadata(&[
        ("width", 640.0.into()),
        ("hasAudio", false.into()),
        ("hasVideo", true.into()),
        ("encoder", "e".into()),
    ]);
    publisher.message(TagKind::Script, 0, &claims);
    publisher.keyframe(0);
    settle(&mut publisher).await;
    let mut viewer = view(&hub, "live/x").await;
    let blocks = viewer.ready();
    assert_eq!(blocks[0].tags()[0].data(), truth);

    // Now the track is there: those who watch are told, and those who come after the next keyframe as well.
    publisher.sound(10);
    publisher.picture(20);
    let blocks = viewer.ready();
    assert_eq!(blocks[0].tags()[0].data(), claims);
    assert_eq!(blocks[0].tags()[0].time(), 10);
    publisher.keyframe(40);
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(viewer.ready()[0].tags()[0].data(), claims);
}

#[tokio::test(start_paused = true)]
async fn sound_rides_along_with_the_next_picture() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    publisher.picture(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.ready();
    publisher.sound(10);
    publisher.sound(33);
    assert!(viewer.ready().is_empty());
    publisher.picture(40);
    let blocks = viewer.ready();
    assert_eq!(blocks.len(), 1, "one write");
    let words: Vec<_> = blocks[0].tags().iter().map(word).collect();
    assert_eq!(words, ["sound 10", "sound 33", "inter 40"]);

    // One buffer, and the tags are parts of it.
    let whole = blocks[0].bytes();
    let mut at = 0;
    for tag in blocks[0].tags() {
        assert_eq!(tag.bytes().as_ptr(), whole[at..].as_ptr());
        at += tag.bytes().len();
    }
    assert_eq!(at, whole.len());
}

#[tokio::test(start_paused = true)]
async fn sound_waits_no_longer_than_its_limit() {
    let config = Config::default();
    let hub = Hub::new(config.clone());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    publisher.picture(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.ready();
    let before = Instant::now();
    publisher.sound(10);
    assert_eq!(publisher.flush_at(), Some(before + config.held_audio_max));
    publisher.flush();
    assert!(viewer.ready().is_empty(), "a flush before its time changes nothing");
    settle(&mut publisher).await;
    assert_eq!(viewer.read(), ["sound 10"]);

    // A host that does not call flush in time does not stop it for good.
    publisher.sound(30);
    tokio::time::sleep(config.held_audio_max).await;
    publisher.sound(50);
    assert_eq!(viewer.read(), ["sound 30", "sound 50"]);
}

#[tokio::test(start_paused = true)]
async fn without_video_sound_leaves_at_once_and_any_of_it_is_a_start() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.audio_header("asc");
    publisher.sound(0);
    settle(&mut publisher).await;
    publisher.sound(23);
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(viewer.read(), ["asc 23", "sound 23"]);
    publisher.sound(46);
    assert_eq!(viewer.read(), ["sound 46"]);
}

#[tokio::test(start_paused = true)]
async fn a_keyframe_is_a_block_of_its_own() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let mut viewer = view(&hub, "live/x").await;
    viewer.ready();
    publisher.sound(20);
    let data = b"\x17\x01\0\0\0a keyframe";
    publisher.message(TagKind::Video, 40, data);
    let blocks = viewer.ready();
    assert_eq!(blocks.len(), 2);
    assert!(blocks[1].is_start());
    assert_eq!(blocks[1].tags()[0].data(), data);
    let tag = &blocks[1].tags()[0];
    assert_eq!(
        blocks[1].bytes().as_ptr(),
        tag.bytes().as_ptr(),
        "the tag shares the block's bytes"
    );
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_use_is_counted_and_left_out() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.video_header("avcC");
    publisher.picture(0);
    let useless: [(TagKind, &[u8]); 8] = [
        (TagKind::Audio, b""),
        (TagKind::Audio, b"\xAF"),
        (TagKind::Audio, b"\xAF\x00"),
        (TagKind::Audio, b"\xAF\x01"),
        (TagKind::Video, b""),
        (TagKind::Video, b"\x17\x00"),
        (TagKind::Video, b"\x17\x00\0\0\0"),
        (TagKind::Script, b""),
    ];
    for (kind, data) in useless {
        publisher.message(kind, 0, data);
    }
    publisher.keyframe(40);
    settle(&mut publisher).await;
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(viewer.read(), ["avcC 40", "key 40"]);
    // The picture before the keyframe is one of them.
    assert_eq!(hub.stats().ignored(), useless.len() as u64 + 1);
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_the_tracks_are_known_is_bounded() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    for number in 0..5_000 {
        publisher.video_header(&format!("{number}"));
    }
    publisher.keyframe(0);
    settle(&mut publisher).await;
    assert_eq!(view(&hub, "live/x").await.read(), ["4999 0", "key 0"]);

    let mut publisher = publish(&hub, "live/y");
    for time in 0..5_000 {
        publisher.keyframe(time);
    }
    assert_eq!(view(&hub, "live/y").await.read(), ["key 4999"], "a flood decides");
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_what_is_measured() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "app/room/x");
    // ffmpeg: 1280x720 High 3.1, and AAC LC 48 kHz stereo.
    let avc = b"\x17\0\0\0\0\x01\x64\0\x1F\xFF\xE1\0\x1A\x67\x64\0\x1F\xAC\xD9\x40\x50\x05\xBB\x01\x10\0\0\x03\0\x10\0\0\x03\x03\xC0\xF1\x83\x19\x60\x01\0\x06\x68\xEB\xE3\xCB\x22\xC0";
    publisher.message(TagKind::Video, 0, avc);
    publisher.message(TagKind::Audio, 0, b"\xAF\0\x11\x90");
    let mut data = b"\x27\x01\0\0\0".to_vec();
    data.resize(10_000, 0);
    for step in 0..250 {
        data[0] = if step % 50 == 0 { 0x17 } else { 0x27 };
        publisher.message(TagKind::Video, step * 40, &data);
        publisher.sound(step * 40);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let status = &hub.streams()[0];
    let json = serde_json::to_value(status).unwrap();
    let rate = json["bitrate_kbps"].as_u64().unwrap();
    assert!((1_900..2_200).contains(&rate), "25 pictures of 10 kB are 2000 kbit/s, not {rate}");
    let (video_rate, audio_rate) = (status.video_bitrate_kbps, status.audio_bitrate_kbps);
    assert!((1..3).contains(&audio_rate) && rate - video_rate - audio_rate <= 1, "{json}");
    let held = json["buffered_bytes"].as_u64().unwrap();
    assert!((1_000_000..1_400_000).contains(&held), "5 s of it, not {held} bytes");
    let expected = serde_json::json!({
        "name": "app/room/x", "app": "app/room", "stream": "x", "state": "live",
        "uptime_ms": 10_000, "viewers": 0, "lag_bytes": 0, "lag_ms": 0, "jumps": 0,
        "source": {"protocol": "test", "peer": "192.0.2.1:1935", "agent": "tests"},
        "video": {"codec": "H.264", "codec_string": "avc1.64001f", "width": 1280, "height": 720, "fps": 25.0},
        "audio": {"codec": "AAC", "codec_string": "mp4a.40.2", "sample_rate": 48_000, "channels": 2},
        "tracks": [
            {
                "kind": "video", "id": 0, "codec": "H.264", "codec_string": "avc1.64001f", "width": 1280, "height": 720,
                "fps": 25.0,
            },
            {"kind": "audio", "id": 0, "codec": "AAC", "codec_string": "mp4a.40.2", "sample_rate": 48_000, "channels": 2},
        ],
        "gop_ms": 2_000, "bitrate_kbps": rate, "buffered_bytes": held,
        "video_bitrate_kbps": video_rate, "audio_bitrate_kbps": audio_rate,
        "received_bytes": 250 * (10_000 + 7) + avc.len() + 4,
        "jitter_ms": 0.0, "av_offset_ms": 0.0, "last_error": null,
    });
    assert_eq!(json, expected);
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_what_went_wrong_last() {
    let hub = Hub::new(Config { takeover: Takeover::Replace, ..Config::default() });
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let error = |hub: &Hub| hub.streams()[0].last_error.clone().map(|error| error.code);
    assert_eq!(error(&hub), None);
    let mut second = publish(&hub, "live/x");
    assert_eq!(error(&hub), Some(Trouble::PublisherReplaced));
    drop(publisher);
    second.open(0);
    second.picture(40);
    second.picture(3_600_040);
    assert_eq!(error(&hub), Some(Trouble::ClockJumped));
    drop(second);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let status = &hub.streams()[0];
    assert_eq!(status.state, State::Waiting);
    let error = status.last_error.as_ref().unwrap();
    assert_eq!((error.code, error.ago_ms), (Trouble::PublisherLost, 2000));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_cannot_be_read_is_relayed_all_the_same() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let status = &hub.streams()[0];
    let video = status.video.as_ref().unwrap();
    assert_eq!((video.codec.as_str(), &video.codec_string, video.width), ("H.264", &None, None));
    assert_eq!(view(&hub, "live/x").await.read(), ["avcC 0", "asc 0", "key 0"]);
}

/// A stream of `groups` groups of pictures, `bytes` each, all of them kept.
fn fill(publisher: &mut Publisher, groups: u32, bytes: usize) {
    let mut picture = b"\x27\x01\0\0\0".to_vec();
    picture.resize(bytes, 0);
    for group in 0..groups {
        publisher.keyframe(group * 80 + 1);
        publisher.message(TagKind::Video, group * 80 + 41, &picture);
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_streams_hold_too_much_the_largest_gives_first() {
    let hub = Hub::new(Config { media_bytes: 1 << 20, ..Config::default() });
    let (mut small, mut large) = (publish(&hub, "live/small"), publish(&hub, "live/large"));
    small.open(0);
    large.open(0);
    fill(&mut small, 2, 50_000);
    let before = hub.streams()[1].buffered_bytes;
    assert!(before > 100_000);
    let held = hub.media_bytes();
    assert!(held > before, "tags have a price besides their bytes");
    let mut viewer = view(&hub, "live/large").await;
    fill(&mut large, 30, 100_000);
    let streams = hub.streams();
    let (of_large, of_small) = (streams[0].buffered_bytes, streams[1].buffered_bytes);
    assert_eq!(of_small, before);
    assert!(hub.media_bytes() > of_large + of_small);
    assert!(hub.media_bytes() <= 1 << 20 && of_large > 1 << 19, "{of_large}");
    let hits = hub.stats().hits().of(Limit::MediaBytes);
    assert!((1..30).contains(&hits), "not at every block: {hits}");

    // Who was in the middle of it goes on at a keyframe.
    let read = viewer.read();
    assert!(read.last().unwrap().ends_with(&format!(" {}", 29 * 80 + 41)), "{:?}", read.last());
    assert_eq!(viewer.jumps(), 1);

    large.finish();
    drop(viewer);
    assert!((of_small..held).contains(&hub.media_bytes()), "what is over holds nothing");
    small.finish();
    assert_eq!(hub.media_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_ended_gives_before_what_is_live() {
    let hub = Hub::new(Config { media_bytes: 1 << 20, ..Config::default() });
    // Viewers who have yet to take anything of streams that are over.
    let mut behind = Vec::new();
    for text in ["live/one", "live/two"] {
        let mut publisher = publish(&hub, text);
        publisher.open(0);
        behind.push(view(&hub, text).await);
        fill(&mut publisher, 4, 110_000);
        publisher.finish();
    }
    let mut live = publish(&hub, "live/x");
    live.open(0);
    fill(&mut live, 4, 50_000);
    assert!(hub.streams()[0].buffered_bytes > 4 * 50_000, "it gave nothing");
    assert!(hub.media_bytes() <= 1 << 20, "{}", hub.media_bytes());
    for viewer in &mut behind {
        assert_eq!(viewer.ended(), Some(EndReason::Finished));
    }
    drop(behind);
    live.finish();
    assert_eq!(hub.media_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_single_block_over_the_budget_stays() {
    let hub = Hub::new(Config { media_bytes: 1000, ..Config::default() });
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    fill(&mut publisher, 3, 5_000);
    assert!(hub.media_bytes() > hub.streams()[0].buffered_bytes);
    assert!(hub.media_bytes() < 6_000, "{}", hub.media_bytes());
}

#[tokio::test(start_paused = true)]
async fn pictures_wait_for_more_of_them_if_the_operator_wants_it() {
    let config = Config { batch: Duration::from_millis(100), ..Config::default() };
    let hub = Hub::new(config);
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    tokio::time::advance(Duration::from_millis(100)).await;
    publisher.flush();
    let mut viewer = view(&hub, "live/x").await;
    let mut blocks = viewer.ready();
    let before = Instant::now();
    for time in [40, 80, 120, 160, 200, 240] {
        publisher.sound(time - 20);
        match time {
            160 => publisher.keyframe(time),
            _ => publisher.picture(time),
        }
        blocks.extend(viewer.ready());
        tokio::time::advance(Duration::from_millis(40)).await;
        if publisher.flush_at().is_some_and(|at| Instant::now() >= at) {
            publisher.flush();
            blocks.extend(viewer.ready());
        }
    }
    assert_eq!(before.elapsed(), Duration::from_millis(240));
    let words: Vec<Vec<String>> =
        blocks.iter().map(|block| block.tags().iter().map(word).collect()).collect();
    assert_eq!(
        words,
        [
            vec!["avcC 0", "asc 0"],
            vec!["key 0", "sound 0"],
            vec!["sound 20", "inter 40", "sound 60", "inter 80", "sound 100", "inter 120"],
            vec!["sound 140"],
            vec!["key 160", "sound 180", "inter 200", "sound 220", "inter 240"],
        ]
    );
    let starts: Vec<bool> = blocks.iter().map(|block| block.is_start()).collect();
    assert_eq!(starts, [false, true, false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn headers_that_change_while_pictures_wait_are_those_of_what_follows() {
    let hub = Hub::new(Config { batch: Duration::from_secs(1), ..Config::default() });
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    publisher.video_header("new avcC");
    publisher.keyframe(40);
    tokio::time::advance(Duration::from_secs(1)).await;
    publisher.flush();
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(viewer.read(), ["new avcC 40", "asc 40", "key 40"]);
}
