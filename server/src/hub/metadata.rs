//! Metadata that tells the truth about the tracks.

use pushpull_media::amf0::{Decoder, Value, encode};

use super::tracks::Tracks;

/// `onMetaData` without what it says about tracks that do not exist; `None` if there is nothing to mend, or if it cannot
/// be read: then it goes out as it came.
pub(super) fn mend(data: &[u8], tracks: Tracks) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(data);
    let name = decoder.next_value().ok()??;
    let mut value = decoder.next_value().ok()??;
    let (Value::Object(properties) | Value::EcmaArray(properties)) = &mut value else {
        return None;
    };
    let before = properties.clone();
    properties.retain(|(key, _)| {
        (tracks.audio || !AUDIO_KEYS.contains(&key.as_str()))
            && (tracks.video || !VIDEO_KEYS.contains(&key.as_str()))
    });
    for (key, value) in properties.iter_mut() {
        match key.as_str() {
            "hasAudio" => *value = tracks.audio.into(),
            "hasVideo" => *value = tracks.video.into(),
            _ => {}
        }
    }
    if *properties == before {
        return None;
    }
    let mut mended = Vec::with_capacity(data.len());
    encode(&name, &mut mended);
    encode(&value, &mut mended);
    Some(mended)
}

const AUDIO_KEYS: [&str; 7] = [
    "audiocodecid",
    "audiodatarate",
    "audiosamplerate",
    "audiosamplesize",
    "audiochannels",
    "audiodevice",
    "stereo",
];

const VIDEO_KEYS: [&str; 7] =
    ["videocodecid", "videodatarate", "width", "height", "framerate", "fps", "videodevice"];
