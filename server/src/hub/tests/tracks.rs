//! Several tracks, and codecs of every kind.

use std::time::Duration;

use super::*;

/// The data of the tags that are ready, headers included.
fn data(viewer: &mut Viewer) -> Vec<Vec<u8>> {
    let blocks = viewer.ready();
    blocks.iter().flat_map(|block| block.tags()).map(|tag| tag.data().to_vec()).collect()
}

async fn choosing(hub: &Hub, audio: Option<u8>, video: Option<u8>) -> Viewer {
    view(hub, "live/x").await.choosing(Some(Selection { audio, video }))
}

const HEADER_0: &[u8] = b"\x96\x00avc1\x00cfg0";
const HEADER_1: &[u8] = b"\x96\x00avc1\x01cfg1";
const SOUND_HEADER_0: &[u8] = b"\x95\x00mp4a\x00asc0";
const SOUND_HEADER_1: &[u8] = b"\x95\x00Opus\x01head";
const KEY_0: &[u8] = b"\x96\x01avc1\x00\0\0\0key0";
const KEY_1: &[u8] = b"\x96\x01avc1\x01\0\0\0key1";
const PICTURE_0: &[u8] = b"\xA6\x01avc1\x00\0\0\0pic0";
const PICTURE_1: &[u8] = b"\xA6\x01avc1\x01\0\0\0pic1";
const SOUND_0: &[u8] = b"\x95\x01mp4a\x00snd0";
const SOUND_1: &[u8] = b"\x95\x01Opus\x01snd1";

/// Two tracks of each kind, a message each.
fn send_two_tracks(publisher: &mut Publisher) {
    for data in [HEADER_0, HEADER_1] {
        publisher.message(TagKind::Video, 0, data);
    }
    for data in [SOUND_HEADER_0, SOUND_HEADER_1] {
        publisher.message(TagKind::Audio, 0, data);
    }
    for time in [0, 40] {
        publisher.message(TagKind::Video, time, if time == 0 { KEY_0 } else { PICTURE_0 });
        publisher.message(TagKind::Video, time, if time == 0 { KEY_1 } else { PICTURE_1 });
        publisher.message(TagKind::Audio, time, SOUND_0);
        publisher.message(TagKind::Audio, time, SOUND_1);
    }
}

#[tokio::test(start_paused = true)]
async fn joiners_get_the_headers_of_every_track_and_all_of_them_untouched() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    send_two_tracks(&mut publisher);
    let mut viewer = view(&hub, "live/x").await;
    publisher.finish();
    let expected = [
        HEADER_0,
        HEADER_1,
        SOUND_HEADER_0,
        SOUND_HEADER_1,
        KEY_0,
        KEY_1,
        SOUND_0,
        SOUND_1,
        PICTURE_0,
        PICTURE_1,
        SOUND_0,
        SOUND_1,
    ];
    assert_eq!(data(&mut viewer), expected);
}

#[tokio::test(start_paused = true)]
async fn a_chosen_track_is_a_plain_stream() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    send_two_tracks(&mut publisher);
    let mut one = choosing(&hub, Some(1), Some(1)).await;
    let mut default = choosing(&hub, None, None).await;
    let mut mixed = choosing(&hub, Some(1), None).await;
    let mut missing = choosing(&hub, Some(9), Some(9)).await;
    publisher.finish();
    assert_eq!(
        data(&mut one),
        [
            &b"\x17\0\0\0\0cfg1"[..],
            b"\x90Opushead",
            b"\x17\x01\0\0\0key1",
            b"\x91Opussnd1",
            b"\x27\x01\0\0\0pic1",
            b"\x91Opussnd1",
        ]
    );
    let of_default = [
        &b"\x17\0\0\0\0cfg0"[..],
        b"\xAF\0asc0",
        b"\x17\x01\0\0\0key0",
        b"\xAF\x01snd0",
        b"\x27\x01\0\0\0pic0",
        b"\xAF\x01snd0",
    ];
    assert_eq!(data(&mut default), of_default);
    assert_eq!(data(&mut missing), of_default, "a track that is not there is the default");
    assert_eq!(data(&mut mixed)[..2], [&b"\x17\0\0\0\0cfg0"[..], b"\x90Opushead"]);
}

