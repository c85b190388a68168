use alloc::vec::Vec;

use super::boxes::Writer;
use super::{NON_SYNC, SYNC};
use crate::codec::avc::Colour;

/// What an initialisation segment says.
#[derive(Clone, Copy, Debug)]
pub struct Init<'a> {
    /// The track's number, not 0; the same in its fragments.
    pub track_id: u32,
    /// Ticks per second of the fragments' times, not 0.
    pub timescale: u32,
    /// Length in milliseconds if the whole is known, `None` for a live stream. Chromium plays a
    /// stream without length in its low-delay mode.
    pub duration_ms: Option<u64>,
    /// The codec.
    pub entry: SampleEntry<'a>,
}

/// The sample entry: which codec, and its configuration.
#[derive(Clone, Copy, Debug)]
pub enum SampleEntry<'a> {
    /// Pictures.
    Video(VideoEntry<'a>),
    /// Sound.
    Audio(AudioEntry<'a>),
}

/// `VisualSampleEntry` (12.1.3).
#[derive(Clone, Copy, Debug)]
pub struct VideoEntry<'a> {
    /// The entry's type, such as `avc1`.
    pub kind: [u8; 4],
    /// The type of the box that holds the configuration, such as `avcC`.
    pub record_kind: [u8; 4],
    /// What is in that box, byte for byte; version and flags too if it is a full box.
    pub record: &'a [u8],
    /// Coded width after cropping.
    pub width: u16,
    /// Coded height after cropping.
    pub height: u16,
    /// Width and height of one sample, neither of them 0; written if they differ.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// How colours are to be understood.
    pub colour: Option<Colour>,
    /// The display and the light of high dynamic range.
    #[cfg(feature = "codecs")]
    pub light: Light,
}

/// What MP4 says of high dynamic range, as its boxes hold it.
#[cfg(feature = "codecs")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Light {
    /// `MasteringDisplayColourVolumeBox` (12.1.7): green, blue, red, white point, luminances.
    pub mastering: Option<[u8; 24]>,
    /// `ContentLightLevelBox` (12.1.6): the brightest sample, the brightest picture on average.
    pub content: Option<[u8; 4]>,
}

/// `AudioSampleEntry` (12.2.3).
#[derive(Clone, Copy, Debug)]
pub struct AudioEntry<'a> {
    /// The entry's type, such as `mp4a`.
    pub kind: [u8; 4],
    /// Channels that are heard.
    pub channels: u16,
    /// The core's sampling frequency in Hz.
    pub sample_rate: u32,
    /// The configuration.
    pub record: AudioRecord<'a>,
}

/// Where the configuration of a sound is.
#[derive(Clone, Copy, Debug)]
pub enum AudioRecord<'a> {
    /// In `esds`: `objectTypeIndication`, and what the decoder is told, such as an
    /// AudioSpecificConfig.
    Descriptor(u8, &'a [u8]),
    /// In a box of this type, byte for byte; version and flags too if it is a full box.
    #[cfg(feature = "codecs")]
    Box([u8; 4], &'a [u8]),
}

/// Appends an initialisation segment to `out`.
pub fn write_init(init: &Init<'_>, out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    writer.boxed(b"ftyp", |w| {
        w.bytes(b"iso6");
        w.u32(0);
        w.bytes(b"iso6mp41");
    });
    writer.boxed(b"moov", |w| {
        // 8.2.2. The duration stays 0: the samples are in fragments.
        w.full(b"mvhd", 0, 0, |w| {
            w.zeros(8);
            w.u32(MOVIE_TIMESCALE);
            w.u32(0);
            w.u32(0x1_0000); // rate
            w.u16(0x100); // volume
            w.zeros(10);
            w.matrix();
            w.zeros(24);
            w.u32(init.track_id.wrapping_add(1)); // next_track_ID
        });
        track(w, init);
        w.boxed(b"mvex", |w| {
            if let Some(duration) = init.duration_ms {
                w.full(b"mehd", 1, 0, |w| w.u64(duration));
            }
            w.full(b"trex", 0, 0, |w| {
                w.u32(init.track_id);
                w.u32(1); // default_sample_description_index
                w.zeros(8);
                w.u32(if is_video(init) { NON_SYNC } else { SYNC });
            });
        });
    });
}

