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
    /// H.264 with its parameter sets in the record.
    Avc1 {
        /// Coded width after cropping.
        width: u16,
        /// Coded height after cropping.
        height: u16,
        /// Width and height of one sample, neither of them 0; written if they differ.
        sample_aspect_ratio: Option<(u16, u16)>,
        /// How colours are to be understood.
        colour: Option<Colour>,
        /// The `AVCDecoderConfigurationRecord`, byte for byte.
        record: &'a [u8],
    },
    /// AAC.
    Mp4a {
        /// Channels that are heard.
        channels: u16,
        /// The core's sampling frequency in Hz.
        sample_rate: u32,
        /// The AudioSpecificConfig, byte for byte.
        config: &'a [u8],
    },
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
            w.u32(init.track_id.saturating_add(1)); // next_track_ID
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
                SampleEntry::Avc1 { width, height, sample_aspect_ratio, colour, record } => {
                    w.boxed(b"avc1", |w| {
                        visual(w, *width, *height);
                        w.boxed(b"avcC", |w| w.bytes(record));
                        if let Some(colour) = colour {
                            colour_box(w, colour);
                        }
                        if let Some((h, v)) = sample_aspect_ratio
                            && h != v
                        {
                            w.boxed(b"pasp", |w| {
                                w.u32((*h).into());
                                w.u32((*v).into());
                            });
                        }
                    });
                }
                SampleEntry::Mp4a { channels, sample_rate, config } => {
                    w.boxed(b"mp4a", |w| {
                        audio(w, *channels, *sample_rate);
                        elementary_stream(w, init.track_id, config);
                    });
                }
            }
        });
        // No samples here, so the tables are empty.
        for kind in [b"stts", b"stsc", b"stco"] {
            w.full(kind, 0, 0, |w| w.u32(0));
        }
        w.full(b"stsz", 0, 0, |w| w.zeros(8));
    });
}

/// `VisualSampleEntry` (12.1.3).
fn visual(w: &mut Writer<'_>, width: u16, height: u16) {
    w.zeros(6);
    w.u16(1); // data_reference_index
    w.zeros(16);
    w.u16(width);
    w.u16(height);
    w.u32(0x48_0000); // 72 dpi
    w.u32(0x48_0000);
    w.zeros(4);
    w.u16(1); // frame_count
    w.zeros(32); // compressorname
    w.u16(0x18); // depth
    w.u16(0xFFFF);
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

/// `AudioSampleEntry` (12.2.3).
fn audio(w: &mut Writer<'_>, channels: u16, sample_rate: u32) {
    w.zeros(6);
    w.u16(1); // data_reference_index
    w.zeros(8);
    w.u16(channels);
    w.u16(16); // samplesize
    w.zeros(4);
    // 16.16; 0 for what does not fit: the decoder reads the AudioSpecificConfig anyway.
    w.u16(u16::try_from(sample_rate).unwrap_or(0));
    w.u16(0);
}

/// `esds` (14496-14, 5.6) with an `ES_Descriptor` (14496-1, 7.2.6.5).
fn elementary_stream(w: &mut Writer<'_>, track_id: u32, config: &[u8]) {
    // A tag and a length of four bytes in front of each descriptor.
    const HEAD: usize = 5;
    const DECODER_CONFIG: usize = 13;
    const SYNC_LAYER: usize = 1;
    let specific = config.len().min(MAX_DESCRIPTOR);
    let decoder = specific.saturating_add(HEAD + DECODER_CONFIG);
    let stream = decoder.saturating_add(HEAD + HEAD + SYNC_LAYER + 3);
    w.full(b"esds", 0, 0, |w| {
        descriptor(w, 0x03, stream);
        let [.., id1, id0] = track_id.to_be_bytes();
        w.bytes(&[id1, id0, 0]); // ES_ID, no dependencies
        descriptor(w, 0x04, decoder);
        w.u8(0x40); // objectTypeIndication: MPEG-4 audio
        w.u8(0x15); // streamType: audio
        w.zeros(3 + 4 + 4); // buffer size and bitrates: not known
        descriptor(w, 0x05, specific);
        w.bytes(config.get(..specific).unwrap_or_default());
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
        SampleEntry::Mp4a { .. } => (0, 0),
        SampleEntry::Avc1 { width, height, sample_aspect_ratio, .. } => {
            let (h, v) = sample_aspect_ratio.unwrap_or((1, 1));
            let shown = u64::from(width).saturating_mul(h.into()).checked_div(v.into());
            let fixed = |size: u64| u32::try_from(size.saturating_mul(1 << 16)).unwrap_or(u32::MAX);
            (fixed(shown.unwrap_or_else(|| width.into())), fixed(height.into()))
        }
    }
}

fn is_video(init: &Init<'_>) -> bool {
    matches!(init.entry, SampleEntry::Avc1 { .. })
}

/// Only `mehd` is measured in it.
const MOVIE_TIMESCALE: u32 = 1000;
/// `und` as three packed letters.
const UNDETERMINED: u16 = 0x55C4;
/// Room for an AudioSpecificConfig, far above the largest (a program config element with its
/// comment) and far below the 28 bits of a descriptor's length.
const MAX_DESCRIPTOR: usize = 0xFFFF;