#[tokio::test(start_paused = true)]
async fn viewers_of_one_choice_share_their_blocks_and_plain_streams_need_no_others() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    send_two_tracks(&mut publisher);
    let mut viewers = [choosing(&hub, None, Some(1)).await, choosing(&hub, None, Some(1)).await];
    let [first, second] = viewers.each_mut().map(Viewer::ready);
    // But for the headers, which are a joiner's own.
    assert!(first.len() > 1);
    for (first, second) in first.iter().zip(&second).skip(1) {
        assert!(Arc::ptr_eq(first, second));
    }

    let mut publisher = publish(&hub, "live/plain");
    publisher.open(0);
    publisher.picture(40);
    let mut chosen = view(&hub, "live/plain").await.choosing(Some(Selection::default()));
    let mut all = view(&hub, "live/plain").await;
    for (chosen, all) in chosen.ready().iter().zip(&all.ready()).skip(1) {
        assert!(Arc::ptr_eq(chosen, all));
    }
}

#[tokio::test(start_paused = true)]
async fn the_lowest_track_decides_where_viewers_begin() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.message(TagKind::Video, 0, b"\x96\x01vp09\x03key3");
    publisher.sound(0);
    publisher.message(TagKind::Video, 0, b"\x96\x01vp09\x05key5");
    publisher.message(TagKind::Video, 40, b"\xA6\x01vp09\x05pic5");
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(data(&mut viewer)[0], b"\x96\x01vp09\x03key3");
    publisher.message(TagKind::Video, 80, b"\x96\x01vp09\x05next5");
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(data(&mut viewer)[0], b"\x96\x01vp09\x03key3", "a further track starts nobody");
    publisher.message(TagKind::Video, 80, b"\x96\x01vp09\x03next3");
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(data(&mut viewer)[0], b"\x96\x01vp09\x03next3");

    // One lower than all before: it begins with a keyframe like any.
    publisher.message(TagKind::Video, 120, b"\xA6\x01vp09\x01pic1");
    publisher.message(TagKind::Video, 160, b"\x96\x01vp09\x01key1");
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(data(&mut viewer), [b"\x96\x01vp09\x01key1"]);
}

#[tokio::test(start_paused = true)]
async fn a_track_that_is_announced_only_decides_nothing() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.message(TagKind::Video, 0, HEADER_0);
    publisher.message(TagKind::Video, 0, HEADER_1);
    publisher.message(TagKind::Video, 0, KEY_1);
    publisher.sound(0);
    let mut viewer = choosing(&hub, None, None).await;
    assert_eq!(data(&mut viewer), [&b"\x17\0\0\0\0cfg1"[..], b"\x17\x01\0\0\0key1"]);
}

#[tokio::test(start_paused = true)]
async fn when_the_default_track_ends_the_next_one_decides() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    send_two_tracks(&mut publisher);
    for second in 0..12_u32 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        publisher.message(TagKind::Audio, 40 + second * 1_000, SOUND_0);
        publisher.message(TagKind::Video, 40 + second * 1_000, KEY_1);
        let mut viewer = choosing(&hub, None, None).await;
        let expected =
            if second <= 10 { &b"\x17\x01\0\0\0key0"[..] } else { b"\x17\x01\0\0\0key1" };
        assert_eq!(data(&mut viewer)[2], expected, "{second}");
    }
    let mut present = choosing(&hub, None, None).await;
    assert_eq!(data(&mut present)[0], b"\x17\0\0\0\0cfg1");
    // It comes back, with a keyframe as any, and who was there gets its header.
    publisher.message(TagKind::Video, 12_000, PICTURE_0);
    publisher.message(TagKind::Video, 12_040, KEY_0);
    assert_eq!(data(&mut choosing(&hub, None, None).await)[2], b"\x17\x01\0\0\0key0");
    let seen = data(&mut present);
    assert_eq!(seen[..2], [&b"\x17\0\0\0\0cfg0"[..], b"\xAF\0asc0"]);
    assert_eq!(seen.last().unwrap(), b"\x17\x01\0\0\0key0");
}