fn track(w: &mut Writer<'_>, init: &Init<'_>) {
    w.boxed(b"trak", |w| {
        const ENABLED_IN_MOVIE_AND_PREVIEW: u32 = 7;
        w.full(b"tkhd", 0, ENABLED_IN_MOVIE_AND_PREVIEW, |w| {
            w.zeros(8);
            w.u32(init.track_id);
            w.zeros(4);
            w.u32(0); // duration
            w.zeros(12);
            w.u16(if is_video(init) { 0 } else { 0x100 }); // volume
            w.zeros(2);
            w.matrix();
            let (width, height) = display_size(&init.entry);
            w.u32(width);
            w.u32(height);
        });
        w.boxed(b"mdia", |w| {
            w.full(b"mdhd", 0, 0, |w| {
                w.zeros(8);
                w.u32(init.timescale);
                w.u32(0); // duration
                w.u16(UNDETERMINED);
                w.zeros(2);
            });
            w.full(b"hdlr", 0, 0, |w| {
                w.zeros(4);
                w.bytes(if is_video(init) { b"vide" } else { b"soun" });
                w.zeros(12);
                w.u8(0); // empty name
            });
            w.boxed(b"minf", |w| {
                if is_video(init) {
                    w.full(b"vmhd", 0, 1, |w| w.zeros(8));
                } else {
                    w.full(b"smhd", 0, 0, |w| w.zeros(4));
                }
                w.boxed(b"dinf", |w| {
                    w.full(b"dref", 0, 0, |w| {
                        w.u32(1);
                        w.full(b"url ", 0, 1, |_| {}); // the samples are in the same file
                    });
                });
                sample_table(w, init);
            });
        });
    });
}

fn sample_table(w: &mut Writer<'_>, init: &Init<'_>) {
    w.boxed(b"stbl", |w| {
        w.full(b"stsd", 0, 0, |w| {
            w.u32(1);
            match &init.entry {
                SampleEntry::Video(entry) => w.boxed(&entry.kind, |w| visual(w, entry)),
                SampleEntry::Audio(entry) => w.boxed(&entry.kind, |w| audio(w, entry, init)),
            }
        });
        // No samples here, so the tables are empty.
        for kind in [b"stts", b"stsc", b"stco"] {
            w.full(kind, 0, 0, |w| w.u32(0));
        }
        w.full(b"stsz", 0, 0, |w| w.zeros(8));
    });
}

fn visual(w: &mut Writer<'_>, entry: &VideoEntry<'_>) {
    w.zeros(6);
    w.u16(1); // data_reference_index
    w.zeros(16);
    w.u16(entry.width);
    w.u16(entry.height);
    w.u32(0x48_0000); // 72 dpi
    w.u32(0x48_0000);
    w.zeros(4);
    w.u16(1); // frame_count
    w.zeros(32); // compressorname
    w.u16(0x18); // depth
    w.u16(0xFFFF);
    w.boxed(&entry.record_kind, |w| w.bytes(entry.record));
    if let Some(colour) = &entry.colour {
        colour_box(w, colour);
    }
    #[cfg(feature = "codecs")]
    if let Some(mastering) = &entry.light.mastering {
        w.boxed(b"mdcv", |w| w.bytes(mastering));
    }
    #[cfg(feature = "codecs")]
    if let Some(content) = &entry.light.content {
        w.boxed(b"clli", |w| w.bytes(content));
    }
    if let Some((h, v)) = entry.sample_aspect_ratio
        && h != v
    {
        w.boxed(b"pasp", |w| {
            w.u32(h.into());
            w.u32(v.into());
        });
    }
}

/// `ColourInformationBox` (12.1.5) with the numbers of the stream.
fn colour_box(w: &mut Writer<'_>, colour: &Colour) {
    w.boxed(b"colr", |w| {
        w.bytes(b"nclx");
        w.u16(colour.primaries.into());
        w.u16(colour.transfer.into());
        w.u16(colour.matrix.into());
        w.u8(u8::from(colour.full_range) << 7);
    });
}