#[tokio::test(start_paused = true)]
async fn a_chosen_track_begins_with_its_own_keyframe() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.keyframe(0);
    publisher.sound(0);
    publisher.message(TagKind::Video, 0, b"\x96\x01vp09\x01early");
    publisher.keyframe(40);
    let mut viewer = choosing(&hub, None, Some(1)).await;
    publisher.message(TagKind::Video, 40, b"\xA6\x01vp09\x01lost");
    publisher.sound(40);
    publisher.picture(80);
    assert_eq!(data(&mut viewer), [b"\xAF\x01sound"]);
    publisher.message(TagKind::Video, 80, b"\x96\x01vp09\x01key1");
    publisher.message(TagKind::Video, 120, b"\xA6\x01vp09\x01pic1");
    publisher.picture(120);
    assert_eq!(data(&mut viewer), [b"\x91vp09key1", b"\xA1vp09pic1"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_many_tracks_starts_and_is_taken_apart() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    let header = b"\x96\x20hvc1\x00\x00\x00\x01aav01\x01\x00\x00\x01b";
    // ModEx in front of all: the keyframe is behind it.
    let key = b"\x97\x02\x00\x00\x07\x06\x23hvc1\x00\x00\x00\x02k0av01\x01\x00\x00\x02k1";
    publisher.message(TagKind::Video, 0, header);
    publisher.message(TagKind::Video, 0, key);
    publisher.sound(0);
    let mut all = view(&hub, "live/x").await;
    let mut one = choosing(&hub, None, Some(1)).await;
    publisher.finish();
    assert_eq!(data(&mut all)[..2], [&header[..], key]);
    assert_eq!(data(&mut one)[..2], [&b"\x90av01b"[..], b"\x97\x02\x00\x00\x07\x03av01k1"]);
    let codecs: Vec<_> = hub.streams().iter().map(|status| status.tracks.len()).collect();
    assert!(codecs.is_empty(), "it is over");
}

#[tokio::test(start_paused = true)]
async fn the_tracks_are_named() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    send_two_tracks(&mut publisher);
    let status = &hub.streams()[0];
    let tracks: Vec<_> = status
        .tracks
        .iter()
        .map(|track| match track {
            Track::Video { id, video } => format!("video {id} {}", video.codec),
            Track::Audio { id, audio } => format!("audio {id} {}", audio.codec),
        })
        .collect();
    assert_eq!(tracks, ["video 0 H.264", "video 1 H.264", "audio 0 AAC", "audio 1 Opus"]);
    assert_eq!(status.audio.as_ref().unwrap().codec, "AAC");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_codec_without_a_configuration_leaves_none_behind() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    publisher.message(TagKind::Audio, 20, b"\x2Fmp3");
    publisher.message(TagKind::Video, 40, b"\x91vp09key");
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(data(&mut viewer), [b"\x91vp09key"], "neither avcC nor AudioSpecificConfig");
    let status = &hub.streams()[0];
    assert_eq!(status.audio.as_ref().unwrap().codec, "MP3");
    assert_eq!(status.video.as_ref().unwrap().codec, "VP9");
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_is_relayed_and_counted() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    let unknown: [(TagKind, &[u8]); 7] = [
        (TagKind::Video, b"\x9Fhvc1later"),
        (TagKind::Video, b"\x91abcdpicture"),
        (TagKind::Video, b"\x9Fh"),
        (TagKind::Video, b"\x1Dpicture"),
        (TagKind::Audio, b"\x9FOpuslater"),
        (TagKind::Audio, b"\x91abcdsound"),
        (TagKind::Audio, b"\x90O"),
    ];
    // The end of a sequence, and a sequence of a codec without a configuration, are known.
    let known: [(TagKind, &[u8]); 3] = [
        (TagKind::Video, b"\x92hvc1"),
        (TagKind::Audio, b"\x92Opus"),
        (TagKind::Audio, b"\x90.mp3"),
    ];
    let mut viewer = view(&hub, "live/x").await;
    viewer.ready();
    for (kind, data) in unknown.iter().chain(&known) {
        publisher.message(*kind, 40, data);
    }
    assert_eq!(hub.stats().unknown(), unknown.len() as u64);
    assert_eq!(hub.stats().ignored(), 0);
    publisher.finish();
    let sent: Vec<_> = unknown.iter().chain(&known).map(|(_, data)| data.to_vec()).collect();
    // Behind the sound that was held.
    assert_eq!(data(&mut viewer)[1..], sent);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_sequence_is_no_header() {
    let hub = Hub::new(Config::default());
    let mut publisher = publish(&hub, "live/x");
    publisher.open(0);
    publisher.message(TagKind::Video, 40, b"\x17\x02\0\0\0");
    publisher.message(TagKind::Audio, 40, b"\x92mp4a");
    publisher.message(TagKind::Audio, 40, b"\x94Opus\x01\x02front");
    publisher.keyframe(80);
    let mut viewer = view(&hub, "live/x").await;
    assert_eq!(
        data(&mut viewer),
        [&b"\x17\0\0\0\0avcC"[..], b"\xAF\0asc", b"\x94Opus\x01\x02front", b"\x17\x01\0\0\0key"]
    );
}