fn audio(w: &mut Writer<'_>, entry: &AudioEntry<'_>, init: &Init<'_>) {
    w.zeros(6);
    w.u16(1); // data_reference_index
    w.zeros(8);
    w.u16(entry.channels);
    w.u16(16); // samplesize
    w.zeros(4);
    // 16.16; 0 for what does not fit: the decoder reads the configuration anyway.
    w.u16(u16::try_from(entry.sample_rate).unwrap_or(0));
    w.u16(0);
    match entry.record {
        AudioRecord::Descriptor(kind, config) => elementary_stream(w, init.track_id, kind, config),
        #[cfg(feature = "codecs")]
        AudioRecord::Box(kind, record) => w.boxed(&kind, |w| w.bytes(record)),
    }
}

/// `esds` (14496-14, 5.6) with an `ES_Descriptor` (14496-1, 7.2.6.5).
fn elementary_stream(w: &mut Writer<'_>, track_id: u32, kind: u8, config: &[u8]) {
    // A tag and a length of four bytes in front of each descriptor.
    const HEAD: usize = 5;
    const DECODER_CONFIG: usize = 13;
    const SYNC_LAYER: usize = 1;
    let specific = config.len().min(MAX_DESCRIPTOR);
    let decoder = match specific {
        0 => DECODER_CONFIG,
        _ => specific.wrapping_add(HEAD + DECODER_CONFIG),
    };
    let stream = decoder.wrapping_add(HEAD + HEAD + SYNC_LAYER + 3);
    w.full(b"esds", 0, 0, |w| {
        descriptor(w, 0x03, stream);
        let [.., id1, id0] = track_id.to_be_bytes();
        w.bytes(&[id1, id0, 0]); // ES_ID, no dependencies
        descriptor(w, 0x04, decoder);
        w.u8(kind); // objectTypeIndication
        w.u8(0x15); // streamType: audio
        w.zeros(3 + 4 + 4); // buffer size and bitrates: not known
        if specific > 0 {
            descriptor(w, 0x05, specific);
            w.bytes(config.get(..specific).unwrap_or_default());
        }
        descriptor(w, 0x06, SYNC_LAYER);
        w.u8(2); // as in MP4 files
    });
}

/// A descriptor's tag and its length in four groups of seven bits (14496-1, 8.3.3).
fn descriptor(w: &mut Writer<'_>, tag: u8, len: usize) {
    w.u8(tag);
    for (shift, more) in [(21, 0x80), (14, 0x80), (7, 0x80), (0, 0)] {
        let [.., group] = (len >> shift & 0x7F).to_be_bytes();
        w.u8(group | more);
    }
}

/// Width and height as they are shown, 16.16; 0 for sound.
fn display_size(entry: &SampleEntry<'_>) -> (u32, u32) {
    match *entry {
        SampleEntry::Audio(_) => (0, 0),
        SampleEntry::Video(VideoEntry { width, height, sample_aspect_ratio, .. }) => {
            let (h, v) = sample_aspect_ratio.unwrap_or((1, 1));
            let shown = u64::from(width).wrapping_mul(h.into()).checked_div(v.into());
            let fixed = |size: u64| u32::try_from(size.wrapping_mul(1 << 16)).unwrap_or(u32::MAX);
            (fixed(shown.unwrap_or_else(|| width.into())), fixed(height.into()))
        }
    }
}

fn is_video(init: &Init<'_>) -> bool {
    matches!(init.entry, SampleEntry::Video(_))
}

/// Only `mehd` is measured in it.
const MOVIE_TIMESCALE: u32 = 1000;
/// `und` as three packed letters.
const UNDETERMINED: u16 = 0x55C4;
/// Room for an AudioSpecificConfig, far above the largest (a program config element with its
/// comment) and far below the 28 bits of a descriptor's length.
const MAX_DESCRIPTOR: usize = 0xFFFF;
